"""Preemption: which pods of lower priority must go, and where, so that a pod finds room. Pure.

How it goes
    On each node that refused the pod for a reason which others' going could mend: take all pods of lower priority away;
    if the pod still does not fit, that is the node's answer. Put them back one by one while the pod still fits: first
    those whose budget would be violated, then the others, the most important first. Who is left are the victims.
    Of all such nodes the one is taken where least harm is done: `harm`.
Invariant: the pods that are found here are looked for, not touched; whoever asks carries the decision out.
Models k/k pkg/scheduler/framework/plugins/defaultpreemption DefaultPreemption.SelectVictimsOnNode
Models k/k pkg/scheduler/framework/preemption Evaluator.Preempt pickOneNodeForPreemption
Simplified: candidates are looked at from the first node on (upstream begins anywhere); no pod groups.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cmp_to_key

from kubemini.api import labels
from kubemini.api.objects import EMPTY, Obj, get
from kubemini.scheduler.decide import framework
from kubemini.scheduler.decide.decision import Decision, available
from kubemini.scheduler.decide.framework import Filters, priority
from kubemini.scheduler.decide.nodeinfo import NodeInfo
from kubemini.scheduler.decide.nominator import nominated_node
from kubemini.scheduler.decide.plugin import Cycle, Plugin, Refusal, hopeless

NEVER = "not eligible due to preemptionPolicy=Never."
GOING = "not eligible due to a terminating pod on the nominated node."
NO_VICTIMS = "No preemption victims found for incoming pod"
NOT_HELPFUL = "Preemption is not helpful for scheduling"
BY_SCHEDULER = "PreemptionByScheduler"
LEAST, PERCENT = 100, 10  # minCandidateNodesAbsolute, minCandidateNodesPercentage
NOW = "~"  # sorts after every timestamp: a pod that has not started is as young as can be


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node, the pods that would have to go (the most important first), and how many budgets that would violate."""

    node: str
    victims: tuple[Obj, ...]
    violations: int = 0


@dataclass(slots=True)
class Preemption:
    """What preemption comes to: the *chosen* candidate of *candidates*, or why there is none."""

    candidates: list[Candidate] = field(default_factory=list)
    not_helped: dict[str, Refusal] = field(default_factory=dict)
    chosen: Candidate | None = None
    ineligible: str = ""
    nodes: int = 0

    @property
    def text(self) -> str:
        """What stands after ``preemption: ``."""
        if self.ineligible:
            return self.ineligible
        if self.chosen is None:
            return available(self.nodes, self.not_helped, NOT_HELPFUL)
        many = len(self.chosen.victims)
        return f"found a potential placement for pod on node {self.chosen.node}, preempting {many} victims"


def preempt(cycle: Cycle, plugins: Sequence[Plugin], decision: Decision, budgets: Iterable[Obj]) -> Preemption:
    """What could be done for the pod of *cycle*, which *decision* could not place."""
    found = Preemption(nodes=len(cycle.nodes), ineligible=ineligible(cycle, decision))
    if found.ineligible:
        return found
    filters = Filters.of(plugins, decision.skipped_filters)
    hopeful = [info for info in cycle.nodes if _resolvable(decision, info.name)]
    limit = min(len(hopeful), max(LEAST, len(hopeful) * PERCENT // 100))
    kept = list(budgets)
    for info in hopeful:
        answer = victims_on(cycle, filters, info, kept)
        if isinstance(answer, Refusal):
            found.not_helped[info.name] = answer
            continue
        found.candidates.append(answer)
        if len(found.candidates) >= limit and any(not one.violations for one in found.candidates):
            break
    found.candidates.sort(key=lambda one: one.violations > 0)
    found.chosen = min(found.candidates, key=cmp_to_key(_compare), default=None)
    return found


def _resolvable(decision: Decision, node: str) -> bool:
    refusal = decision.refusals.get(node)
    return refusal is not None and refusal.resolvable


def ineligible(cycle: Cycle, decision: Decision) -> str:
    """Why the pod may not make room for itself; "" if it may.

    Models k/k pkg/scheduler/framework/plugins/defaultpreemption DefaultPreemption.PodEligibleToPreemptOthers
    """
    pod = cycle.pod
    if pod["spec"].get("preemptionPolicy") == "Never":
        return NEVER
    wanted = nominated_node(pod)
    refusal = decision.refusals.get(wanted)
    if not wanted or (refusal is not None and not refusal.resolvable):
        return ""
    info = next((info for info in cycle.nodes if info.name == wanted), None)
    going = info is not None and any(priority(other) < priority(pod) and _going(other) for other in info.pods.values())
    return GOING if going else ""


def _going(pod: Obj) -> bool:
    """Whether it is being deleted because of a preemption."""
    if "deletionTimestamp" not in pod["metadata"]:
        return False
    conditions = get(pod, "status", "conditions") or ()
    target = (c for c in conditions if c["type"] == "DisruptionTarget")
    return any(c.get("status") == "True" and c.get("reason") == BY_SCHEDULER for c in target)


def victims_on(cycle: Cycle, filters: Filters, info: NodeInfo, budgets: Sequence[Obj]) -> Candidate | Refusal:
    """Who must leave *info* so that the pod fits; or why it would not."""
    lower = [pod for pod in info.pods.values() if priority(pod) < priority(cycle.pod)]
    if not lower:
        return hopeless(NO_VICTIMS)
    trial, there = framework.fork(cycle, filters), info.copy()

    def take(pod: Obj) -> None:
        there.remove(pod["metadata"]["uid"])
        framework.changed(trial, filters, pod, there, -1)

    def put_back(pod: Obj) -> None:
        there.add(pod)
        framework.changed(trial, filters, pod, there, +1)

    for pod in lower:
        take(pod)
    refusal = framework.passes(trial, filters, there)
    if refusal is not None:
        return refusal
    lower.sort(key=importance)
    violating, others = by_budget(lower, budgets)
    victims, violations = [], 0
    for pod in (*violating, *others):
        put_back(pod)
        if framework.passes(trial, filters, there) is not None:
            take(pod)
            victims.append(pod)
            violations += any(pod is one for one in violating)
    victims.sort(key=importance)
    return Candidate(info.name, tuple(victims), violations) if victims else hopeless(NO_VICTIMS)


def importance(pod: Obj) -> tuple[int, str]:
    """The most important first: by priority, then by how long it has run."""
    return -priority(pod), started(pod)


def started(pod: Obj) -> str:
    """When the pod started, as text that sorts; later than all others if it has not."""
    found: str = get(pod, "status", "startTime") or NOW
    return found


def by_budget(pods: Iterable[Obj], budgets: Sequence[Obj]) -> tuple[list[Obj], list[Obj]]:
    """Those whose going would violate a budget, counted in order, and the others.

    Models k/k pkg/scheduler/framework/preemption FilterVictimsWithPDBViolation
    """
    left = [get(budget, "status", "disruptionsAllowed") or 0 for budget in budgets]
    violating: list[Obj] = []
    others: list[Obj] = []
    for pod in pods:
        violates = False
        for number, budget in enumerate(budgets):
            if _covers(budget, pod):
                left[number] -= 1
                violates = violates or left[number] < 0
        (violating if violates else others).append(pod)
    return violating, others


def _covers(budget: Obj, pod: Obj) -> bool:
    """Whether a budget counts the pod; one without a selector, or with an empty one, counts none here."""
    selector, carried = get(budget, "spec", "selector"), pod["metadata"].get("labels")
    if not carried or budget["metadata"]["namespace"] != pod["metadata"]["namespace"]:
        return False
    if not selector or not (selector.get("matchLabels") or selector.get("matchExpressions")):
        return False
    disrupted = get(budget, "status", "disruptedPods") or EMPTY
    return pod["metadata"]["name"] not in disrupted and labels.matches(selector, carried)


def harm(candidate: Candidate) -> tuple[int, int, int, int]:
    """The less the better: budgets violated, the highest priority, the sum of all, how many."""
    ranks = [priority(pod) for pod in candidate.victims]
    return candidate.violations, ranks[0], sum(rank + 2**31 for rank in ranks), len(ranks)


def _compare(one: Candidate, other: Candidate) -> int:
    """Less harm first; then where the most important victims have run for the shortest time."""
    if harm(one) != harm(other):
        return -1 if harm(one) < harm(other) else 1
    mine, theirs = _earliest(one), _earliest(other)
    return (mine < theirs) - (mine > theirs)


def _earliest(candidate: Candidate) -> str:
    highest = priority(candidate.victims[0])
    return min(started(pod) for pod in candidate.victims if priority(pod) == highest)
