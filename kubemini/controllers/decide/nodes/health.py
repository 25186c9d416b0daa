"""The health of a node: a kubelet that is silent for too long leaves its node's conditions Unknown.

Invariant: silence is measured by this controller's own clock, from the moment *it* last saw the node's Lease renewed or
its Ready condition posted anew; it never compares a kubelet's clock with its own. So a controller that has just taken
over starts counting anew. Only a node that has said nothing at all is counted from its creation.
Models k/k pkg/controller/nodelifecycle Controller.tryUpdateNodeHealth
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from kubemini.api.objects import Obj, evolve, get
from kubemini.api.timestamps import instant, timestamp
from kubemini.controllers.decide.actions import condition

READY = "Ready"
WATCHED = (READY, "MemoryPressure", "DiskPressure", "PIDPressure")  # what a silent kubelet leaves unknown


@dataclass(frozen=True, slots=True)
class NodeHealth:
    """What is remembered of one node, and when (µs) it last gave a sign of life here.

    *ready*: the status of its Ready condition, None if it has none; *heartbeat*: when it says that this was posted;
    *renewed* and *version* of its Lease, None until one has been seen.
    """

    ready: str | None
    heartbeat: str | None
    probed: int
    renewed: str | None = None
    version: str | None = None


def readiness(node: Obj) -> str | None:
    """True, False or Unknown; None of a node that has never said anything."""
    found = condition(node, READY)
    return found["status"] if found is not None else None


def observe(before: NodeHealth | None, node: Obj, lease: Obj | None, now: int, date: int) -> NodeHealth:
    """A look on the *date*: a Ready condition that was posted anew, or a renewed Lease, is a sign of life."""
    posted = condition(node, READY)
    ready, heartbeat = readiness(node), get(posted or {}, "lastHeartbeatTime")
    if before is None:
        age = 0 if posted else date - instant(node["metadata"]["creationTimestamp"])
        health = NodeHealth(ready, heartbeat, now - age)
    elif posted is None:
        health = replace(before, ready=None, heartbeat=None)
    elif before.ready is None or before.heartbeat != heartbeat:
        health = NodeHealth(ready, heartbeat, now)
    else:
        health = replace(before, ready=ready) if before.ready != ready else before
    renewed = get(lease, "spec", "renewTime", default=None)
    if (
        lease is not None
        and renewed
        and (before is None or before.renewed is None or instant(before.renewed) < instant(renewed))
    ):
        health = replace(health, probed=now, renewed=renewed, version=lease["metadata"]["resourceVersion"])
    return health


def expired(health: NodeHealth, now: int, grace: int) -> bool:
    """Whether nothing has been heard for longer than *grace* (µs)."""
    return now > health.probed + grace


def unknown(node: Obj, now: int) -> Obj:
    """*node* as it is known when nobody vouches for it: its conditions are Unknown."""
    before = {found["type"]: found for found in get(node, "status", "conditions") or ()}
    created = node["metadata"]["creationTimestamp"]
    silent = {type: _unknown(before.get(type), type, created, now) for type in WATCHED}
    after = list({**before, **silent}.values())
    return node if after == get(node, "status", "conditions") else evolve(node, ("status", "conditions"), after)


def _unknown(before: Mapping[str, Any] | None, type: str, created: str, now: int) -> Mapping[str, Any]:
    said = {"status": "Unknown", "lastTransitionTime": timestamp(now)}
    if before is None:
        never = {"reason": "NodeStatusNeverUpdated", "message": "Kubelet never posted node status."}
        return {"type": type, "lastHeartbeatTime": created, **said, **never}
    if before["status"] == "Unknown":
        return before
    stopped = {"reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status."}
    return {**before, **said, **stopped}


def not_ready(pod: Obj, now: int) -> Obj | None:
    """*pod* with Ready=False, as its node cannot vouch for it; None if it says so already, or nothing of it."""
    for number, found in enumerate(get(pod, "status", "conditions") or ()):
        if found["type"] == READY and found["status"] != "False":
            changed = {**found, "status": "False", "lastTransitionTime": timestamp(now)}
            return evolve(pod, ("status", "conditions", number), changed)
    return None
