"""What both exercises do with the learner's cluster: take something away, and look at the writes."""

from collections.abc import Sequence
from typing import Any

from kubemini.cluster import Topology
from kubemini.lab import NotYet
from kubemini.scenarios import Scenario
from kubemini.sim import Record, Trace
from kubemini.sim.units import SECOND
from kubemini.simulate import run
from kubemini.view.requests import WAITING, asked

SEEDS = range(1, 21)
# Seconds: the whole cluster loses something, must write again, ends. A silent etcd member is given up 10 s after the
# first data that it does not acknowledge, and at two writes a second some connection sends its first late.
LOSS, SETTLED, END = 10, 30, 36
WORKLOAD = {"api_writes": {"every": "500ms"}}


def topology_of(answer: Any) -> Topology:
    """What the learner handed over, a cluster or a topology. Raises NotYet for anything else."""
    topology = getattr(answer, "topology", answer)
    if not isinstance(topology, Topology):
        raise NotYet(f"Hand over a cluster, such as Cluster.external(etcd_members=5); yours is {answer!r}.")
    return topology


def break_it(topology: Topology, action: str, target: str, seed: int) -> Trace:
    """Somebody writes through this topology; at 10 s something happens to it."""
    present = target in {h.zone for h in topology.hosts} | {h.name for h in topology.hosts}
    fault = ((LOSS, action, target),) if present else ()
    title = "Something goes dark"
    return run(Scenario("lab", title, topology, workload=WORKLOAD, faults=fault, until=END * SECOND), seed)


def api_writes(trace: Trace) -> list[Record]:
    """The writes through the API: those that ended, then those that still wait at the end."""
    return [r for r in asked(trace) if r.detail["kind"] == "api" and r.detail["verb"] == "PATCH"]


def late_writes(trace: Trace) -> list[Record]:
    """The API writes begun when the failover must be over."""
    return [r for r in api_writes(trace) if r.detail["started"] >= SETTLED * SECOND]


def tally(writes: Sequence[Record], event: str) -> str:
    """How many of *writes* succeeded after *event*, and why one did not."""
    if all(r.detail["outcome"] == WAITING for r in writes):
        return "every write of kubectl was still waiting at the end"
    good = sum(r.detail["outcome"] == "ok" for r in writes)
    why = next((r.detail["why"] for r in writes if r.detail.get("why")), "")
    return f"after {event}, {good} of {len(writes)} API writes succeeded" + (f": {why}" if why else "")
