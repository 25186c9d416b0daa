"""EndpointSlices.

Models k/k pkg/registry/discovery/endpointslice strategy; k/k pkg/apis/discovery/validation ValidateEndpointSlice;
defaults: k/k pkg/apis/discovery/v1 SetDefaults_EndpointPort.
"""

from collections.abc import Sequence
from typing import Any

from kubemini.api import names
from kubemini.api.kinds import ENDPOINT_SLICE
from kubemini.api.objects import Obj, get
from kubemini.apiserver.rules.addresses import of_family
from kubemini.apiserver.rules.causes import IMMUTABLE, Wrong, duplicate, each, indexed, invalid, required, supported
from kubemini.apiserver.rules.containers import PROTOCOLS, filled
from kubemini.apiserver.served import ServedKind, serve

TYPES = ("FQDN", "IPv4", "IPv6")


def defaults(obj: Obj) -> Obj:
    """*obj* with a name and a protocol at each port."""
    ports = [filled(port, name="", protocol="TCP") for port in obj.get("ports") or []]
    return {**obj, "endpoints": obj.get("endpoints") or [], "ports": ports}


def rules(obj: Obj) -> Wrong:
    """Every complaint; who has no address at all is named last."""
    how, endpoints = obj.get("addressType", ""), obj.get("endpoints") or ()
    yield from _ports(obj.get("ports") or (), "ports")
    yield from indexed(endpoints, "endpoints", lambda endpoint, path: _endpoint(endpoint, path, how))
    yield from supported("addressType", how, TYPES) if how else [required("addressType")]
    for number, endpoint in enumerate(endpoints):
        if not endpoint.get("addresses"):
            yield required(f"endpoints[{number}].addresses")


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
        if endpoint.get(field):
            yield from each(rule(endpoint[field]), f"{path}.{field}", endpoint[field])


def changes(new: Obj, old: Obj) -> Wrong:
    """The family of its addresses stays."""
    if new.get("addressType") != old.get("addressType"):
        yield invalid("addressType", new.get("addressType"), IMMUTABLE)


def summary(piece: Obj) -> dict[str, Any]:
    """How many of its endpoints are ready."""
    serving = [e for e in piece.get("endpoints") or () if get(e, "conditions", "ready", default=True)]
    return {"endpoints": len(serving)}


serve(
    ServedKind(
        ENDPOINT_SLICE,
        acted_on=True,
        counted=True,
        defaults=defaults,
        rules=rules,
        changes=changes,
        summary=summary,
    )
)
