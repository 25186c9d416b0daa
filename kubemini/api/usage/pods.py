"""What a pod asks for: the sum of its containers, or its largest init container; sidecars count with both.

Models k/component-helpers resource PodRequests PodLimits.
Simplified: a resize that is under way is not looked at.
"""

from kubemini.api.objects import Obj, get
from kubemini.api.usage.amounts import Amounts, add, largest, read

POD_LEVEL = ("cpu", "memory")


def requests(pod: Obj, overhead: bool = True) -> Amounts:
    """What the scheduler must find for it, and a quota charges; with the *overhead* of its runtime."""
    return _total(pod, "requests", overhead)


def limits(pod: Obj, overhead: bool = True) -> Amounts:
    """The most that it may use; the *overhead* comes only on top of what is limited."""
    return _total(pod, "limits", overhead)


def pod_level(pod: Obj) -> bool:
    """Whether it names amounts for the pod as a whole."""
    said = get(pod, "spec", "resources") or {}
    return any(name in POD_LEVEL for half in ("requests", "limits") for name in said.get(half) or {})


def _total(pod: Obj, half: str, overhead: bool) -> Amounts:
    spec = pod.get("spec") or {}
    total: Amounts = {}
    for container in spec.get("containers") or ():
        total = add(total, read(get(container, "resources", half)))
    beside: Amounts = {}  # sidecars so far
    first: Amounts = {}
    for container in spec.get("initContainers") or ():
        asked = read(get(container, "resources", half))
        if container.get("restartPolicy") == "Always":
            total, beside = add(total, asked), add(beside, asked)
            asked = beside
        else:
            asked = add(asked, beside)
        first = largest(first, asked)
    total = largest(total, first)
    whole = read(get(spec, "resources", half))
    total |= {name: amount for name, amount in whole.items() if name in POD_LEVEL}
    extra = read(spec.get("overhead")) if overhead else {}
    if half == "limits":
        extra = {name: amount for name, amount in extra.items() if name in total}
    return add(total, extra)
