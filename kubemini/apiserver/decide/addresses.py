"""The addresses of Services: which a Service holds, keeps when it is written anew, gives back, and is given.

Pure, but for the rng (a `random.Random`) that is passed in.

    claims(service)              etcd keys of its cluster IP and node ports: one key an address, so none is given twice
    carried_over(new, old)       *new* with what its writer left to the server taken from *old*
    allocated(service, ...)      with a free cluster IP and free node ports where it needs some, or the refusal (422)

Theory of operation. An address belongs to whoever has its key in etcd. A Service and the keys of its addresses are
written by one transaction that demands that the keys it adds are absent; so two API servers that are asked at the same
instant cannot give one address twice, and no address leaks when a server dies half-way. Drawn addresses that turn out
to be taken are drawn again; one that was asked for is refused.
Models k/k pkg/registry/core/service/storage Allocators.allocateCreate allocateUpdate, patchAllocatedValues,
normalizeClusterIPs, pkg/registry/core/service dropTypeDependentFields. The range is kubeadm's
--service-cluster-ip-range 10.96.0.0/12.
Simplified: IPv4 only. The real server writes an IPAddress object before the Service, and keeps node ports as bits of
one object, which repair loops put right after a crash.
"""

from collections.abc import Callable, Container, Iterator
from typing import Any

from kubemini.api import errors
from kubemini.api.errors import FieldError
from kubemini.api.kinds import SERVICE
from kubemini.api.objects import Obj, evolve_many, freeze, without

IP_KEY, PORT_KEY = "/registry/ipaddresses/", "/registry/ranges/servicenodeports/"
FIRST_OCTET, SECOND_OCTETS = 10, (96, 111)
NODE_PORTS = (30_000, 32_767)
STATIC_IPS, STATIC_PORTS = 256, 86  # the first ones of a range: left to those who ask for an address
RANGE = f"provided port is not in the valid range. The range of valid ports is {NODE_PORTS[0]}-{NODE_PORTS[1]}"
WITH_NODE_PORTS = ("NodePort", "LoadBalancer")


# -- which a Service holds ---------------------------------------------------------------------------------------------


def claims(obj: Obj) -> dict[str, Obj]:
    """etcd key → what stands there, for each address that *obj* holds; nothing for other kinds."""
    if obj["kind"] != "Service":
        return {}
    meta = obj["metadata"]
    parent = {"resource": "services", "namespace": meta["namespace"], "name": meta["name"]}
    held = freeze({"spec": {"parentRef": parent}})
    return dict.fromkeys(_keys(obj.get("spec") or {}), held)


def _keys(spec: Obj) -> Iterator[str]:
    ip = spec.get("clusterIP")
    if ip and ip != "None":
        yield IP_KEY + ip
    for port in spec.get("ports") or ():
        if port.get("nodePort"):
            yield _port_key(port.get("protocol", "TCP"), port["nodePort"])
    if spec.get("healthCheckNodePort"):
        yield _port_key("TCP", spec["healthCheckNodePort"])


def _port_key(protocol: str, number: int) -> str:
    return f"{PORT_KEY}{protocol}/{number}"


def _needs_ip(spec: Obj) -> bool:
    return spec.get("type") != "ExternalName"


def _needs_ports(spec: Obj) -> bool:
    kind = spec.get("type")
    wanted = spec.get("allocateLoadBalancerNodePorts")
    return kind == "NodePort" or (kind == "LoadBalancer" and wanted is not False)


def seen_from_outside(spec: Obj) -> bool:
    """Models k/k pkg/apis/core/v1/service ExternallyAccessible"""
    kind = spec.get("type")
    return kind in WITH_NODE_PORTS or (kind == "ClusterIP" and bool(spec.get("externalIPs")))


def _needs_health_port(spec: Obj) -> bool:
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def _numbers(spec: Obj) -> list[int]:
    return [port["nodePort"] for port in spec.get("ports") or () if port.get("nodePort")]


# -- when it is written anew -------------------------------------------------------------------------------------------


def carried_over(new: Obj, old: Obj) -> Obj:
    """*new* with the addresses that its writer left out, and without those that its type has no use for."""
    before, after = old.get("spec") or {}, new.get("spec") or {}
    spec = _dropped(before, _patched(before, dict(after)))
    return new if spec == after else evolve_many(new, (("spec",), spec))


def _patched(before: Obj, spec: dict[str, Any]) -> dict[str, Any]:
    """Left out is not taken away."""
    if _needs_ip(before) and _needs_ip(spec):
        spec["clusterIP"] = spec.get("clusterIP") or before.get("clusterIP")
        moved = spec["clusterIP"] != before.get("clusterIP") and spec.get("clusterIPs") == before.get("clusterIPs")
        if not spec.get("clusterIPs") or moved:
            spec["clusterIPs"] = [spec["clusterIP"]] if spec["clusterIP"] else []
    if before.get("type") in WITH_NODE_PORTS and spec.get("type") in WITH_NODE_PORTS:
        spec["ports"] = _patched_ports(before, spec)
    if _needs_health_port(before) and _needs_health_port(spec):
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
    if _needs_ip(before) and not _needs_ip(spec) and before.get("clusterIPs") == spec.get("clusterIPs"):
        gone += ["clusterIP", "clusterIPs"]
        gone += [key for key in ("ipFamilies", "ipFamilyPolicy") if before.get(key) == spec.get(key)]
        gone += ["internalTrafficPolicy"] if "internalTrafficPolicy" in before else []
    leaves = before.get("type") in WITH_NODE_PORTS and spec.get("type") not in WITH_NODE_PORTS
    if leaves and set(_numbers(spec)) <= set(_numbers(before)):
        spec["ports"] = [without(port, ("nodePort",)) for port in spec.get("ports") or ()]
    if seen_from_outside(before) and not seen_from_outside(spec) and _same("externalTrafficPolicy", before, spec):
        gone.append("externalTrafficPolicy")
    if _needs_health_port(before) and not _needs_health_port(spec):
        gone += ["healthCheckNodePort"] if _same("healthCheckNodePort", before, spec) else []
    if before.get("type") == "LoadBalancer" and spec.get("type") != "LoadBalancer":
        gone += [key for key in ("allocateLoadBalancerNodePorts", "loadBalancerClass") if _same(key, before, spec)]
    return {key: value for key, value in spec.items() if key not in gone}


def _same(key: str, before: Obj, spec: Obj) -> bool:
    return bool(before.get(key) == spec.get(key))


# -- what it is given --------------------------------------------------------------------------------------------------


def allocated(service: Obj, held: Container[str], taken: Container[str], avoid: Container[str], rng: Any) -> Any:
    """*service* with every address it needs, or an ApiError.

    Keys: *held* are its own already, *taken* were just found to be others', *avoid* are probably others'.
    """
    spec = dict(service.get("spec") or {})
    wrong = _refused(spec, held, taken)
    if wrong:
        return errors.invalid(SERVICE, service["metadata"]["name"], wrong)

    def free(make: Callable[[], Any], key: Callable[[Any], str]) -> Any:
        while _static(drawn := make()) or key(drawn) in taken or key(drawn) in avoid or key(drawn) in mine:
            pass
        mine.append(key(drawn))
        return drawn

    mine = [*_keys(spec)]
    if _needs_ip(spec):
        ip = spec.get("clusterIP") or free(lambda: _an_ip(rng), IP_KEY.__add__)
        spec |= {"clusterIP": ip, "clusterIPs": spec.get("clusterIPs") or [ip]}
    if _needs_ports(spec):
        spec["ports"] = [_with_port(port, free, rng) for port in spec.get("ports") or ()]
    if _needs_health_port(spec) and not spec.get("healthCheckNodePort"):
        spec["healthCheckNodePort"] = free(lambda: rng.randint(*NODE_PORTS), lambda n: _port_key("TCP", n))
    return evolve_many(service, (("spec",), spec))


def _static(drawn: str | int) -> bool:
    """Whether an address lies in the lower band of its range: for a /12 and its ports, 256 and 86 of them.

    Models k/k pkg/registry/core/service/ipallocator calculateRangeOffset; pkg/registry/core/service/portallocator
    calculateRangeOffset
    Simplified: the band is never opened for lack of others.
    """
    if isinstance(drawn, int):
        return drawn < NODE_PORTS[0] + STATIC_PORTS
    _, second, third, fourth = map(int, drawn.split("."))
    return (second - SECOND_OCTETS[0] << 16) + (third << 8) + fourth <= STATIC_IPS


def _an_ip(rng: Any) -> str:
    return f"{FIRST_OCTET}.{rng.randint(*SECOND_OCTETS)}.{rng.randint(0, 255)}.{rng.randint(1, 254)}"


def _with_port(port: Obj, free: Any, rng: Any) -> Obj:
    if port.get("nodePort"):
        return port
    protocol = port.get("protocol", "TCP")
    number = free(lambda: rng.randint(*NODE_PORTS), lambda n: _port_key(protocol, n))
    return evolve_many(port, (("nodePort",), number))


def _refused(spec: Obj, held: Container[str], taken: Container[str]) -> list[FieldError]:
    """Addresses that were asked for and cannot be had."""
    wrong = []
    ip = spec.get("clusterIP")
    if ip and ip != "None" and IP_KEY + ip not in held:
        why = "" if _in_range(ip) else "the provided network does not match the current range"
        why = "provided IP is already allocated" if IP_KEY + ip in taken else why
        if why:
            text = f'Invalid value: ["{ip}"]: failed to allocate IP {ip}: {why}'
            wrong.append(FieldError("FieldValueInvalid", "spec.clusterIPs", text))
    asked = [
        (f"spec.ports[{number}].nodePort", port.get("protocol", "TCP"), port["nodePort"])
        for number, port in enumerate(spec.get("ports") or ())
        if port.get("nodePort")
    ]
    if spec.get("healthCheckNodePort"):
        asked.append(("spec.healthCheckNodePort", "TCP", spec["healthCheckNodePort"]))
    return wrong or _refused_ports(asked, held, taken)


def _refused_ports(asked: list[tuple[str, str, int]], held: Container[str], taken: Container[str]) -> list[FieldError]:
    seen: list[str] = []
    for field, protocol, number in asked:
        key = _port_key(protocol, number)
        why = "" if key in held or NODE_PORTS[0] <= number <= NODE_PORTS[1] else RANGE
        why = "provided port is already allocated" if key in seen or key in taken else why
        if why:
            return [FieldError("FieldValueInvalid", field, f"Invalid value: {number}: {why}")]
        seen.append(key)
    return []


def _in_range(ip: str) -> bool:
    first, second, *_ = ip.split(".")
    return first == str(FIRST_OCTET) and SECOND_OCTETS[0] <= int(second) <= SECOND_OCTETS[1]
