"""The binding cycle: the volumes of a pod first, then the pod itself. It travels while the next pods are decided.

A pod whose volumes must be bound says for which node it waits; its volumes and claims are written, and looked at once a
second until the volume controller has done its part, for ten minutes at most.
Invariant: what could not be bound is forgotten: its room and its volumes are free again, and it tries anew.
Models k/k pkg/scheduler Scheduler.bindingCycle
Models k/k pkg/scheduler/framework/plugins/volumebinding volumeBinder.BindPodVolumes
"""

from collections.abc import Callable

from kubemini.api.kinds import KNOWN, POD
from kubemini.api.objects import Obj, freeze, get
from kubemini.client import ApiClient
from kubemini.host import Component
from kubemini.scheduler.decide.claims import SELECTED_NODE, fully_bound
from kubemini.scheduler.decide.decision import Decision
from kubemini.scheduler.machine import Attempt, Machine
from kubemini.scheduler.reporting import Reporter
from kubemini.sim import Steps
from kubemini.sim.units import MINUTE, SECOND
from kubemini.wire import Reply

BIND_TIMEOUT = 10 * MINUTE  # VolumeBindingArgs.bindTimeoutSeconds
VOLUME, CLAIM = KNOWN["v1", "PersistentVolume"], KNOWN["v1", "PersistentVolumeClaim"]


class Binder:
    """Binds for one scheduler."""

    def __init__(
        self,
        component: Component,
        client: ApiClient,
        machine: Machine,
        reporter: Reporter,
        wake: Callable[[], None],
    ):
        self.component, self.client = component, client
        self.machine, self.reporter, self.wake = machine, reporter, wake

    def bind(self, attempt: Attempt) -> Steps:
        """Tell the API server; the kubelet will see it there."""
        entry, node = attempt.entry, attempt.decision.node
        meta = entry.pod["metadata"]
        if attempt.volumes:
            yield from self.reporter.write(entry.pod, node)
        self.machine.queue.done(entry.uid)
        if attempt.volumes:
            problem = yield from self._bind_volumes(attempt)
            if problem:
                self._failed(attempt, f'running PreBind plugin "VolumeBinding": {problem}')
                return
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"]},
            "target": {"apiVersion": "v1", "kind": "Node", "name": node},
        }
        reply = yield from self.client.post(POD.path(meta["namespace"], meta["name"], "binding"), freeze(binding))
        if reply.ok:
            said = f"Successfully assigned {meta['namespace']}/{meta['name']} to {node}"
            self.reporter.tell(entry.pod, "Normal", "Scheduled", "Binding", said)
        else:
            self._failed(attempt, f'running Bind plugin "DefaultBinder": {reply.error}')

    def _failed(self, attempt: Attempt, problem: str) -> None:
        """It is not there after all: it tries again after a while, and others may have its room."""
        machine, entry, now = self.machine, attempt.entry, self.component.sim.now
        for obj in attempt.volumes:
            machine.known.restore(obj)
        machine.forget(entry.uid, now)
        attempt.decision = Decision(attempt.decision.nodes, error=problem, nomination="")
        machine.refused(entry, attempt.decision, now)
        seen = machine.latest(entry.pod)
        if seen is not None and seen["metadata"]["uid"] == entry.uid and not get(seen, "spec", "nodeName"):
            self.reporter.refused(attempt)
        self.wake()

    # -- volumes -------------------------------------------------------------------------------------------------
    def _bind_volumes(self, attempt: Attempt) -> Steps:
        """Write them, and wait until they are bound; what is wrong, "" if nothing is."""
        written: list[Obj] = []
        for obj in attempt.volumes:
            reply: Reply = yield from self.client.update(obj)
            if not reply.ok:
                return str(reply.error)
            written.append(reply.value)
        deadline = self.component.sim.now + BIND_TIMEOUT
        while self.component.sim.now < deadline:
            yield self.component.timeout(SECOND)
            problem = self._problem(attempt, written)
            if problem is not None:
                return problem
        return "binding volumes: context deadline exceeded"

    def _problem(self, attempt: Attempt, written: list[Obj]) -> str | None:
        """ "" if all are bound, None if that may still come, else why it will not.

        Models k/k pkg/scheduler/framework/plugins/volumebinding volumeBinder.checkBindings
        """
        known, node = self.machine.known, attempt.decision.node
        if self.machine.latest(attempt.entry.pod) is None:
            return (
                f'binding volumes: pod does not exist any more: pod "{attempt.entry.pod["metadata"]["name"]}" not found'
            )
        done = True
        for obj in written:
            volume = obj["kind"] == VOLUME.kind
            meta = obj["spec"]["claimRef"] if volume else obj["metadata"]
            claim = known.seen(CLAIM.kind, meta["namespace"], meta["name"])
            if claim is None:
                return f'binding volumes: failed to check binding: persistentvolumeclaim "{meta["name"]}" not found'
            if not volume and get(claim, "metadata", "annotations", SELECTED_NODE) != node:
                if int(claim["metadata"]["resourceVersion"]) >= int(meta["resourceVersion"]):
                    return f'binding volumes: provisioning failed for PVC "{meta["name"]}"'
                done = False
            done = done and fully_bound(claim)
        return "" if done else None
