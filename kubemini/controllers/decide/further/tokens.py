"""Tokens in Secrets: a Secret of type service-account-token is filled with one, and goes with its account.

Nobody makes such Secrets any more but who asks for one by hand: pods have tokens of their own, which expire. The token
is signed with the key that the API servers trust (--service-account-private-key-file).
Invariant: a Secret whose account does not exist is deleted; before that the API server itself is asked for it.
Models k/k pkg/controller/serviceaccount TokensController.syncSecret, TokensController.generateTokenIfNeeded,
TokensController.removeSecretReference; k/k pkg/serviceaccount LegacyClaims
Simplified: tokens that nobody has used for a year are not cleaned up.
"""

from base64 import b64encode
from collections.abc import Generator

from kubemini.api import jwt
from kubemini.api.kinds import SECRET
from kubemini.api.objects import Obj, evolve, evolve_many, get
from kubemini.controllers.decide.actions import Delete, Update
from kubemini.controllers.decide.controller import Controller, Facts, Key, Watch, is_deletion, key_of
from kubemini.controllers.decide.dialogue import Answer, Dialogue, End, Read, Step, not_found
from kubemini.controllers.decide.further.serviceaccount import ACCOUNT

TYPE = "kubernetes.io/service-account-token"
NAME, UID = "kubernetes.io/service-account.name", "kubernetes.io/service-account.uid"
OLD = "kubernetes.io/serviceaccount/"


def is_token(old: Obj | None, new: Obj | None) -> bool:
    """Whether such a Secret has changed."""
    return (new or old or {}).get("type") == TYPE


def decide(secret: Obj, facts: Facts, caught_up: bool, now: int, root_ca: str, key: bytes) -> Dialogue:
    """Fill it, or let it go with its account."""
    account, error = yield from _account(secret, facts)
    if error is not None:
        return End(error=error)
    if account is None:
        answer = yield Delete(secret)
        settled = getattr(answer.error, "code", 0) in (404, 409)
        return End(error=None if settled else answer.error)
    if filled(secret, account, root_ca, key) == secret:
        return End()
    live = yield Read(SECRET, key_of(secret))
    if live.obj is None:
        return End(error=None if not_found(live.error) else live.error)
    if live.obj["metadata"]["resourceVersion"] != secret["metadata"]["resourceVersion"]:
        return End()  # its change will be heard of
    answer = yield Update(filled(live.obj, account, root_ca, key))
    settled = getattr(answer.error, "code", 0) in (404, 409)
    return End(error=None if settled else answer.error)


def _account(secret: Obj, facts: Facts) -> Generator[Step, Answer, tuple[Obj | None, object]]:
    """Its account, of the cache or of the API server, or an error."""
    notes, space = secret["metadata"].get("annotations") or {}, secret["metadata"]["namespace"]
    name, uid = notes.get(NAME, ""), notes.get(UID)
    found = facts.get(ACCOUNT, (space, name))
    if found is not None and uid in (None, "", found["metadata"]["uid"]):
        return found, None
    answer = yield Read(ACCOUNT, (space, name))
    if answer.obj is None:
        return None, None if not_found(answer.error) else answer.error
    return (answer.obj if uid in (None, "", answer.obj["metadata"]["uid"]) else None), None


def filled(secret: Obj, account: Obj, root_ca: str, key: bytes) -> Obj:
    """*secret* with all that a client needs; as it is if it has that."""
    data = dict(secret.get("data") or {})
    if root_ca:
        data["ca.crt"] = _encoded(root_ca)
    if not data.get("namespace"):
        data["namespace"] = _encoded(secret["metadata"]["namespace"])
    if not data.get("token"):
        data["token"] = _encoded(jwt.signed(claims(secret, account), key))
    if data == dict(secret.get("data") or {}):
        return secret
    meta = account["metadata"]
    notes = ((("metadata", "annotations", NAME), meta["name"]), (("metadata", "annotations", UID), meta["uid"]))
    new: Obj = evolve_many(secret, (("data",), data), *notes)
    return new


def claims(secret: Obj, account: Obj) -> dict[str, str]:
    """What the token says: it lasts as long as its Secret."""
    space, name = account["metadata"]["namespace"], account["metadata"]["name"]
    said = {"namespace": space, "secret.name": secret["metadata"]["name"], "service-account.name": name}
    said["service-account.uid"] = account["metadata"]["uid"]
    found = {"iss": "kubernetes/serviceaccount", "sub": f"system:serviceaccount:{space}:{name}"}
    return found | {f"{OLD}{word}": value for word, value in said.items()}


def _encoded(text: str) -> str:
    return b64encode(text.encode()).decode()


def forgotten(key: Key, facts: Facts) -> Dialogue:
    """A token is gone: the accounts that name it do no more."""
    space, name = key
    for account in facts.of_namespace(ACCOUNT, space):
        if name in _named(account):
            answer = yield Read(ACCOUNT, key_of(account))
            if answer.obj is not None and name in _named(answer.obj):
                left = [one for one in answer.obj["secrets"] if one.get("name") != name]
                written = yield Update(evolve(answer.obj, ("secrets",), left))
                if written.error is not None and not not_found(written.error):
                    return End(error=written.error)
    return End()


def _named(account: Obj) -> list[str]:
    return [one.get("name", "") for one in account.get("secrets") or ()]


# -- who is woken ----------------------------------------------------------------------------------------------------
def of_account(account: Obj, facts: Facts) -> list[Key]:
    """The tokens of an account that is no more."""
    meta = account["metadata"]
    here = (one for one in facts.of_namespace(SECRET, meta["namespace"]) if is_token(None, one))
    return [key_of(one) for one in here if get(one, "metadata", "annotations", NAME) == meta["name"]]


def controller(root_ca: str, key: bytes) -> Controller:
    """The controller that signs with *key* and gives everybody *root_ca* (PEM)."""

    def look(secret: Obj, facts: Facts, caught_up: bool, now: int) -> Dialogue:
        return decide(secret, facts, caught_up, now, root_ca, key)

    return Controller(SECRET, look, (Watch(ACCOUNT, of_account, when=is_deletion),), when=is_token, gone=forgotten)
