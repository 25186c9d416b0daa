"""Disruption controller: counts for each PodDisruptionBudget how many pods are healthy, and how many may be evicted.

The API server charges an eviction to the budget at once and notes the pod in ``disruptedPods``; this controller takes
the note back when the pod is marked for deletion, or was not within two minutes. How many pods are expected it reads
off their owners (`owners`); a plain number in ``minAvailable`` needs no owners.
Invariant: whatever cannot be counted allows nothing.
Models k/k pkg/controller/disruption DisruptionController.trySync, DisruptionController.updatePdbStatus,
DisruptionController.buildDisruptedPodMap, DisruptionController.failSafe
"""

from collections.abc import Generator, Mapping
from typing import Any, NamedTuple

from kubemini.api import labels, quantity
from kubemini.api.errors import ApiError
from kubemini.api.kinds import KNOWN, POD
from kubemini.api.objects import Obj, evolve, evolve_many, freeze, get
from kubemini.api.timestamps import instant, timestamp
from kubemini.controllers.decide.actions import Tell, UpdateStatus, condition, is_ready, terminating
from kubemini.controllers.decide.controller import Controller, Facts, Key, Watch, key_of
from kubemini.controllers.decide.dialogue import Answer, Dialogue, End, Step, words
from kubemini.controllers.decide.disruption import owners
from kubemini.sim.units import MINUTE, MS

BUDGET = KNOWN["policy/v1", "PodDisruptionBudget"]
SOURCE = "controllermanager"  # as whom it writes Events
DELETION_TIMEOUT, RECHECK = 2 * MINUTE, 5 * MS
ALLOWED, FAILED = "DisruptionAllowed", "SyncFailed"
REASONS = {True: "SufficientPods", False: "InsufficientPods"}
UNMANAGED = (
    "Pods selected by this PodDisruptionBudget (selector: {}) were found to be unmanaged. As a result, the status of "
    "the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please "
    'set ".spec.minAvailable" field of the PDB to an integer value.'
)


class Count(NamedTuple):
    """How many pods a budget wants: expected, healthy at least; whether some of them have no owner to say so."""

    expected: int = 0
    desired: int = 0
    unmanaged: bool = False


def decide(budget: Obj, facts: Facts, caught_up: bool, now: int) -> Dialogue:
    """Its status, if it says something else."""
    here = facts.of_namespace(POD, budget["metadata"]["namespace"])
    pods = [pod for pod in here if labels.matches(get(budget, "spec", "selector"), get(pod, "metadata", "labels"))]
    if not pods:
        yield Tell(budget, "Normal", "NoPods", "No matching pods found")
    try:
        count = yield from counted(budget, pods, facts)
    except owners.Unknown as unknown:
        told = f"Failed to calculate the number of expected pods: {unknown}"
        yield Tell(budget, "Warning", "CalculateExpectedPodCountFailed", told)
        return End(error=(yield UpdateStatus(failed(budget, str(unknown), now))).error)
    if count.unmanaged:
        shown = labels.as_go_prints(get(budget, "spec", "selector") or {})
        yield Tell(budget, "Warning", "UnmanagedPods", UNMANAGED.format(shown))
    awaited, overdue = marked(get(budget, "status", "disruptedPods") or {}, pods, now)
    for pod in overdue:
        yield not_deleted(pod, budget)
    wanted = status(budget, count, healthy(pods, awaited), awaited, now)
    if wanted is not None:
        written = yield UpdateStatus(evolve(budget, ("status",), wanted))
        if written.error is not None:
            return End(error=(yield from _fail_safe(budget, written.error, now)))
    return End(min((instant(since) + DELETION_TIMEOUT + RECHECK for since in awaited.values()), default=None))


def _fail_safe(budget: Obj, error: Any, now: int) -> Generator[Step, Answer, Any]:
    """Where a status could not be written, allow nothing; whoever was only too late tries again."""
    if isinstance(error, ApiError) and error.reason == "Conflict":
        return error
    return (yield UpdateStatus(failed(budget, words(error), now))).error


def counted(budget: Obj, pods: list[Obj], facts: Facts) -> Generator[Step, Answer, Count]:
    """What the budget asks of *pods*. Raises owners.Unknown if an owner cannot say how many it wants."""
    most, least = get(budget, "spec", "maxUnavailable"), get(budget, "spec", "minAvailable")
    if most is not None:
        expected, unmanaged = yield from owners.expected(pods, facts)
        return Count(expected, max(0, expected - quantity.scaled(most, expected, round_up=True)), unmanaged)
    if isinstance(least, int):
        return Count(len(pods), least)
    if least is not None:
        expected, unmanaged = yield from owners.expected(pods, facts)
        return Count(expected, quantity.scaled(least, expected, round_up=True), unmanaged)
    return Count()


def marked(noted: Mapping[str, str], pods: list[Obj], now: int) -> tuple[dict[str, str], list[Obj]]:
    """Of the evicted pods that are *noted*: those still to be marked for deletion, and those overdue."""
    awaited: dict[str, str] = {}
    overdue = []
    for pod in pods:
        since = noted.get(pod["metadata"]["name"])
        if since is None or terminating(pod):
            continue
        if instant(since) + DELETION_TIMEOUT < now:
            overdue.append(pod)
        else:
            awaited[pod["metadata"]["name"]] = since
    return awaited, overdue


def healthy(pods: list[Obj], awaited: Mapping[str, str]) -> int:
    """How many are ready and not about to go."""
    return sum(is_ready(pod) and not terminating(pod) and pod["metadata"]["name"] not in awaited for pod in pods)


def not_deleted(pod: Obj, budget: Obj) -> Tell:
    """What is said of a pod that was evicted two minutes ago and never marked; the namespace twice, as upstream has."""
    space = budget["metadata"]["namespace"]
    told = f"Pod was expected by PDB {space}/{space} to be deleted but it wasn't"
    return Tell(pod, "Warning", "NotDeleted", told)


def status(budget: Obj, count: Count, healthy: int, awaited: Mapping[str, str], now: int) -> Obj | None:
    """What the status should say, or None if it does."""
    old, generation = budget.get("status") or {}, budget["metadata"].get("generation", 0)
    allowed = max(0, healthy - count.desired) if count.expected > 0 else 0
    counts = {
        "disruptionsAllowed": allowed,
        "currentHealthy": healthy,
        "desiredHealthy": count.desired,
        "expectedPods": count.expected,
        "observedGeneration": generation,
    }
    there = condition(budget, ALLOWED)
    sufficient = {"status": "True" if allowed else "False", "reason": REASONS[allowed > 0]}
    current = there is not None and all(there.get(key) == value for key, value in sufficient.items())
    same = all(old.get(key, 0) == value for key, value in counts.items())
    if current and same and dict(old.get("disruptedPods") or {}) == dict(awaited):
        return None
    noted = {"disruptedPods": dict(awaited)} if awaited else {}
    conditions = _with(old, {**sufficient, "message": "", "observedGeneration": generation}, now)
    found: Obj = freeze({"observedGeneration": generation, **noted, **counts, "conditions": conditions})
    return found


def failed(budget: Obj, why: str, now: int) -> Obj:
    """*budget* that allows nothing, because nobody could count."""
    old = budget.get("status") or {}
    said = {"status": "False", "reason": FAILED, "message": why, "observedGeneration": old.get("observedGeneration", 0)}
    allowed = (("status", "disruptionsAllowed"), 0)
    changed: Obj = evolve_many(budget, allowed, (("status", "conditions"), _with(old, said, now)))
    return changed


def _with(status: Obj, said: dict[str, Any], now: int) -> list[Obj]:
    """The conditions with DisruptionAllowed as *said*; since when holds as long as its status does."""
    there = list(status.get("conditions") or ())
    old = next((one for one in there if one["type"] == ALLOWED), None)
    since = old["lastTransitionTime"] if old is not None and old["status"] == said["status"] else timestamp(now)
    new: Obj = freeze({"type": ALLOWED, **said, "lastTransitionTime": since})
    return [new if one is old else one for one in there] if old is not None else [*there, new]


# -- who is woken ----------------------------------------------------------------------------------------------------
def of_pod(pod: Obj, facts: Facts) -> list[Key]:
    """The budget of a pod: of several, one."""
    return [key_of(one) for one in budgets_of(pod, facts)[:1]]


def budgets_of(pod: Obj, facts: Facts) -> list[Obj]:
    """Those that pick it."""
    its = get(pod, "metadata", "labels")
    here = facts.of_namespace(BUDGET, pod["metadata"]["namespace"])
    return [one for one in here if labels.matches(get(one, "spec", "selector"), its)]


def ambiguous(pod: Obj, facts: Facts) -> list[Tell]:
    """What is said at every change of a pod that several budgets pick."""
    found = budgets_of(pod, facts)
    if len(found) < 2:
        return []
    meta, chosen = pod["metadata"], found[0]["metadata"]["name"]
    names = f'Pod "{meta["namespace"]}"/"{meta["name"]}"'
    told = f'{names} matches multiple PodDisruptionBudgets.  Chose "{chosen}" arbitrarily.'
    return [Tell(pod, "Warning", "MultiplePodDisruptionBudgets", told)]


CONTROLLER = Controller(
    BUDGET,
    decide,
    (Watch(POD, of_pod, latest=True, tells=ambiguous),),
    reads=owners.READ,
    source=SOURCE,
)
