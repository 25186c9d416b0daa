"""Admission as the server runs it: what its plugins must know is there before they are asked.

The plugins are pure and stand in admission/; a write asks them twice, to change it and to judge what will be stored.
A plugin that needs objects of a kind is asked when the watch cache of that kind is filled.
Models k/apiserver pkg/admission chainAdmissionHandler, k/apiserver pkg/admission/initializer.
Simplified: the informer of a kind of which no object was ever written is not begun, for it would know nothing.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from types import ModuleType
from typing import Any

from kubemini.api.cel.functions.access import Decision, Question
from kubemini.api.errors import ApiError
from kubemini.api.kinds import ENDPOINT_SLICE, SERVICE, Kind
from kubemini.api.labels import SERVICE_NAME
from kubemini.api.objects import Obj, evolve, get
from kubemini.api.usage import amounts
from kubemini.apiserver import admission
from kubemini.apiserver.admission import mutatingwebhook, resourcequota, validatingwebhook
from kubemini.apiserver.admission.validatingadmissionpolicy import space_of
from kubemini.apiserver.core import Core, Request
from kubemini.apiserver.decide import identity
from kubemini.apiserver.decide.access import attributes as access
from kubemini.apiserver.decide.access.users import UserInfo
from kubemini.apiserver.decide.attributes import UPDATE, Attributes
from kubemini.apiserver.decide.deletion import Remove
from kubemini.apiserver.decide.parts import connections
from kubemini.apiserver.decide.policies import webhooks
from kubemini.apiserver.decide.policies.matching import is_exempt
from kubemini.apiserver.decide.policies.webhooks import Hook, Late, Unanswered
from kubemini.apiserver.decide.strategy import default
from kubemini.apiserver.decide.update import Decide
from kubemini.apiserver.outward import tunnel
from kubemini.sim import Steps
from kubemini.sim.units import SECOND

HOOKS = (mutatingwebhook, validatingwebhook)
HTTPS, LATE, NOBODY = 443, "context deadline exceeded", "dial tcp: connect: connection refused"
STRANGER = "tls: failed to verify certificate: x509: certificate signed by unknown authority"


class Heard:
    """What the watch caches of a server hold."""

    def __init__(self, core: Core):
        self._core = core

    def items(self, kind: Kind, namespace: str = "") -> Iterable[Obj]:
        """The objects of *kind*, by key."""
        cache = self._core.begun(kind)
        return cache.items(namespace) if cache is not None else ()

    def get(self, kind: Kind, namespace: str, name: str) -> Obj | None:
        """One of them."""
        cache = self._core.begun(kind)
        return cache.get(namespace, name) if cache is not None else None


def attributes(
    core: Core, kind: Kind, operation: str, obj: Obj | None = None, asked: Request | None = None, **more: Any
) -> Attributes:
    """A write of *kind* as plugins see it; *asked* is the request that it came by, none if the server itself writes."""
    if asked is not None:
        info, warnings = asked.info, asked.warnings
        more = {
            "name": info.name,
            "namespace": info.namespace,
            "subresource": info.subresource,
            "user": asked.user,
            "dry": asked.options.dry,
            "warn": lambda text: None if text in warnings else warnings.append(text),
            "witness": asked.witness,
        } | more
        if asked.audit is not None:
            more["annotate"] = asked.audit.annotate
    name = more.pop("name", "") or get(obj or {}, "metadata", "name") or ""
    seconds = core.params.toleration_seconds // SECOND
    return Attributes(
        operation,
        kind,
        name,
        obj,
        known=Heard(core),
        toleration_seconds=seconds,
        may=_authorizer(core, asked),
        now=core.sim.wall,
        suffix=lambda: identity.generated("", core.rng),
        off=core.flags.disabled_plugins,
        **more,
    )


def _authorizer(core: Core, asked: Request | None) -> Callable[[Question], Decision] | None:
    """What expressions may ask; in a story every answer is yes."""
    if asked is None:
        return None
    user = asked.user

    def may(question: Question) -> Decision:
        namespace, account = question.user
        who = UserInfo(f"system:serviceaccount:{namespace}:{account}") if account else user
        if not core.flags.authorization:
            return Decision(True)
        found = core.access.authorize(
            access.Attributes(
                who,
                question.verb,
                question.group,
                question.resource,
                question.subresource,
                question.namespace,
                question.name,
                question.path,
                question.form == "ResourceCheck",
            )
        )
        return Decision(found.allowed, found.reason)

    return may


def informed(core: Core, asked: Attributes) -> Steps:
    """Wait until all that the plugins must know is known: None, or the ApiError of a cache that is not filled."""
    known: set[Kind] = set()
    while new := [kind for kind in admission.needs(asked) if kind not in known and kind.kind in core.sim.ever]:
        known.update(new)
        for kind in new:
            unready: ApiError | None = yield from core.cache(kind).wait()
            if unready is not None:
                return unready
    return None


def ask_mutating(core: Core, asked: Attributes) -> Steps:
    """The object after all mutating webhooks have answered, or an ApiError; they are asked one after the other."""
    obj = asked.obj
    for hook in _hooks(core, asked, mutatingwebhook):
        if isinstance(hook, ApiError):
            return hook
        before, obj = obj, (yield from _answer(core, hook, replace(asked, obj=obj), mutates=True))
        asked.witness("call", before, obj, hook.name)
        if isinstance(obj, ApiError):
            return obj
        obj = default(obj, asked.kind) if obj is not None else None
    return obj


def ask_validating(core: Core, asked: Attributes) -> Steps:
    """None, or the ApiError of the first validating webhook that refuses."""
    for hook in _hooks(core, asked, validatingwebhook):
        found = hook if isinstance(hook, ApiError) else (yield from _answer(core, hook, asked, mutates=False))
        asked.witness("question", asked.obj, found, getattr(hook, "name", validatingwebhook.NAME))
        if isinstance(found, ApiError):
            return found
    return None


def _hooks(core: Core, asked: Attributes, plugin: ModuleType) -> list[Hook | ApiError]:
    if plugin.NAME in asked.off or is_exempt(asked.kind):
        return []
    return list(webhooks.hooks(asked.known.items(plugin.CONFIGURATION), asked, space_of(asked), asked.may))


def _answer(core: Core, hook: Hook, asked: Attributes, mutates: bool) -> Steps:
    """What *hook* makes of the object, or an ApiError; a failure to ask it is ignored if its policy says so."""
    uid = identity.uid(core.rng)
    try:
        answer = yield from _called(core, hook, webhooks.review(asked, uid))
        found = webhooks.decided(hook, asked, uid, answer, mutates)
    except Unanswered as why:
        core.sim.record(core.component.name, "note", text=f"failed calling webhook {hook.name}: {why}")
        return asked.obj if hook.ignorable else hook.fails(str(why))
    if isinstance(found, ApiError):
        return found
    obj, warnings = found
    for text in warnings:
        asked.warn(text)
    return obj


def _called(core: Core, hook: Hook, review: dict[str, Any]) -> Steps:
    """The answer of the program behind *hook*. Raises Unanswered."""
    service = hook.said["clientConfig"].get("service")
    program = core.flags.webhooks.get(hook.place)
    if service:
        namespace, name = service["namespace"], service["name"]
        found = [one for one in (yield from _known(core, SERVICE, namespace)) if one["metadata"]["name"] == name]
        slices = yield from _known(core, ENDPOINT_SLICE, namespace)
        mine = [one for one in slices if get(one, "metadata", "labels", SERVICE_NAME) == name]
        if why := hook.closed(found[0] if found else None, mine):
            raise Unanswered(hook.unreachable(why))
    if program is None and service:
        return (yield from _posted(core, hook, found[0], mine, review))
    if program is None:
        raise Unanswered(hook.unreachable(NOBODY))
    try:
        answer = program(review)
    except ConnectionRefusedError:
        raise Unanswered(hook.unreachable(NOBODY)) from None
    except Exception as problem:  # a program of the reader's own: what it raises is its answer
        raise Unanswered(hook.unreachable(f"{type(problem).__name__}: {problem}")) from problem
    if isinstance(answer, Late):
        yield core.component.timeout(min(answer.after, hook.seconds * SECOND))
        if answer.after > hook.seconds * SECOND:
            raise Unanswered(hook.unreachable(LATE))
        answer = answer.answer
    return answer


def _posted(core: Core, hook: Hook, service: Obj, slices: list[Obj], review: dict[str, Any]) -> Steps:
    """The answer of the program in a pod behind *service*, which has one that serves. Raises Unanswered.

    Simplified: whoever names a bundle of certificates is believed that it is the right one; without one only those
    are trusted whom the world trusts, and no pod is among them: a HEAD stands for the handshake that comes to nothing.
    """
    told, trusts = hook.said["clientConfig"]["service"], bool(hook.said["clientConfig"].get("caBundle"))
    address = connections.behind_cluster_ip(slices, str(connections.port_name(service, told.get("port", HTTPS))))
    path = f"/{(told.get('path') or '').removeprefix('/')}?timeout={hook.seconds}s"
    headers, body = {"content-type": "application/json", "accept": "application/json"}, json.dumps(review).encode()
    asked = {"method": "POST", "headers": headers, "body": body} if trusts else {"method": "HEAD"}
    reply = yield from tunnel.page(core, address, path, hook.seconds * SECOND, **asked)
    if isinstance(reply, str):
        raise Unanswered(hook.unreachable(LATE if "timeout" in reply else reply))
    if not trusts:
        raise Unanswered(hook.unreachable(STRANGER))
    if reply["status"] != 200:
        raise Unanswered(f"failed to call webhook: the server responded with status {reply['status']}")
    try:
        return json.loads(reply["body"])
    except ValueError:
        raise Unanswered("received invalid webhook response: it is no JSON") from None


def _known(core: Core, kind: Kind, namespace: str) -> Steps:
    """The objects of *kind* that this server has heard of; none while it cannot know."""
    if kind.kind not in core.sim.ever or (yield from core.cache(kind).wait()) is not None:
        return ()
    return tuple(core.cache(kind).items(namespace))


# -- webhooks in a decision --------------------------------------------------------------------------------------------


class Unasked(Exception):
    """A decision that webhooks must be asked for first: of *look*, the change of it if *mutates*, else a judgement.

    Theory: a decision is pure and may be made any number of times; asking takes time. So it stops where an answer
    is wanted, the driver asks, and it is made anew with what is known by then. An answer is for one state of the
    object: if somebody else was faster, they are asked once more, about the newer one.
    """

    def __init__(self, look: Attributes, mutates: bool):
        super().__init__()
        self.look, self.mutates = look, mutates

    @property
    def key(self) -> tuple[bool, str, str]:
        """Which half of the webhooks, and about which state of which object."""
        meta = get(self.look.old or {}, "metadata", default={})
        return self.mutates, meta["uid"], meta["resourceVersion"]


def answered(core: Core, asked: Request, look: Attributes, mutates: bool) -> Any:
    """What webhooks made of an UPDATE or DELETE: the object (a judgement: None), or an ApiError. Raises Unasked."""
    question = Unasked(look, mutates)
    if question.key not in asked.answers:
        if _hooks(core, look, mutatingwebhook if mutates else validatingwebhook):
            raise question
        return look.obj if mutates else None
    found, warnings = asked.answers[question.key]
    for text in warnings:
        look.warn(text)
    return found


def ask(core: Core, asked: Request, question: Unasked) -> Steps:
    """Ask, and keep the answer and its warnings (an apply forgets them) for when the decision is made anew."""
    told: list[str] = []
    look, each = replace(question.look, warn=told.append), ask_mutating if question.mutates else ask_validating
    asked.answers[question.key] = (yield from each(core, look)), told


def of_delete(core: Core, asked: Request, look: Attributes) -> ApiError | None:
    """Why plugins, policies or webhooks refuse a DELETE, or None. Raises Unasked.

    Models k/apiserver pkg/registry/rest AdmissionToValidateObjectDeleteFunc
    """
    refused: Any = admission.admit(look) or answered(core, asked, look, mutates=True)
    return refused or admission.validate(look) or answered(core, asked, look, mutates=False)


# -- quotas ------------------------------------------------------------------------------------------------------------


def charge(core: Core, asked: Attributes) -> Steps:
    """Write into the quotas what the write uses up, before it is stored: None, or the ApiError of one that is full.

    Each is decided on its newest state, so two API servers never give out the same rest. What is charged for a write
    that then fails is given back by the controller of quotas.
    """
    if asked.dry or resourcequota.NAME in asked.off:
        return None
    found = resourcequota.charges(asked, asked.known.items(resourcequota.QUOTA, asked.namespace))
    for one, _ in [] if isinstance(found, ApiError) else found:
        name = one["metadata"]["name"]
        decide = _charged(asked)
        done = yield from core.storage.update(resourcequota.QUOTA, asked.namespace, name, decide)
        asked.witness("charge", one, done, name)
        if isinstance(done, ApiError) and done.code != 404:
            return done
    return None


def foreseen(core: Core, asked: Request, decide: Decide) -> Steps:
    """Ask webhooks, and charge quotas as `charge` does, for what *decide* makes of the object as it is now.

    None, or the ApiError of a quota that is full. What webhooks refuse is refused when *decide* is carried out.
    """
    info, kind = asked.info, asked.kind
    metered = resourcequota.QUOTA.kind in core.sim.ever and bool(info.namespace)
    watched = any(hooks.CONFIGURATION.kind in core.sim.ever for hooks in HOOKS) and not is_exempt(kind)
    if not (metered or watched):
        return None
    old = yield from core.storage.get(kind, info.namespace, info.name)
    new = old if isinstance(old, ApiError) else (yield from _tried(core, asked, decide, old))
    if isinstance(new, ApiError | Remove):
        return None  # it is refused once more, with the same words, when it is carried out
    return (yield from charge(core, attributes(core, kind, UPDATE, new, asked, old=old))) if metered else None


def _tried(core: Core, asked: Request, decide: Decide, old: Obj) -> Steps:
    """What *decide* makes of *old*, once all webhooks that it waits for have answered."""
    while True:
        try:
            return decide(old)
        except Unasked as question:
            yield from ask(core, asked, question)


def _charged(asked: Attributes) -> Decide:
    def decide(quota: Obj) -> Any:
        found = resourcequota.charges(asked, [quota])
        if isinstance(found, ApiError) or not found:
            return quota if not isinstance(found, ApiError) else found
        return evolve(quota, ("status", "used"), amounts.written(found[0][1]))

    return decide


def last_words(core: Core, last: Attributes, charges: bool) -> Steps:
    """Validating admission, then the quota if it is charged (*charges*): None, or why it is refused."""
    refused = yield from ask_validating(core, last)
    if refused is None and charges:
        refused = yield from charge(core, last)
    return refused
