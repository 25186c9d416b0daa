"""Tokens of service accounts: claims, signed by a key that only the server has. Pure.

    header.claims.signature        each in base64, as every JSON web token

A token says for whom it is (`sub`), for whose eyes (`aud`), how long (`exp`), and to which object it is bound: when
that is gone, so is the token. Nothing is stored, so nothing but time, or the end of the object, can take it back.
Models k/k pkg/serviceaccount Claims validator.Validate jwtTokenAuthenticator.AuthenticateToken; k/k
pkg/registry/core/serviceaccount/storage TokenREST.Create; k/k pkg/apis/authentication/validation ValidateTokenRequest.
Simplified: the signature is HMAC-SHA256, where the real server has a pair of keys (RS256) whose public half others may
ask for; a token that is used in an hour is never made to last a year for old clients.
"""

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from kubemini.api.errors import FieldError
from kubemini.api.objects import Obj
from kubemini.apiserver.decide.access.users import CREDENTIAL, UserInfo, service_account

ISSUER = "https://kubernetes.default.svc"
INVALID = "invalid bearer token"
LEAST, MOST = 600, 1 << 32  # seconds
HOUR = 3600
LEEWAY = 60  # seconds by which clocks may differ
_CLAIM = "authentication.kubernetes.io/"
_BOUND = ("pod", "node", "secret")


class Ref(NamedTuple):
    """An object that a token is bound to; a pod's node comes with it."""

    kind: str
    name: str
    uid: str


def made(
    account: Obj, audiences: Sequence[str], lasts: int, now: int, number: str, bound: Sequence[Ref], key: bytes
) -> str:
    """A token for *account*, *lasts* seconds from *now* (of the Unix epoch); *number* is its own, a UUID."""
    meta = account["metadata"]
    private: dict[str, Any] = {"namespace": meta["namespace"]}
    private |= {ref.kind.lower(): {"name": ref.name, "uid": ref.uid} for ref in bound}
    private["serviceaccount"] = {"name": meta["name"], "uid": meta["uid"]}
    claims = {
        "aud": [*audiences],
        "exp": now + lasts,
        "iat": now,
        "iss": ISSUER,
        "jti": number,
        "kubernetes.io": private,
        "nbf": now,
        "sub": f"system:serviceaccount:{meta['namespace']}:{meta['name']}",
    }
    signed = f"{_encoded({'alg': 'HS256', 'kid': _kid(key)})}.{_encoded(claims)}"
    return f"{signed}.{_signature(signed, key)}"


def claims_of(token: str) -> Mapping[str, Any] | None:
    """What *token* says, if it is one that this issuer makes: not yet whether it is true."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        found = json.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, Error):
        return None
    return found if isinstance(found, dict) and found.get("iss") == ISSUER else None


def problem(
    token: str, claims: Mapping[str, Any], now: int, find: Callable[[str, str, str], Obj | None], key: bytes
) -> str:
    """Why *token* is not good; "" if it is. *find*: an object by kind, namespace and name."""
    signed, _, signature = token.rpartition(".")
    if not hmac.compare_digest(signature, _signature(signed, key)):
        return INVALID
    if now > claims["exp"] + LEEWAY:
        return "service account token has expired"
    if now + LEEWAY < claims["nbf"]:
        return "service account token is not valid yet"
    private = claims["kubernetes.io"]
    space, ref = private["namespace"], private["serviceaccount"]
    account = find("ServiceAccount", space, ref["name"])
    if account is None:
        return f'serviceaccount "{ref["name"]}" not found'
    if account["metadata"]["uid"] != ref["uid"]:
        return f"service account UID ({account['metadata']['uid']}) does not match claim ({ref['uid']})"
    return _unbound(private, space, find)


def _unbound(private: Mapping[str, Any], space: str, find: Callable[[str, str, str], Obj | None]) -> str:
    """Why the object that the token is bound to does not carry it any more."""
    for kind in _BOUND:
        ref = private.get(kind)
        if ref is None or (kind == "node" and "pod" in private):
            continue
        found = find(kind.capitalize(), "" if kind == "node" else space, ref["name"])
        if found is None:
            return "service account token has been invalidated"
        uid = found["metadata"]["uid"]
        if uid != ref["uid"]:
            return f"{kind} UID ({uid}) does not match service account {kind} ref claim ({ref['uid']})"
    return ""


def bearer(claims: Mapping[str, Any]) -> UserInfo:
    """The user that a good token makes of whoever shows it."""
    private = claims["kubernetes.io"]
    extra = {CREDENTIAL: (f"JTI={claims['jti']}",)}
    for kind in ("node", "pod"):
        if kind in private:
            extra[f"{_CLAIM}{kind}-name"] = (private[kind]["name"],)
            extra[f"{_CLAIM}{kind}-uid"] = (private[kind]["uid"],)
    account = private["serviceaccount"]
    return service_account(private["namespace"], account["name"], account["uid"], extra)


def wrong_request(spec: Mapping[str, Any]) -> list[FieldError]:
    """What is wrong with the spec of a TokenRequest."""
    lasts = spec.get("expirationSeconds", HOUR)
    where, found = "spec.expirationSeconds", []
    if lasts < LEAST:
        text = f"Invalid value: {lasts}: may not specify a duration less than 10 minutes"
        found.append(FieldError("FieldValueInvalid", where, text))
    if lasts > MOST:
        text = f"Invalid value: {lasts}: may not specify a duration larger than 2^32 seconds"
        found.append(FieldError("FieldValueInvalid", where, text))
    return found


def _encoded(value: Any) -> str:
    return urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")


def _signature(signed: str, key: bytes) -> str:
    return urlsafe_b64encode(hmac.new(key, signed.encode(), hashlib.sha256).digest()).decode().rstrip("=")


def _kid(key: bytes) -> str:
    """Which key it was."""
    return urlsafe_b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")
