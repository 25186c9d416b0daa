"""StatefulSet controller: pods db-0, db-1 … made in order, let go in reverse, one identity never twice.

Theory of operation. A look makes the list of the pods that are wanted, ordinal by ordinal; one that is not there is
drawn up after the ControllerRevision it should have, and the walk goes along that list from the lowest. Under
OrderedReady it ends at the first pod that it had to make, or that is not yet available; so the next pod is made only
when all below it serve. Only a walk that reached the end lets go of the surplus, from the highest ordinal, each when
the one above is gone; and only when there is no surplus left does it give up pods of the old revision, from the
highest ordinal down to the partition, so many that no more than maxUnavailable are missing. Under Parallel the walk
never waits, but updates obey maxUnavailable all the same.

Invariant: the name of a pod is its identity, and the API server has one pod of a name: a pod is made only when its
predecessor is gone from there, not only marked. A cache older than our last write is not looked at (`remembers`).
Models k/k pkg/controller/statefulset defaultStatefulSetControl.performUpdate
Models k/k pkg/controller/statefulset defaultStatefulSetControl.updateStatefulSet
Models k/k pkg/controller/statefulset updateStatefulSetAfterInvariantEstablished, completeUpdate, inconsistentStatus
Models k/k pkg/controller/statefulset StatefulSetController.syncStatefulSet
Simplified: no update strategy Recreate (its gate is closed in 1.37).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kubemini.api import quantity
from kubemini.api.kinds import CONTROLLER_REVISION, PERSISTENT_VOLUME_CLAIM, POD, STATEFUL_SET
from kubemini.api.objects import Obj, get
from kubemini.controllers.decide.actions import Delete, controller_of, is_finished, terminating
from kubemini.controllers.decide.claims import claimed, selects
from kubemini.controllers.decide.controller import Controller, Facts, Key, Watch, key_of, owner_key
from kubemini.controllers.decide.dialogue import Dialogue, End, Refused, Steps, must
from kubemini.controllers.decide.podcontrol import available_at, next_available
from kubemini.controllers.decide.workloads import revisions
from kubemini.controllers.decide.workloads.batches import one_by_one, slowly
from kubemini.controllers.decide.workloads.statefulset import identity, status
from kubemini.controllers.decide.workloads.statefulset.pods import Hands


@dataclass(slots=True)
class Look:
    """One look at a StatefulSet: what is there, what is wanted, and how far it came."""

    stateful: Obj
    now: int
    hands: Hands
    old: Obj  # the ControllerRevision of the last update that was completed
    new: Obj  # that of the template
    replicas: list[Obj]  # those wanted, by ordinal; one that is not there yet has no status
    condemned: list[Obj]  # those beyond, the highest ordinal first
    given_up: int = 0  # pods of the old revision marked in this look

    @property
    def ordered(self) -> bool:
        """Whether each waits for the one before."""
        return bool(self.stateful["spec"].get("podManagementPolicy") != "Parallel")

    def available(self, pod: Obj) -> bool:
        """Whether it has been ready for long enough."""
        return available_at(self.stateful, pod, self.now) <= self.now

    def missing(self, pod: Obj) -> bool:
        """Whether it does not serve, or not for long."""
        return terminating(pod) or not self.available(pod)

    def outdated(self, pod: Obj) -> bool:
        """Whether it is of another revision than the template's."""
        return identity.revision_of(pod) != self.new["metadata"]["name"]


def decide(stateful: Obj, facts: Facts, caught_up: bool, now: int) -> Dialogue:
    """What makes a StatefulSet true."""
    try:
        return (yield from _sync(stateful, facts, now))
    except Refused as refused:
        return End(error=refused.error)


def _sync(stateful: Obj, facts: Facts, now: int) -> Steps:
    meta = stateful["metadata"]
    candidates = [*facts.owned_by(POD, meta["uid"]), *facts.orphans(POD, meta["namespace"])]
    known = yield from _history(stateful, facts)
    pods = yield from claimed(stateful, candidates, lambda pod: identity.is_member(stateful, pod))
    live, error, again_at = [identity.revision_of(pod) for pod in pods], None, None
    try:
        new, collisions = yield from revisions.current(stateful, known)
        named = get(stateful, "status", "currentRevision")
        old = next((revision for revision in known if revision["metadata"]["name"] == named), new)
        live += [old["metadata"]["name"], new["metadata"]["name"]]
        look = _look(stateful, facts, now, old, new, pods)
        error = yield from _walk(look)
        told = _report(look, pods, collisions)
        yield from status.write(stateful, told, facts)
        again_at = _next_look(stateful, told, pods, now)
    except Refused as refused:
        error = error or refused.error
    yield from _forget_history(stateful, known, live)
    return End(error=error) if error is not None else End(again_at=again_at)


def _report(look: Look, pods: Sequence[Obj], collisions: int) -> Obj:
    if not terminating(look.stateful):
        pods = [*look.replicas, *look.condemned]
    names = look.old["metadata"]["name"], look.new["metadata"]["name"]
    serving = [pod for pod in pods if look.available(pod)]
    return status.report(look.stateful, pods, names, collisions, serving, look.given_up)


def _history(stateful: Obj, facts: Facts) -> Steps:
    """Its ControllerRevisions, in order; those without an owner are adopted."""
    meta = stateful["metadata"]
    found = [*facts.owned_by(CONTROLLER_REVISION, meta["uid"]), *facts.orphans(CONTROLLER_REVISION, meta["namespace"])]
    return revisions.in_order((yield from claimed(stateful, [one for one in found if selects(stateful, one)])))


def _forget_history(stateful: Obj, known: Sequence[Obj], live: Sequence[str]) -> Steps:
    """Beyond ``revisionHistoryLimit``, the oldest that no pod has."""
    past = [revision for revision in known if revision["metadata"]["name"] not in live]
    limit = stateful["spec"].get("revisionHistoryLimit", 10)
    for revision in past[: max(0, len(past) - limit)] if limit >= 0 else ():
        yield from must(Delete(revision))


def _look(stateful: Obj, facts: Facts, now: int, old: Obj, new: Obj, pods: Sequence[Obj]) -> Look:
    wanted = identity.ordinals(stateful)
    there = {identity.ordinal(pod): pod for pod in pods}
    replicas = [there.get(n) or identity.new_pod(stateful, n, old, new) for n in wanted]
    beyond = [pod for n, pod in there.items() if n >= 0 and n not in wanted]
    condemned = sorted(beyond, key=identity.ordinal, reverse=True)
    return Look(stateful, now, Hands(stateful, facts), old, new, replicas, condemned)


def _next_look(stateful: Obj, report: Obj, pods: Sequence[Obj], now: int) -> int | None:
    """When the next pod has been ready for long enough."""
    least = stateful["spec"].get("minReadySeconds", 0)
    if not least or report.get("readyReplicas", 0) == report["availableReplicas"]:
        return None
    return next_available(stateful, pods, now)


# -- the walk --------------------------------------------------------------------------------------------------------
def _walk(look: Look) -> Steps:
    """Make, then let go, then update, as far as it goes; returns the error that ended it, or None."""
    if terminating(look.stateful):
        return None
    try:
        for pods, act in ((look.replicas, _replica), (look.condemned, _claims), (look.condemned, _surplus)):
            if (yield from _for_all(look, pods, act)):
                return None
        if get(look.stateful, "spec", "updateStrategy", "type", default="RollingUpdate") == "RollingUpdate":
            yield from _update(look)
    except Refused as refused:
        return refused.error
    return None


def _for_all(look: Look, pods: Sequence[Obj], act: Any) -> Steps:
    """Returns whether the look ends here: under Parallel nothing waits."""
    if look.ordered:
        return (yield from one_by_one(len(pods), lambda n: act(look, pods[n])))
    yield from slowly(len(pods), lambda n: act(look, pods[n]))
    return False


def _replica(look: Look, pod: Obj) -> Steps:
    """One that is wanted; returns whether those after it wait."""
    hands = look.hands
    if is_finished(pod):
        if not terminating(pod):
            yield from hands.delete(pod)
        return True
    if not status.is_created(pod):
        if hands.is_stale(pod):
            return True
        yield from hands.create(pod)
        if look.ordered:
            return True
    if get(pod, "status", "phase") == "Pending":
        yield from hands.complete(pod)
    if look.ordered and (terminating(pod) or not status.is_running_and_ready(pod) or not look.available(pod)):
        return True
    fits = identity.identity_fits(look.stateful, pod) and identity.storage_fits(look.stateful, pod)
    if not fits or not hands.claims_fit(pod):
        yield from hands.update(pod)
    return False


def _claims(look: Look, pod: Obj) -> Steps:
    """The claims of one that goes, so that they go with it."""
    if not look.hands.claims_fit(pod):
        yield from look.hands.own_claims(pod)
    return False


def _surplus(look: Look, pod: Obj) -> Steps:
    """One that is not wanted any more."""
    if terminating(pod):
        return look.ordered
    serves = status.is_running_and_ready(pod) and look.available(pod)
    if look.ordered and not serves and pod is not _first_missing(look):
        return True
    yield from look.hands.delete(pod)
    return True


def _first_missing(look: Look) -> Obj | None:
    """The lowest pod that does not serve, those that are wanted first."""
    return next((pod for pod in (*look.replicas, *reversed(look.condemned)) if look.missing(pod)), None)


# -- updates ---------------------------------------------------------------------------------------------------------
def _update(look: Look) -> Steps:
    """Give up pods of the old revision, as many as may be missing."""
    rolling = get(look.stateful, "spec", "updateStrategy", "rollingUpdate") or {}
    may_miss = max(1, quantity.scaled(rolling.get("maxUnavailable") or 1, len(look.replicas), round_up=False))
    downwards = look.replicas[rolling.get("partition") or 0 :][::-1]
    missing = sum(map(look.missing, look.replicas))
    if look.ordered:
        old = [pod for pod in downwards if look.outdated(pod) and not terminating(pod)]
        yield from _give_up(look, old[: max(0, may_miss - missing)])
        return
    useless = [pod for pod in look.replicas if look.missing(pod) and look.outdated(pod) and not terminating(pod)]
    if missing >= may_miss and not useless:
        return
    yield from _give_up(look, [p for p in downwards if look.outdated(p) and look.missing(p) and not terminating(p)])
    serving = [pod for pod in downwards if look.outdated(pod) and not look.missing(pod)]
    yield from _give_up(look, serving[: max(0, may_miss - missing)])


def _give_up(look: Look, pods: Sequence[Obj]) -> Steps:
    for pod in pods:
        yield from look.hands.delete(pod)
        look.given_up += 1


# -- who is woken ----------------------------------------------------------------------------------------------------
def of_pod(pod: Obj, facts: Facts) -> list[Key]:
    """The StatefulSet that manages a pod, or those that might adopt it."""
    if controller_of(pod) is not None:
        return owner_key(pod, STATEFUL_SET)
    here = facts.of_namespace(STATEFUL_SET, pod["metadata"]["namespace"])
    return [key_of(one) for one in here if selects(one, pod)]


CONTROLLER = Controller(
    STATEFUL_SET,
    decide,
    (Watch(POD, of_pod),),
    remembers=(POD, PERSISTENT_VOLUME_CLAIM, STATEFUL_SET),
    reads=(PERSISTENT_VOLUME_CLAIM, CONTROLLER_REVISION),
    source="statefulset-controller",
)
