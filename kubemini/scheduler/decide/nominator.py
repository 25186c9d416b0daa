"""Nominations: pods that wait for room on a node which was made, or is being made, for them. Pure.

Invariant: a pod is nominated to one node at most. The scheduler's own word counts before the API server shows it.
Models k/k pkg/scheduler/backend/queue nominator
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kubemini.api.objects import Obj, get


def nominated_node(pod: Obj | None) -> str:
    """The node that the pod's status names, "" for none."""
    return get(pod, "status", "nominatedNodeName") or ""


@dataclass(slots=True)
class Nominator:
    """Who waits for which node."""

    nodes: dict[str, dict[str, Obj]] = field(default_factory=dict)  # node → UID → pod
    where: dict[str, str] = field(default_factory=dict)  # UID → node

    def add(self, pod: Obj, node: str | None = None) -> None:
        """*pod* waits for *node*; "": for none; None: for the one that its status names."""
        self.remove(pod["metadata"]["uid"])
        name = nominated_node(pod) if node is None else node
        if name:
            uid = pod["metadata"]["uid"]
            self.where[uid] = name
            self.nodes.setdefault(name, {})[uid] = pod

    def update(self, old: Obj, new: Obj) -> None:
        """The pod has changed; news that do not speak of a node yet do not undo what was decided meanwhile."""
        silent = not nominated_node(old) and not nominated_node(new)
        self.add(new, self.where.get(new["metadata"]["uid"], "") if silent else None)

    def remove(self, uid: str) -> None:
        """It waits no more."""
        node = self.where.pop(uid, None)
        if node is not None:
            del self.nodes[node][uid]
            if not self.nodes[node]:
                del self.nodes[node]

    def pods(self) -> Mapping[str, Sequence[Obj]]:
        """Those who wait, by node."""
        return {node: list(waiting.values()) for node, waiting in self.nodes.items()}

    def on(self, node: str) -> list[Obj]:
        """Those who wait for *node*."""
        return list(self.nodes.get(node, {}).values())
