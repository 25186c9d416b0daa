"""Preemption carried out: nominations of lower pods are taken back, and the victims are told to go.

All but the last at once, the last when they have been told; until then the pod for which they go is not tried again.
Invariant: a victim has the condition DisruptionTarget before it is deleted, with its own grace period.
Models k/k pkg/scheduler/framework/preemption Executor.prepareCandidateAsync
"""

from collections.abc import Callable

import simpy

from kubemini.api.kinds import POD
from kubemini.api.objects import Obj, freeze, get
from kubemini.api.timestamps import timestamp
from kubemini.client import ApiClient
from kubemini.client.client import code
from kubemini.host import Component
from kubemini.scheduler.decide.preemption import BY_SCHEDULER
from kubemini.scheduler.machine import PROFILE, Attempt, Machine
from kubemini.scheduler.reporting import Reporter
from kubemini.sim import Steps

TARGET = "DisruptionTarget"
MESSAGE = f"{PROFILE}: preempting to accommodate a higher priority pod"


class Preemptor:
    """Makes room for one scheduler."""

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

    def preempt(self, attempt: Attempt) -> Steps:
        """Tell the victims of *attempt* to go."""
        machine, pod, uid = self.machine, attempt.entry.pod, attempt.entry.uid
        found = attempt.preemption
        assert found is not None and found.chosen is not None, "somebody was chosen to go"
        for other in machine.lower_nominations(pod, found.chosen):
            yield from self.reporter.write(machine.latest(other) or other, "")
        node, (*others, last) = found.chosen.node, attempt.victims
        fates = [self._evict_apart(victim, pod, node) for victim in others]
        gone = True
        for fate in fates:
            gone = (yield fate) and gone
        if gone:
            machine.preempting[uid] = last
            gone = yield from self._evict(last, pod, node)
        del machine.preempting[uid]
        if not gone:
            machine.queue.activate(uid, self.component.sim.now)
            self.wake()

    def _evict_apart(self, victim: Obj, pod: Obj, node: str) -> simpy.Event:
        """In a task of its own; the event happens when it is done."""
        done = simpy.Event(self.component.sim)

        def act() -> Steps:
            done.succeed((yield from self._evict(victim, pod, node)))

        self.component.spawn(act())
        return done

    def _evict(self, victim: Obj, pod: Obj, node: str) -> Steps:
        """Say in its status why it goes, delete it, and tell; False if that failed, and it is still there."""
        meta = victim["metadata"]
        body = freeze({"metadata": {"uid": meta["uid"]}, "status": {"conditions": self._conditions(victim)}})
        reply = yield from self.client.patch(POD, meta["name"], meta["namespace"], body, "status")
        if reply.ok:
            reply = yield from self.client.delete(POD, meta["name"], meta["namespace"])
        if not reply.ok:
            return code(reply) == 404
        said = f"Preempted by pod {pod['metadata']['uid']} on node {node}"
        self.reporter.tell(victim, "Normal", "Preempted", "Preempting", said, related=pod)
        return True

    def _conditions(self, victim: Obj) -> list[Obj]:
        condition = {
            "type": TARGET,
            "status": "True",
            "reason": BY_SCHEDULER,
            "message": MESSAGE,
            "lastTransitionTime": timestamp(self.component.sim.wall),
        }
        if (generation := victim["metadata"].get("generation")) is not None:
            condition["observedGeneration"] = generation
        held = get(victim, "status", "conditions", default=())
        return [*(c for c in held if c["type"] != TARGET), freeze(condition)]
