"""topologies.third-machine: a control plane that survives the loss of any machine.

Each machine of the control plane loses its power, in 20 runs of the whole cluster.
"""

from itertools import pairwise
from statistics import median
from typing import Any

from kubemini.cluster import Topology
from kubemini.cluster.topology import CONTROL_PLANE, ETCD
from kubemini.lab import NotYet, Report, exercise
from kubemini.lab.topologies.trial import SEEDS, api_writes, break_it, late_writes, tally, topology_of
from kubemini.sim.units import SECOND


@exercise("topologies.third-machine")
def check_third_machine(answer: Any) -> Report:
    """*answer*: a cluster whose control plane stands on at most three machines."""
    topology = topology_of(answer)
    machines = [h.name for h in topology.hosts if h.role in (CONTROL_PLANE, ETCD)]
    if len(machines) > 3:
        raise NotYet(f"You have two machines and may buy one; this control plane stands on {len(machines)}.")
    gaps = [_without_writes(topology, machines[seed % len(machines)], seed) for seed in SEEDS]
    return Report(
        "pass",
        (
            f"{len(gaps)} of {len(gaps)} runs could write again, whichever of {', '.join(machines)} lost its power",
            f"longest time without a write: {median(gaps):.1f} s (median), {max(gaps):.1f} s at worst",
        ),
        "Three members forgive the loss of one; two forgive none, and there are two that can fail.",
        "The load balancer is now the one machine that must not fail.",
    )


def _without_writes(topology: Topology, machine: str, seed: int) -> float:
    """The longest time between two successful writes. Raises NotYet if they do not come back."""
    trace = break_it(topology, "power_off", machine, seed)
    writes = late_writes(trace)
    if not all(r.detail["outcome"] == "ok" for r in writes):
        raise _not_available(topology, machine, tally(writes, f"{machine} lost its power (seed {seed})"))
    good = [r.at for r in api_writes(trace) if r.detail["outcome"] == "ok"]
    return max(b - a for a, b in pairwise(good)) / SECOND


def _not_available(topology: Topology, machine: str, fact: str) -> NotYet:
    members = len(topology.members)
    lost = sum(c in topology.members for h in topology.hosts if h.name == machine for c in h.components)
    if members - lost < topology.quorum:
        belief = "M25: two stacked are no better than one" if members == 2 else "M1: count what is left"
        return NotYet(
            f"Without {machine}, {members - lost} of {members} members are left and {topology.quorum} are needed"
            f" ({belief}).",
            fact,
            next="How many members must there be, so that one may go?",
        )
    if not topology.of("haproxy-"):
        return NotYet(
            f"etcd has its majority without {machine}, but clients know one API server, and it is gone"
            " (M21: three machines, one address).",
            fact,
            next="Give the clients an address that does not die with a machine: keep the load balancer.",
        )
    return NotYet(f"Without {machine} no API server is left.", fact, next="Where does a second API server stand?")
