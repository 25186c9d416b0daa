"""rollouts.quiet: a rollout that two hundred visits a second do not notice, whoever learns of it how late.

A few runs; in each, kube-proxies write every so many seconds at most, from 0 to 5. Six pods carry the load, and all
six are needed.
"""

from typing import Any

from kubemini.faults import FaultError
from kubemini.lab import NotYet, Report, exercise
from kubemini.lab.rollouts.load import RATE, lost
from kubemini.lab.rollouts.stories import NAME, NEW, ROLLS, deployment, story, tally
from kubemini.scenarios import ScenarioError
from kubemini.sim import Trace
from kubemini.sim.units import SECOND
from kubemini.simulate import run
from kubemini.view.rollouts import GONE, READY, strip_of

SYNCS = {1: 1, 2: 5, 3: 0, 4: 3}  # seed → s: how seldom kube-proxies write
SLOWEST = max(SYNCS.values())
REPLICAS, ENDS, LONGEST = 6, 55, 30  # s: the run, and how long a rollout may take
KEYS = ("maxSurge", "maxUnavailable", "preStop")


@exercise("rollouts.quiet")
def check_quiet(answer: Any) -> Report:
    """*answer*: ``{"maxSurge": …, "maxUnavailable": …, "preStop": {…} or None}``."""
    if not isinstance(answer, dict) or set(answer) != set(KEYS):
        raise NotYet(f"Give a dict with {', '.join(KEYS)}.")
    longest = 0.0
    for seed, sync in SYNCS.items():
        trace = _rolled(answer, seed, sync)
        longest = max(longest, _took(trace, seed))
        _served(trace, seed, sync)
    asked = len(SYNCS) * RATE * (ENDS - ROLLS)
    return Report(
        "pass",
        (
            f"{asked:,} visits in {len(SYNCS)} runs, kube-proxies late by 0 to {SLOWEST} s: none lost",
            f"never fewer than {REPLICAS} pods ready; the longest rollout took {longest:.0f} s",
        ),
        "Arrivals are waited for by readiness, departures by the hook; the bounds keep the number in between.",
        "Whoever keeps connections of his own notices all the same, unless the program drains them.",
    )


def _rolled(answer: dict[str, Any], seed: int, sync: int) -> Trace:
    rolling = {name: answer[name] for name in KEYS[:2]}
    try:
        trace = run(
            story(NEW, of=deployment(REPLICAS, answer["preStop"], **rolling), until=ENDS, sync=f"{sync}s", workers=2),
            seed,
        )
    except (FaultError, ScenarioError) as error:
        raise NotYet(f"The API server does not take this Deployment: {error}") from None
    if not any(record.detail["kind"] == "Pod" for record in trace.of("object")):
        raise NotYet(
            "No pod was made: the API server refuses this Deployment.",
            next="maxSurge and maxUnavailable are numbers or percentages, and not both 0; a hook fits into the grace.",
        )
    return trace


def _took(trace: Trace, seed: int) -> float:
    """How long (s) until all are new and the last old one is gone. Raises NotYet."""
    strip = strip_of(trace, NAME)
    names = list(strip.sets)
    old = [life for life in strip.pods.values() if life.name.startswith(names[0])]
    if any(life.at(trace.header["until"]) != GONE for life in old):
        raise NotYet(
            f"{ENDS - ROLLS} s after the change, old pods are still there (seed {seed}).",
            next="A pod stays for as long as its hook sleeps.",
        )
    took = (max(life.spans[-1][0] for life in old) - ROLLS * SECOND) / SECOND
    if took > LONGEST:
        raise NotYet(
            f"The rollout takes {took:.0f} s, and {LONGEST} s are allowed (seed {seed}).",
            next=f"How late can the slowest kube-proxy be? It writes every {SLOWEST} s.",
        )
    return took


def _served(trace: Trace, seed: int, sync: int) -> None:
    missed = lost(trace, ROLLS - 1, ENDS)
    fewest = tally(trace)[READY]
    if fewest < REPLICAS:
        raise NotYet(
            f"There is a moment with {fewest} pods ready, and the load needs {REPLICAS} (seed {seed}).",
            f"{missed} of {RATE * (ENDS - ROLLS + 1):,} visits are lost besides",
            next="How many may be away, of how many, and which way is a percentage of them rounded?",
        )
    if missed:
        raise NotYet(
            f"{missed} of {RATE * (ENDS - ROLLS + 1):,} visits are lost (seed {seed}).",
            f"kube-proxies write at most every {sync} s in this run",
            next="A kernel that has not heard of it sends visits to a pod that is gone: what keeps the pod there?",
        )
