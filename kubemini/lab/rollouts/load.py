"""Two hundred visits a second, put to a run that is over: whom each kernel would have sent them to, and who was there.

A visit looks at nothing but the rules of its host at its instant, and at the pod that these pick; it changes neither.
So it need not be simulated: the trace says when each kernel was programmed with what, and when each pod's program ran.
Invariant: what real visitors of a run lose, these lose at the same instants (a test holds the two together).
Simplified: one short connection a visit, and an answer that takes no time.
"""

from bisect import bisect_right
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from kubemini.lab.rollouts.stories import NAME
from kubemini.sim import Trace
from kubemini.sim.units import SECOND

RATE = 200  # visits a second


class Visit(NamedTuple):
    """One of them: when (µs), from which host, to which pod ("" for nobody), and whether it was answered."""

    at: int
    host: str
    pod: str
    answered: bool


class Kernels:
    """Which pods each host's kernel sends to, and when each pod's program runs."""

    def __init__(self, trace: Trace):
        self.rules: dict[str, list[tuple[int, tuple[str, ...]]]] = {}
        for record in trace.of("rules"):
            if record.detail["service"].split("/")[-1].partition(":")[0] == NAME:
                host = record.actor.partition("@")[2]
                pods = tuple(end["pod"] for end in record.detail["endpoints"])
                self.rules.setdefault(host, []).append((record.at, pods))
        self.runs: dict[str, list[int]] = {}  # pod → [begins, ends, begins, …]
        for record in trace.of("pod"):
            ends = self.runs.setdefault(record.detail["name"], [])
            if (record.detail["state"] in ("running", "stopping")) == (len(ends) % 2 == 0):
                ends.append(record.at)

    def pods(self, host: str, at: int) -> tuple[str, ...]:
        """Whom the kernel of *host* knows at *at*."""
        told = self.rules.get(host, [])
        found = bisect_right(told, at, key=lambda one: one[0])
        return told[found - 1][1] if found else ()

    def answers(self, pod: str, at: int) -> bool:
        """Whether the program of *pod* runs at *at*."""
        return bisect_right(self.runs.get(pod.split("/")[-1], []), at) % 2 == 1


def visits(trace: Trace, begin: float, end: float, rate: int = RATE) -> Iterator[Visit]:
    """*rate* of them a second, from *begin* to *end* (s), from each host in turn."""
    kernels, chance = Kernels(trace), Random(f"visits {trace.header['seed']}")
    hosts = sorted(kernels.rules)
    for number in range(round((end - begin) * rate)):
        at, host = round(begin * SECOND) + number * SECOND // rate, hosts[number % len(hosts)]
        drawn, pods = chance.random(), kernels.pods(host, at)
        pod = pods[int(drawn * len(pods))] if pods else ""
        yield Visit(at, host, pod, bool(pod) and kernels.answers(pod, at))


def lost(trace: Trace, begin: float, end: float, rate: int = RATE) -> int:
    """How many of them nobody answers."""
    return sum(not one.answered for one in visits(trace, begin, end, rate))
