"""POST of a question: the reviews of users and rights, and the tokens of service accounts. Nothing is stored.

Models k/k pkg/registry/authorization/subjectaccessreview REST.Create; k/k
pkg/registry/authorization/selfsubjectaccessreview REST.Create; k/k pkg/registry/authentication/selfsubjectreview
REST.Create; k/k pkg/registry/core/serviceaccount/storage TokenREST.Create.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from kubemini.api import errors
from kubemini.api.errors import ApiError, FieldError
from kubemini.api.kinds import KNOWN, NODE, POD, SECRET, Kind
from kubemini.api.objects import Obj, freeze, without
from kubemini.api.timestamps import timestamp
from kubemini.apiserver import admission, admitting, writing
from kubemini.apiserver.core import Core, Request
from kubemini.apiserver.decide import identity, update
from kubemini.apiserver.decide.access import reviews, tokens, users
from kubemini.apiserver.decide.access.tokens import Ref
from kubemini.apiserver.decide.access.users import UserInfo
from kubemini.apiserver.decide.attributes import CREATE
from kubemini.apiserver.gate.access import SERVICE_ACCOUNT
from kubemini.sim import Steps
from kubemini.sim.units import SECOND

TOKEN_REQUEST = replace(KNOWN["authentication.k8s.io/v1", "TokenReview"], kind="TokenRequest")
BINDABLE = {("v1", "Pod"): POD, ("v1", "Secret"): SECRET, ("v1", "Node"): NODE}
NO_TOKEN = "token is required for TokenReview in authentication"


def review(core: Core, asked: Request) -> Steps:
    """The review that was sent, with its answer."""
    write = writing.begun(core, asked)
    found = write.decoded(asked.body)
    if isinstance(found, ApiError):
        return found
    obj = update.named(write.kind, found, asked.info.namespace)
    wrong = update.url_mismatch(write.kind, obj, asked.info.namespace, "")
    return wrong or ANSWERS[write.kind.kind](core, asked, without(obj, ("status",)))
    yield


def _of_others(core: Core, asked: Request, obj: Obj) -> Any:
    spec = obj.get("spec") or {}
    return _access(core, asked, obj, reviews.user_of(spec))


def _of_me(core: Core, asked: Request, obj: Obj) -> Any:
    return _access(core, asked, obj, asked.user)


def _access(core: Core, asked: Request, obj: Obj, user: UserInfo) -> Any:
    kind = asked.kind
    others, local = not kind.kind.startswith("Self"), kind.namespaced
    wrong = [*reviews.wrong(obj, others, local)]
    if wrong:
        return errors.invalid(replace(kind, kind=""), "", wrong)
    decision = core.access.authorize(reviews.question(obj["spec"], user))
    return freeze({**obj, "status": reviews.status(decision)})


def _my_rules(core: Core, asked: Request, obj: Obj) -> Any:
    namespace = (obj.get("spec") or {}).get("namespace", "")
    if not namespace:
        return errors.bad_request("no namespace on request")
    found = reviews.rules(core.access.roles(), asked.user, namespace, users.node_name(asked.user) is not None)
    return _fresh(asked.kind, {}, spec={}, status=found)


def _myself(core: Core, asked: Request, obj: Obj) -> Any:
    now = {"creationTimestamp": timestamp(core.sim.wall)}
    return _fresh(asked.kind, now, status={"userInfo": asked.user.shown()})


def _token(core: Core, asked: Request, obj: Obj) -> Any:
    spec = obj.get("spec") or {}
    if not spec.get("token"):
        return errors.bad_request(NO_TOKEN)
    audiences = tuple(spec.get("audiences") or (tokens.ISSUER,))
    found = core.access.bearer(spec["token"], audiences)
    if isinstance(found, str):
        return freeze({**obj, "status": {"user": {}, "error": found}})
    status = {"authenticated": True, "user": found.shown(), "audiences": [*audiences]}
    return freeze({**obj, "status": status})


ANSWERS: Mapping[str, Callable[[Core, Request, Obj], Any]] = {
    "SubjectAccessReview": _of_others,
    "LocalSubjectAccessReview": _of_others,
    "SelfSubjectAccessReview": _of_me,
    "SelfSubjectRulesReview": _my_rules,
    "SelfSubjectReview": _myself,
    "TokenReview": _token,
}


def _fresh(kind: Kind, meta: Mapping[str, Any], **parts: Any) -> Obj:
    """An answer that is a new object."""
    return freeze({"kind": kind.kind, "apiVersion": kind.api_version, "metadata": meta, **parts})


# -- tokens of service accounts ----------------------------------------------------------------------------------------


def create_token(core: Core, asked: Request) -> Steps:
    """POST to …/serviceaccounts/NAME/token: a token, which is shown once."""
    kind, info = TOKEN_REQUEST, asked.info
    write = replace(writing.begun(core, asked), kind=kind)
    obj = write.decoded(asked.body)
    if isinstance(obj, ApiError):
        return obj
    meta, spec = obj.get("metadata") or {}, obj.get("spec") or {}
    for key, url, what in (("name", info.name, "name"), ("namespace", info.namespace, "namespace")):
        if meta.get(key) and meta[key] != url:
            text = f'Invalid value: "{meta[key]}": must match the service account {what} if specified'
            return errors.invalid(kind, info.name, [FieldError("FieldValueInvalid", f"metadata.{key}", text)])
    account = yield from core.storage.get(SERVICE_ACCOUNT, info.namespace, info.name)
    if isinstance(account, ApiError):
        return account
    wrong = tokens.wrong_request(spec)
    if wrong:
        return errors.invalid(kind, "", wrong)
    refused = admission.admit(admitting.attributes(core, SERVICE_ACCOUNT, CREATE, freeze(obj), asked))
    if isinstance(refused, ApiError):
        return refused
    bound = yield from _bound(core, info.namespace, info.name, spec.get("boundObjectRef"))
    return bound if isinstance(bound, ApiError) else _issued(core, account, spec, bound)


def _issued(core: Core, account: Obj, spec: Mapping[str, Any], bound: list[Ref]) -> Obj:
    """The answer with the token."""
    audiences, lasts = spec.get("audiences") or [tokens.ISSUER], spec.get("expirationSeconds", tokens.HOUR)
    number, now = identity.uid(core.rng), core.access.epoch
    key = core.flags.service_account_key
    token = tokens.made(account, audiences, lasts, now, number, bound, key)
    meta = {key: account["metadata"][key] for key in ("name", "namespace", "uid")}
    return _fresh(
        TOKEN_REQUEST,
        {**meta, "creationTimestamp": timestamp(core.sim.wall)},
        spec={"audiences": audiences, "expirationSeconds": lasts, "boundObjectRef": spec.get("boundObjectRef")},
        status={"token": token, "expirationTimestamp": timestamp(core.sim.wall + lasts * SECOND)},
    )


def _bound(core: Core, namespace: str, account: str, ref: Mapping[str, Any] | None) -> Steps:
    """The objects that a token is bound to: none, one, or a pod and its node; or why it cannot be."""
    if ref is None:
        return []
    api_version, name = ref.get("apiVersion", ""), ref.get("name", "")
    kind = BINDABLE.get((api_version, ref.get("kind", "")))
    if kind is None:
        group, _, version = api_version.rpartition("/")
        text = f"cannot bind token to object of type {group}/{version}, Kind={ref.get('kind', '')}"
        return errors.bad_request(text)
    found = yield from core.storage.get(kind, namespace if kind.namespaced else "", name)
    if isinstance(found, ApiError):
        return found
    uid = found["metadata"]["uid"]
    if ref.get("uid") and ref["uid"] != uid:
        why = f"the UID in the bound object reference ({ref['uid']}) does not match the UID in record. "
        text = why + "The object might have been deleted and then recreated"
        return errors.conflict(replace(kind, plural=kind.kind), name, text)
    refs = [Ref(kind.kind, name, uid)]
    if kind == POD:
        if found["spec"].get("serviceAccountName") != account:
            text = (
                f'cannot bind token for serviceaccount "{account}" to pod running with different serviceaccount name.'
            )
            return errors.bad_request(text)
        node = core.access.find("Node", "", found["spec"].get("nodeName") or "")
        refs += [Ref("Node", node["metadata"]["name"], node["metadata"]["uid"])] if node is not None else []
    return refs
