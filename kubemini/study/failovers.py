"""How long do members of etcd go without a leader when theirs is gone? A sample, to be held against measured ones.

Two samples are compared by the Kolmogorov-Smirnov distance: the largest gap between their distribution functions. If
it is below `critical`, chance alone explains it in 95 of 100 cases.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from kubemini.cluster import build
from kubemini.params import Params
from kubemini.scenarios import Scenario
from kubemini.study.elections import failover

# A handover takes a few milliseconds, most of them a processor's, which ours has not: it is told to a tick.
STEPS = {"terminate": 0.1}


def failovers(size: int = 3, fault: str = "crash", pre_vote: bool = True, trials: int = 120) -> list[float]:
    """Seconds from the *fault* of the leader of *size* members to the next one, sorted.

    *fault*: crash, pause, terminate or cut, as in `kubemini.study.elections.strike`.
    """
    params = replace(Params(), etcd_pre_vote=pre_vote)
    scenario = Scenario("failover", "The leader is gone", build("etcd", members=size), params=params)
    times = (failover(scenario, seed, fault) for seed in range(trials))
    return sorted(float("inf") if time is None else time / 1000 for time in times)


def distance(one: Sequence[float], other: Sequence[float], step: float = 0) -> float:
    """The Kolmogorov-Smirnov distance of two samples whose values count in whole *step*s (0: as they are)."""
    one, other = (sorted(x // step if step else x for x in sample) for sample in (one, other))
    return max(abs(bisect_right(one, x) / len(one) - bisect_right(other, x) / len(other)) for x in [*one, *other])


def critical(one: int, other: int) -> float:
    """The distance that chance exceeds in 5 of 100 cases, for samples of these sizes."""
    return 1.36 * (1 / one + 1 / other) ** 0.5


@dataclass(frozen=True, slots=True)
class Comparison:
    """The medians of a measured sample and of ours, in seconds, and their distance over the critical one."""

    real: float
    ours: float
    gap: float  # below 1: chance alone explains it


def compare(sample: Mapping[str, Any], trials: int = 120) -> Comparison:
    """A measured *sample*, that is its fault, members, pre_vote and seconds, beside *trials* of ours."""
    real, fault = sample["seconds"], sample["fault"]
    ours = failovers(sample["members"], fault, sample["pre_vote"], trials)
    gap = distance(ours, real, STEPS.get(fault, 0)) / critical(len(ours), len(real))
    return Comparison(median(real), median(ours), gap)
