"""Node lifecycle: a node whose kubelet is silent for too long is Unknown, and gets taints that keep pods away.

Invariant: silence is measured by this controller's own clock, from the moment *it* last saw the node's Lease or status
change; it never compares a kubelet's clock with its own. So a controller that has just taken over starts counting anew.
Every 5 s all nodes are looked at; NoSchedule taints follow the conditions at once, NoExecute taints one node in ten
seconds a zone: slower where most of a zone is silent, and not at all if every zone is wholly silent, as then the
fault is more likely here.
Models k/k pkg/controller/nodelifecycle Controller.monitorNodeHealth
Models k/k pkg/controller/nodelifecycle Controller.ComputeZoneState
Simplified: NoExecute taints for Ready only; a zone is the label topology.kubernetes.io/zone.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kubemini.api.objects import EMPTY, Obj, evolve, get
from kubemini.api.timestamps import timestamp
from kubemini.controllers.decide.actions import condition
from kubemini.params import Params
from kubemini.sim.units import SECOND

NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
WATCHED = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")  # what a silent kubelet leaves unknown
PRESSURE = {
    kind: f"node.kubernetes.io/{name}"
    for kind, name in zip(WATCHED[1:], ("memory-pressure", "disk-pressure", "pid-pressure"))
}
ZONE = "topology.kubernetes.io/zone"
NORMAL, PARTIAL, FULL = "Normal", "PartialDisruption", "FullDisruption"


@dataclass(frozen=True, slots=True)
class NodeHealth:
    """What is remembered of one node: the heartbeats last seen, and when (µs) they last changed here."""

    seen: Any
    at: int


def observe(health: NodeHealth | None, node: Obj, lease: Obj | None, now: int) -> NodeHealth:
    """A look at a node: a new heartbeat, in its Lease or its status, is a sign of life."""
    heartbeats = [get(c, "lastHeartbeatTime") for c in get(node, "status", "conditions") or ()]
    seen = (get(lease, "spec", "renewTime"), *heartbeats)
    return health if health is not None and health.seen == seen else NodeHealth(seen, now)


def judge(node: Obj, health: NodeHealth, now: int, grace: int) -> Obj:
    """*node* as it should be: after *grace* µs of silence its conditions are Unknown."""
    if now <= health.at + grace:
        return node
    before = {c["type"]: c for c in get(node, "status", "conditions") or ()}
    silent = {type: _unknown(before.get(type), type, now) for type in WATCHED}
    after = list({**before, **silent}.values())
    return node if after == get(node, "status", "conditions") else evolve(node, ("status", "conditions"), after)


def _unknown(before: Mapping[str, Any] | None, type: str, now: int) -> Mapping[str, Any]:
    if before is None:
        reason, text = "NodeStatusNeverUpdated", "Kubelet never posted node status."
        return {
            "type": type,
            "status": "Unknown",
            "reason": reason,
            "message": text,
            "lastTransitionTime": timestamp(now),
        }
    if before["status"] == "Unknown":
        return before
    reason, text = "NodeStatusUnknown", "Kubelet stopped posting node status."
    return {**before, "status": "Unknown", "reason": reason, "message": text, "lastTransitionTime": timestamp(now)}


def readiness(node: Obj) -> str:
    """True, False or Unknown; a node that never said anything is Unknown."""
    return (condition(node, "Ready") or {"status": "Unknown"})["status"]


def not_ready(pod: Obj, now: int) -> Obj | None:
    """*pod* with Ready=False, as its node cannot vouch for it; None if it says so already."""
    for number, found in enumerate(get(pod, "status", "conditions") or ()):
        if found["type"] == "Ready" and found["status"] == "True":
            changed = {**found, "status": "False", "lastTransitionTime": timestamp(now)}
            return evolve(pod, ("status", "conditions", number), changed)
    return None


# -- taints ----------------------------------------------------------------------------------------------------------


def with_no_schedule(node: Obj, now: int) -> Obj:
    """*node* with the NoSchedule taints that its conditions, and a cordon, call for."""
    wanted = {NOT_READY: readiness(node) == "False", UNREACHABLE: readiness(node) == "Unknown"}
    wanted |= {key: (condition(node, kind) or EMPTY).get("status") == "True" for kind, key in PRESSURE.items()}
    wanted[UNSCHEDULABLE] = bool(get(node, "spec", "unschedulable"))
    return _with_taints(node, wanted, "NoSchedule", now)


def with_no_execute(node: Obj, now: int) -> Obj:
    """*node* with the NoExecute taint that its readiness calls for."""
    status = readiness(node)
    return _with_taints(node, {NOT_READY: status == "False", UNREACHABLE: status == "Unknown"}, "NoExecute", now)


def without_no_execute(node: Obj) -> Obj:
    """*node* without the NoExecute taints of this controller."""
    return _with_taints(node, {NOT_READY: False, UNREACHABLE: False}, "NoExecute", 0)


def _with_taints(node: Obj, wanted: Mapping[str, bool], effect: str, now: int) -> Obj:
    held = get(node, "spec", "taints") or ()
    kept = [taint for taint in held if taint["effect"] != effect or wanted.get(taint["key"], True)]
    there = [taint["key"] for taint in kept if taint["effect"] == effect]
    added = [
        {"key": key, "effect": effect, "timeAdded": timestamp(now)}
        for key, on in wanted.items()
        if on and key not in there
    ]
    changed = added or len(kept) != len(held)
    return evolve(node, ("spec", "taints"), [*kept, *added]) if changed else node


# -- how fast pods may be evicted ------------------------------------------------------------------------------------


def zone_of(node: Obj) -> str:
    """The zone a node stands in; "" if it does not say."""
    return get(node, "metadata", "labels", ZONE, default="")


def zone_states(nodes: Iterable[Obj], threshold: float) -> dict[str, str]:
    """Normal, PartialDisruption (a share *threshold* of more than two is not ready) or FullDisruption, by zone."""
    zones: dict[str, list[bool]] = {}
    for node in nodes:
        zones.setdefault(zone_of(node), []).append(readiness(node) == "True")
    return {zone: _state(ready.count(True), ready.count(False), threshold) for zone, ready in zones.items()}


def _state(ready: int, silent: int, threshold: float) -> str:
    if silent and not ready:
        return FULL
    return PARTIAL if silent > 2 and silent / (silent + ready) >= threshold else NORMAL


def all_disrupted(states: Mapping[str, str]) -> bool:
    """Whether no zone has a node that answers: more likely, this controller is cut off."""
    return bool(states) and all(state == FULL for state in states.values())


def eviction_rates(states: Mapping[str, str], nodes: Iterable[Obj], params: Params) -> dict[str, float]:
    """Nodes a second that may get their NoExecute taint, by zone."""
    if all_disrupted(states):
        return dict.fromkeys(states, 0.0)
    sizes = Counter(map(zone_of, nodes))
    slow = {
        zone: params.secondary_node_eviction_rate if n > params.large_cluster_size_threshold else 0.0
        for zone, n in sizes.items()
    }
    return {zone: slow[zone] if state == PARTIAL else params.node_eviction_rate for zone, state in states.items()}


def may_evict(last: int | None, rate: float, now: int) -> bool:
    """Whether a zone whose last node was given up at *last* may give up another: *rate* a second, the first at once."""
    return rate > 0 and (last is None or now - last >= round(SECOND / rate))
