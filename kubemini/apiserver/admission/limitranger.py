"""LimitRanger: containers that say nothing get a namespace's defaults; what lies outside its bounds is refused.

Only new pods, resized ones and claims are looked at.
Models k/k plugin/pkg/admission/limitranger LimitRanger.Admit LimitRanger.Validate PodValidateLimitFunc.
Simplified: a LimitRange that the server has not heard of yet is not looked for in etcd.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from kubemini.api.errors import ApiError
from kubemini.api.kinds import KNOWN, POD, Kind
from kubemini.api.objects import Obj, evolve, get
from kubemini.api.usage import pods
from kubemini.api.usage.amounts import Amounts, read
from kubemini.apiserver.admission import forbid
from kubemini.apiserver.decide.attributes import CREATE, DELETE, UPDATE, Attributes

NAME = "LimitRanger"
LIMIT_RANGE, CLAIM = KNOWN["v1", "LimitRange"], KNOWN["v1", "PersistentVolumeClaim"]
NOTE = "kubernetes.io/limit-ranger"
CONTAINERS = {"containers": "container", "initContainers": "init container"}


def needs(asked: Attributes) -> tuple[Kind, ...]:
    """The LimitRanges, for pods and claims."""
    return (LIMIT_RANGE,) if _looks_at(asked) else ()


def admit(asked: Attributes) -> "Obj | ApiError | None":
    """A pod with what its namespace gives to those who say nothing."""
    obj = asked.obj
    if obj is None or asked.kind != POD or not _looks_at(asked):
        return obj
    for limit_range in asked.known.items(LIMIT_RANGE, asked.namespace):
        obj = _filled(obj, limit_range)
    return obj


def validate(asked: Attributes) -> ApiError | None:
    """Why the object lies outside of the bounds of its namespace, or None."""
    obj = asked.obj
    if obj is None or not _looks_at(asked):
        return None
    for limit_range in asked.known.items(LIMIT_RANGE, asked.namespace):
        found = list(dict.fromkeys(_wrong(asked.kind, obj, limit_range)))
        if found:
            return forbid(asked, f"[{', '.join(found)}]" if len(found) > 1 else found[0])
    return None


def _looks_at(asked: Attributes) -> bool:
    if asked.operation == DELETE or (asked.old and "deletionTimestamp" in asked.old["metadata"]):
        return False
    if asked.kind == POD:
        return (asked.operation, asked.subresource) in ((CREATE, ""), (UPDATE, "resize"))
    return asked.kind == CLAIM and not asked.subresource


def _filled(pod: Obj, limit_range: Obj) -> Obj:
    given: dict[str, dict[str, str]] = {"requests": {}, "limits": {}}
    for limit in _limits(limit_range):
        if limit.get("type") == "Container":
            given["requests"] |= limit.get("defaultRequest") or {}
            given["limits"] |= limit.get("default") or {}
    notes = []
    for field, called in CONTAINERS.items():
        for place, container in enumerate(get(pod, "spec", field) or ()):
            for half, amounts in given.items():
                said = get(container, "resources", half) or {}
                added = {name: amount for name, amount in amounts.items() if name not in said}
                if added:
                    pod = evolve(pod, ("spec", field, place, "resources", half), {**said, **added})
                    notes.append(f"{', '.join(sorted(added))} {half[:-1]} for {called} {container.get('name', '')}")
    if not notes:
        return pod
    return evolve(pod, ("metadata", "annotations", NOTE), f"LimitRanger plugin set: {'; '.join(notes)}")


def _limits(limit_range: Obj) -> list[Mapping[str, Any]]:
    return get(limit_range, "spec", "limits") or []


def _wrong(kind: Kind, obj: Obj, limit_range: Obj) -> Iterator[str]:
    for limit in _limits(limit_range):
        type = limit.get("type")
        if kind == CLAIM and type == "PersistentVolumeClaim":
            asked = read(get(obj, "spec", "resources", "requests"))
            yield from _too_little(type, limit, asked, {})
            yield from _claims_too_much(type, limit, asked)
        elif kind == POD and type == "Container":
            for field in CONTAINERS:
                for container in get(obj, "spec", field) or ():
                    said = container.get("resources") or {}
                    yield from _outside(type, limit, read(said.get("requests")), read(said.get("limits")))
        elif kind == POD and type == "Pod":
            yield from _outside(type, limit, pods.requests(obj, overhead=False), pods.limits(obj, overhead=False))


def _outside(type: str, limit: Mapping[str, Any], requests: Amounts, limits: Amounts) -> Iterator[str]:
    yield from _too_little(type, limit, requests, limits)
    yield from _too_much(type, limit, requests, limits)
    yield from _too_far_apart(type, limit, requests, limits)


def _bounds(limit: Mapping[str, Any], which: str) -> list[tuple[str, Any]]:
    return sorted(read(limit.get(which)).items())


def _too_little(type: str, limit: Mapping[str, Any], requests: Amounts, limits: Amounts) -> Iterator[str]:
    for name, least in _bounds(limit, "min"):
        start = f"minimum {name} usage per {type} is {least}"
        if name not in requests:
            yield f"{start}.  No request is specified"
        elif requests[name].amount < least.amount:
            yield f"{start}, but request is {requests[name]}"
        elif name in limits and limits[name].amount < least.amount:
            yield f"{start}, but limit is {limits[name]}"


def _too_much(type: str, limit: Mapping[str, Any], requests: Amounts, limits: Amounts) -> Iterator[str]:
    for name, most in _bounds(limit, "max"):
        start = f"maximum {name} usage per {type} is {most}"
        if name not in limits:
            yield f"{start}.  No limit is specified"
        elif limits[name].amount > most.amount:
            yield f"{start}, but limit is {limits[name]}"
        elif name in requests and requests[name].amount > most.amount:
            yield f"{start}, but request is {requests[name]}"


def _claims_too_much(type: str, limit: Mapping[str, Any], requests: Amounts) -> Iterator[str]:
    for name, most in _bounds(limit, "max"):
        start = f"maximum {name} usage per {type} is {most}"
        if name not in requests:
            yield f"{start}.  No request is specified"
        elif requests[name].amount > most.amount:
            yield f"{start}, but request is {requests[name]}"


def _too_far_apart(type: str, limit: Mapping[str, Any], requests: Amounts, limits: Amounts) -> Iterator[str]:
    for name, most in _bounds(limit, "maxLimitRequestRatio"):
        start = f"{name} max limit to request ratio per {type} is {most}"
        if name not in requests or not requests[name].amount:
            yield f"{start}, but no request is specified or request is 0"
        elif name not in limits or not limits[name].amount:
            yield f"{start}, but no limit is specified or limit is 0"
        else:
            ratio = limits[name].amount / requests[name].amount
            if ratio > most.amount:
                yield f"{start}, but provided ratio is {float(ratio):f}"
