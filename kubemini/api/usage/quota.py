"""What a ResourceQuota counts of an object, and whether it speaks of it at all.

A quota names resources (``pods``, ``requests.cpu``, ``count/deployments.apps``) and may name scopes. Pods, Services and
claims have an evaluator of their own; of every other kind only the objects are counted, when they are created.
Models k/k pkg/quota/v1/evaluator/core podEvaluator serviceEvaluator pvcEvaluator, k/apiserver pkg/quota/v1/generic
objectCountEvaluator.
Simplified: resource claims and extended resources of devices are counted as objects only.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import Any

from kubemini.api.kinds import KNOWN, POD, SERVICE, Kind
from kubemini.api.objects import Obj, get
from kubemini.api.quantity import Quantity
from kubemini.api.timestamps import instant
from kubemini.api.usage import pods
from kubemini.api.usage.amounts import ONE, ZERO, Amounts, add, read

QUOTA = KNOWN["v1", "ResourceQuota"]
CLAIM = KNOWN["v1", "PersistentVolumeClaim"]
COMPUTE = ("cpu", "memory", "ephemeral-storage")
POD_NAMES = {"count/pods", "pods", *COMPUTE, *(f"{half}.{name}" for half in ("requests", "limits") for name in COMPUTE)}
MUST_SAY = {name for name in POD_NAMES if name.rpartition(".")[2] in ("cpu", "memory")}
SERVICE_NAMES = {"count/services", "services", "services.nodeports", "services.loadbalancers"}
CLAIM_NAMES = ("persistentvolumeclaims", "requests.storage")
BY_CLASS = ".storageclass.storage.k8s.io/"
OLD_NAMES = {"configmaps", "resourcequotas", "replicationcontrollers", "secrets"}
IGNORED = {"bindings", "componentstatuses", "events", "events.events.k8s.io"}
DONE = ("Failed", "Succeeded")
REVIEWS = ("authentication.k8s.io", "authorization.k8s.io")


@dataclass(frozen=True, slots=True)
class Evaluator:
    """How objects of a kind are counted.

    ``handles``   (operation, subresource, new, old) → whether a write can change what is used
    ``names``     those of a quota's resources that it counts
    ``usage``     what an object uses, now in µs
    ``in_scope``  (scope requirement, object) → whether it lies in it
    ``missing``   what the object must say and does not, if a quota names these resources
    """

    handles: Callable[[str, str, Obj, Obj | None], bool]
    names: Callable[[Iterable[str]], list[str]]
    usage: Callable[[Obj, int], Amounts]
    in_scope: Callable[[Mapping[str, Any], Obj], bool]
    missing: Callable[[Iterable[str], Obj], str]


def of(kind: Kind) -> Evaluator | None:
    """How *kind* is counted; None: it is not."""
    name = f"{kind.plural}.{kind.group}" if kind.group else kind.plural
    if name in IGNORED or kind.group in REVIEWS:
        return None
    return _OWN.get(kind) or _counting(name)


def matches(quota: Obj, evaluator: Evaluator, obj: Obj) -> bool:
    """Whether *quota* counts *obj*: one of its resources, and in all of its scopes."""
    counted = evaluator.names(get(quota, "status", "hard") or {})
    return bool(counted) and all(evaluator.in_scope(scope, obj) for scope in scopes(quota))


def scopes(quota: Obj) -> list[Mapping[str, Any]]:
    """What an object must be for *quota* to count it."""
    spec = quota.get("spec") or {}
    plain = [{"scopeName": scope, "operator": "Exists"} for scope in spec.get("scopes") or ()]
    return plain + list(get(spec, "scopeSelector", "matchExpressions") or ())


# -- any kind ------------------------------------------------------------------------------------------------------


def _counting(name: str) -> Evaluator:
    counted = {f"count/{name}"} | ({name} & OLD_NAMES)
    return Evaluator(
        handles=lambda operation, part, new, old: operation == "CREATE" and not part,
        names=lambda names: [one for one in names if one in counted],
        usage=lambda obj, now: dict.fromkeys(sorted(counted), ONE),
        in_scope=lambda scope, obj: False,
        missing=lambda names, obj: "",
    )


# -- pods ----------------------------------------------------------------------------------------------------------


def _pod_handles(operation: str, part: str, new: Obj, old: Obj | None) -> bool:
    if part == "resize":
        return operation == "UPDATE"
    if part:
        return False
    return operation == "CREATE" or (old is not None and ends_by_itself(old) != ends_by_itself(new))


def _pod_names(names: Iterable[str]) -> list[str]:
    return [
        name
        for name in names
        if name in POD_NAMES
        or name.startswith(("hugepages-", "requests.hugepages-"))
        or (name.startswith("requests.") and "/" in name and "storageclass.storage.k8s.io/" not in name)
    ]


def _pod_usage(pod: Obj, now: int) -> Amounts:
    counted: Amounts = {"count/pods": ONE}
    if not is_charged(pod, now):
        return counted
    return add(counted, _compute(pods.requests(pod), pods.limits(pod)))


def is_charged(pod: Obj, now: int) -> bool:
    """Whether a pod still uses anything at *now*: it has not ended, and its time to end is not over."""
    if get(pod, "status", "phase") in DONE:
        return False
    meta = pod["metadata"]
    ends, grace = meta.get("deletionTimestamp"), meta.get("deletionGracePeriodSeconds")
    return ends is None or grace is None or now <= instant(ends) + timedelta(seconds=grace) // timedelta.resolution


def _compute(requests: Amounts, limits: Amounts) -> Amounts:
    used: Amounts = {"pods": ONE}
    for name in COMPUTE:
        if name in requests:
            used[name] = used[f"requests.{name}"] = requests[name]
        if name in limits:
            used[f"limits.{name}"] = limits[name]
    for name, amount in requests.items():
        if name.startswith("hugepages-"):
            used[name] = amount
        if name.startswith("hugepages-") or "/" in name:
            used[f"requests.{name}"] = amount
    return used


def _pod_missing(names: Iterable[str], pod: Obj) -> str:
    """A quota of cpu or memory wants every container to say what it asks for."""
    if pods.pod_level(pod):
        return ""
    spec, silent = pod.get("spec") or {}, dict[str, set[str]]()
    for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
        said = container.get("resources") or {}
        used = _compute(read(said.get("requests")), read(said.get("limits")))
        for name in sorted(MUST_SAY.intersection(names) - set(used)):
            silent.setdefault(name, set()).add(container.get("name", ""))
    return "; ".join(f"{name} for: {','.join(sorted(silent[name]))}" for name in sorted(silent))


def ends_by_itself(pod: Obj) -> bool:
    """Whether it has a deadline: the scope Terminating."""
    return (get(pod, "spec", "activeDeadlineSeconds", default=-1) or 0) >= 0


def is_best_effort(pod: Obj) -> bool:
    """Whether no container, nor the pod as a whole, asks for cpu or memory."""
    spec = pod.get("spec") or {}
    asked = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ()), spec]
    amounts = [read(get(one, "resources", half)) for one in asked for half in ("requests", "limits")]
    return not any(some.get(name, ZERO).amount > 0 for some in amounts for name in ("cpu", "memory"))


def _crosses_namespaces(pod: Obj) -> bool:
    for side in ("podAffinity", "podAntiAffinity"):
        affinity = get(pod, "spec", "affinity", side) or {}
        terms = list(affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or ())
        weighed = affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
        terms += [one.get("podAffinityTerm") or {} for one in weighed]
        if any(term.get("namespaces") or term.get("namespaceSelector") is not None for term in terms):
            return True
    return False


def _pod_in_scope(scope: Mapping[str, Any], pod: Obj) -> bool:
    name = scope.get("scopeName")
    if name == "PriorityClass":
        called = get(pod, "spec", "priorityClassName") or ""
        return bool(called) if scope.get("operator") == "Exists" else _selects(scope, [called] if called else [])
    found = {
        "Terminating": lambda: ends_by_itself(pod),
        "NotTerminating": lambda: not ends_by_itself(pod),
        "BestEffort": lambda: is_best_effort(pod),
        "NotBestEffort": lambda: not is_best_effort(pod),
        "CrossNamespacePodAffinity": lambda: _crosses_namespaces(pod),
    }.get(str(name))
    return found is not None and found()


def _selects(scope: Mapping[str, Any], held: list[str]) -> bool:
    values = scope.get("values") or ()
    match scope.get("operator"):
        case "In":
            return any(one in values for one in held)
        case "NotIn":
            return not held or any(one not in values for one in held)
        case "DoesNotExist":
            return not held
        case _:
            return bool(held)


# -- Services and claims -------------------------------------------------------------------------------------------


def _number(count: int) -> Quantity:
    return Quantity(Fraction(count))


def _service_usage(service: Obj, now: int) -> Amounts:
    spec = service.get("spec") or {}
    ports, balanced = list(spec.get("ports") or ()), spec.get("type") == "LoadBalancer"
    if balanced and spec.get("allocateLoadBalancerNodePorts") is False:
        ports = [port for port in ports if port.get("nodePort")]
    counts = spec.get("type") in ("NodePort", "LoadBalancer")
    return {
        "count/services": ONE,
        "services": ONE,
        "services.loadbalancers": ONE if balanced else ZERO,
        "services.nodeports": _number(len(ports)) if counts else ZERO,
    }


def _claim_names(names: Iterable[str]) -> list[str]:
    ends = tuple(BY_CLASS + name for name in CLAIM_NAMES)
    return [
        name for name in names if name == "count/persistentvolumeclaims" or name in CLAIM_NAMES or name.endswith(ends)
    ]


def _claim_usage(claim: Obj, now: int) -> Amounts:
    used: Amounts = {"persistentvolumeclaims": ONE, "count/persistentvolumeclaims": ONE}
    asked = read(get(claim, "spec", "resources", "requests")).get("storage")
    given = read(get(claim, "status", "allocatedResources")).get("storage")
    if asked is not None:
        if given is not None and given.amount > asked.amount:
            asked = given
        used["requests.storage"] = asked.rounded_up(0)
    notes = get(claim, "metadata", "annotations") or {}
    called = notes.get("volume.beta.kubernetes.io/storage-class") or get(claim, "spec", "storageClassName") or ""
    if called:
        used |= {f"{called}{BY_CLASS}{name}": used[name] for name in CLAIM_NAMES if name in used}
    return used


def _claim_in_scope(scope: Mapping[str, Any], claim: Obj) -> bool:
    if scope.get("scopeName") != "VolumeAttributesClass":
        return False
    status = claim.get("status") or {}
    held = (
        get(claim, "spec", "volumeAttributesClassName"),
        status.get("currentVolumeAttributesClassName"),
        get(status, "modifyVolumeStatus", "targetVolumeAttributesClassName"),
    )
    known = sorted({one for one in held if one})
    return bool(known) if scope.get("operator") == "Exists" else _selects(scope, known)


_OWN = {
    POD: Evaluator(_pod_handles, _pod_names, _pod_usage, _pod_in_scope, _pod_missing),
    SERVICE: Evaluator(
        handles=lambda operation, part, new, old: not part and operation != "DELETE",
        names=lambda names: [name for name in names if name in SERVICE_NAMES],
        usage=_service_usage,
        in_scope=lambda scope, obj: False,
        missing=lambda names, obj: "",
    ),
    CLAIM: Evaluator(
        handles=lambda operation, part, new, old: operation != "DELETE" and part in ("", "status"),
        names=_claim_names,
        usage=_claim_usage,
        in_scope=_claim_in_scope,
        missing=lambda names, obj: "",
    ),
}
