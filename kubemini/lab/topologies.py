"""Chapter *Two topologies*: place five members over three zones; make a cluster of two machines highly available.

`zones` takes each zone's power away under 20 seeds in etcd alone, and once in the whole cluster. `third-machine`
takes the power of each machine of the control plane, in 20 runs of the whole cluster.
"""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Any

from kubemini.cluster import Topology, build
from kubemini.cluster.topology import CONTROL_PLANE, ETCD
from kubemini.lab import NotYet, Question, Report, exercise, questions
from kubemini.run import run
from kubemini.scenarios import Scenario
from kubemini.sim import Record, Trace
from kubemini.sim.units import MS, SECOND

SEEDS = range(1, 21)
ZONES = ("a", "b", "c")
OUTAGE = 5  # seconds: when etcd alone loses a zone
LOSS, SETTLED, END = 10, 21, 28  # seconds: the whole cluster loses something, must write again, ends
WORKLOAD = {"api_writes": {"every": "500ms"}}


def _topology(answer: Any) -> Topology:
    topology = getattr(answer, "topology", answer)
    if not isinstance(topology, Topology):
        raise NotYet(f"Hand over a cluster, such as Cluster.external(etcd_members=5); yours is {answer!r}.")
    return topology


# -- five members, three zones -------------------------------------------------------------------------------------
@exercise("topologies.zones")
def check_zones(answer: Any) -> Report:
    """*answer*: a cluster, or a topology, with five etcd members on hosts of their own."""
    topology = _topology(answer)
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
    writes = _late_writes(_break(topology, "zone_outage", zone, seed=7))
    if not all(r.detail["outcome"] == "ok" for r in writes):
        raise NotYet(
            f"etcd survives the loss of zone {zone}, but no API server is left to write through.",
            _tally(writes, f"zone {zone} went dark"),
            next="Spread the API servers too, and keep the load balancer.",
        )


# -- a third machine -----------------------------------------------------------------------------------------------
@exercise("topologies.third-machine")
def check_third_machine(answer: Any) -> Report:
    """*answer*: a cluster whose control plane stands on at most three machines."""
    topology = _topology(answer)
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


def _break(topology: Topology, action: str, target: str, seed: int) -> Trace:
    """Somebody writes through this topology; at 10 s something happens to it."""
    present = target in {h.zone for h in topology.hosts} | {h.name for h in topology.hosts}
    fault = ((LOSS, action, target),) if present else ()
    title = "Something goes dark"
    return run(Scenario("lab", title, topology, workload=WORKLOAD, faults=fault, until=END * SECOND), seed)


def _api_writes(trace: Trace) -> list[Record]:
    return [r for r in trace.of("request") if r.detail["kind"] == "api" and r.detail["verb"] == "PATCH"]


def _late_writes(trace: Trace) -> list[Record]:
    """The API writes begun when the failover must be over, as far as they ended."""
    return [r for r in _api_writes(trace) if r.detail["started"] >= SETTLED * SECOND] or _api_writes(trace)[-1:]


def _tally(writes: Sequence[Record], event: str) -> str:
    good = sum(r.detail["outcome"] == "ok" for r in writes)
    why = next((r.detail["why"] for r in writes if r.detail["why"]), "")
    return f"after {event}, {good} of {len(writes)} API writes succeeded" + (f": {why}" if why else "")


def _without_writes(topology: Topology, machine: str, seed: int) -> float:
    """The longest time between two successful writes. Raises NotYet if they do not come back."""
    trace = _break(topology, "power_off", machine, seed)
    writes = _late_writes(trace)
    if not all(r.detail["outcome"] == "ok" for r in writes):
        raise _not_available(topology, machine, _tally(writes, f"{machine} lost its power (seed {seed})"))
    good = [r.at for r in _api_writes(trace) if r.detail["outcome"] == "ok"]
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


# -- predictions and questions ---------------------------------------------------------------------------------------
PREDICTIONS: dict[str, dict[str, Any]] = {
    "stacked": {
        "question": "At 20 s etcd-2 dies; its API server lives on. What becomes of kubectl's writes?",
        "choices": [
            "Nothing happens to them: the API server asks another member",
            "Some fail for a few seconds, then none",
            "A third of them fails until etcd-2 returns",
            "All fail: the majority is lost",
        ],
        "answer": 1,
        "explain": "apiserver-2 knows only its own member. It says so at /readyz, and the balancer stops asking it.",
    },
    "external": {
        "question": "2 + 2 + 1 members. At 20 s one crashes, at 40 s zone b goes dark. What can be written then?",
        "choices": [
            "Everything: 2 + 2 + 1 survives the loss of any zone",
            "Everything, after an election",
            "Nothing: two of five members are left",
            "Only what goes through an API server in zone a",
        ],
        "answer": 2,
        "explain": "2 + 2 + 1 survives any zone, if all else is healthy. One crashed process had used that up.",
    },
}

questions(
    "topologies.warm-up",
    Question(
        "Of five members three are up. How many may still fail?",
        {
            "None": "Three of five is exactly a majority.",
            "One": "Two of five would be left: no majority.",
            "Two": "Two may fail of five. Two have.",
        },
        answer="None",
    ),
    Question(
        "A member is alone on its side of a cut. Which request does it still answer?",
        {
            "A put": "No majority would have it on disk.",
            "A linearizable get": "Somebody else may have written meanwhile; it must ask.",
            "A serializable get": "It answers from its own disk, perhaps an old value.",
        },
        answer="A serializable get",
    ),
    Question(
        "Whom does a kubelet ask when it wants to know its pods?",
        {
            "etcd": "Only API servers talk to etcd.",
            "An API server, often through a load balancer": "One address for all; behind it any API server will do.",
            "The scheduler": "The scheduler writes its choice into the pod, through the API.",
        },
        answer="An API server, often through a load balancer",
    ),
)

questions(
    "topologies.seen-stacked",
    Question(
        "How long did some of kubectl's writes fail after etcd-2 had died?",
        {
            "Not at all": "Look at the strip just after 20 s.",
            "About five seconds": "Three failed checks, two seconds apart, and apiserver-2 got no more work.",
            "Until etcd-2 was back at 40 s": "From about 26 s on every write succeeded, with two API servers.",
        },
        answer="About five seconds",
    ),
    Question(
        "When cp-3 lost its power no write failed, but some took a second longer. Why?",
        {
            "Every write now waits for an election.": "There was one election, and it was over in a good second.",
            "Nobody says no for a machine without power.": "The balancer waits a second for it, then tries another.",
            "Two members are slower than three.": "A majority is two either way.",
        },
        answer="Nobody says no for a machine without power.",
    ),
)

questions(
    "topologies.seen-external",
    Question(
        "What did the crash of etcd-2 at 20 s cost the writes?",
        {
            "Nothing": "Each API server knows five members and used another one.",
            "A third of them, for five seconds": "That was the stacked cluster, where an API server knows one.",
            "A pause of a second or two": "Only the crash of the leader costs that.",
        },
        answer="Nothing",
    ),
    Question(
        "From 40 s on some visits failed as well. Why?",
        {
            "Without etcd a Service stops.": "Half of the visits went on. Whoever was dealt a living pod was served.",
            "Zone b took worker-2 and its pods along.": "And with etcd silent nobody could tell worker-1 so.",
            "The load balancer stands in zone b.": "No visit goes through it: it is the door to the API.",
        },
        answer="Zone b took worker-2 and its pods along.",
    ),
)

questions(
    "topologies.quiz",
    Question(
        "Stacked, three hosts. Does etcd-1 talk only to the API server beside it?",
        {
            "Yes, that is what stacked means.": "Then it could not replicate: its peers stand on the other hosts.",
            "Of the API servers yes; it also talks to the other members.": "All day: log, votes, heartbeats.",
            "No, it serves all three API servers.": "That is the external topology.",
        },
        answer="Of the API servers yes; it also talks to the other members.",
    ),
    Question(
        "The leader is etcd-3. A write arrives at apiserver-1, stacked. Which way does it take?",
        {
            "apiserver-1, etcd-1, etcd-3, and back": "The local member forwards it to the leader.",
            "apiserver-1, etcd-3": "apiserver-1 does not know etcd-3; it knows its own member.",
            "apiserver-1, apiserver-3, etcd-3": "API servers do not talk to each other about this.",
        },
        answer="apiserver-1, etcd-1, etcd-3, and back",
    ),
    Question(
        "Two API servers in front of three external members: enough to lose any one host?",
        {
            "Yes: API servers hold no data and need no majority.": "One is enough to serve.",
            "No, API servers need a majority too.": "They keep no log; the state is in etcd.",
            "No, schedulers need three to elect one.": "It takes a Lease in the API; two candidates will do.",
        },
        answer="Yes: API servers hold no data and need no majority.",
    ),
    Question(
        "Seven members over three zones: which placement survives the loss of any zone?",
        {
            "5 + 1 + 1": "Without the five, two are left; four are needed.",
            "4 + 2 + 1": "Without the four, three are left; four are needed.",
            "3 + 2 + 2": "Four are left at worst, and four are needed.",
        },
        answer="3 + 2 + 2",
    ),
)
