"""What the scheduler says of a pod: the condition PodScheduled, the node it is nominated to, and Events.

Invariant: a condition that says what it said before is not written again; each try makes an Event all the same.
Models k/k pkg/scheduler Scheduler.handleSchedulingFailure updatePod
"""

from typing import Any

from kubemini.api.kinds import POD
from kubemini.api.objects import Obj, freeze, get
from kubemini.api.timestamps import timestamp
from kubemini.client import ApiClient
from kubemini.client.client import code
from kubemini.client.events import SeriesRecorder
from kubemini.host import Component
from kubemini.scheduler.decide.decision import note
from kubemini.scheduler.decide.nominator import nominated_node
from kubemini.scheduler.machine import PROFILE, Attempt
from kubemini.sim import Steps

SCHEDULED = "PodScheduled"


class Reporter:
    """Writes for one scheduler."""

    def __init__(self, component: Component, client: ApiClient):
        self.component, self.client = component, client
        self.recorder = SeriesRecorder(self.client, PROFILE)

    # -- Events --------------------------------------------------------------------------------------------------
    def tell(self, obj: Obj, type: str, reason: str, action: str, message: str, related: Obj | None = None) -> None:
        """An Event about *obj*."""
        self.recorder.event(obj, type, reason, message, action, related)

    def skipped(self, pod: Obj) -> None:
        """It is being deleted: it is not tried."""
        meta = pod["metadata"]
        message = f"skip schedule deleting pod: {meta['namespace']}/{meta['name']}"
        self.tell(pod, "Warning", "FailedScheduling", "Scheduling", message)

    # -- the pod's status ----------------------------------------------------------------------------------------
    def refused(self, attempt: Attempt) -> None:
        """Say why the pod could not be placed, and for which node it waits."""
        decision, pod = attempt.decision, attempt.entry.pod
        self.tell(pod, "Warning", "FailedScheduling", "Scheduling", note(decision.message))
        self.component.spawn(self.write(pod, decision.nomination, decision.reason, decision.message))

    def write(self, pod: Obj, nomination: str | None, reason: str = "", message: str = "") -> Steps:
        """The condition, if there is a *reason*, and the nomination, unless None; nothing that is there already."""
        status: dict[str, Any] = {}
        if nomination is not None and nominated_node(pod) != nomination:
            status["nominatedNodeName"] = nomination or None
        if reason and (conditions := self._conditions(pod, reason, message)):
            status["conditions"] = conditions
        if not status:
            return
        meta = pod["metadata"]
        body = freeze({"metadata": {"uid": meta["uid"]}, "status": status})
        reply = yield from self.client.patch(POD, meta["name"], meta["namespace"], body, "status")
        assert reply.ok or code(reply) != 422, reply.error

    def _conditions(self, pod: Obj, reason: str, message: str) -> list[Obj]:
        """All conditions of the pod, with ours as it is now; none if it has been so before."""
        held = get(pod, "status", "conditions", default=())
        before = next((c for c in held if c["type"] == SCHEDULED), None)
        ours = {"type": SCHEDULED, "status": "False", "reason": reason, "message": message}
        if before is not None and all(before.get(part) == value for part, value in ours.items()):
            return []
        same = before is not None and before["status"] == ours["status"]
        since = get(before, "lastTransitionTime") if same else None
        ours["lastTransitionTime"] = since or timestamp(self.component.sim.wall)
        if (generation := pod["metadata"].get("generation")) is not None:
            ours["observedGeneration"] = generation
        return [*(c for c in held if c["type"] != SCHEDULED), freeze(ours)]
