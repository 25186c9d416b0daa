"""EndpointSlices.

Models k/k pkg/registry/discovery/endpointslice strategy; k/k pkg/apis/discovery/validation ValidateEndpointSlice;
defaults: k/k pkg/apis/discovery/v1 SetDefaults_EndpointPort.
"""

from collections.abc import Sequence
from typing import Any

from kubemini.api import names
from kubemini.api.kinds import ENDPOINT_SLICE
from kubemini.api.objects import Obj, get
from kubemini.apiserver.columns import AGE, NAME, UNSET, Column, at
from kubemini.apiserver.rules.addresses import ip_warnings, of_family
from kubemini.apiserver.rules.causes import (
    IMMUTABLE,
    Wrong,
    duplicate,
    each,
    indexed,
    invalid,
    required,
    supported,
    too_many,
)
from kubemini.apiserver.rules.filling import filled
from kubemini.apiserver.rules.pods.containers import PROTOCOLS
from kubemini.apiserver.served import ServedKind, serve

TYPES = ("FQDN", "IPv4", "IPv6")
MOST_PORTS, MOST_ENDPOINTS, MOST_ADDRESSES, MOST_HINTS = 20_000, 1000, 100, 8
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
CAREFUL = ("endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io")  # they write addresses well


def defaults(obj: Obj) -> Obj:
    """*obj* with a name and a protocol at each port; what is empty is stored as null."""
    ports = [filled(port, name="", protocol="TCP") for port in obj.get("ports") or []]
    return {**obj, "ports": ports or None, "endpoints": obj.get("endpoints") or None}


def rules(obj: Obj) -> Wrong:
    """Every complaint about its ports, of those that are written by hand."""
    ports = obj.get("ports") or ()
    if len(ports) > MOST_PORTS:
        yield too_many("ports", len(ports), MOST_PORTS)
    else:
        yield from _ports(ports, "ports")


def create_rules(obj: Obj) -> Wrong:
    """The same about its endpoints."""
    endpoints = obj.get("endpoints") or ()
    if len(endpoints) > MOST_ENDPOINTS:
        yield too_many("endpoints", len(endpoints), MOST_ENDPOINTS)
        return
    how = obj.get("addressType", "")
    yield from indexed(endpoints, "endpoints", lambda endpoint, path: _endpoint(endpoint, path, how))


def changes(new: Obj, old: Obj) -> Wrong:
    """Endpoints that stay are not judged again."""
    if (new.get("endpoints") or []) != (old.get("endpoints") or []):
        yield from create_rules(new)


def declared(obj: Obj, old: Obj | None) -> Wrong:
    """A family that is known, and stays; some addresses, not too many."""
    how, endpoints = obj.get("addressType", ""), obj.get("endpoints") or ()
    if old is None or how != old.get("addressType", ""):
        if not how:
            yield required("addressType")
        else:
            yield from supported("addressType", how, TYPES)
        if old is not None:
            yield invalid("addressType", None, IMMUTABLE)
    before = (old or {}).get("endpoints") or ()
    for number, endpoint in enumerate(endpoints):
        path, addresses = f"endpoints[{number}].addresses", endpoint.get("addresses") or ()
        if old is not None and endpoint in before:
            continue
        if not addresses:
            yield required(path)
        elif len(addresses) > MOST_ADDRESSES:
            yield too_many(path, len(addresses), MOST_ADDRESSES)


def _ports(ports: Sequence[Obj], path: str) -> Wrong:
    seen: list[str] = []
    for number, port in enumerate(ports):
        where, name = f"{path}[{number}]", port.get("name") or ""
        if name:
            yield from each(names.dns_label(name), f"{where}.name", name)
        if name in seen:
            yield duplicate(f"{where}.name", name)
        seen.append(name)
        yield from supported(f"{where}.protocol", port.get("protocol", ""), PROTOCOLS)
        if port.get("appProtocol") is not None:
            yield from each(names.qualified_name(port["appProtocol"]), f"{where}.appProtocol", port["appProtocol"])


def _endpoint(endpoint: Obj, path: str, how: str) -> Wrong:
    for number, address in enumerate(endpoint.get("addresses") or ()):
        yield from of_family(address, how, f"{path}.addresses", number)
    for field, rule in (("nodeName", names.dns_subdomain), ("hostname", names.dns_label)):
        if endpoint.get(field) is not None:
            yield from each(rule(endpoint[field]), f"{path}.{field}", endpoint[field])
    if endpoint.get("hints") is not None:
        yield from _hints(endpoint["hints"], f"{path}.hints")


def _hints(said: Obj, path: str) -> Wrong:
    """Models k/k pkg/apis/discovery/validation validateHints"""
    for field, rule in (("forZones", names.label_value), ("forNodes", names.dns_subdomain)):
        found = said.get(field) or ()
        if len(found) > MOST_HINTS:
            yield too_many(f"{path}.{field}", len(found), MOST_HINTS)
            return
        for number, one in enumerate(found):
            name, where = one.get("name", ""), f"{path}.{field}[{number}].name"
            if name in [other.get("name", "") for other in found[:number]]:
                yield duplicate(where, name)
            yield from each(rule(name), where, name)


def warnings(obj: Obj, old: Obj | None) -> list[str]:
    """Names in place of addresses, and addresses that are not written as they should be."""
    told = ["spec.addressType: FQDN endpoints are deprecated"] if old is None and obj["addressType"] == "FQDN" else []
    if get(obj, "metadata", "labels", MANAGED_BY) in CAREFUL:
        return told
    return told + [
        text
        for number, endpoint in enumerate(obj.get("endpoints") or ())
        for place, address in enumerate(endpoint.get("addresses") or ())
        for text in ip_warnings(address, f"endpoints[{number}].addresses[{place}]")
    ]


def prepare(new: Obj, old: Obj) -> Obj:
    """What v1beta1 called topology is not taken from anybody."""
    return _without_topology(new)


def _without_topology(obj: Obj) -> Obj:
    if not any("deprecatedTopology" in endpoint for endpoint in obj.get("endpoints") or ()):
        return obj
    kept = [{key: value for key, value in one.items() if key != "deprecatedTopology"} for one in obj["endpoints"]]
    return {**obj, "endpoints": kept}


def _counted(obj: Obj) -> Any:
    return get(obj, "metadata", "labels"), {key: value for key, value in obj.items() if key != "metadata"}


# -- columns -----------------------------------------------------------------------------------------


def _first_three(words: list[str]) -> str:
    """Models k/k pkg/printers/internalversion listWithMoreString"""
    shown = ",".join(words[:3])
    return f"{shown} + {len(words) - 3} more..." if len(words) > 3 else shown or UNSET


def _shown_ports(obj: Obj, now: int) -> str:
    ports = obj.get("ports") or ()
    return _first_three([str(port["port"] if port.get("port") is not None else port.get("name")) for port in ports])


def _shown_endpoints(obj: Obj, now: int) -> str:
    return _first_three([one for endpoint in obj.get("endpoints") or () for one in endpoint.get("addresses") or ()])


COLUMNS = (
    NAME,
    Column("AddressType", at("addressType")),
    Column("Ports", _shown_ports),
    Column("Endpoints", _shown_endpoints),
    AGE,
)


def summary(piece: Obj) -> dict[str, Any]:
    """How many of its endpoints are ready."""
    serving = [e for e in piece.get("endpoints") or () if get(e, "conditions", "ready", default=True)]
    return {"endpoints": len(serving)}


serve(
    ServedKind(
        ENDPOINT_SLICE,
        acted_on=True,
        counted=True,
        counts=_counted,
        defaults=defaults,
        begun=lambda obj, now: _without_topology(obj),
        prepare=prepare,
        rules=rules,
        create_rules=create_rules,
        changes=changes,
        declared=declared,
        warnings=warnings,
        columns=COLUMNS,
        summary=summary,
    )
)
