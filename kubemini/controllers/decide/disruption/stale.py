"""Pods that were to go and stayed: after two minutes their condition DisruptionTarget is taken back.

What a kubelet says itself stays: it may take its time before the pod is marked.
Models k/k pkg/controller/disruption DisruptionController.syncStalePodDisruption,
DisruptionController.nonTerminatingPodHasStaleDisruptionCondition
"""

from kubemini.api.kinds import POD
from kubemini.api.objects import Obj, evolve, get
from kubemini.api.timestamps import instant, timestamp
from kubemini.controllers.decide.actions import Plan, UpdateStatus, condition, is_finished, terminating
from kubemini.controllers.decide.controller import Controller, Facts
from kubemini.sim.units import MINUTE

TARGET = "DisruptionTarget"
BY_KUBELET = "TerminationByKubelet"
TIMEOUT = 2 * MINUTE  # stalePodDisruptionTimeout


def decide(pod: Obj, facts: Facts, caught_up: bool, now: int) -> Plan:
    """Wait until it is due, then say that nobody is about to take the pod down."""
    found = condition(pod, TARGET)
    if found is None or not stays(pod):
        return Plan()
    due = instant(found["lastTransitionTime"]) + TIMEOUT
    if now < due:
        return Plan(again_at=due)
    generation = pod["metadata"].get("generation", 0)
    new = {"type": TARGET, "status": "False", "lastProbeTime": None, "lastTransitionTime": timestamp(now)}
    new |= {"observedGeneration": generation} if generation else {}
    conditions = [new if one["type"] == TARGET else one for one in get(pod, "status", "conditions")]
    return Plan((UpdateStatus(evolve(pod, ("status", "conditions"), conditions)),))


def stays(pod: Obj) -> bool:
    """Whether it is said to go, but neither marked nor over."""
    found = condition(pod, TARGET)
    if found is None or found["status"] != "True" or found.get("reason") == BY_KUBELET:
        return False
    return not terminating(pod) and not is_finished(pod)


def changed(old: Obj | None, new: Obj | None) -> bool:
    """Whether there is something to wait for."""
    return new is not None and stays(new)


CONTROLLER = Controller(POD, decide, when=changed)
