"""How fast a HorizontalPodAutoscaler may go: windows that hold a number, and limits to the change in a period. Pure.

Without ``spec.behavior`` the old rules hold: up to the double, or to 4, at a time; down to the highest number of the
last five minutes, which also holds *up* what a limit had cut. With it, each direction has a window of its own and
policies, of which the one with the largest (or smallest) change counts.
Models k/k pkg/controller/podautoscaler HorizontalController.normalizeDesiredReplicas,
HorizontalController.normalizeDesiredReplicasWithBehaviors, HorizontalController.stabilizeRecommendationWithBehaviors,
HorizontalController.convertDesiredReplicasWithBehaviorRate, convertDesiredReplicasWithRules,
HorizontalController.storeScaleEvent
"""

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

from kubemini.api.objects import Obj, get
from kubemini.sim.units import SECOND

FACTOR, LEAST = 2.0, 4.0  # scaleUpLimitFactor, scaleUpLimitMinimum
RANGE = ("DesiredWithinRange", "the desired count is within the acceptable range")
TOO_FAST = ("ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate")
TOO_FAST_DOWN = ("ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate")
TOO_MANY = ("TooManyReplicas", "the desired replica count is more than the maximum replica count")
TOO_FEW = ("TooFewReplicas", "the desired replica count is less than the minimum replica count")
READY = ("ReadyForNewScale", "recommended size matches current size")
HELD = (
    "ScaleDownStabilized",
    "recent recommendations were higher than current one, applying the highest recent recommendation",
)
HELD_BACK = (
    "ScaleUpStabilized",
    "recent recommendations were lower than current one, applying the lowest recent recommendation",
)
Said = tuple[str, str]  # reason, message


class Sample(NamedTuple):
    """A number of pods, or a change of it, and its instant (µs)."""

    value: int
    at: int


Samples = tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class Memory:
    """What the controller keeps in mind of an autoscaler: recommendations, changes up and down; and what it selects."""

    recommended: Samples = ()
    ups: Samples = ()
    downs: Samples = ()
    selector: str | None = None


class Bounds(NamedTuple):
    """minReplicas, maxReplicas, and how many there are now."""

    least: int
    most: int
    current: int


class Paced(NamedTuple):
    """How many pods now; why AbleToScale says what it says, and whether and why the number is limited."""

    desired: int
    able: Said
    limited: bool
    limit: Said
    memory: Memory


def paced(behavior: Obj | None, memory: Memory, bounds: Bounds, wanted: int, window: int, now: int) -> Paced:
    """How much of the way to *wanted* may be gone now; *window* (µs) is that of a behavior that says none."""
    if behavior is None:
        stable, held = _stable(memory, wanted, now - window), HELD
        noted = _noted(memory, wanted, now - window, now)
        desired, limit = within_rules(bounds, stable)
    else:
        up = now - _seconds(behavior["scaleUp"].get("stabilizationWindowSeconds"), 0)
        down = now - _seconds(behavior["scaleDown"].get("stabilizationWindowSeconds"), window)
        stable = _stable_both_ways(memory, bounds, wanted, up, down)
        held = HELD_BACK if wanted >= bounds.current else HELD
        noted = _noted(memory, wanted, min(up, down), now)
        desired, limit = within_policies(behavior, memory, bounds, stable, now)
    return Paced(desired, READY if stable == wanted else held, desired != stable, limit, noted)


def _stable(memory: Memory, wanted: int, since: int) -> int:
    """The highest recommendation of the window."""
    return max([wanted, *(sample.value for sample in memory.recommended if sample.at >= since)])


def _stable_both_ways(memory: Memory, bounds: Bounds, wanted: int, up: int, down: int) -> int:
    """The current number, moved no further than all recommendations of a window agree."""
    lowest = min([wanted, *(sample.value for sample in memory.recommended if sample.at > up)])
    highest = max([wanted, *(sample.value for sample in memory.recommended if sample.at > down)])
    return min(max(bounds.current, lowest), highest)


def _seconds(said: int | None, default: int) -> int:
    return default if said is None else said * SECOND


def _noted(memory: Memory, wanted: int, cutoff: int, now: int) -> Memory:
    return replace(memory, recommended=_kept(memory.recommended, Sample(wanted, now), cutoff))


def _kept(samples: Samples, new: Sample, cutoff: int) -> Samples:
    """With the *new* sample, in the place of one from before the *cutoff* if there is one."""
    old = [place for place, sample in enumerate(samples) if sample.at < cutoff]
    return (*samples[: old[-1]], new, *samples[old[-1] + 1 :]) if old else (*samples, new)


def within_rules(bounds: Bounds, wanted: int) -> tuple[int, Said]:
    """Between the bounds, and up to the double or to 4."""
    fastest = int(max(FACTOR * bounds.current, LEAST))
    most, why = (fastest, TOO_FAST) if bounds.most > fastest else (bounds.most, TOO_MANY)
    if wanted < bounds.least:
        return bounds.least, TOO_FEW
    return (most, why) if wanted > most else (wanted, RANGE)


def within_policies(behavior: Obj, memory: Memory, bounds: Bounds, wanted: int, now: int) -> tuple[int, Said]:
    """Between the bounds, and no further than the policies of its direction let it go."""
    if wanted > bounds.current:
        fastest = max(bounds.current, _limit(behavior["scaleUp"], memory, bounds.current, now, up=True))
        most, why = (fastest, TOO_FAST) if bounds.most > fastest else (bounds.most, TOO_MANY)
        return (most, why) if wanted > most else (wanted, RANGE)
    if wanted < bounds.current:
        fastest = min(bounds.current, _limit(behavior["scaleDown"], memory, bounds.current, now, up=False))
        least, why = (fastest, TOO_FAST_DOWN) if bounds.least < fastest else (bounds.least, TOO_FEW)
        return (least, why) if wanted < least else (wanted, RANGE)
    return wanted, RANGE


def _limit(rules: Obj, memory: Memory, current: int, now: int, up: bool) -> int:
    """How far the policies let it go, from as many pods as there were when their period began."""
    if rules.get("selectPolicy") == "Disabled":
        return current
    proposals = []
    for policy in rules["policies"]:
        since = now - policy["periodSeconds"] * SECOND
        begun = current - _changed(memory.ups, since) + _changed(memory.downs, since)
        proposals.append(_proposal(policy, begun, up))
    smallest_change = rules.get("selectPolicy") == "Min"
    return min(proposals) if smallest_change == up else max(proposals)


def _proposal(policy: Obj, begun: int, up: bool) -> int:
    value: int = policy["value"]
    if policy["type"] == "Pods":
        return begun + value if up else begun - value
    return math.ceil(begun * (1 + value / 100)) if up else int(begun * (1 - value / 100))


def _changed(samples: Samples, since: int) -> int:
    return sum(sample.value for sample in samples if sample.at > since)


def scaled(behavior: Obj | None, memory: Memory, before: int, after: int, now: int) -> Memory:
    """With the change that was just made."""
    if behavior is None:
        return memory
    way = "scaleUp" if after > before else "scaleDown"
    longest = max((policy["periodSeconds"] for policy in get(behavior, way, "policies") or ()), default=0)
    new, cutoff = Sample(abs(after - before), now), now - longest * SECOND
    if after > before:
        return replace(memory, ups=_kept(memory.ups, new, cutoff))
    return replace(memory, downs=_kept(memory.downs, new, cutoff))
