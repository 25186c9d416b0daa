"""What a claim asks for: requests of devices of a class, constraints between them, configuration.

Models k/k pkg/apis/resource/validation validateDeviceClaim, validateDeviceRequest, validateDeviceSubRequest,
validateExactDeviceRequest, validateDeviceConstraint, validateRequestNameRef, validateDeviceConfiguration;
defaults: k/k pkg/apis/resource/v1 SetDefaults_ExactDeviceRequest, SetDefaults_DeviceSubRequest.
Simplified: expressions in CEL are not compiled; derived attributes, and rights to administrate, are not judged.
"""

import json
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from kubemini.api import names
from kubemini.api.objects import Obj
from kubemini.apiserver.rules.causes import (
    InOrder,
    Wrong,
    duplicate,
    each,
    invalid,
    required,
    supported,
    too_long,
    too_many,
)
from kubemini.apiserver.rules.volumes.sources import driver_name

MOST_REQUESTS = MOST_CONSTRAINTS = MOST_CONFIGS = MOST_SELECTORS = 32
MOST_ALTERNATIVES = 8
LONGEST_EXPRESSION = LONGEST_PARAMETERS = 10 * 1024  # bytes; parameters are counted as JSON without spaces
LONGEST_IDENTIFIER = 32
EXACT, ALL = "ExactCount", "All"
EFFECTS = ("NoExecute", "NoSchedule", "None")
ONE_OF = "exactly one of `exactly` or `firstAvailable` is required"
NO_REQUEST = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"
ONE_ATTRIBUTE = 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set'
UNPREFIXED = "a name must be a domain-prefixed path, such as 'example.com/my-prop'"
IN_GO = (
    *("name", "exactly", "firstAvailable", "deviceClassName", "selectors", "allocationMode", "count", "adminAccess"),
    *("tolerations", "capacity", "derivedAttributes", "counters"),
)
Rule = Callable[[Any, str], Wrong]


def slice_of(items: Sequence[Any] | None, most: int, path: str, rule: Rule) -> Wrong:
    """A list that is judged only if it is not too long."""
    items = items or ()
    if len(items) > most:
        yield too_many(path, len(items), most)
        return
    for number, item in enumerate(items):
        yield from rule(item, f"{path}[{number}]")


def set_of(
    items: Sequence[Any] | None,
    most: int,
    path: str,
    rule: Rule,
    key: Callable[[Any], Hashable],
    shows_all: bool = True,
) -> Wrong:
    """The same, and each only once; *shows_all*: a refusal shows the second one, not only its key."""
    yield from slice_of(items, most, path, rule)
    keys = [key(item) for item in items or ()]
    for number, item in enumerate(items or ()):
        if len(keys) <= most and keys[number] in keys[:number]:
            yield duplicate(f"{path}[{number}]", whole(item) if shows_all else keys[number])


def by_name(item: Obj) -> str:
    """What a named item is told by."""
    return str(item.get("name") or "")


def whole(item: Any) -> Any:
    """A struct as Go prints it."""
    if isinstance(item, list | tuple):
        return [whole(one) for one in item]
    if not isinstance(item, Mapping):
        return item
    names = sorted(item, key=lambda name: (IN_GO.index(name) if name in IN_GO else len(IN_GO), name))
    return InOrder((name, whole(item[name])) for name in names)


def itself(item: Any) -> Any:
    """What a text is told by."""
    return item


# -- defaults ----------------------------------------------------------------------------------------


def with_defaults(spec: Obj | None) -> Obj:
    """A claim's spec: one device, if it does not say how many."""
    spec = spec or {}
    devices = spec.get("devices") or {}
    if not devices.get("requests"):
        return spec
    return {**spec, "devices": {**devices, "requests": [_request(one) for one in devices["requests"]]}}


def _request(request: Obj) -> Obj:
    found = dict(request)
    if request.get("exactly") is not None:
        found["exactly"] = _counted(request["exactly"])
    if request.get("firstAvailable"):
        found["firstAvailable"] = [_counted(one) for one in request["firstAvailable"]]
    return found


def _counted(request: Obj) -> Obj:
    mode = request.get("allocationMode") or EXACT
    return {**request, "allocationMode": mode} | ({"count": request.get("count") or 1} if mode == EXACT else {})


# -- rules -------------------------------------------------------------------------------------------


def claim(spec: Obj | None, path: str) -> Wrong:
    """Every complaint about a claim's spec."""
    devices, where = (spec or {}).get("devices") or {}, f"{path}.devices"
    known = _known(devices.get("requests") or ())
    yield from set_of(devices.get("requests"), MOST_REQUESTS, f"{where}.requests", _asked, by_name)

    def constraint(said: Obj, at: str) -> Wrong:
        yield from _references(said, at, known)
        attributes = [name for name in ("matchAttribute", "distinctAttribute") if said.get(name) is not None]
        if attributes:
            yield from full_name(said[attributes[0]], f"{at}.{attributes[0]}")
        else:
            yield required(at, ONE_ATTRIBUTE)

    def config(said: Obj, at: str) -> Wrong:
        yield from _references(said, at, known)
        yield from configuration(said, at)

    yield from slice_of(devices.get("constraints"), MOST_CONSTRAINTS, f"{where}.constraints", constraint)
    yield from slice_of(devices.get("config"), MOST_CONFIGS, f"{where}.config", config)


def _known(requests: Sequence[Obj]) -> list[str]:
    """Names by which constraints may refer to a request."""
    found = [by_name(one) for one in requests]
    return found + [f"{by_name(one)}/{by_name(sub)}" for one in requests for sub in one.get("firstAvailable") or ()]


def _references(said: Obj, path: str, known: Sequence[str]) -> Wrong:
    def rule(name: str, at: str) -> Wrong:
        yield from reference(name, at, known)

    yield from set_of(said.get("requests"), MOST_REQUESTS, f"{path}.requests", rule, itself)


def reference(name: str, path: str, known: Sequence[str]) -> Wrong:
    """The name of a request, or of one and one of its alternatives."""
    parts = name.split("/")
    if len(parts) > 2:
        yield invalid(path, name, NO_REQUEST)
        return
    for part in parts:
        yield from each(names.dns_label(part, "bytes"), path, part)
    if name not in known:
        yield invalid(path, name, NO_REQUEST)


def _asked(request: Obj, path: str) -> Wrong:
    yield from each(names.dns_label(by_name(request), "bytes"), f"{path}.name", by_name(request))
    exactly, first = request.get("exactly"), request.get("firstAvailable") or ()
    if exactly is None and not first:
        yield required(path, ONE_OF)
    elif exactly is not None and first:
        yield invalid(path, None, f"{ONE_OF}, but multiple fields are set")
    elif first:
        yield from set_of(first, MOST_ALTERNATIVES, f"{path}.firstAvailable", _alternative, by_name)
    else:
        yield from _wanted(exactly or {}, f"{path}.exactly")


def _alternative(request: Obj, path: str) -> Wrong:
    yield from each(names.dns_label(by_name(request), "bytes"), f"{path}.name", by_name(request))
    yield from _wanted(request, path)


def _wanted(request: Obj, path: str) -> Wrong:
    name = request.get("deviceClassName") or ""
    if not name:
        yield required(f"{path}.deviceClassName")
    else:
        yield from each(names.dns_subdomain(name), f"{path}.deviceClassName", name)
    yield from slice_of(request.get("selectors"), MOST_SELECTORS, f"{path}.selectors", selector)
    mode, count = request.get("allocationMode") or "", request.get("count") or 0
    if mode == ALL and count:
        yield invalid(f"{path}.count", count, "must not be specified when allocationMode is 'All'")
    if mode == EXACT and count <= 0:
        yield invalid(f"{path}.count", count, "must be greater than zero")
    yield from supported(f"{path}.allocationMode", mode, (ALL, EXACT))
    for number, said in enumerate(request.get("tolerations") or ()):
        yield from toleration(said, f"{path}.tolerations[{number}]")


def selector(said: Obj, path: str) -> Wrong:
    """An expression that picks devices."""
    if said.get("cel") is None:
        yield required(f"{path}.cel")
    elif len((said["cel"].get("expression") or "").encode()) > LONGEST_EXPRESSION:
        yield too_long(f"{path}.cel.expression", LONGEST_EXPRESSION)


def toleration(said: Obj, path: str) -> Wrong:
    """A taint of a device that does not matter."""
    key, operator, value = said.get("key") or "", said.get("operator") or "", said.get("value") or ""
    if key:
        yield from each(names.qualified_name(key), f"{path}.key", key)
    if operator == "Exists" and value:
        yield invalid(f"{path}.value", value, "must be empty for operator `Exists`")
    if operator == "Equal":
        yield from each(names.label_value(value), f"{path}.value", value)
    if not operator:
        yield required(f"{path}.operator")
    else:
        yield from supported(f"{path}.operator", operator, ("Equal", "Exists"))
    if said.get("effect"):
        yield from supported(f"{path}.effect", said["effect"], EFFECTS)


def configuration(said: Obj, path: str) -> Wrong:
    """What a driver is told, in words of its own."""
    opaque = said.get("opaque")
    if opaque is None:
        yield required(f"{path}.opaque")
        return
    yield from driver_name(opaque.get("driver") or "", f"{path}.opaque.driver")
    told = opaque.get("parameters")
    if told is None:
        yield required(f"{path}.opaque.parameters")
    elif len(json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()) > LONGEST_PARAMETERS:
        yield too_long(f"{path}.opaque.parameters", LONGEST_PARAMETERS)
    elif not isinstance(told, Mapping):
        yield invalid(f"{path}.opaque.parameters", "<value omitted>", "must be a valid JSON object")


def full_name(name: str, path: str) -> Wrong:
    """The name of an attribute, with its domain."""
    domain, slash, rest = name.partition("/")
    if not slash:
        yield invalid(path, name, "a fully qualified name must be a domain and a name separated by a slash")
        return
    yield from [] if domain else [invalid(path, "", "prefix must not be empty")]
    if domain:
        yield from each([f"prefix: {text}" for text in names.dns_subdomain(domain.lower())], path, domain)
    yield from _identifier(rest, path) if rest else [invalid(path, "", "name must not be empty")]


def attribute_name(name: str, path: str) -> Wrong:
    """The name of an attribute, with or without a domain."""
    domain, slash, rest = name.partition("/")
    if not slash:
        yield from _identifier(name, path)
    elif "/" not in rest:
        yield from driver_name(domain, path) if domain else [invalid(path, "", "the domain must not be empty")]
        yield from _identifier(rest, path) if rest else [invalid(path, "", "the name must not be empty")]


def _identifier(name: str, path: str) -> Wrong:
    if len(name.encode()) > LONGEST_IDENTIFIER:
        yield too_long(path, LONGEST_IDENTIFIER)
    yield from each(names.identifier(name), path, name)
