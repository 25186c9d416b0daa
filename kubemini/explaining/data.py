"""The scheduler's table as JSON, for whoever draws it: an `Explanation`, nodes, pods, and the scheduling queue. Pure.

A verdict is null where a plugin has nothing against a node, else [reasons, what would have to change]; a score is
[raw, normalised, weighted].
"""

from collections.abc import Mapping
from typing import Any

from kubemini.api.objects import Obj, get
from kubemini.scheduler.decide import events
from kubemini.scheduler.decide.framework import priority
from kubemini.scheduler.decide.nodeinfo import NodeInfo
from kubemini.scheduler.decide.queue import SchedulingQueue
from kubemini.scheduler.decide.resources import requests
from kubemini.scheduler.decide.waiting import QueuedPod
from kubemini.scheduler.explain import Explanation, NodeSaid
from kubemini.sim.units import SECOND

MEBI = 2**20
FEW = 12  # nodes that a table can hold
ZONE = "topology.kubernetes.io/zone"
WAKES = {  # what an event is, for a reader
    events.NODE_ADDED: "a node is added",
    events.NODE_DELETED: "a node is deleted",
    events.NODE_ALLOCATABLE: "a node has more to give",
    events.NODE_LABEL: "a node's labels change",
    events.NODE_TAINT: "a node's taints change, or it is uncordoned",
    events.NODE_FEATURE: "a node declares another feature",
    events.POD_ADDED: "another pod gets a node",
    events.POD_DELETED: "a pod that has a node goes",
    events.POD_LABEL: "another pod's labels change",
    events.POD_SMALLER: "another pod asks for less",
    events.OWN_LABEL: "its own labels change",
    events.OWN_SMALLER: "it asks for less itself",
    events.OWN_GATES: "its last scheduling gate is taken away",
    events.OWN_TOLERATION: "it tolerates more",
}
CAUSES = {  # why a pod is put into a queue, for a reader
    "UnscheduledPodAdd": "it is new",
    "ScheduleAttemptFailure": "no node could take it",
    "BackoffComplete": "its back-off is over",
    "ForceActivate": "it was told to try at once",
    events.TIMEOUT: "it had waited for five minutes",
}


def data(said: Explanation, at: int) -> dict[str, Any]:
    """All that *said* says, asked at an instant (µs): {at, pod, node, placed, why, …, filters, scores, nodes}."""
    decision = said.decision
    chosen = said.preemption.chosen if said.preemption else None
    filters = dict.fromkeys(name for one in said.nodes for name in one.verdicts)
    return {
        "at": at / SECOND,
        "pod": said.pod,
        "node": decision.node,
        "placed": said.placed,
        "why": said.why(),
        "searched": said.searched(),
        "message": "" if decision.node else decision.message,
        "start": said.start,
        "looked": decision.searched,
        "filters": list(filters),
        "scores": [[name, weight] for name, weight, _, _ in decision.given],
        "skipped": sorted({*decision.skipped_filters, *decision.skipped_scores}),
        "best": decision.best() if len(decision.feasible) > 1 else [],
        "preempts": [chosen.node, _names(chosen.victims)] if chosen else None,
        "strip": "".join(_mark(said, one) for one in said.nodes),
        "nodes": [_node(said, at) for at in _looked_at(said)],
        "text": brief(str(said)),
    }


def brief(text: str, most: int = 30) -> str:
    """The first lines of a long text, and how many there are more."""
    lines = text.splitlines()
    return text if len(lines) <= most else "\n".join([*lines[:12], f"… {len(lines) - 12} lines more"])


def _mark(said: Explanation, one: NodeSaid) -> str:
    """One letter a node: what came of it in the search."""
    if one.name == said.decision.node:
        return "*"
    return "o" if one.name in said.decision.feasible else "x" if one.name in said.decision.refusals else "."


def _looked_at(said: Explanation) -> list[int]:
    """The numbers of the nodes that are told in full: all, or of many the ones that tell the most."""
    many = len(said.nodes)
    if many <= FEW:
        return list(range(many))
    marks = [_mark(said, one) for one in said.nodes]
    best = said.decision.best()
    order = [*range(said.start, many), *range(said.start)]
    kinds = (
        ([at for at in order if marks[at] == "*"], 1),
        ([at for at in order if marks[at] == "o" and said.nodes[at].name in best], 2),
        ([at for at in order if marks[at] == "o" and said.nodes[at].name not in best], 2),
        ([at for at in order if marks[at] == "x"], 2),
        ([at for at in order if marks[at] == "."], 1),
    )
    return sorted(at for found, most in kinds for at in found[:most])


def _node(said: Explanation, at: int) -> dict[str, Any]:
    one, many = said.nodes[at], len(said.nodes)
    refused = {r.plugin: [list(r.reasons), one.cures.get(r.plugin, "")] for r in one.refusals}
    return {
        "name": one.name,
        "turn": (at - said.start) % many + 1,
        "refused": refused,
        "asked": _mark(said, one) != ".",
        "scores": {name: list(marks) for name, marks in one.scores.items()},
        "total": one.total,
        "would": said.would(one.name),
        "victims": _names(one.victims.victims) if one.victims else [],
    }


def _names(pods: Any) -> list[str]:
    return [pod["metadata"]["name"] for pod in pods]


def node_data(info: NodeInfo) -> dict[str, Any]:
    """A node: its zone, what is against new pods there, what is requested of how much (cpu in m, memory in Mi)."""
    conditions = get(info.node, "status", "conditions") or ()
    ready = next((c.get("status") for c in conditions if c["type"] == "Ready"), "Unknown")
    return {
        "name": info.name,
        "zone": info.labels.get(ZONE, ""),
        "ready": ready == "True",
        "cordoned": bool(get(info.node, "spec", "unschedulable")),
        "taints": [_taint(taint) for taint in info.taints],
        "cpu": [info.requested.get("cpu", 0), info.allocatable.get("cpu", 0)],
        "memory": [n.get("memory", 0) // MEBI for n in (info.requested, info.allocatable)],
        "pods": _names(info.pods.values()),
    }


def _taint(taint: Mapping[str, Any]) -> str:
    value = f"={taint['value']}" if taint.get("value") else ""
    return f"{taint['key']}{value}:{taint['effect']}"


def pod_data(pod: Obj) -> dict[str, Any]:
    """A pod: where it is, or is to be, and what it asks for."""
    wanted = requests(pod)
    return {
        "name": pod["metadata"]["name"],
        "node": get(pod, "spec", "nodeName") or "",
        "nominated": get(pod, "status", "nominatedNodeName") or "",
        "phase": "Terminating" if "deletionTimestamp" in pod["metadata"] else get(pod, "status", "phase") or "Pending",
        "cpu": f"{wanted.get('cpu', 0)}m",
        "memory": f"{wanted.get('memory', 0) // MEBI}Mi",
        "priority": priority(pod),
    }


def queue_data(queue: SchedulingQueue, now: int) -> list[dict[str, Any]]:
    """Who waits, where, since when, and what would wake it."""
    parts = {
        "active": queue.active,
        "back-off": queue.backing_off | queue.in_error,
        "unschedulable": queue.unschedulable,
    }
    return [_queued(queue, name, entry, now) for name, part in parts.items() for entry in part.values()]


def _queued(queue: SchedulingQueue, name: str, entry: QueuedPod, now: int) -> dict[str, Any]:
    wakes = {what: None for plugin in entry.rejected_by for what in queue.plugins[plugin].helped_by}
    return {
        "pod": entry.pod["metadata"]["name"],
        "queue": name,
        "since": entry.since / SECOND,
        "attempts": entry.attempts,
        "refused_by": list(entry.rejected_by),
        "until": queue.ends(entry) / SECOND if name == "back-off" else None,
        "flush": max(0.0, (entry.seen_at[0] + queue.flush - now) / SECOND),
        "wakes": [WAKES[what] for what in wakes if what in WAKES] if name == "unschedulable" else [],
    }


def cause(event: str) -> str:
    """Why a pod was put into a queue, in words."""
    return CAUSES.get(event) or WAKES.get(event) or event
