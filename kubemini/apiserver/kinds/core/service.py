"""Services.

Models k/k pkg/registry/core/service strategy; k/k pkg/apis/core/validation ValidateServiceCreate,
ValidateServiceUpdate; defaults: k/k pkg/apis/core/v1 SetDefaults_Service.
Its addresses and families: ``apiserver/decide/allocation``.
Simplified: status of load balancers is not judged.
"""

from collections.abc import Sequence
from typing import Any

from kubemini.api import names
from kubemini.api.kinds import SERVICE
from kubemini.api.objects import Obj, evolve, get
from kubemini.apiserver.columns import AGE, NAME, NONE, UNKNOWN, WIDE, Column, at, pairs
from kubemini.apiserver.decide.allocation import carried, families
from kubemini.apiserver.decide.allocation.ports import wants_health_port
from kubemini.apiserver.rules import causes
from kubemini.apiserver.rules.addresses import cidr
from kubemini.apiserver.rules.causes import Wrong, duplicate, each, forbidden, invalid, required, supported
from kubemini.apiserver.rules.filling import filled
from kubemini.apiserver.rules.metadata import label_pairs
from kubemini.apiserver.rules.pods.containers import PROTOCOLS
from kubemini.apiserver.rules.pods.probes import port as port_or_name
from kubemini.apiserver.served import ServedKind, serve

TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
OUTSIDE = ("NodePort", "LoadBalancer")
LONGEST_AFFINITY = 86400  # seconds
DEFAULT_AFFINITY = 10800
BALANCED = "may only be used when `type` is 'LoadBalancer'"
DISTRIBUTIONS = ("PreferClose", "PreferSameZone", "PreferSameNode")

HINTS, TOPOLOGY = "service.kubernetes.io/topology-aware-hints", "service.kubernetes.io/topology-mode"


def defaults(obj: Obj) -> Obj:
    """*obj* with every default."""
    spec = filled(obj.get("spec"), type="ClusterIP", sessionAffinity="None")
    if spec["type"] != "ExternalName":
        spec = filled(spec, internalTrafficPolicy="Cluster")
    if carried.seen_from_outside(spec):
        spec = filled(spec, externalTrafficPolicy="Cluster")
    if spec["type"] == "LoadBalancer":
        spec = filled(spec, allocateLoadBalancerNodePorts=True)
    if spec["sessionAffinity"] == "None":
        spec.pop("sessionAffinityConfig", None)
    if spec["sessionAffinity"] == "ClientIP":
        seconds = get(spec, "sessionAffinityConfig", "clientIP", "timeoutSeconds")
        if seconds is None:
            spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": DEFAULT_AFFINITY}}
    if spec.get("ports"):
        spec["ports"] = [_port_defaults(port) for port in spec["ports"]]
    return {**obj, "spec": spec}


def _port_defaults(port: Obj) -> dict[str, Any]:
    full = filled(port, protocol="TCP", targetPort=port.get("port"))
    return full if full["targetPort"] not in (0, "") else {**full, "targetPort": port.get("port")}


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    spec = obj.get("spec") or {}
    ports, how = spec.get("ports") or [], spec.get("type", "")
    if not ports and spec.get("clusterIP") != "None" and how != "ExternalName":
        yield required("spec.ports")
    yield from _by_type(spec, how)
    yield from _ports(ports, "spec.ports")
    yield from label_pairs(spec.get("selector"), "spec.selector")
    yield from _affinity(spec)
    yield from _addresses(spec, how)
    yield from supported("spec.type", how, TYPES)
    yield from _node_ports(ports, how)
    yield from _port_pairs(ports)
    yield from _balancing(spec, how)
    yield from _policies(spec, how)


def _by_type(spec: Obj, how: str) -> Wrong:
    if how in OUTSIDE and spec.get("clusterIP") == "None":
        yield invalid("spec.clusterIPs[0]", "None", f"may not be set to 'None' for {how} services")
    if how != "ExternalName":
        return
    if spec.get("clusterIP") or spec.get("clusterIPs"):
        yield forbidden("spec.clusterIPs", "may not be set for ExternalName services")
    for field in carried.OF_ADDRESSES:
        if spec.get(field):
            yield forbidden(f"spec.{field}", "may not be set for ExternalName services")
    name = (spec.get("externalName") or "").removesuffix(".")
    yield from each(names.dns_subdomain(name), "spec.externalName", name) if name else [required("spec.externalName")]


def _ports(ports: Sequence[Obj], path: str) -> Wrong:
    """Models k/k pkg/apis/core/validation validateServicePort"""
    seen: list[str] = []
    for number, port in enumerate(ports):
        where, name = f"{path}[{number}]", port.get("name", "")
        if len(ports) > 1 and not name:
            yield required(f"{where}.name")
        elif name:
            yield from each(names.dns_label(name), f"{where}.name", name)
            if name in seen:
                yield duplicate(f"{where}.name", name)
            seen.append(name)
        yield from each(names.port_number(port.get("port", 0)), f"{where}.port", port.get("port", 0))
        yield from supported(f"{where}.protocol", port.get("protocol", ""), PROTOCOLS)
        yield from port_or_name(port.get("targetPort") or port.get("port", 0), f"{where}.targetPort")
        if port.get("appProtocol") is not None:
            yield from each(names.qualified_name(port["appProtocol"]), f"{where}.appProtocol", port["appProtocol"])


def _affinity(spec: Obj) -> Wrong:
    """Models k/k pkg/apis/core/validation validateClientIPAffinityConfig"""
    how, config = spec.get("sessionAffinity", ""), spec.get("sessionAffinityConfig")
    yield from supported("spec.sessionAffinity", how, ("ClientIP", "None"))
    seconds = get(config, "clientIP", "timeoutSeconds")
    if how == "ClientIP" and seconds is not None and not 0 < seconds <= LONGEST_AFFINITY:
        text = f"must be greater than 0 and less than {LONGEST_AFFINITY}"
        yield invalid("spec.sessionAffinityConfig.clientIP.timeoutSeconds", seconds, text)


def _addresses(spec: Obj, how: str) -> Wrong:
    """Its families and cluster IPs, and addresses that somebody else routes here."""
    if how != "ExternalName":
        yield from families.related(spec)
    for number, address in enumerate(spec.get("externalIPs") or ()):
        yield from causes.ip(address, f"spec.externalIPs[{number}]")


def _node_ports(ports: Sequence[Obj], how: str) -> Wrong:
    seen: list[tuple[str, int]] = []
    for number, port in enumerate(ports):
        if how == "ClusterIP" and port.get("nodePort"):
            yield forbidden(f"spec.ports[{number}].nodePort", "may not be used when `type` is 'ClusterIP'")
    for number, port in enumerate(ports):
        pair = (port.get("protocol", ""), port.get("nodePort") or 0)
        if pair[1] and pair in seen:
            yield duplicate(f"spec.ports[{number}].nodePort", pair[1])
        seen.append(pair)


def _port_pairs(ports: Sequence[Obj]) -> Wrong:
    for number, port in enumerate(ports):
        same = {"port": port.get("port"), "protocol": port.get("protocol")}
        if any(same == {key: other.get(key) for key in same} for other in ports[:number]):
            yield duplicate(f"spec.ports[{number}]", same)


def _balancing(spec: Obj, how: str) -> Wrong:
    """What only a load balancer has. Models k/k pkg/apis/core/validation validateLoadBalancerClassField"""
    ranges, balanced = spec.get("loadBalancerSourceRanges"), how == "LoadBalancer"
    if ranges and not balanced:
        yield forbidden("spec.LoadBalancerSourceRanges", BALANCED)
    for number, value in enumerate(ranges or ()):
        yield from cidr(value.strip(), f"spec.LoadBalancerSourceRanges[{number}]")
    if spec.get("allocateLoadBalancerNodePorts") is not None and not balanced:
        yield forbidden("spec.allocateLoadBalancerNodePorts", BALANCED)
    yield from _class(spec, how)


def _class(spec: Obj, how: str) -> Wrong:
    called = spec.get("loadBalancerClass")
    if called is not None and how == "LoadBalancer":
        yield from each(names.qualified_name(called), "spec.loadBalancerClass", called)
    elif called is not None:
        yield forbidden("spec.loadBalancerClass", BALANCED)


def _policies(spec: Obj, how: str) -> Wrong:
    """Who may come in from outside, and where he is sent."""
    outside, policies = spec.get("externalTrafficPolicy"), ("Cluster", "Local")
    if outside and not carried.seen_from_outside(spec):
        text = "may only be set for externally-accessible services"
        yield invalid("spec.externalTrafficPolicy", outside, text)
    elif outside:
        yield from supported("spec.externalTrafficPolicy", outside, policies)
    yield from _health_port(spec)
    if spec.get("internalTrafficPolicy"):
        yield from supported("spec.internalTrafficPolicy", spec["internalTrafficPolicy"], policies)
    if spec.get("trafficDistribution"):
        yield from supported("spec.trafficDistribution", spec["trafficDistribution"], DISTRIBUTIONS)


def _health_port(spec: Obj) -> Wrong:
    """Models k/k pkg/apis/core/validation validateServiceExternalTrafficPolicy"""
    port = spec.get("healthCheckNodePort") or 0
    if port and not wants_health_port(spec):
        text = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        yield invalid("spec.healthCheckNodePort", port, text)
    elif port:
        yield from each(names.port_number(port), "spec.healthCheckNodePort", port)


def changes(new: Obj, old: Obj) -> Wrong:
    """A cluster IP stays for life, unless the Service becomes an ExternalName."""
    yield from families.changed(new["spec"], old["spec"])
    yield from _class_stays(new["spec"], old["spec"])
    yield from _class(new["spec"], new["spec"].get("type", ""))
    yield from _health_port_stays(new["spec"], old["spec"])


def _health_port_stays(new: Obj, old: Obj) -> Wrong:
    """Models k/k pkg/apis/core/validation validateServiceExternalTrafficFieldsUpdate"""
    both = wants_health_port(new) and wants_health_port(old)
    if both and new.get("healthCheckNodePort") != old.get("healthCheckNodePort"):
        yield forbidden("spec.healthCheckNodePort", causes.IMMUTABLE)


def _class_stays(new: Obj, old: Obj) -> Wrong:
    """Models k/k pkg/apis/core/validation validateLoadBalancerClassField"""
    both = new.get("type") == old.get("type") == "LoadBalancer"
    said = new.get("loadBalancerClass")
    if both and said != old.get("loadBalancerClass"):
        yield invalid("spec.loadBalancerClass", said, "may not change once set")


def status_rules(new: Obj, old: Obj) -> Wrong:
    """Models k/k pkg/apis/core/validation ValidateLoadBalancerStatus"""
    for number, door in enumerate(get(new, "status", "loadBalancer", "ingress", default=None) or ()):
        where = f"status.loadBalancer.ingress[{number}]"
        if door.get("ip"):
            yield from causes.ip(door["ip"], f"{where}.ip")
        if door.get("hostname"):
            yield from each(names.dns_subdomain(door["hostname"]), f"{where}.hostname", door["hostname"])


def settle(service: Obj) -> Obj:
    """Only a LoadBalancer has doors."""
    if service["spec"].get("type") == "LoadBalancer" or not get(service, "status", "loadBalancer"):
        return service
    return evolve(service, ("status", "loadBalancer"), {})


def settle_status(new: Obj, old: Obj, now: int) -> Obj:
    """A door with an address says how packets come through it."""
    doors = get(new, "status", "loadBalancer", "ingress")
    if not doors or new["spec"].get("type") != "LoadBalancer":
        return new
    told = [filled(door, ipMode="VIP") if door.get("ip") else door for door in doors]
    return evolve(new, ("status", "loadBalancer", "ingress"), told)


def warnings(new: Obj, old: Obj | None) -> list[str]:
    """Models k/k pkg/api/service GetWarningsForService"""
    spec = new["spec"]
    how, headless = spec.get("type"), spec.get("clusterIP") == "None" and spec.get("type") == "ClusterIP"
    told = []
    if HINTS in (new["metadata"].get("annotations") or {}):
        told.append(f"annotation {HINTS} is deprecated, please use {TOPOLOGY} instead")
    if headless:
        ignored = [field for field in ("loadBalancerIP", "externalIPs") if spec.get(field)]
        told += [f"spec.{field} is ignored for headless services" for field in ignored]
        if spec.get("sessionAffinity") != "None":
            told.append("spec.SessionAffinity is ignored for headless services")
    elif spec.get("externalIPs") and how != "ExternalName":
        told.append("spec.externalIPs is deprecated and may no longer be implemented in some clusters")
    if how == "ExternalName" and spec.get("externalIPs"):
        told.append('spec.externalIPs is ignored when spec.type is "ExternalName"')
    if how != "ExternalName" and spec.get("externalName"):
        told.append('spec.externalName is ignored when spec.type is not "ExternalName"')
    if spec.get("trafficDistribution") == "PreferClose":
        told.append('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"')
    return told


# -- columns -------------------------------------------------------------------------------------------


def _outside(service: Obj, now: int) -> str:
    """Models k/k pkg/printers/internalversion getServiceExternalIP"""
    spec = service.get("spec") or {}
    how, own = spec.get("type"), list(spec.get("externalIPs") or ())
    if how == "ExternalName":
        return spec.get("externalName", "")
    if how not in TYPES:
        return UNKNOWN
    doors = get(service, "status", "loadBalancer", "ingress") or () if how == "LoadBalancer" else ()
    at_doors = sorted({door.get("ip") or door.get("hostname") or "": None for door in doors})
    return ",".join([*filter(None, at_doors), *own]) or ("<pending>" if how == "LoadBalancer" else NONE)


def _ports_shown(service: Obj, now: int) -> str:
    shown = []
    for port in get(service, "spec", "ports") or ():
        outside = f":{port['nodePort']}" if port.get("nodePort") else ""
        shown.append(f"{port.get('port', 0)}{outside}/{port.get('protocol', '')}")
    return ",".join(shown) or NONE


COLUMNS = (
    NAME,
    Column("Type", at("spec", "type")),
    Column("Cluster-IP", at("spec", "clusterIPs", 0, default=NONE)),
    Column("External-IP", _outside),
    Column("Port(s)", _ports_shown),
    AGE,
    Column("Selector", lambda obj, now: pairs(get(obj, "spec", "selector")), priority=WIDE),
)


def summary(service: Obj) -> dict[str, Any]:
    """Its address."""
    return {"ip": get(service, "spec", "clusterIP", default="")}


serve(
    ServedKind(
        SERVICE,
        acted_on=True,
        created_by_put=True,
        returned=True,
        subresources=("status", "proxy"),
        name_rule=names.dns_label,
        fields=("spec.clusterIP", "spec.type"),
        defaults=defaults,
        prepare=carried.carried_over,
        rules=rules,
        changes=changes,
        changes_first=True,
        status_rules=status_rules,
        settle=settle,
        settle_status=settle_status,
        warnings=warnings,
        columns=COLUMNS,
        first_status=lambda obj: {"loadBalancer": {}},
        summary=summary,
        not_simulated=(
            "spec.loadBalancerIP",
            "spec.loadBalancerClass",
        ),
    )
)
