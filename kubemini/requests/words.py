"""What each stage did to a request, in words: one function a stage. Pure.

A function gets the walk, and what is known of the request besides (`About`), and returns what is told: a verdict, one
sentence, facts, changes. The words of a refusal are the server's own; the rest is ours.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kubemini.api.errors import ApiError
from kubemini.api.objects import get, without
from kubemini.apiserver.decide.access.users import ANONYMOUS, MASTERS, UserInfo
from kubemini.apiserver.decide.request import RequestInfo
from kubemini.requests.diffs import diff
from kubemini.requests.observed import Seen, Step
from kubemini.requests.stages import Walk
from kubemini.sim.units import SECOND

PASSED, CHANGED, REFUSED, ANSWERED, IDLE, UNREACHED = "passed", "changed", "refused", "answered", "idle", "unreached"
Facts = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Part:
    """What one plugin, or webhook, did."""

    name: str
    verdict: str
    why: str = ""
    diff: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """What a stage did. *also*: the names of those that had nothing to do; *brief*: all of it in a word or two."""

    verdict: str
    why: str
    facts: Facts = ()
    diff: Sequence[str] = ()
    parts: tuple[Part, ...] = ()
    also: tuple[str, ...] = ()
    brief: str = ""


@dataclass(frozen=True, slots=True)
class About:
    """What is known of a request besides its steps. *names*: of flow schemas and levels, by uid; *limit* in µs."""

    credentials: str
    media: str
    size: int
    limit: int
    names: Mapping[str, str] = field(default_factory=dict)


def _seen(walk: Walk, stage: str) -> Seen | None:
    """The request as the handlers of a stage left it."""
    for step in reversed(walk.by_stage[stage]):
        if isinstance(step.before, Seen):
            return step.before
    return None


def is_write(walk: Walk) -> bool:
    """Whether something is to be changed."""
    seen = _seen(walk, "info")
    return seen is not None and seen.info.is_resource and seen.info.verb in WRITES


_BINDING = re.compile(r'Binding "([^"/]+)')
WRITES = ("create", "update", "patch", "delete", "deletecollection")
LEVELS = {
    "Metadata": "and of whom, what and when, but not what is in it",
    "Request": "with what was sent",
    "RequestResponse": "with what was sent and what was answered",
}
NOTHING = Told(IDLE, "Nothing to do here for this request.")


# -- the chain ---------------------------------------------------------------------------------------------------------


def audit(walk: Walk, about: About) -> Told:
    """Whether it is told of, and under which number."""
    seen = _seen(walk, "audit")
    if seen is None:
        return NOTHING
    facts = (("Audit-Id", seen.headers.get("Audit-Id", "")),)
    if not seen.level:
        return Told(IDLE, "Nobody wants to hear of it: this server has no policy that asks for an audit log.", facts)
    why = f"From here on the audit log tells how far it comes, {LEVELS[seen.level]}."
    return Told(PASSED, why, (("level", seen.level), *facts), brief=seen.level)


def recover(walk: Walk, about: About) -> Told:
    """What if a handler panics."""
    return Told(PASSED, "Stands around all that follow: a panic would cost this one request (500), not the server.")


def info(walk: Walk, about: About) -> Told:
    """What is asked for."""
    seen = _seen(walk, "info")
    if seen is None:
        return NOTHING
    found = seen.info
    if not found.is_resource:
        return Told(PASSED, f"Method and path say: {found.verb} {found.path}, which is no resource.", brief=found.verb)
    group = f"{found.group}/{found.version}" if found.group else found.version
    facts = (
        ("verb", found.verb),
        ("resource", f"{_resource(found)} in {group}"),
        ("namespace", found.namespace or "none"),
        ("name", found.name or ("in the body" if found.verb == "create" else "none")),
    )
    return Told(PASSED, f"Method and path say: {_what(found)}.", facts, brief=f"{found.verb} {_resource(found)}")


def _resource(found: RequestInfo) -> str:
    return f"{found.resource}/{found.subresource}" if found.subresource else found.resource


def _what(found: RequestInfo) -> str:
    """``create pods in namespace shop``."""
    name = f" {found.name}" if found.name else ""
    space = f" in namespace {found.namespace}" if found.namespace else ""
    return f"{found.verb} {_resource(found)}{name}{space}"


def time(walk: Walk, about: About) -> Told:
    """How long it may take."""
    most = f"{about.limit // SECOND} s"
    return Told(PASSED, f"It may take {most}, as any request that names no shorter time.", brief=most)


def authenticate(walk: Walk, about: About) -> Told:
    """Who it is."""
    seen = _seen(walk, "authenticate")
    if seen is None:
        return NOTHING
    user = seen.user
    nobody = user.name == ANONYMOUS
    why = f"No credentials: {user.name}." if nobody else f"The {about.credentials} is good: it is {user.name}."
    return Told(PASSED, why, _user(user), brief=user.name)


def _user(user: UserInfo) -> Facts:
    return (("user", user.name), ("groups", ", ".join(user.groups) or "none"))


def impersonate(walk: Walk, about: About) -> Told:
    """For whom."""
    before, after = _seen(walk, "authenticate"), _seen(walk, "impersonate")
    if before is None or after is None or before.user == after.user:
        return Told(IDLE, "It acts for itself.")
    name = after.user.name
    return Told(CHANGED, f"{before.user.name} may act as {name}, and does from here on.", _user(after.user), brief=name)


def seat(walk: Walk, about: About) -> Told:
    """Whether there is room."""
    seen = _seen(walk, "seat")
    headers = seen.headers if seen else {}
    schema = about.names.get(headers.get("X-Kubernetes-Pf-Flowschema-Uid", ""), "")
    level = about.names.get(headers.get("X-Kubernetes-Pf-Prioritylevel-Uid", ""), "")
    if not level:
        return Told(IDLE, "It takes no seat here.")
    waited = walk.took["seat"]
    how = f"waits {waited / SECOND:g} s for a seat" if waited else "sits down at once"
    facts = (("flow schema", schema), ("priority level", level))
    return Told(PASSED, f"It {how} in the level {level}.", facts, brief=level)


def authorize(walk: Walk, about: About) -> Told:
    """Whether they may."""
    asked = walk.last("authorize", "rights")
    if asked is None:
        return Told(IDLE, "This server keeps no rights: everybody may do everything.")
    question, decision = asked.before, asked.after
    seen = _seen(walk, "info")
    what = _what(seen.info) if seen and seen.info.is_resource else f"{question.verb} {question.path}"
    facts = (("may", question.user.name), ("do", what), ("decided by", decision.reason or _silent(question.user)))
    if not decision.allowed:
        return Told(PASSED, "", (*facts[:2], ("decided by", decision.reason or "no rule that allows it was found")))
    why = decision.reason.removeprefix("RBAC: ") or _silent(question.user)
    found = _BINDING.search(decision.reason)
    return Told(PASSED, f"Yes: {why}.", facts, brief=found[1] if found else "")


def _silent(user: UserInfo) -> str:
    """Why somebody is let through without a reason."""
    return f"whoever is in {MASTERS} may do everything" if MASTERS in user.groups else "no rights are kept here"


def find(walk: Walk, about: About) -> Told:
    """Whether it is there."""
    if walk.ended == "find" and walk.error is None:
        return Told(ANSWERED, "This page is answered by a handler of the chain itself.", brief="answered here")
    seen = _seen(walk, "find")
    if seen is None:
        return NOTHING
    kind = seen.info.kind
    return Told(
        PASSED,
        f"There is such a kind, {kind.kind if kind else '?'}, and it can be asked to {seen.info.verb}.",
        brief=kind.kind if kind else "",
    )


# -- a write -----------------------------------------------------------------------------------------------------------


def decode(walk: Walk, about: About) -> Told:
    """What is in the body."""
    body, filled = walk.last("decode", "decode"), walk.last("decode", "default")
    if body is None:
        return Told(IDLE, "There is no body to read.")
    seen = _seen(walk, "decode")
    facts: Facts = (("sent as", about.media), ("size", f"{about.size:,} bytes"))
    facts += tuple(("warning", text) for text in (seen.warnings if seen else ()))
    if filled is None:
        return Told(PASSED, "The body can be read.", facts)
    kind = get(filled.after, "kind", default="object")
    changed = diff(filled.before, filled.after)
    added = sum(line.startswith("+ ") for line in changed)
    if not added:
        return Told(PASSED, f"The body is a {kind} that says all there is to say.", facts)
    why = f"The body is a {kind}; its defaults fill in {added} line{'s' if added > 1 else ''} that it is silent about."
    return Told(CHANGED, why, facts, changed, brief=f"+{added} lines")


def mutate(walk: Walk, about: About) -> Told:
    """Who changes it."""
    parts = [_part(step, diff(step.before, step.after)) for step in walk.by_name("mutate", "admit", "call")]
    grant = walk.last("mutate", "grant")
    space = walk.last("mutate", "space")
    if space is not None and isinstance(space.after, ApiError):
        parts.insert(0, Part("NamespaceLifecycle", REFUSED, space.after.message))
    if grant is not None:
        parts.append(Part("RBAC escalation check", REFUSED, grant.after.message))
    hooks = [step.name for step in walk.by_name("mutate", "call")]
    return _by_parts(parts, hooks, "changed it", "Nobody changes it")


def _part(step: Step, changed: Sequence[str] = ()) -> Part:
    if isinstance(step.after, ApiError):
        return Part(step.name, REFUSED, step.after.message)
    return Part(step.name, CHANGED if changed else PASSED, "", changed)


def _by_parts(parts: Sequence[Part], hooks: Sequence[str], did: str, otherwise: str) -> Told:
    """What plugins and webhooks did: those that did something, and the names of the others."""
    if not parts:
        return NOTHING
    busy = tuple(part for part in parts if part.verdict != PASSED or part.name in hooks)
    quiet = tuple(part.name for part in parts if part not in busy)
    names = [part.name for part in parts if part.verdict == CHANGED]
    why = f"{_listed(names)} {did}." if names else f"{otherwise}: {len(parts)} were asked."
    brief = f"by {len(names)} of {len(parts)}" if names else f"{len(parts)} asked"
    return Told(CHANGED if names else PASSED, why, (), (), busy, quiet, brief)


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def reset(walk: Walk, about: About) -> Told:
    """What is the server's to write."""
    step = walk.last("reset", "reset")
    if step is None or isinstance(step.after, ApiError):
        return NOTHING
    changed = diff(step.before, step.after)
    if not changed:
        return Told(PASSED, "What only the server may write is as it was.")
    added = sum(line.startswith("+ ") for line in changed)
    brief = f"+{added} lines"
    return Told(CHANGED, "What only the server may write is written, or kept as it was.", (), changed, brief=brief)


def validate(walk: Walk, about: About) -> Told:
    """Whether it keeps the rules."""
    step = walk.last("validate", "validate")
    if step is None:
        return NOTHING
    kind = get(step.before, "kind", default="object")
    causes = (walk.error.details.get("causes") or ()) if walk.error and walk.ended == "validate" else ()
    facts = tuple((cause.get("field", ""), cause.get("message", "")) for cause in causes)
    return Told(PASSED, f"It keeps all the rules of a {kind}.", facts)


def judge(walk: Walk, about: About) -> Told:
    """Who objects."""
    parts = [_part(step) for step in walk.by_name("judge", "judge", "question", "charge")]
    hooks = [step.name for step in walk.by_name("judge", "question", "charge")]
    return _by_parts(parts, hooks, "changed it", "Nobody objects")


# -- the end -----------------------------------------------------------------------------------------------------------


def store(walk: Walk, about: About) -> Told:
    """What etcd is asked, and says."""
    asked, cached, stale = walk.last("store", "etcd"), walk.last("store", "cache"), walk.last("store", "stale")
    if walk.ended == "store" and stale is not None and isinstance(stale.after, ApiError):
        found = get(stale.before, "metadata", "resourceVersion")
        return Told(PASSED, "", (("etcd has", f"resourceVersion {found}"),))
    if cached is not None and asked is None:
        facts = (("as of revision", str(cached.after)),)
        return Told(PASSED, "Read from the watch cache; etcd is not asked.", facts, brief="from the cache")
    if asked is None:
        return NOTHING
    told, became = _etcd(asked.before, asked.after), walk.last("reset", "reset")
    if stale is None or became is None:
        return told
    return replace(told, diff=diff(_unversioned(stale.before), _unversioned(became.after)))


def _unversioned(obj: Any) -> Any:
    return without(obj, ("metadata", "resourceVersion"))


def _etcd(question: Mapping[str, Any], reply: Any) -> Told:
    if not reply.ok:
        return Told(PASSED, f"etcd gives no answer: {reply.error}.", _question(question))
    revision = reply.value["header"]["revision"]
    if "compare" not in question:
        many = len(reply.value["kvs"])
        why = f"etcd has {many} object{'' if many == 1 else 's'} there."
        brief = f"{many} found"
        return Told(PASSED, why, (*_question(question), ("at revision", str(revision))), brief=brief)
    if not reply.value["succeeded"]:
        why = "It is not as it was: nothing is written, and what is there is read instead."
        return Told(PASSED, why, (*_question(question), ("then", "failed")))
    facts = (*_question(question), ("then", f"succeeded, at revision {revision}"))
    if not question["success"]:
        return Told(PASSED, "A dry run: it was compared, and nothing written.", facts)
    if not any("request_put" in act for act in question["success"]):
        return Told(
            CHANGED, f"Deleted in one transaction, at revision {revision}.", facts, brief=f"revision {revision}"
        )
    why = f"Written in one transaction: {revision} is its resourceVersion now."
    return Told(CHANGED, why, facts, brief=f"revision {revision}")


def _question(question: Mapping[str, Any]) -> Facts:
    """What etcd is asked, as facts."""
    if "compare" not in question:
        return (("range", f"{question['range']}{' …' if 'range_end' in question else ''}"),)
    facts = [("if", _compared(one)) for one in question["compare"]]
    for act in question["success"]:
        put, gone = act.get("request_put"), act.get("request_delete_range")
        facts.append(("put", put["key"]) if put else ("delete", gone["key"]))
    facts += [("else read", one["request_range"]["key"]) for one in question["failure"][:1]]
    return tuple(facts)


def _compared(one: Mapping[str, Any]) -> str:
    sign = "<" if one.get("result") == "LESS" else "="
    absent = " (there is none)" if sign == "=" and not one["mod_revision"] else ""
    return f"mod_revision({one['key']}{' …' if 'range_end' in one else ''}) {sign} {one['mod_revision']}{absent}"


Teller = Callable[[Walk, About], Told]
TELLERS: Mapping[str, Teller] = {
    teller.__name__: teller
    for teller in (
        *(audit, recover, info, time, authenticate, impersonate, seat, authorize, find),
        *(decode, mutate, reset, validate, judge, store),
    )
}
