"""Endpoints, the older form of EndpointSlices.

Models k/k pkg/apis/core/validation ValidateEndpoints; defaults: k/k pkg/apis/core/v1 SetDefaults_Endpoints.
"""

from kubemini.api import names
from kubemini.api.kinds import ENDPOINTS
from kubemini.api.objects import Obj
from kubemini.apiserver.columns import AGE, NAME, NONE, Column
from kubemini.apiserver.rules.addresses import not_special
from kubemini.apiserver.rules.causes import Wrong, each, indexed, ip, required, supported
from kubemini.apiserver.rules.filling import filled
from kubemini.apiserver.rules.pods.containers import PROTOCOLS
from kubemini.apiserver.served import ServedKind, serve

MOST_SHOWN = 3


def defaults(obj: Obj) -> Obj:
    """*obj* with a protocol at each port."""
    subsets = []
    for subset in obj.get("subsets") or ():
        ports = [filled(port, protocol="TCP") for port in subset.get("ports") or ()]
        subsets.append({**subset, "ports": ports} if ports else subset)
    return {**obj, "subsets": subsets} if subsets else obj


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    yield from indexed(obj.get("subsets"), "subsets", _subset)


def _subset(subset: Obj, path: str) -> Wrong:
    if not subset.get("addresses") and not subset.get("notReadyAddresses"):
        yield required(path, "must specify `addresses` or `notReadyAddresses`")
    for side in ("addresses", "notReadyAddresses"):
        yield from indexed(subset.get(side), f"{path}.{side}", _address)
    for number, port in enumerate(subset.get("ports") or ()):
        where = f"{path}.ports[{number}]"
        if len(subset["ports"]) > 1 and not port.get("name"):
            yield required(f"{where}.name")
        elif port.get("name"):
            yield from each(names.dns_label(port["name"]), f"{where}.name", port["name"])
        yield from each(names.port_number(port.get("port", 0)), f"{where}.port", port.get("port", 0))
        yield from supported(f"{where}.protocol", port.get("protocol", ""), PROTOCOLS)
        if port.get("appProtocol") is not None:
            yield from each(names.qualified_name(port["appProtocol"]), f"{where}.appProtocol", port["appProtocol"])


def _address(address: Obj, path: str) -> Wrong:
    yield from ip(address.get("ip", ""), f"{path}.ip")
    for field, rule in (("hostname", names.dns_label), ("nodeName", names.dns_subdomain)):
        if address.get(field):
            yield from each(rule(address[field]), f"{path}.{field}", address[field])
    yield from not_special(address.get("ip", ""), f"{path}.ip")


def _shown(obj: Obj, now: int) -> str:
    """The first addresses, each with its port. Models k/k pkg/printers/internalversion formatEndpoints"""
    found: list[str] = []
    for subset in obj.get("subsets") or ():
        at = [address.get("ip", "") for address in subset.get("addresses") or ()]
        ports = [port.get("port", 0) for port in subset.get("ports") or ()]
        found += [names.host_port(ip, port) for port in ports for ip in at] if ports else at
    more = f" + {len(found) - MOST_SHOWN} more..." if len(found) > MOST_SHOWN else ""
    return ",".join(found[:MOST_SHOWN]) + more if obj.get("subsets") else NONE


serve(
    ServedKind(
        ENDPOINTS,
        acted_on=True,
        created_by_put=True,
        deprecated="v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
        defaults=defaults,
        rules=rules,
        columns=(NAME, Column("Endpoints", _shown), AGE),
    )
)
