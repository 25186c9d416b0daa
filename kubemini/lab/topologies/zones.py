"""topologies.zones: five members of etcd over three zones.

Each zone's power is taken away under 20 seeds in etcd alone, and once in the whole cluster.
"""

from collections.abc import Sequence
from statistics import median
from typing import Any

from kubemini.cluster import Topology, build
from kubemini.cluster.topology import CONTROL_PLANE, ETCD
from kubemini.lab import NotYet, Report, exercise
from kubemini.lab.topologies.trial import END, SEEDS, break_it, late_writes, tally, topology_of
from kubemini.scenarios import Scenario
from kubemini.sim import Record, Trace
from kubemini.sim.units import MS, SECOND
from kubemini.simulate import run

ZONES = ("a", "b", "c")
OUTAGE = 5  # seconds: when etcd alone loses a zone


@exercise("topologies.zones")
def check_zones(answer: Any) -> Report:
    """*answer*: a cluster, or a topology, with five etcd members on hosts of their own."""
    topology = topology_of(answer)
    _within_budget(topology)
    places = [h.zone for h in topology.hosts if h.role == ETCD]
    runs = [run for zone in ZONES for run in _lose_zone(places, zone)]
    gaps = [_until_the_next_write(trace) for trace in runs]
    elections = [gap for gap in gaps if gap > 0.5]
    took = median(r.at - r.detail["started"] for trace in runs for r in _puts(trace, until=OUTAGE)) / MS
    if took > 10:
        raise NotYet(f"Half of the writes take more than {took:.0f} ms while all is well: keep the members close.")
    for zone in ZONES:
        _whole_cluster_survives(topology, zone)
    return Report(
        "pass",
        (
            f"{_written(places)}: zone a, b or c lost, and {len(gaps)} of {len(gaps)} runs could write again",
            f"{len(elections)} of them lost the leader too: {median(elections):.2f} s (median) for an election",
            f"before the outage half of the writes took less than {took:.1f} ms",
            "in the whole cluster the API took writes with any one zone gone",
        ),
        "No zone holds more than two of five members: three are always left, and three are needed.",
    )


def _written(places: Sequence[str]) -> str:
    return " + ".join(str(places.count(zone)) for zone in ZONES)


def _within_budget(topology: Topology) -> None:
    if topology.kind != "external":
        raise NotYet(
            f"This cluster is {topology.kind}: the exercise asks for members on hosts of their own (external)."
        )
    if len(topology.members) != 5:
        raise NotYet(f"You have five machines for etcd, and you use {len(topology.members)}.")
    elsewhere = {h.zone for h in topology.hosts if h.role in (ETCD, CONTROL_PLANE)} - set(ZONES)
    if elsewhere:
        raise NotYet(f"There are three zones, a, b and c: nothing can stand in {', '.join(sorted(elsewhere))}.")


def _lose_zone(places: Sequence[str], zone: str) -> list[Trace]:
    """etcd alone under 20 seeds. Raises NotYet if nothing can be written after *zone* has gone dark."""
    traces = [_dark(places, zone, seed) for seed in SEEDS]
    after = [r for trace in traces for r in _puts(trace, since=OUTAGE)]
    if any(r.detail["outcome"] == "ok" for r in after):
        return traces
    lost = places.count(zone)
    raise NotYet(
        f"With zone {zone} go {lost} of 5 members: {5 - lost} are left, 3 are needed, nothing can be written"
        " (M26: somebody holds the majority).",
        f"{_written(places)}: after zone {zone} went dark, 0 of {len(after)} writes in {len(traces)} runs succeeded",
        next="A zone may hold at most two. How many zones does that take?",
    )


def _dark(places: Sequence[str], zone: str, seed: int) -> Trace:
    """Members outside *zone* are asked to write four times a second; at 5 s the zone goes dark."""
    staying = [f"etcd-{i}" for i, place in enumerate(places, start=1) if place != zone] or ["etcd-1"]
    puts = [(1 + i / 4, "put", "order", i, staying[i % len(staying)]) for i in range(32)]
    outage = [(OUTAGE, "zone_outage", zone)] if zone in places else []
    scenario = Scenario("zones", "A zone goes dark", build("etcd", members=5, zones=places))
    return run(scenario, seed, [*outage, *puts], until=14)


def _puts(trace: Trace, since: float = 0, until: float = END) -> list[Record]:
    asked = [r for r in trace.of("request") if r.detail["verb"] == "put"]
    return [r for r in asked if since * SECOND <= r.detail["started"] and r.at < until * SECOND]


def _until_the_next_write(trace: Trace) -> float:
    """Seconds from the outage to the next write that went through."""
    good = (r.at for r in _puts(trace, since=OUTAGE) if r.detail["outcome"] == "ok")
    return min(good) / SECOND - OUTAGE


def _whole_cluster_survives(topology: Topology, zone: str) -> None:
    writes = late_writes(break_it(topology, "zone_outage", zone, seed=7))
    if not all(r.detail["outcome"] == "ok" for r in writes):
        raise NotYet(
            f"etcd survives the loss of zone {zone}, but no API server is left to write through.",
            tally(writes, f"zone {zone} went dark"),
            next="Spread the API servers too, and keep the load balancer.",
        )
