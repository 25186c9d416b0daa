"""A Service that is written anew: what its writer left out stays, what its new type has no use for goes. Pure.

Models k/k pkg/registry/core/service/storage patchAllocatedValues normalizeClusterIPs
Models k/k pkg/registry/core/service dropTypeDependentFields
"""

from typing import Any

from kubemini.api.objects import Obj, evolve_many, without
from kubemini.apiserver.decide.allocation.ports import WITH_NODE_PORTS, wants_health_port

OF_ADDRESSES = ("ipFamilies", "ipFamilyPolicy")
OF_BALANCERS = ("allocateLoadBalancerNodePorts", "loadBalancerClass")


def has_addresses(spec: Obj) -> bool:
    """Whether its type has cluster IPs, or says that it wants none."""
    return spec.get("type") != "ExternalName"


def seen_from_outside(spec: Obj) -> bool:
    """Models k/k pkg/api/service ExternallyAccessible"""
    kind = spec.get("type")
    return kind in WITH_NODE_PORTS or (kind == "ClusterIP" and bool(spec.get("externalIPs")))


def _numbers(spec: Obj) -> list[int]:
    return [port["nodePort"] for port in spec.get("ports") or () if port.get("nodePort")]


def carried_over(new: Obj, old: Obj) -> Obj:
    """*new* with the addresses that its writer left out, and without those that its type has no use for."""
    before, after = old.get("spec") or {}, new.get("spec") or {}
    spec = _dropped(before, _patched(before, dict(after)))
    return new if spec == after else evolve_many(new, (("spec",), spec))


def _patched(before: Obj, spec: dict[str, Any]) -> dict[str, Any]:
    """Left out is not taken away; who changes only clusterIP means the list as well."""
    if has_addresses(before) and has_addresses(spec):
        spec["clusterIP"] = spec.get("clusterIP") or before.get("clusterIP")
        spec["clusterIPs"] = spec.get("clusterIPs") or before.get("clusterIPs") or []
    moved = spec.get("clusterIP") != before.get("clusterIP")
    if spec.get("clusterIP") and moved and (spec.get("clusterIPs") or []) == (before.get("clusterIPs") or []):
        spec["clusterIPs"] = [spec["clusterIP"]]
    if before.get("type") in WITH_NODE_PORTS and spec.get("type") in WITH_NODE_PORTS:
        spec["ports"] = _patched_ports(before, spec)
    if wants_health_port(before) and wants_health_port(spec):
        spec["healthCheckNodePort"] = spec.get("healthCheckNodePort") or before.get("healthCheckNodePort")
    return spec


def _patched_ports(before: Obj, spec: Obj) -> list[Obj]:
    """A port of the same name keeps its node port, unless another port has taken it."""
    known = {port.get("name", ""): port.get("nodePort") for port in before.get("ports") or ()}
    used = [number for number in _numbers(spec) if number in known.values()]
    ports = []
    for port in spec.get("ports") or ():
        kept = known.get(port.get("name", ""))
        if not port.get("nodePort") and kept and kept not in used:
            used.append(kept)
            port = evolve_many(port, (("nodePort",), kept))
        ports.append(port)
    return ports


def _dropped(before: Obj, spec: dict[str, Any]) -> dict[str, Any]:
    """What came with the old type goes with it, unless the writer changed it: then validation speaks."""
    gone: list[str] = []
    if has_addresses(before) and not has_addresses(spec):
        gone += ["clusterIP", "clusterIPs"] if before.get("clusterIPs") == spec.get("clusterIPs") else []
        gone += [key for key in OF_ADDRESSES if _same(key, before, spec)]
        gone += ["internalTrafficPolicy"] if "internalTrafficPolicy" in before else []
    leaves = before.get("type") in WITH_NODE_PORTS and spec.get("type") not in WITH_NODE_PORTS
    if leaves and set(_numbers(spec)) <= set(_numbers(before)):
        spec["ports"] = [without(port, ("nodePort",)) for port in spec.get("ports") or ()]
    if seen_from_outside(before) and not seen_from_outside(spec) and _same("externalTrafficPolicy", before, spec):
        gone.append("externalTrafficPolicy")
    if wants_health_port(before) and not wants_health_port(spec):
        gone += ["healthCheckNodePort"] if _same("healthCheckNodePort", before, spec) else []
    if before.get("type") == "LoadBalancer" and spec.get("type") != "LoadBalancer":
        gone += [key for key in OF_BALANCERS if _same(key, before, spec)]
    return {key: value for key, value in spec.items() if key not in gone}


def _same(key: str, before: Obj, spec: Obj) -> bool:
    return bool(before.get(key) == spec.get(key))
