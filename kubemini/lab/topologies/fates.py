"""What became of kubectl's writes: by the second in which they began, and by the API server that had them."""

from collections import Counter
from dataclasses import replace

from kubemini.cluster import Topology
from kubemini.lab.topologies.trial import api_writes
from kubemini.scenarios import load
from kubemini.sim import Record, Trace
from kubemini.sim.units import SECOND
from kubemini.simulate import run
from kubemini.view.requests import WAITING, fate

Commands = list[tuple]


WORDS = {"ok": "done", "slow": "done late", WAITING: "still waiting"}


def told(request: Record) -> str:
    """How a request ended: done, done late (after more than a second), not yet, or the error."""
    return WORDS.get(fate(request)) or request.detail["why"]


def begun(trace: Trace, begin: float, end: float) -> list[Record]:
    """kubectl's writes that began from *begin* to *end*, in seconds."""
    return [r for r in api_writes(trace) if begin <= r.detail["started"] / SECOND < end]


def fates(trace: Trace, begin: float, end: float) -> str:
    """How many of the writes begun from *begin* to *end* ended in which way."""
    seen = Counter(map(told, begun(trace, begin, end)))
    return ", ".join(f"{number} {how}" for how, number in seen.items())


def waited(topology: Topology, trouble: Commands, begin: float, end: float) -> dict[str, tuple[int, int]]:
    """API server → (writes that were not done at once, writes it had), of those begun from *begin* to *end*."""
    often = {"api_writes": {"every": "200ms"}}
    story = replace(load(topology.kind), topology=topology, faults=(), workload=often)
    writes = begun(run(story, seed=1, commands=trouble, until=end + 15), begin, end)
    had = Counter(write.detail["via"][-1] for write in writes)
    slow = Counter(write.detail["via"][-1] for write in writes if told(write) != "done")
    return {server: (slow[server], had[server]) for server in sorted(had)}
