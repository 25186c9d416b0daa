"""A pod as its kubelet works on it: three states, and a table of the legal moves. Pure.

Invariant: every change of state goes through `PodLife.become`, which refuses what is not in `MOVES`; a pod that is to
end never comes back. While it is syncing its containers may start; while it is terminating they end, and nothing else
is done about it; terminated, nothing runs any more and what is left is to say so.
kubernetes.io "Pod Lifecycle".
Models k/k pkg/kubelet podWorkers.UpdatePod podWorkers.completeSync podWorkers.completeTerminating
"""

from dataclasses import dataclass, field
from typing import Any

from kubemini.api.objects import Obj, get

SYNCING, TERMINATING, TERMINATED, FINISHED = "syncing", "terminating", "terminated", "finished"
MOVES: dict[tuple[str, str], str] = {
    (SYNCING, "ended"): TERMINATING,  # all its containers have ended, and none starts again
    (SYNCING, "deleted"): TERMINATING,  # the API wants it gone
    (SYNCING, "evicted"): TERMINATING,  # its kubelet wants it gone
    (SYNCING, "orphaned"): TERMINATING,  # the API does not know it any more
    (SYNCING, "rejected"): FINISHED,  # its kubelet does not take it
    (TERMINATING, "stopped"): TERMINATED,
    (TERMINATED, "cleaned"): FINISHED,
}


@dataclass(slots=True)
class PodLife:
    """One pod of this host; times are instants in µs."""

    pod: Obj
    state: str = SYNCING
    taken_up_at: int = 0  # the clock of its probes
    reasons: dict[str, tuple[str, str]] = field(default_factory=dict)  # container: why it could not be started
    status: dict[str, Any] | None = None  # what the kubelet holds to be true
    resize: list[dict[str, Any]] = field(default_factory=list)  # conditions of a resize under way
    grace: int = 0  # seconds, once it ends
    asked: int | None = None  # seconds that an eviction gives it
    ends_as: tuple[str, str] | None = None  # reason and message, while its kubelet ends it
    evicted: tuple[str, str] | None = None  # the same, however its containers end
    leaves: bool = False  # its kubelet wants it gone, for another's sake
    disrupted: dict[str, str] | None = None  # the condition DisruptionTarget to come
    before_end: Obj | None = None  # its status, as the API had it before its end was told
    killing: bool = False  # a probe has failed: it is being restarted, and the trace shows no end of it

    def become(self, move: str) -> None:
        """Make the move."""
        assert (self.state, move) in MOVES, f"a pod that is {self.state} cannot take the move {move!r}"
        self.state = MOVES[self.state, move]

    @property
    def uid(self) -> str:
        """The pod's identity: a pod of the same name with another uid is another pod."""
        return str(self.pod["metadata"]["uid"])

    @property
    def key(self) -> tuple[str, str]:
        """(namespace, name)."""
        return self.pod["metadata"]["namespace"], self.pod["metadata"]["name"]

    @property
    def full_name(self) -> str:
        """As messages name it."""
        namespace, name = self.key
        return f"{name}_{namespace}({self.uid})"

    @property
    def deleting(self) -> bool:
        """Whether the API wants it gone."""
        return "deletionTimestamp" in self.pod["metadata"]

    def why_end(self) -> str:
        """The move by which it begins to end, or nothing."""
        if self.deleting:
            return "deleted"
        if self.evicted is not None or self.leaves:
            return "evicted"
        return "ended" if get(self.pod, "status", "phase") in ("Succeeded", "Failed") else ""
