"""What the pods' calls to each other met, read from a trace of the scenario policy; and the runs beside it."""

from collections.abc import Iterator
from dataclasses import replace

from kubemini.scenarios import Scenario, load
from kubemini.sim import Trace
from kubemini.sim.units import SECOND
from kubemini.simulate import run

Pair = tuple[str, str]
LOOK_UP = "look-up"


def calls(trace: Trace) -> Iterator[tuple[float, Pair, str]]:
    """(second it began, (caller, Service), "ok" | "name" | "call": what was dropped) of every call."""
    for record in trace.of("request"):
        d = record.detail
        if "caller" in d:
            fate = "ok" if d["outcome"] == "ok" else "name" if d["why"].startswith(LOOK_UP) else "call"
            yield d["started"] / SECOND, (d["caller"].split("-")[0], d["path"]), fate


def outcomes(trace: Trace, begin: float, end: float) -> dict[Pair, str]:
    """How the calls of each pair went that began from *begin* to *end* (s), in words, with what decided most."""
    told: dict[Pair, dict[str, int]] = {}
    for record in trace.of("request"):
        d = record.detail
        if "caller" in d and begin * SECOND <= d["started"] < end * SECOND:
            said = f"{'answered' if d['outcome'] == 'ok' else 'no answer'}{', ' if d['why'] else ''}{d['why']}"
            counts = told.setdefault((d["caller"].split("-")[0], d["path"]), {})
            counts[said] = counts.get(said, 0) + 1
    return {pair: max(sorted(counts), key=counts.__getitem__) for pair, counts in sorted(told.items())}


def without_agent() -> Scenario:
    """The scenario policy where nobody enforces policies."""
    story = load("policy")
    return load(
        {
            "name": "policy-unenforced",
            "title": story.title,
            "topology": {"kind": "single", "workers": 2, "zones": ["a"], "callers": True, "dns": "coredns"},
            "manifests": story.manifests,
            "workload": dict(story.workload),
            "faults": [list(fault) for fault in story.faults],
            "seed": story.seed,
            "until": f"{story.until // SECOND}s",
        }
    )


def kept(strict: bool) -> tuple[str, str]:
    """What web's calls to api meet over a connection that they keep, before a deny-all at 20 s and after it."""
    story = load("policy")
    params = replace(story.params, policy_strict_mode=strict)
    workload = {"callers": {"pods": "web", "services": "api", "every": "1s", "keep": True}}
    trace = run(replace(story, params=params, workload=workload, faults=story.faults[:1], source=None), until=40)
    [before], [after] = outcomes(trace, 10, 19).values(), outcomes(trace, 25, 39).values()
    return before, after
