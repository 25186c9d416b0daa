"""Pods as controllers make, delete and rank them. Pure.

Models k/k pkg/controller RealPodControl, GetPodFromTemplate, FilterActivePods, FilterTerminatingPods
Models k/k pkg/controller ActivePodsWithRanks.Less
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cmp_to_key
from typing import Any

from kubemini.api.kinds import POD
from kubemini.api.objects import EMPTY, Obj, freeze, get
from kubemini.api.timestamps import instant
from kubemini.controllers.decide.actions import (
    Create,
    Delete,
    Tell,
    condition,
    is_finished,
    is_ready,
    owner_reference,
    terminating,
)
from kubemini.controllers.decide.dialogue import Refused, Steps, namespace_is_ending, not_found, words
from kubemini.sim.units import NEVER, SECOND

PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}
NUMBER = re.compile(r"[+-]?[0-9]{1,10}")
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
NANOSECONDS = 1000  # in a microsecond


def is_active(pod: Obj) -> bool:
    """Whether it counts."""
    return not is_finished(pod) and not terminating(pod)


def is_leaving(pod: Obj) -> bool:
    """Whether it is on its way out, and still runs."""
    return not is_finished(pod) and terminating(pod)


# -- making and deleting ---------------------------------------------------------------------------------------------


def new_pod(owner: Obj) -> Obj:
    """A pod after the template of *owner*, which manages it; the API server completes its name."""
    template = owner["spec"]["template"]
    meta = template.get("metadata", EMPTY)
    return freeze(
        {
            "apiVersion": POD.api_version,
            "kind": POD.kind,
            "metadata": {
                **{part: meta[part] for part in ("labels", "annotations", "finalizers") if meta.get(part)},
                "generateName": owner["metadata"]["name"] + "-",
                "namespace": owner["metadata"]["namespace"],
                "ownerReferences": [owner_reference(owner)],
            },
            "spec": template["spec"],
        }
    )


def create_pod(owner: Obj, pod: Obj) -> Steps:
    """Make *pod*, and tell of it at *owner*; returns it. Raises Refused, unsaid if the namespace is going."""
    answer = yield Create(pod)
    if answer.obj is not None:
        yield Tell(owner, "Normal", "SuccessfulCreate", f"Created pod: {answer.obj['metadata']['name']}")
        return answer.obj
    if not namespace_is_ending(answer.error):
        yield Tell(owner, "Warning", "FailedCreate", f"Error creating: {words(answer.error)}")
    raise Refused(answer.error)


def delete_pod(owner: Obj, pod: Obj) -> Steps:
    """Delete *pod*, and tell of it at *owner*. Raises Refused, unsaid if it is gone already."""
    answer = yield Delete(pod)
    if answer.error is None:
        yield Tell(owner, "Normal", "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}")
        return
    if not not_found(answer.error):
        yield Tell(owner, "Warning", "FailedDelete", f"Error deleting: {words(answer.error)}")
    raise Refused(answer.error)


# -- when a pod can serve --------------------------------------------------------------------------------------------


def available_at(owner: Obj, pod: Obj, now: int) -> int:
    """When the pod counts as available: ready for the ``minReadySeconds`` of *owner*; `NEVER` if it is not ready."""
    if not is_ready(pod):
        return NEVER
    least = owner["spec"].get("minReadySeconds") or 0
    since = (condition(pod, "Ready") or EMPTY).get("lastTransitionTime")
    return now if not least else instant(since) + least * SECOND if since else NEVER


def next_available(owner: Obj, pods: Iterable[Obj], now: int) -> int | None:
    """The next instant at which a pod becomes available by the passing of time alone."""
    soon = [at for pod in pods if now < (at := available_at(owner, pod, now)) < NEVER]
    return min(soon, default=None)


# -- which pods go first ---------------------------------------------------------------------------------------------


def least_useful_first(pods: Iterable[Obj], related: Iterable[Obj], now: int) -> list[Obj]:
    """The order in which pods are given up.

    Not scheduled, then Pending before Unknown before Running, not ready, cheap by annotation, crowded on its node,
    ready for a shorter time, restarted more often, younger. Of two times that differ, but not by an order of two, the
    UID decides.
    """
    crowd = Counter(get(pod, "spec", "nodeName", default="") for pod in related if is_active(pod))

    def rank(pod: Obj) -> tuple:
        node, phase = get(pod, "spec", "nodeName", default=""), get(pod, "status", "phase", default="")
        return bool(node), PHASES.get(phase, 0), is_ready(pod), _cost(pod), -crowd[node]

    def order(one: Obj, other: Obj) -> int:
        left, right = rank(one), rank(other)
        if left != right:
            return -1 if left < right else 1
        ready = _by_time(one, other, _ready_since, now) if is_ready(one) else 0
        if ready:
            return ready
        often, other_often = _restarts(one), _restarts(other)
        if often != other_often:
            return -1 if often > other_often else 1
        return _by_time(one, other, _born, now)

    return sorted(pods, key=cmp_to_key(order))


def _by_time(one: Obj, other: Obj, since: Callable[[Obj], str], now: int) -> int:
    """-1: *one* comes first, by the younger time; 0 if the times are equal."""
    times = since(one), since(other)
    if times[0] == times[1]:
        return 0
    ages = [_magnitude(time, now) for time in times]
    if not all(times) or ages[0] != ages[1]:
        return -1 if ages[0] < ages[1] else 1
    return -1 if one["metadata"]["uid"] < other["metadata"]["uid"] else 1


def _born(pod: Obj) -> str:
    return pod["metadata"].get("creationTimestamp") or ""


def _ready_since(pod: Obj) -> str:
    return (condition(pod, "Ready") or EMPTY).get("lastTransitionTime") or ""


def _cost(pod: Obj) -> int:
    text = str(get(pod, "metadata", "annotations", DELETION_COST, default=""))
    return int(text) if NUMBER.fullmatch(text) else 0


def _restarts(pod: Obj) -> tuple[int, int]:
    """The most of any container, and of any sidecar."""
    sidecars = {c["name"] for c in get(pod, "spec", "initContainers") or () if c.get("restartPolicy") == "Always"}
    initial = [c for c in get(pod, "status", "initContainerStatuses") or () if c.get("name") in sidecars]
    return _most(get(pod, "status", "containerStatuses") or ()), _most(initial)


def _most(statuses: Iterable[Any]) -> int:
    return max((status.get("restartCount", 0) for status in statuses), default=0)


def _magnitude(since: str, now: int) -> int:
    """How long ago, as a power of two of nanoseconds: LogarithmicScaleDown. Never: less than just now."""
    return (NANOSECONDS * max(0, now - instant(since))).bit_length() - 1 if since else -2
