"""kube-scheduler: hears what happens, tries one pod after another, and has carried out what was decided.

Invariant: decisions are made one after another (`Machine`); bindings, preemptions and reports travel meanwhile. What
cannot be bound is forgotten and the pod tries again. Nothing is ever moved: a decision is made once.
A standby keeps its caches warm and decides nothing. k/k pkg/scheduler/schedule_one.go, eventhandlers.go.
Simplified: a decision takes no time. Without ``all_controllers``, as in most stories, it watches no volumes, budgets,
StatefulSets, ReplicationControllers and devices: for it there are none.
"""

from functools import partial

from kubemini.api.kinds import KNOWN, NAMESPACE, NODE, POD, REPLICA_SET, SERVICE, STATEFUL_SET
from kubemini.api.objects import EMPTY, Obj
from kubemini.client import ApiClient, Elector, Informers
from kubemini.host import Component, Host, Timer
from kubemini.scheduler import plugins
from kubemini.scheduler.binding import Binder
from kubemini.scheduler.decide.events import STORAGE
from kubemini.scheduler.decide.listers import Found, Listers
from kubemini.scheduler.machine import Machine
from kubemini.scheduler.preempting import Preemptor
from kubemini.scheduler.reporting import Reporter
from kubemini.sim import Sim
from kubemini.wire import Network

USER = "system:kube-scheduler"
LEASE_NAME = "kube-scheduler"
LOOKED_UP = (NODE, POD, SERVICE, REPLICA_SET, NAMESPACE)
FURTHER = (
    STATEFUL_SET,
    KNOWN["v1", "ReplicationController"],
    KNOWN["policy/v1", "PodDisruptionBudget"],
    KNOWN["v1", "PersistentVolume"],
    KNOWN["v1", "PersistentVolumeClaim"],
    KNOWN["storage.k8s.io/v1", "StorageClass"],
    KNOWN["storage.k8s.io/v1", "CSINode"],
    KNOWN["storage.k8s.io/v1", "CSIDriver"],
    KNOWN["storage.k8s.io/v1", "CSIStorageCapacity"],
    KNOWN["storage.k8s.io/v1", "VolumeAttachment"],
    KNOWN["resource.k8s.io/v1", "ResourceClaim"],
)


class Scheduler(Component):
    """One copy of the program; *servers* are the API servers it may use."""

    def __init__(self, sim: Sim, net: Network, host: Host, name: str, servers: list[str]):
        super().__init__(sim, net, host, name)
        self.servers = servers
        self.plugins = plugins.profile()  # whoever plugs in another one does so before it starts

    def boot(self) -> None:
        params = self.net.params
        self.client = ApiClient(self, self.servers, USER)
        self.informers = Informers(self.client)
        kinds = (*LOOKED_UP, *FURTHER) if params.all_controllers else LOOKED_UP
        self._watched = {kind.kind: self.informers.of(kind) for kind in kinds}
        self.machine = Machine(
            self.plugins,
            params.scheduler_backoff,
            params.scheduler_unschedulable_flush,
            Listers(self._objects),
            self.sim.now,
        )
        self.reporter = Reporter(self, self.client)
        parts = (self, self.client, self.machine, self.reporter, self.wake)
        self.binder, self.preemptor = Binder(*parts), Preemptor(*parts)
        self._woken = False
        self._alarm: Timer | None = None
        self.informers.of(NODE).handlers.append(self.node_changed)
        self.informers.of(POD).handlers.append(self.pod_changed)
        for name in STORAGE:
            if name in self._watched:
                self._watched[name].handlers.append(partial(self.object_changed, name))
        self.elector = Elector(self.client, LEASE_NAME, self.wake, releases=True)
        self.informers.start(self.elector.start)

    def _objects(self, kind: str) -> Found:
        found = self._watched.get(kind)
        return found.objects if found is not None else EMPTY

    def on_sigterm(self) -> None:
        """Release the Lease first."""
        self.elector.resign()

    # -- news ----------------------------------------------------------------------------------------------------
    def node_changed(self, old: Obj | None, new: Obj | None) -> None:
        """A node has come, changed or gone."""
        self.machine.node_changed(old, new, self.sim.now)
        self.wake()

    def pod_changed(self, old: Obj | None, new: Obj | None) -> None:
        """A pod has come, changed or gone."""
        self.machine.pod_changed(old, new, self.sim.now)
        self.wake()

    def object_changed(self, kind: str, old: Obj | None, new: Obj | None) -> None:
        """A volume, a claim, a class … has come, changed or gone."""
        self.machine.object_changed(kind, old, new, self.sim.now)
        self.wake()

    # -- attempts ------------------------------------------------------------------------------------------------
    def wake(self) -> None:
        """There may be something to do, when all that happens at this instant has been heard."""
        if self.elector.leading and not self._woken:
            self._woken = True
            self.after(0, self._schedule)

    def _schedule(self) -> None:
        self._woken = False
        self.machine.queue.flush_old(self.sim.now)
        while (entry := self.machine.pop(self.sim.now)) is not None:
            pod = entry.pod
            if "deletionTimestamp" in pod["metadata"]:
                self.machine.queue.done(entry.uid)
                self.reporter.skipped(pod)
                continue
            attempt = self.machine.attempt(entry, self.sim.now)
            self.sim.record(self.name, "decision", pod=pod["metadata"]["name"], **attempt.decision.explain())
            if attempt.decision.node:
                self.spawn(self.binder.bind(attempt))
            else:
                if attempt.victims:
                    self.spawn(self.preemptor.preempt(attempt))
                self.reporter.refused(attempt)
        self._set_alarm()

    def _set_alarm(self) -> None:
        """Wake up when a back-off ends, or when somebody has waited for too long."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        queue = self.machine.queue
        ends = [at for at in (queue.next_instant(), queue.next_flush()) if at is not None]
        if ends:
            self._alarm = self.after(max(0, min(ends) - self.sim.now), self.wake)
