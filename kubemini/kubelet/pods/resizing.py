"""One pod's resize: accepted when it fits, put off when it does not, and carried out by the turns of its worker.

Models k/k pkg/kubelet/allocation manager.RetryPendingResizes
Simplified: what is put off is tried again when another pod has ended, and not every few minutes besides.
"""

from kubemini.api.objects import Obj
from kubemini.api.timestamps import timestamp
from kubemini.kubelet.decide.pods import admission, resizing
from kubemini.kubelet.decide.pods.runs import PodView
from kubemini.kubelet.pods.shared import NORMAL, WARNING, Attended


class Resizing:
    """Of one worker."""

    def __init__(self, worker: Attended):
        self.worker, self.shared = worker, worker.shared
        self.wanted: Obj | None = None  # what waits for room

    def accept(self, pod: Obj) -> Obj:
        """The pod with what it is allocated."""
        allocated = self.worker.life.pod
        if not self.shared.params.kubelet_details or resizing.amounts(pod) == resizing.amounts(allocated):
            self.wanted = None
            return pod
        before, self.wanted = self.wanted, pod
        waits = before is not None and resizing.amounts(before) == resizing.amounts(pod)
        return resizing.with_amounts(pod, allocated) if waits else self._tried(pod)

    def _tried(self, pod: Obj) -> Obj:
        """*pod*, if there is room; else with what it had."""
        life, stamp = self.worker.life, timestamp(self.shared.wall)
        generation = pod["metadata"].get("generation")
        place = self.shared.place(self.worker.uid)
        short = admission.short_of(pod, place) if place is not None else None
        if short is not None:
            told = resizing.condition(resizing.PENDING, generation, stamp, "Deferred", short.message)
            if [one.get("type") for one in life.resize] != [resizing.PENDING]:
                text = resizing.summary(f"Pod resize {short.reason}", pod, short.message)
                self.shared.event(pod, WARNING, "ResizeDeferred", text)
            life.resize = [told]
            return resizing.with_amounts(pod, life.pod)
        self.wanted = None
        life.resize = [resizing.condition(resizing.IN_PROGRESS, generation, stamp)]
        self.shared.event(pod, NORMAL, "ResizeStarted", resizing.summary(resizing.STARTED, pod))
        return pod

    def retry(self) -> None:
        """There may be room now."""
        if self.wanted is not None:
            self.worker.life.pod = self._tried(self.wanted)
            self.worker.wake()

    def look(self, view: PodView) -> None:
        """A turn begins: if all containers have what they were allocated, the resize is over."""
        life = self.worker.life
        under_way = [one for one in life.resize if one["type"] == resizing.IN_PROGRESS]
        if under_way and not resizing.to_actuate(life.pod, view):
            life.resize = []
            self.shared.event(life.pod, NORMAL, "ResizeCompleted", resizing.summary(resizing.COMPLETED, life.pod))

    def actuate(self, view: PodView) -> bool:
        """Give running containers what they were allocated; whether any got something else."""
        if not self.worker.life.resize:
            return False
        changed = resizing.to_actuate(self.worker.pod, view)
        for run, amounts in changed.items():
            self.shared.containers.resize(self.worker.uid, run, amounts)
        return bool(changed)
