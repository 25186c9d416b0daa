"""Tokens of service accounts: claims, signed by a key that only the control plane has (api/jwt.py). Pure.

A token says for whom it is (`sub`), for whose eyes (`aud`), how long (`exp`), and to which object it is bound: when
that is gone, so is the token. Nothing is stored, so nothing but time, or the end of the object, can take it back. An
old one, which a controller wrote into a Secret, lasts as long as the Secret has it.
Models k/k pkg/serviceaccount Claims validator.Validate legacyValidator.Validate
jwtTokenAuthenticator.AuthenticateToken; k/k pkg/registry/core/serviceaccount/storage TokenREST.Create;
k/k pkg/apis/authentication/validation ValidateTokenRequest.
Simplified: a token that is used in an hour is never made to last a year for old clients; nothing notes when an old one
was used last.
"""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from kubemini.api import jwt
from kubemini.api.errors import FieldError
from kubemini.api.objects import Obj, get
from kubemini.apiserver.decide.access.users import CREDENTIAL, UserInfo, service_account

ISSUER = "https://kubernetes.default.svc"
OLD_ISSUER, OLD = "kubernetes/serviceaccount", "kubernetes.io/serviceaccount/"  # of tokens in Secrets
OLD_USER = ("namespace", "service-account.name", "service-account.uid")
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
    return jwt.signed(claims, key)


def claims_of(token: str) -> Mapping[str, Any] | None:
    """What *token* says, if it is one that an issuer here makes: not yet whether it is true."""
    found = jwt.claims_of(token)
    return found if found is not None and found.get("iss") in (ISSUER, OLD_ISSUER) else None


def problem(
    token: str, claims: Mapping[str, Any], now: int, find: Callable[[str, str, str], Obj | None], key: bytes
) -> str:
    """Why *token* is not good; "" if it is. *find*: an object by kind, namespace and name."""
    if not jwt.is_signed(token, key):
        return INVALID
    if claims["iss"] == OLD_ISSUER:
        return _revoked(token, claims, find)
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


def _revoked(token: str, claims: Mapping[str, Any], find: Callable[[str, str, str], Obj | None]) -> str:
    """Why an old token is good no more: its Secret has it not, or its account is gone."""
    space, name = claims[f"{OLD}namespace"], claims[f"{OLD}secret.name"]
    secret = find("Secret", space, name)
    if secret is None or secret["metadata"].get("deletionTimestamp"):
        return "token has been invalidated"
    if get(secret, "data", "token") != b64encode(token.encode()).decode():
        return "token does not match server's copy"
    account = find("ServiceAccount", space, claims[f"{OLD}service-account.name"])
    if account is None:
        return f'serviceaccounts "{claims[f"{OLD}service-account.name"]}" not found'
    uid, claimed = account["metadata"]["uid"], claims[f"{OLD}service-account.uid"]
    return "" if uid == claimed else f"service account UID ({uid}) does not match claim ({claimed})"


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
    if claims["iss"] == OLD_ISSUER:
        space, name, uid = (claims[f"{OLD}{word}"] for word in OLD_USER)
        return service_account(space, name, uid, {})
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
