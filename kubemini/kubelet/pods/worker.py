"""One pod's worker: it looks at the pod whenever something happens to it, and does one thing at a time.

Theory of operation.

A worker sleeps until somebody wakes it: the API has another pod, a container has started or ended, a probe has a
verdict, a back-off is over. Then it takes one turn: a sync of a pod that lives (`Syncing`), the end of one that must
end (`Ending`), the last word on one that is over. Whoever wakes it while it is busy makes it take another turn after
this one; so a pod that ends shows nothing of what happens to it until its last container is gone.

A turn that failed is taken again after 10 s, or when the first back-off of its containers is over (60 s at most), and
up to half as much later. A healthy pod sets no clock at all.
Models k/k pkg/kubelet podWorkers.podWorkerLoop podWorkers.completeWork
Simplified: no regular sync each minute of pods that nothing happens to.
"""

from collections.abc import Callable
from typing import Any

import simpy

from kubemini.api.objects import Obj
from kubemini.api.timestamps import instant, timestamp
from kubemini.host import Timer
from kubemini.kubelet.decide.pods.staticpods import is_static
from kubemini.kubelet.decide.pods.table import FINISHED, SYNCING, TERMINATED, TERMINATING, PodLife
from kubemini.kubelet.decide.pods.told import conditions, status
from kubemini.kubelet.pods.ending import Ending
from kubemini.kubelet.pods.listing import Listing
from kubemini.kubelet.pods.probes.probing import Probing
from kubemini.kubelet.pods.resizing import Resizing
from kubemini.kubelet.pods.shared import BACK_OFF, NORMAL, RESYNC, WARNING, Shared
from kubemini.kubelet.pods.statuses import Statuses
from kubemini.kubelet.pods.syncing import Syncing
from kubemini.sim import Steps
from kubemini.sim.units import SECOND

DEADLINE = ("DeadlineExceeded", "Pod was active on the node longer than the specified deadline")


def _differ(one: Any, other: Any) -> bool:
    return one is not other and one != other


class PodWorker:
    """Of one pod, in one incarnation of a kubelet."""

    def __init__(self, shared: Shared, statuses: Statuses, probing: Probing, pod: Obj):
        self.shared, self.statuses, self.probing = shared, statuses, probing
        self.life = PodLife(pod, taken_up_at=shared.now)
        self.reported: Any = None  # the status that the API server has acknowledged
        self.version = 0  # resourceVersion of that acknowledgement
        self.mirror_uid = ""  # of a static pod's mirror
        self.orphaned = False  # the API knows no such pod
        self._busy = self._again = self._more = False  # more: one turn is to come after the next
        self._listing = Listing(shared, self.uid, self.key[1], self.wake, lambda: self._busy)
        self._timer: Timer | None = None
        self._deadline = False  # a clock runs for the end of its time
        self._interrupts: list[Callable[[Any], None]] = []  # whom an end interrupts
        self.resizing = Resizing(self)
        self._syncing, self._ending = Syncing(self, self.resizing), Ending(self)

    @property
    def uid(self) -> str:
        """Of its pod."""
        return self.life.uid

    @property
    def pod(self) -> Obj:
        """As the API wants it."""
        return self.life.pod

    @property
    def key(self) -> tuple[str, str]:
        """(namespace, name)."""
        return self.life.key

    @property
    def written_uid(self) -> str:
        """The uid under which the API knows the pod."""
        return self.mirror_uid if self.is_static else self.uid

    @property
    def is_static(self) -> bool:
        """Whether it comes from a file."""
        return is_static(self.pod)

    def known(self) -> Any:
        """The status that the API server is known to have."""
        return self.reported if self.reported is not None else self.pod.get("status")

    # -- being woken ---------------------------------------------------------------------------------------------------
    def wake(self) -> None:
        """Something has happened: take a turn."""
        self._again = True
        if self.orphaned or self.life.why_end():
            while self._interrupts:
                self._interrupts.pop()(True)
        if not self._busy and self.life.state != FINISHED:
            self._busy = True
            self.shared.component.spawn(self._turns())

    def wake_later(self) -> None:
        """Something is another in the runtime: take a turn when that is seen there."""
        if self.shared.params.kubelet_details:
            self._listing.hear()
        else:
            self.wake()

    def reject(self, reason: str, message: str) -> None:
        """This kubelet does not take the pod."""
        self.shared.event(self.pod, WARNING, reason, message)
        self.life.become("rejected")
        self.statuses.set(self, status.rejected(self.pod, reason, message))

    def evict(self, why: tuple[str, str], disruption: str, grace: int | None = None, for_good: bool = True) -> None:
        """The kubelet ends the pod, for the sake of its node or of another pod; *why*: reason and message.

        *for_good*: nothing of it is kept, so it has failed however it ends.
        """
        life = self.life
        life.asked, life.leaves, life.ends_as = grace, True, why
        life.evicted = why if for_good else None
        if not disruption:
            self.wake()
            return
        why_end = (True, {"reason": "TerminationByKubelet", "message": disruption})
        generation, stamp = self.pod["metadata"].get("generation"), timestamp(self.shared.wall)
        life.disrupted = conditions.written("DisruptionTarget", why_end, generation, life.status, stamp)
        self.wake()

    def _past_deadline(self) -> tuple[str, str] | None:
        """If the pod has been active for too long, reason and message. Models k/k pkg/kubelet activeDeadlineHandler"""
        allowed, begun = self.pod["spec"].get("activeDeadlineSeconds"), (self.known() or {}).get("startTime")
        if allowed is None or not begun:
            return None
        left = instant(begun) + allowed * SECOND - self.shared.wall
        if left > 0:
            if not self._deadline:
                self._deadline = True
                self.shared.component.after(left, self.wake)
            return None
        if self.life.state == TERMINATED:
            return DEADLINE
        self.shared.event(self.pod, NORMAL, *DEADLINE)
        return DEADLINE

    def orphan(self) -> None:
        """The API knows no such pod any more."""
        self.orphaned = True
        self.wake()

    def pause(self, delay: int) -> simpy.Event:
        """Happens after *delay* µs with None, or sooner if the pod is to end."""
        return self.shared.first_of(delay, self._interrupts.append)

    def update(self, pod: Obj) -> None:
        """This is how the API wants the pod to be."""
        before, pod = self.life.pod, self.resizing.accept(pod)
        self.life.pod = pod
        notes = (one["metadata"].get("annotations") for one in (before, pod))
        if _differ(before["spec"], pod["spec"]) or _differ(*notes) or self._resize_told():
            self.probing.look(self, changed=True)
            self.wake()
        elif self.life.state == SYNCING and (self.life.why_end() or self._gate_moved(before)):
            self.wake()
        if any(_differ(*(one["metadata"].get(key) for one in (before, pod))) for key in ("labels", "annotations")):
            self._syncing.volumes.pod_changed()
        self._correct()

    def _resize_told(self) -> bool:
        """Whether something is to be said of a resize that waits."""
        told = (self.life.status or {}).get("conditions", ())
        return self.life.state == SYNCING and any(one not in told for one in self.life.resize)

    def _gate_moved(self, before: Obj) -> bool:
        """Whether a condition that counts for readiness is another."""
        gates = [gate["conditionType"] for gate in self.pod["spec"].get("readinessGates") or ()]
        was, now = before.get("status"), self.pod.get("status")
        return any(conditions.status_of(was, gate) != conditions.status_of(now, gate) for gate in gates)

    def _correct(self) -> None:
        """If somebody else has written whether the pod is ready, say it again."""
        if self.reported is None or int(self.pod["metadata"]["resourceVersion"]) <= self.version:
            return
        written = conditions.status_of(self.pod.get("status"), conditions.READY)
        if written != conditions.status_of(self.reported, conditions.READY):
            self.statuses.forget_answer(self)

    # -- turns ---------------------------------------------------------------------------------------------------------
    def _turns(self) -> Steps:
        while self._again and self.life.state != FINISHED:
            self._again, self._more = self._more, False
            if self._timer is not None:
                self._timer.cancel()
            if self.life.state == SYNCING and (move := "orphaned" if self.orphaned else self.life.why_end()):
                self.life.become(move)
            if self.shared.containers.down and not self._tries_in_vain():  # it cannot be asked
                yield self.shared.when_served()
            if self.shared.params.kubelet_details:
                yield from self._listing.newer()
            yield from self._turn()
            self._listing.turned()
        self._busy = False

    def _tries_in_vain(self) -> bool:
        """Whether the pod begins though the runtime is gone, which the kubelet has not missed yet."""
        begins = self.life.state == SYNCING and self._listing.is_new and self.uid not in self.shared.containers.of_pod
        return begins and self.shared.params.kubelet_details and not self.shared.skips

    def _turn(self) -> Steps:
        if self.life.state == SYNCING:
            yield from self._sync()
        elif self.life.state == TERMINATING:
            yield from self._ending.run()
            self.life.become("stopped")
            self._again = True
        else:
            self._last_word()

    def _sync(self) -> Steps:
        result = yield from self._syncing.run()
        if result.terminal:
            self.life.become("ended")
            self._again = True
        elif result.failed:
            delay = BACK_OFF if result.until is None else min(max(result.until - self.shared.wall, 0), RESYNC)
            delay = self.shared.jitter(self.life.key[1], delay)
            self._timer = self.shared.component.after(delay, self.wake)
        elif self.is_static:  # its mirror is looked at with each regular sync
            self._timer = self.shared.component.after(self.shared.jitter(self.life.key[1], RESYNC), self.wake)
        if result.changed and not self.shared.params.kubelet_details:
            self._again = True
        elif result.changed and not result.failed:
            self._more = self._listing.at_once(self._again)
            self._again = True

    def _last_word(self) -> None:
        """Nothing runs any more."""
        assert self.life.state == TERMINATED, "what is over is over"
        self.probing.forget(self.uid)
        self._syncing.volumes.forget()
        if self.orphaned:
            self.life.become("cleaned")
            self.shared.containers.remove(self.uid)
            return
        found = self.made_up(terminal=True)
        self.life.become("cleaned")
        self.statuses.set(self, status.final(self.pod, found, self.life.before_end))
        self.shared.room()

    def made_up(self, terminal: bool = False) -> dict[str, Any]:
        """The status of the pod as the runtime and the probes have it now."""
        shared, life = self.shared, self.life
        view = shared.containers.view(self.uid) if terminal else shared.view(self.uid)
        old = life.status if life.status is not None else self.pod.get("status") or {}
        host_ips = shared.host_ips()
        probed = self.probing.of(self)
        ends_as = None if terminal or life.state == SYNCING else life.ends_as
        evicted = self._past_deadline() or (life.evicted if terminal else None)
        found = status.made_up(
            self.pod, view, old, life.reasons, probed, host_ips, shared.wall, terminal, life.resize, evicted, ends_as
        )
        if life.disrupted is not None and life.state != SYNCING:
            kept = [one for one in found["conditions"] if one["type"] not in conditions.SHARED]
            found["conditions"] = [life.disrupted, *kept]
        return found
