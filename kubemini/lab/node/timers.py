"""node.timers: four timers with which a pod is replaced within a minute, and a blip of twenty seconds evicts nobody.

The slowest replacement is reckoned from the rule, and nodes lose their power in runs. Then some of twelve workers are
cut off for 20 s, again and again, each at another moment between two renewals of its Lease.
"""

import math
from typing import Any

from kubemini.cluster import Cluster
from kubemini.lab import NotYet, Report, exercise
from kubemini.lab.node.plugs import BEGUN, deployment, pods, replaced
from kubemini.params import ParamError, Params, changed
from kubemini.ranges import shown
from kubemini.sim.units import SECOND

NAMES = ("node_lease_duration", "node_monitor_period", "node_monitor_grace_period", "toleration_seconds")
WORKERS, SEEDS, STRUCK = 12, (1, 2), range(1, 11)
SOON, BLIP = 60, 20  # s
START = 2.1  # s that writes and the slowest start take on top
CUT, TIMES, AGAIN = 5, 3, 47  # nodes that are cut off at once, how often, s from one to the next
NODES, WRITES = 5000, 1000  # of a large cluster; renewals a second that its API servers are to bear


@exercise("node.timers")
def check_timers(answer: Any) -> Report:
    """*answer*: ``{"node_monitor_grace_period": "50s", …}`` with the names in `NAMES`."""
    if not isinstance(answer, dict) or set(answer) != set(NAMES):
        raise NotYet(f"Hand over the four timers {', '.join(NAMES)}; yours is {shown(answer)}.")
    try:
        params = changed(Params(), answer)
    except ParamError as error:
        raise NotYet(str(error)) from None
    renew = params.node_lease_renew_interval / SECOND
    if NODES / renew > WRITES:
        raise NotYet(
            f"{NODES:,} nodes that renew every {renew:g} s write {NODES / renew:,.0f} times a second;"
            f" {WRITES:,} are enough for an API server.",
            next="A kubelet renews every quarter of nodeLeaseDurationSeconds.",
        )
    slow = slowest(params)
    if slow >= SOON:
        raise NotYet(
            f"It may take {slow:.1f} s from the end of the power until another pod is Ready; {SOON} s are too many.",
            next="Grace period, a round, toleration and start: which of them is patience, and for what?",
        )
    times = [replaced(seed, **answer).ready for seed in STRUCK]
    if max(times) >= SOON:
        raise NotYet(f"A node lost power, and another pod was Ready only after {max(times):.1f} s.")
    false = [blips(params, seed) for seed in SEEDS]
    if evicted := sum(evictions for evictions, _ in false):
        raise NotYet(
            f"{evicted} pods were evicted from nodes that were cut off for {BLIP} s and well again.",
            next="How old is the last renewal at the end of such a blip? What stands between NotReady and eviction?",
        )
    unready = sum(missed for _, missed in false)
    return Report(
        "pass",
        (
            f"{len(times)} nodes lost power: another pod was Ready after {min(times):.0f} to {max(times):.0f} s",
            f"{len(SEEDS) * CUT * TIMES} blips of {BLIP} s: nobody evicted, {unready} nodes NotReady for a moment",
            f"a node renews every {renew:g} s",
        ),
        "Grace must outlast the blip with the age of the last renewal, or the toleration what is left of it.",
        "And who is evicted when a switch is replaced, which takes three minutes?",
    )


def standing(params: Params, seed: int) -> Cluster:
    """A cluster with a pod on nearly every node."""
    cluster = Cluster.single(workers=WORKERS, seed=seed, params=params)
    cluster.prepare(deployment(WORKERS))
    cluster.run(BEGUN)
    return cluster


def slowest(params: Params) -> float:
    """The longest that a replacement can take (s): renewed just before the end, and a round that has just passed."""
    grace, round_ = params.node_monitor_grace_period, params.node_monitor_period
    return (math.ceil(grace / round_) * round_ + round_ + params.toleration_seconds) / SECOND + START


def blips(params: Params, seed: int) -> tuple[int, int]:
    """How many pods are evicted, and how many times a node is NotReady, when some are cut off for a while."""
    cluster = standing(params, seed)
    began, names = cluster.sim.now, [f"worker-{number}" for number in range(1, CUT + 1)]
    others = [name for name in cluster.hosts if name not in names]
    for _ in range(TIMES):
        cluster.net.cut(names, others)
        cluster.run(BLIP)
        cluster.net.heal()
        cluster.run(AGAIN)
    evicted = {r.detail["name"] for r in pods(cluster.trace, began) if r.detail["summary"]["deleting"]}
    missed = [
        r
        for r in cluster.trace.of("object")
        if r.at > began and r.detail["kind"] == "Node" and not r.detail["summary"]["ready"]
        if not r.detail["summary"]["taints"]
    ]
    return len(evicted), len(missed)
