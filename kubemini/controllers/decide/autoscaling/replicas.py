"""How many pods a load asks for: usage measured against a target, what is missing assumed to its disadvantage. Pure.

    ratio = usage / target            within the tolerance (10 %): as many as there are
    pods  = ceil(ratio × ready pods)

A pod that has no metrics counts as idle if more pods would be asked for, as fully used if fewer would; one that is not
ready counts as idle, and only if more would. If that turns the ratio round, nothing changes.
Amounts are thousandths (of a core, a byte, a thing); instants and durations are µs.
Models k/k pkg/controller/podautoscaler ReplicaCalculator.GetResourceReplicas,
ReplicaCalculator.calcPlainMetricReplicas, ReplicaCalculator.getUsageRatioReplicaCount, groupPods, calculateRequests;
k/k pkg/controller/podautoscaler/metrics GetResourceUtilizationRatio, GetMetricUsageRatio
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from kubemini.api import quantity
from kubemini.api.objects import Obj, get
from kubemini.api.timestamps import instant
from kubemini.controllers.decide.actions import condition, is_ready, terminating

MOST = 2**31 - 1
NO_PODS = "no pods returned by selector while calculating replica count"
NO_METRICS = "did not receive metrics for targeted pods (pods might be unready)"


class Uncountable(Exception):
    """Why no number of pods can be told, in the words of a condition."""


class Measured(NamedTuple):
    """What a pod used: thousandths, over the *window* (µs) that ended *at* an instant."""

    value: int
    at: int
    window: int


Metrics = Mapping[str, Measured]  # by the name of a pod


class Tolerances(NamedTuple):
    """How far the ratio may be off before anything is done: 0.1 is 10 %."""

    down: float
    up: float

    def cover(self, ratio: float) -> bool:
        """Whether a usage at *ratio* of its target is near enough."""
        return 1.0 - self.down <= ratio <= 1.0 + self.up


class Patience(NamedTuple):
    """--horizontal-pod-autoscaler-cpu-initialization-period and -initial-readiness-delay, µs."""

    initialization: int
    readiness: int


class Resource(NamedTuple):
    """Which resource (cpu, memory; "": a metric of another kind), of which container ("": of all), looked at when."""

    name: str
    container: str
    now: int
    patience: Patience


class Groups(NamedTuple):
    """Pods by what can be said of them: how many count as they are, and the names of the others."""

    ready: int
    unready: frozenset[str]
    missing: frozenset[str]
    ignored: frozenset[str]


class Wanted(NamedTuple):
    """How many pods, and what was measured: thousandths a pod, and percent of what they ask for."""

    replicas: int
    usage: int
    utilization: int = 0


def by_utilization(
    pods: Sequence[Obj], metrics: Metrics, current: int, target: int, how: Resource, within: Tolerances
) -> Wanted:
    """For *target* percent of what the pods ask for. Raises Uncountable."""
    groups, known = _known(pods, metrics, how)
    requests = {name_of(pod): request(pod, how) for pod in pods}

    def ratio(values: Mapping[str, int]) -> tuple[float, int, int]:
        used = [value for name, value in values.items() if name in requests]
        asked = sum(requests[name] for name in values if name in requests)
        if not asked:
            raise Uncountable("no metrics returned matched known pods")
        percent = sum(used) * 100 // asked
        return percent / target, percent, sum(used) // len(used)

    assumed = {name: requests[name] * max(100, target) // 100 for name in groups.missing}
    first, percent, usage = ratio(known)
    replicas = _replicas(groups, known, assumed, current, first, lambda values: ratio(values)[0], within)
    return Wanted(replicas, usage, percent)


def by_value(
    pods: Sequence[Obj], metrics: Metrics, current: int, target: int, how: Resource, within: Tolerances
) -> Wanted:
    """For *target* thousandths a pod. Raises Uncountable."""
    groups, known = _known(pods, metrics, how)

    def ratio(values: Mapping[str, int]) -> float:
        return sum(values.values()) // len(values) / target

    usage = sum(known.values()) // len(known)
    assumed = dict.fromkeys(groups.missing, target)
    return Wanted(_replicas(groups, known, assumed, current, ratio(known), ratio, within), usage)


def by_ratio(pods: Sequence[Obj], current: int, ratio: float, within: Tolerances) -> int:
    """For something that is not the pods' own, at *ratio* of its target; from 0 pods as many as it takes."""
    if not current:
        return math.ceil(ratio)
    if within.cover(ratio):
        return current
    if not pods:
        raise Uncountable(f"unable to calculate ready pods: {NO_PODS}")
    ready = sum(get(pod, "status", "phase") == "Running" and is_ready(pod) for pod in pods)
    return min(MOST, math.ceil(ratio * ready))


def by_share(usage: int, target: int, replicas: int, within: Tolerances) -> Wanted:
    """For *target* thousandths a pod of something that all *replicas* share."""
    near = bool(replicas) and within.cover(usage / (target * replicas))
    share = math.ceil(usage / replicas) if replicas else usage
    return Wanted(replicas if near else min(MOST, math.ceil(usage / target)), share)


def _replicas(
    groups: Groups,
    known: Mapping[str, int],
    assumed: Mapping[str, int],
    current: int,
    first: float,
    ratio: Callable[[Mapping[str, int]], float],
    within: Tolerances,
) -> int:
    """As many as the *first* ratio asks for, or the one that counts those of whom nothing is known."""
    idle = bool(groups.unready) and first > 1.0
    if not idle and not groups.missing:
        return current if within.cover(first) else math.ceil(first * groups.ready)
    values = dict(known)
    if groups.missing and first != 1.0:
        values |= assumed if first < 1.0 else dict.fromkeys(groups.missing, 0)
    if idle:
        values |= dict.fromkeys(groups.unready, 0)
    second = ratio(values)
    if within.cover(second) or first < 1.0 < second or second < 1.0 < first:
        return current
    wanted = math.ceil(second * len(values))
    turns = wanted > current if second < 1.0 else second > 1.0 and wanted < current
    return current if turns else wanted


def _known(pods: Sequence[Obj], metrics: Metrics, how: Resource) -> tuple[Groups, dict[str, int]]:
    if not pods:
        raise Uncountable(NO_PODS)
    groups = grouped(pods, metrics, how)
    left_out = groups.ignored | groups.unready
    known = {name: found.value for name, found in metrics.items() if name not in left_out}
    if not known:
        raise Uncountable(NO_METRICS)
    return groups, known


# -- pods ------------------------------------------------------------------------------------------------------------
def name_of(pod: Obj) -> str:
    """Its name."""
    name: str = pod["metadata"]["name"]
    return name


def grouped(pods: Sequence[Obj], metrics: Metrics, how: Resource) -> Groups:
    """Who counts, who does not yet, of whom nothing is known, and who never will."""
    ready = 0
    unready, missing, ignored = set(), set(), set()
    for pod in pods:
        name, phase = name_of(pod), get(pod, "status", "phase")
        if terminating(pod) or phase == "Failed":
            ignored.add(name)
        elif phase == "Pending":
            unready.add(name)
        elif name not in metrics:
            missing.add(name)
        elif how.name == "cpu" and _is_warming_up(pod, metrics[name], how):
            unready.add(name)
        else:
            ready += 1
    return Groups(ready, frozenset(unready), frozenset(missing), frozenset(ignored))


def _is_warming_up(pod: Obj, metric: Measured, how: Resource) -> bool:
    """Whether its cpu says nothing yet: it starts, or has never been ready since it did."""
    found, begun = condition(pod, "Ready"), get(pod, "status", "startTime")
    if found is None or begun is None:
        return True
    since, started = instant(found["lastTransitionTime"]), instant(begun)
    if started + how.patience.initialization > how.now:
        return bool(found["status"] == "False" or metric.at < since + metric.window)
    return bool(found["status"] == "False" and started + how.patience.readiness > since)


def request(pod: Obj, how: Resource) -> int:
    """What a pod, or its container, asks for, in thousandths. Raises Uncountable."""
    own = get(pod, "spec", "resources", "requests")
    if own and not how.container:
        if own.get(how.name) is None:
            raise Uncountable(f"missing pod-level request for {how.name} in Pod {name_of(pod)}")
        return quantity.parse(str(own[how.name])).millis
    sidecars = [one for one in get(pod, "spec", "initContainers") or () if one.get("restartPolicy") == "Always"]
    counted = [one for one in (*pod["spec"]["containers"], *sidecars) if how.container in ("", one["name"])]
    if how.container and not counted:
        raise Uncountable(f"container {how.container} not found in Pod {name_of(pod)}")
    total = 0
    for container in counted:
        asked = get(container, "resources", "requests", how.name)
        if asked is None:
            where = f"container {container['name']} of Pod {name_of(pod)}"
            raise Uncountable(f"missing request for {how.name} in {where}")
        total += quantity.parse(str(asked)).millis
    return total
