"""door.path: a way from kubelet and kubectl to etcd on which no box is needed alone.

Each machine of the control plane and each balancer loses its power, each balancer's process is killed, each zone of the
control plane goes dark: every time kubectl's writes must come through again, and every kubelet must have found a
server that lives.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from kubemini.cluster import Topology
from kubemini.cluster.topology import BALANCER, CONTROL_PLANE, ETCD
from kubemini.lab import NotYet, Report, exercise
from kubemini.lab.topologies.trial import api_writes, tally, topology_of
from kubemini.scenarios import Scenario
from kubemini.sim import Trace
from kubemini.sim.units import SECOND
from kubemini.simulate import run
from kubemini.view.connections import at, hanging

LOSS, SETTLED, END = 20, 75, 82  # seconds: HTTP/2 has 45 s to notice, keepalived 30 s; before 20 s all is starting
MOST = 6  # machines


class Loss(NamedTuple):
    """What is taken away, as a command; *said* in words."""

    action: str
    target: str
    said: str


@exercise("door.path")
def check_path(answer: Any) -> Report:
    """*answer*: a cluster of at most six machines in front of its workers."""
    topology = topology_of(answer)
    machines = [h.name for h in topology.hosts if h.role in (BALANCER, CONTROL_PLANE, ETCD)]
    if len(machines) > MOST:
        raise NotYet(f"You may use {MOST} machines, balancers counted; yours are {len(machines)}.")
    if len(topology.of("kubelet@")) < 2:
        raise NotYet("Leave at least two workers, so that there is somebody whose way counts.")
    tried = [_survives(topology, loss) for loss in losses(topology)]
    gap = max(tried, key=lambda found: found[1])
    return Report(
        "pass",
        (
            f"{len(tried)} losses, one at a time, and after each kubectl's writes and all kubelets came through again",
            f"the longest wait for a write: {gap[1]:.0f} s, when {gap[0]}",
        ),
        "Every box on the way has a second one, and something that finds out which of the two lives.",
        "What does the one that finds out look at, and how long does it take?",
    )


def losses(topology: Topology) -> Iterator[Loss]:
    """Everything that is taken away, one at a time."""
    for host in topology.hosts:
        if host.role in (BALANCER, CONTROL_PLANE, ETCD):
            yield Loss("power_off", host.name, f"{host.name} lost its power")
    for balancer in topology.of("haproxy-"):
        yield Loss("crash", balancer, f"{balancer} was killed")
    zones = {host.zone for host in topology.hosts if host.role in (CONTROL_PLANE, ETCD)}
    for zone in sorted(zones):
        yield Loss("zone_outage", zone, f"zone {zone} went dark")


def _survives(topology: Topology, loss: Loss) -> tuple[str, float]:
    """What was lost, and the longest time between two good writes (s). Raises NotYet if it is not survived."""
    fault = (LOSS, loss.action, loss.target)
    workload = {"api_writes": {"every": "500ms"}}
    scenario = Scenario("path", loss.said, topology, workload=workload, faults=(fault,), until=END * SECOND)
    trace = run(scenario, seed=7)
    late = [r for r in api_writes(trace) if r.detail["started"] >= SETTLED * SECOND]
    if any(r.detail["outcome"] != "ok" for r in late):
        fact = tally(late, loss.said)
        raise NotYet(f"When {loss.said}, not every write came through again.", fact, next=_advice(loss))
    lost = _lost(topology, trace)
    if lost:
        raise NotYet(f"When {loss.said}, {', '.join(lost)} found no way to an API server.", next=_advice(loss))
    good = sorted(r.at for r in api_writes(trace) if r.detail["outcome"] == "ok")
    return loss.said, max(b - a for a, b in pairwise(good)) / SECOND


def _lost(topology: Topology, trace: Trace) -> list[str]:
    """The kubelets on hosts with power that hang on nobody, or on a server that is gone."""
    state = at(trace, END * SECOND)
    on = hanging(state)
    kubelets = [name for name in topology.of("kubelet@") if state.alive(name)]
    return [name for name in kubelets if not state.alive(on.get(name, ""))]


def _advice(loss: Loss) -> str:
    if loss.target.startswith(("lb-", "haproxy-")):
        return "The door itself was the single point of failure (M22): what if there were two, with one address?"
    if loss.action == "zone_outage":
        return "Count the members that are left: a zone must not hold a majority (M26)."
    return "Count the members that are left, and the API servers."
