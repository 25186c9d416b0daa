"""Nodes that lose power or their network, for the cells and checkers of *The node*: small clusters, read off the trace.

``replaced(seed)`` pulls the plug of one node; ``zone_out(3)`` that of three nodes of a zone of four.
"""

from typing import Any, NamedTuple

from kubemini.cluster import Cluster
from kubemini.params import Params, changed
from kubemini.sim import Trace
from kubemini.sim.units import SECOND

BEGUN = 15  # s: all pods are ready
SLACK = 12  # s that a run goes on after what is waited for should have happened


def deployment(replicas: int, container: str = '{name: web, image: "shop/web:1.0"}') -> str:
    """A Deployment called web."""
    return f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec: {{containers: [{container}]}}
"""


class Replaced(NamedTuple):
    """Seconds from the end of the power: the node NotReady, its pod marked for deletion, another one Ready."""

    not_ready: float
    marked: float
    ready: float


def replaced(seed: int = 1, **timers: Any) -> Replaced:
    """A node loses power for good, somewhere between two renewals of its Lease; *timers* by their names in params."""
    params = changed(Params(), timers)
    cluster = Cluster.single(workers=3, seed=seed, params=params)
    cluster.prepare(deployment(3))
    cluster.run(BEGUN + seed * 3 % 10)
    struck = cluster.sim.now
    cluster.hosts["worker-2"].power_off()
    wait = 2 * params.node_monitor_period + params.node_monitor_grace_period + params.toleration_seconds
    cluster.run(wait / SECOND + SLACK)
    return _first(cluster.trace, "worker-2", struck)


def pods(trace: Trace, since: int) -> list[Any]:
    """What the trace says of Pods from an instant (µs) on."""
    return [r for r in trace.of("object") if r.at > since and r.detail["kind"] == "Pod"]


def _first(trace: Trace, node: str, since: int) -> Replaced:
    """The marks of the node's failure at *since*; infinity for what has not happened."""
    marks: dict[str, float] = {}
    heir = ""
    for record in trace.of("object"):
        detail, summary = record.detail, record.detail["summary"]
        if record.at <= since:
            continue
        mark = ""
        if (detail["kind"], detail["name"]) == ("Node", node) and not summary["ready"]:
            mark = "not-ready"
        elif detail["kind"] == "Pod" and summary["node"] == node and summary["deleting"]:
            mark = "marked"
        elif detail["kind"] == "Pod" and detail["verb"] == "ADDED" and "marked" in marks:
            heir = heir or detail["name"]
        elif detail["kind"] == "Pod" and detail["name"] == heir and summary["ready"]:
            mark = "ready"
        if mark:
            marks.setdefault(mark, round((record.at - since) / SECOND, 2))
    return Replaced(*(marks.get(name, float("inf")) for name in ("not-ready", "marked", "ready")))


class ZoneOut(NamedTuple):
    """*missed*: how many nodes are NotReady; *given_up*: when (s) nodes were tainted NoExecute; *pods*: evicted."""

    missed: int
    given_up: list[float]
    pods: int


def zone_out(silent: int, seed: int = 1, within: int = 120, **timers: Any) -> ZoneOut:
    """*silent* nodes lose power at once: first the four of zone a, then the two of zone b; pods tolerate it for 5 s."""
    params = changed(Params(), {"toleration_seconds": "5s", **timers})
    cluster = Cluster.single(workers=6, zones="aaaabb", seed=seed, params=params)
    cluster.prepare(deployment(6))
    cluster.run(BEGUN)
    struck = cluster.sim.now
    for number in range(1, silent + 1):
        cluster.hosts[f"worker-{number}"].power_off()
    cluster.run(within)
    missed: set[str] = set()
    given_up: dict[str, float] = {}
    for record in cluster.trace.of("object"):
        if record.at > struck and record.detail["kind"] == "Node":
            name, summary = record.detail["name"], record.detail["summary"]
            if not summary["ready"]:
                missed.add(name)
            if len(summary["taints"]) > 1:
                given_up.setdefault(name, round((record.at - struck) / SECOND, 1))
    marked = {r.detail["name"] for r in pods(cluster.trace, struck) if r.detail["summary"]["deleting"]}
    return ZoneOut(len(missed), sorted(given_up.values()), len(marked))
