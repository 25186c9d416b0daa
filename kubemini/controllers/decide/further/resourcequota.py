"""ResourceQuota controller: says in the status what a namespace may use, and what it does use.

The API server charges what it lets in; only this controller takes note of what has gone. It looks again minutes later,
and at once when a pod, a Service or a claim frees something.
Models k/k pkg/controller/resourcequota Controller.syncResourceQuota, QuotaMonitor.processResourceChanges
"""

from collections.abc import Iterable

from kubemini.api.kinds import Kind, served
from kubemini.api.objects import Obj, evolve, freeze, get
from kubemini.api.usage import amounts, quota
from kubemini.api.usage.amounts import ZERO, Amounts
from kubemini.controllers.decide.actions import Plan, UpdateStatus, is_finished
from kubemini.controllers.decide.controller import Controller, Facts, Key, Watch, key_of

UNWATCHED = ("Event", "Lease")


def counted_kinds() -> list[Kind]:
    """The kinds whose objects a quota may count: those in namespaces, but for signs of life."""
    found = (kind for kind in served().values() if kind.namespaced and kind.kind not in UNWATCHED)
    return [kind for kind in found if quota.of(kind) is not None and kind.plural != "bindings"]


def decide(one: Obj, facts: Facts, caught_up: bool, now: int, resync: int) -> Plan:
    """Its status, if it says something else; another look after *resync* (µs)."""
    hard = get(one, "spec", "hard") or {}
    judged = evolve(one, ("status",), freeze({**(one.get("status") or {}), "hard": hard}))
    used = used_of(judged, facts, now)
    wanted = freeze({"hard": hard, "used": amounts.written(used)})
    again = now + resync
    if wanted == (one.get("status") or {}):
        return Plan(again_at=again)
    return Plan((UpdateStatus(evolve(one, ("status",), wanted)),), again)


def used_of(one: Obj, facts: Facts, now: int) -> Amounts:
    """What the objects of its namespace use of what the quota *one* names; what nobody counts is left out."""
    hard = get(one, "status", "hard") or {}
    found: Amounts = {}
    for kind in (*counted_kinds(), *facts.defined()):
        evaluator = quota.of(kind)
        names = evaluator.names(hard) if evaluator is not None else []
        if evaluator is None or not names:
            continue
        found = {**dict.fromkeys(names, ZERO), **found}
        for obj in facts.of_namespace(kind, one["metadata"]["namespace"]):
            if quota.matches(one, evaluator, obj):
                found = amounts.add(found, amounts.only(evaluator.usage(obj, now), names))
    return found


def watched(kind: Kind) -> Watch:
    """What is freed of *kind* wakes the quotas that count it."""
    evaluator = quota.of(kind)

    def keys(obj: Obj, facts: Facts) -> list[Key]:
        here = facts.of_namespace(quota.QUOTA, obj["metadata"].get("namespace", ""))
        return [key_of(one) for one in here if evaluator is not None and _names(one, evaluator)]

    return Watch(kind, keys, when=frees)


def frees(old: Obj | None, new: Obj | None) -> bool:
    """Whether something may be used no more: what is gone, a pod that has ended, a Service or a claim that changes."""
    if old is None or new is None:
        return new is None
    match new["kind"]:
        case "Pod":
            return not is_finished(old) and is_finished(new)
        case "Service":
            return bool(get(old, "spec", "type") != get(new, "spec", "type"))
        case "PersistentVolumeClaim":
            return bool(get(old, "spec", "resources") != get(new, "spec", "resources"))
    return False


def _asks_otherwise(old: Obj | None, new: Obj | None) -> bool:
    """Whether a quota is new, or limits something else: what the API server charges is none of its business."""
    return old is None or new is None or get(old, "spec", "hard") != get(new, "spec", "hard")


def _names(one: Obj, evaluator: quota.Evaluator) -> Iterable[str]:
    return evaluator.names(get(one, "spec", "hard") or {})


def controller(resync: int) -> Controller:
    """The controller, which watches whatever can be counted, and looks at each quota every *resync* µs."""
    watches = tuple(watched(kind) for kind in counted_kinds())

    def look(one: Obj, facts: Facts, caught_up: bool, now: int) -> Plan:
        return decide(one, facts, caught_up, now, resync)

    return Controller(quota.QUOTA, look, watches, when=_asks_otherwise, defined=watched)
