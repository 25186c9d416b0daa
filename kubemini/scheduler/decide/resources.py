"""What a pod requests, in numbers: for the filters as it is, for scores with small amounts where it says nothing. Pure.

Models k/component-helpers resource PodRequests
Models k/component-helpers resource AggregateContainerRequests
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from kubemini.api import quantity
from kubemini.api.objects import EMPTY, Obj, get

Resources = Mapping[str, int]  # cpu in millicores, all else in units
DEFAULT_CPU, DEFAULT_MEMORY = 100, 200 * 1024 * 1024  # what scoring assumes of a container that requests nothing
ASSUMED: Resources = {"cpu": DEFAULT_CPU, "memory": DEFAULT_MEMORY}


def amounts(listed: Mapping[str, str] | None) -> dict[str, int]:
    """A list of resources in numbers."""
    return {name: _amount(name, text) for name, text in (listed or EMPTY).items()}


@lru_cache(maxsize=4096)
def _amount(name: str, text: str) -> int:
    return quantity.millicores(text) if name == "cpu" else quantity.in_bytes(text)


def requests(pod: Obj) -> Resources:
    """What *pod* requests: of its containers together, or for itself as a whole, and its overhead."""
    return _total(pod, EMPTY)


def assumed_requests(pod: Obj, incoming: bool = False) -> Resources:
    """The same for scoring, where a container that is silent about cpu or memory counts as a small one.

    Of the *incoming* pod, the one to be placed, requests for the pod as a whole are not read.
    """
    return _total(pod, ASSUMED, whole=not incoming)


def _total(pod: Obj, defaults: Resources, whole: bool = True) -> Resources:
    spec = pod["spec"]
    total = _of_containers(pod, defaults)
    if whole and spec.get("resources"):
        total |= amounts(spec["resources"].get("requests"))
    if spec.get("overhead"):
        _add(total, amounts(spec["overhead"]))
    return total


def _of_containers(pod: Obj, defaults: Resources) -> dict[str, int]:
    """All that run together, sidecars too; or, if more, one init container beside the sidecars before it."""
    spec = pod["spec"]
    given = _given(pod)
    sidecars: dict[str, int] = {}
    most: dict[str, int] = {}
    for container in spec.get("initContainers") or ():
        here = dict(sidecars)
        _add(here, _requested(container, defaults, given))
        for name, amount in here.items():
            most[name] = max(most.get(name, 0), amount)
        if is_sidecar(container):
            sidecars = here
    total = sidecars
    for container in spec.get("containers") or ():
        _add(total, _requested(container, defaults, given))
    for name, amount in most.items():
        if amount > total.get(name, 0):
            total[name] = amount
    return total


def _add(total: dict[str, int], more: Resources) -> None:
    for name, amount in more.items():
        total[name] = total.get(name, 0) + amount


def is_sidecar(container: Obj) -> bool:
    """Whether an init container goes on running beside the others."""
    return container.get("restartPolicy") == "Always"


def _requested(container: Obj, defaults: Resources, given: Mapping[str, Obj]) -> dict[str, int]:
    wanted = get(container, "resources", "requests")
    found = {**defaults, **amounts(wanted)} if defaults else amounts(wanted)
    status = given.get(container.get("name", ""))
    if status is not None:
        for listed in (status.get("allocatedResources"), get(status, "resources", "requests")):
            for name, amount in amounts(listed).items():
                found[name] = max(found.get(name, 0), amount)
    return found


def _given(pod: Obj) -> Mapping[str, Obj]:
    """What the kubelet says each container has been given: while a resize is under way it counts if it is more."""
    status = pod.get("status")
    if not status:
        return EMPTY
    found: dict[str, Any] = {}
    for part in ("containerStatuses", "initContainerStatuses"):
        for one in status.get(part) or ():
            if one.get("allocatedResources") or one.get("resources"):
                found[one["name"]] = one
    return found
