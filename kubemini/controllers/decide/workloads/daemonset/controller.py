"""DaemonSet controller: a pod on every node that fits, none on the others.

A look has three parts, each from the caches as they are by then: pods are made and let go node by node (`_managed`);
if that changed nothing, the rollout goes on (`rollout`); and the status is written whatever came before. A pod that has
failed is deleted at once, and its successor's failure only after a back-off of 1, 2, 4 … s for each node, or controller
and kubelet would turn in circles.
Models k/k pkg/controller/daemon DaemonSetsController.syncDaemonSet, DaemonSetsController.podsShouldBeOnNode
Models k/k pkg/controller/daemon DaemonSetsController.updateDaemonSetStatus, DaemonSetsController.syncNodeUpdate
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from kubemini.api.kinds import CONTROLLER_REVISION, DAEMON_SET, NODE, POD
from kubemini.api.objects import Obj, evolve, freeze, get
from kubemini.controllers.decide.actions import (
    Tell,
    UpdateStatus,
    controller_of,
    is_finished,
    is_ready,
    terminating,
)
from kubemini.controllers.decide.claims import claimed, selects
from kubemini.controllers.decide.controller import Controller, Facts, Key, Watch, key_of, owner_key
from kubemini.controllers.decide.dialogue import (
    Dialogue,
    End,
    Refused,
    Steps,
    at_once,
    in_turn,
    namespace_is_ending,
    not_found,
)
from kubemini.controllers.decide.podcontrol import available_at, create_pod, delete_pod
from kubemini.controllers.decide.workloads.batches import slowly
from kubemini.controllers.decide.workloads.daemonset import history, rollout
from kubemini.controllers.decide.workloads.daemonset.nodes import HASH, is_updated, pod_for, should_run, target
from kubemini.sim.units import MINUTE, SECOND

BURST = 250  # pods made or deleted in one go: BurstReplicas
FAILED_AGAIN = SECOND, 15 * MINUTE  # the first and the longest wait between two failed pods of a node
COUNTS = (  # of the status, in the order of its fields; these are said even if they are 0
    "currentNumberScheduled",
    "numberMisscheduled",
    "desiredNumberScheduled",
    "numberReady",
)


@dataclass(slots=True)
class Look:
    """One look at a DaemonSet."""

    daemon: Obj
    facts: Facts
    now: int
    hashed: str = ""  # of the template of now
    failures: dict[str, tuple[int, int]] = field(default_factory=dict)  # by node: (back-off, since when)
    again_at: int | None = None
    told: list[Tell] = field(default_factory=list)

    @property
    def nodes(self) -> list[Obj]:
        """All there are."""
        return self.facts.every(NODE)

    def pods(self) -> list[Obj]:
        """Those of the DaemonSet, as the cache has them by now."""
        mine = self.facts.owned_by(POD, self.daemon["metadata"]["uid"])
        return [pod for pod in mine if selects(self.daemon, pod)]

    def by_node(self) -> dict[str, list[Obj]]:
        """The pods of each node, without those that have ended and are on their way out."""
        found: dict[str, list[Obj]] = {}
        for pod in self.pods():
            name = target(pod)
            if name is not None and not (is_finished(pod) and terminating(pod)):
                found.setdefault(name, []).append(pod)
        return found

    def available(self, pod: Obj) -> bool:
        """Whether it has been ready for ``minReadySeconds``."""
        return available_at(self.daemon, pod, self.now) <= self.now

    def updated(self, pod: Obj) -> bool:
        """Whether it is of the template of now."""
        return is_updated(self.daemon, pod, self.hashed)

    def wake(self, at: int) -> None:
        """Look again then, or before."""
        self.again_at = at if self.again_at is None else min(at, self.again_at)


def decide(daemon: Obj, facts: Facts, caught_up: bool, now: int) -> Dialogue:
    """What makes a DaemonSet true."""
    look = Look(daemon, facts, now, failures=dict(facts.memory or {}))
    if not daemon["spec"].get("selector"):
        text = "This daemon set is selecting all pods. A non-empty selector is required."
        yield Tell(daemon, "Warning", "SelectingAll", text)
        return End()
    if terminating(daemon):
        return End()
    try:
        error = yield from _sync(look, caught_up)
    except Refused as refused:
        error = refused.error
    return End(look.again_at, error, look.failures)


def _sync(look: Look, caught_up: bool) -> Steps:
    """Returns the error that ended it, or None. Raises Refused."""
    daemon, facts, meta = look.daemon, look.facts, look.daemon["metadata"]
    yield from claimed(daemon, [*facts.owned_by(POD, meta["uid"]), *facts.orphans(POD, meta["namespace"])])
    look.hashed, old = yield from history.found(daemon, facts, look.pods())
    error = None
    if caught_up:
        try:
            yield from _update(look, old)
        except Refused as refused:
            error = refused.error
    try:
        yield from _report(look, caught_up)
    except Refused as refused:
        error = error or refused.error
    return error


def _update(look: Look, old: Sequence[Obj]) -> Steps:
    if not (yield from _managed(look)):
        if get(look.daemon, "spec", "updateStrategy", "type", default="RollingUpdate") == "RollingUpdate":
            yield from _carried_out(look, *_rolling(look))
    yield from history.forgotten(look.daemon, old, look.pods())


# -- node by node ----------------------------------------------------------------------------------------------------
def _managed(look: Look) -> Steps:
    """A pod where there should be one; returns whether that took anything. Raises Refused."""
    there = look.by_node()
    needing: list[str] = []
    doomed: list[Obj] = []
    for node in look.nodes:
        name = node["metadata"]["name"]
        runs, stays = should_run(look.daemon, node)
        pods = there.get(name, [])
        if runs and not pods:
            needing.append(name)
        elif stays:
            kept = _without_finished(look, name, pods, doomed)
            if rollout.allows_surge(look.daemon):
                needing += [name] if runs and not kept else []
                doomed += _surplus_of_two(look, kept)
            else:
                doomed += sorted(kept, key=_rank)[1:]
        else:
            doomed += [pod for pod in pods if not terminating(pod)]
    known = {node["metadata"]["name"] for node in look.nodes}
    doomed += [
        pod for name, pods in there.items() if name not in known for pod in pods if not pod["spec"].get("nodeName")
    ]
    yield from in_turn(look.told)
    yield from _carried_out(look, doomed, needing)
    return bool(doomed or needing)


def _carried_out(look: Look, doomed: Sequence[Obj], needing: Sequence[str]) -> Steps:
    """Make pods on nodes, then delete others, as many of each as go at once. Raises Refused."""
    wrong = None

    def make(number: int) -> Steps:
        try:
            yield from create_pod(look.daemon, pod_for(look.daemon, needing[number], look.hashed))
        except Refused as refused:
            if not namespace_is_ending(refused.error):
                raise

    try:
        yield from slowly(min(len(needing), BURST), make)
    except Refused as refused:
        wrong = refused
    if doomed:
        answers = yield from at_once(delete_pod(look.daemon, pod) for pod in doomed[:BURST])
        errors = [answer.error for answer in answers if answer.error is not None and not not_found(answer.error)]
        wrong = wrong or next(map(Refused, errors), None)
    if wrong is not None:
        raise wrong


def _without_finished(look: Look, node: str, pods: Sequence[Obj], doomed: list[Obj]) -> list[Obj]:
    """The pods of a node that live; those that have ended are *doomed*, one that failed when its back-off is over."""
    kept = []
    for pod in pods:
        phase, meta = get(pod, "status", "phase"), pod["metadata"]
        name = f"{meta['namespace']}/{meta['name']} on node {node}"
        if terminating(pod):
            continue
        if phase == "Failed":
            if _may_kill(look, node):
                text = f"Found failed daemon pod {name}, will try to kill it"
                look.told.append(Tell(look.daemon, "Warning", "FailedDaemonPod", text))
                doomed.append(pod)
        elif phase == "Succeeded":
            text = f"Found succeeded daemon pod {name}, will try to delete it"
            look.told.append(Tell(look.daemon, "Normal", "SucceededDaemonPod", text))
            doomed.append(pod)
        else:
            kept.append(pod)
    return kept


def _may_kill(look: Look, node: str) -> bool:
    """Whether the back-off of the failed pods of *node* is over; if so the next one begins.

    Models k/client-go util/flowcontrol Backoff.Next, Backoff.IsInBackOffSinceUpdate
    """
    shortest, longest = FAILED_AGAIN
    key = f"{get(look.daemon, 'status', 'observedGeneration', default=0)}/{node}"
    known = look.failures.get(key)
    if known is not None and look.now - known[1] > 2 * longest:
        known = None
    if known is not None and look.now - known[1] < known[0]:
        look.wake(look.now + known[0])
        return False
    look.failures[key] = (shortest if known is None else min(2 * known[0], longest), look.now)
    return True


def _rank(pod: Obj) -> tuple[bool, str, str]:
    """The oldest first, those on a node before others."""
    meta = pod["metadata"]
    return not pod["spec"].get("nodeName"), meta.get("creationTimestamp", ""), meta["name"]


def _surplus_of_two(look: Look, pods: Sequence[Obj]) -> list[Obj]:
    """Of the pods of a node under surge: all but the oldest new and, until that serves, the oldest old one."""
    ordered = sorted(pods, key=_rank)
    new = [pod for pod in ordered if get(pod, "metadata", "labels", HASH) == look.hashed]
    old = [pod for pod in ordered if pod not in new]
    if len(pods) <= 1:
        return []
    replaced = new and old and (not is_ready(old[0]) or look.available(new[0]))
    return [pod for pod in ordered if pod in new[1:] or pod in old[1:]] + (old[:1] if replaced else [])


def _rolling(look: Look) -> tuple[list[Obj], list[str]]:
    """(pods of an old template to give up, nodes that get a new pod besides)."""
    fitting = {node["metadata"]["name"]: should_run(look.daemon, node)[0] for node in look.nodes}
    there = look.by_node()
    there |= {name: [] for name, fits in fitting.items() if fits and name not in there}
    desired = sum(fitting.values())
    surge, may_miss = (rollout.limit(look.daemon, name, desired) for name in ("maxSurge", "maxUnavailable"))
    nodes = {name: rollout.sorted_out(pods, look.updated) for name, pods in there.items()}
    if surge:
        return rollout.surged(nodes, look.available, lambda name: fitting.get(name, False), surge, desired)
    return rollout.replaced(nodes, look.available, may_miss or 1), []


# -- status ----------------------------------------------------------------------------------------------------------
def _report(look: Look, is_complete: bool) -> Steps:
    """Write the status if it is news; *is_complete*: what the spec asks for has been seen to. Raises Refused."""
    counts, before = _counted(look), get(look.daemon, "status") or {}
    generation = look.daemon["metadata"].get("generation", 0)
    if counts["numberReady"] != counts["numberAvailable"] and look.daemon["spec"].get("minReadySeconds"):
        look.wake(look.now + look.daemon["spec"]["minReadySeconds"] * SECOND)
    same = all(before.get(key, 0) == count for key, count in counts.items())
    if same and before.get("observedGeneration", 0) >= generation:
        return
    said = {key: value for key, value in before.items() if key not in counts}
    said |= {key: count for key, count in counts.items() if count or key in COUNTS}
    said |= {"observedGeneration": generation} if is_complete else {}
    answer = yield UpdateStatus(evolve(look.daemon, ("status",), freeze(said)))
    if answer.error is not None:
        raise Refused(answer.error)


def _counted(look: Look) -> dict[str, int]:
    """The numbers of the status: of each node the oldest pod counts."""
    there, now = look.by_node(), dict.fromkeys((*COUNTS, "updatedNumberScheduled", "numberAvailable"), 0)
    for node in look.nodes:
        pods = sorted(there.get(node["metadata"]["name"], ()), key=_rank)
        runs, _ = should_run(look.daemon, node)
        now["desiredNumberScheduled"] += runs
        now["numberMisscheduled"] += bool(pods) and not runs
        for pod in pods[:1] if runs else ():
            now["currentNumberScheduled"] += 1
            now["numberReady"] += is_ready(pod)
            now["numberAvailable"] += is_ready(pod) and look.available(pod)
            now["updatedNumberScheduled"] += look.updated(pod)
    return {**now, "numberUnavailable": now["desiredNumberScheduled"] - now["numberAvailable"]}


# -- who is woken ----------------------------------------------------------------------------------------------------
def of_owned(obj: Obj, facts: Facts) -> list[Key]:
    """The DaemonSet that manages a pod or a ControllerRevision, or those that might adopt it."""
    if controller_of(obj) is not None:
        return owner_key(obj, DAEMON_SET)
    here = facts.of_namespace(DAEMON_SET, obj["metadata"]["namespace"])
    return [key_of(one) for one in here if selects(one, obj)]


def _is_no_birth(old: Obj | None, new: Obj | None) -> bool:
    """Whether a change of a ControllerRevision wakes: one that is born with an owner does not."""
    born = old is None and new is not None and controller_of(new) is not None
    return not born or get(new, "metadata", "deletionTimestamp") is not None


def of_node(node: Obj, facts: Facts) -> list[Key]:
    """The DaemonSets that a change of *node* concerns: a pod to make or to delete there, or one to count anew."""
    name, found = node["metadata"]["name"], []
    for daemon in facts.every(DAEMON_SET):
        pods = [p for p in facts.owned_by(POD, daemon["metadata"]["uid"]) if get(p, "spec", "nodeName") == name]
        runs, stays = should_run(daemon, node)
        misplaced = get(daemon, "status", "numberMisscheduled", default=0) > 0
        if (runs and not pods) or (pods and (not stays or misplaced)):
            found.append(key_of(daemon))
    return found


def _is_other(old: Obj | None, new: Obj | None) -> bool:
    """Whether a node came, or has other labels or taints. That one goes wakes nobody."""
    if old is None or new is None:
        return new is not None
    return any(get(old, *path) != get(new, *path) for path in (("metadata", "labels"), ("spec", "taints")))


CONTROLLER = Controller(
    DAEMON_SET,
    decide,
    (
        Watch(POD, of_owned, made_here=True),
        Watch(CONTROLLER_REVISION, of_owned, when=_is_no_birth),
        Watch(NODE, of_node, when=_is_other, latest=True),
    ),
    remembers=(POD, DAEMON_SET),
    source="daemonset-controller",
)
