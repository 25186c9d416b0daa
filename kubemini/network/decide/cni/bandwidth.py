"""bandwidth: a token bucket on the cable into the pod, and one on a device of its own for what comes out of it.

Invariant: Linux shapes only what it sends; what a pod sends is received on the cable, so it is first redirected to an
``ifb`` device and shaped on its way out of there.
Models containernetworking/plugins plugins/meta/bandwidth cmdAdd
"""

from typing import Any

from kubemini.network.decide.cni import interfaces
from kubemini.network.decide.cni.calls import VERSIONS, Call, Plugin, Result, chained, previous
from kubemini.network.decide.cni.host.errors import PluginError
from kubemini.network.decide.cni.host.namespaces import Host, Link

LATENCY = 0.025  # seconds that a packet may wait in the bucket
LARGEST_BURST = 2**32 - 1  # bytes
KEYS = ("ingressRate", "ingressBurst", "egressRate", "egressBurst")  # bits a second, bits


def _limits(call: Call) -> dict[str, int]:
    """The limits: those of the configuration, else those of the runtime. PluginError: half of a pair is missing."""
    own = {key: call.config[key] for key in KEYS if key in call.config}
    limits = own or (call.config.get("runtimeConfig") or {}).get("bandwidth") or {}
    for way in ("ingress", "egress"):
        rate, burst = limits.get(f"{way}Rate", 0), limits.get(f"{way}Burst", 0)
        if rate and not burst:
            raise PluginError("if rate is set, burst must also be set")
        if burst and not rate:
            raise PluginError("if burst is set, rate must also be set")
        if burst // 8 >= LARGEST_BURST:
            raise PluginError("burst cannot be more than 4GB")
    return {key: value for key, value in limits.items() if value}


def _device(call: Call) -> str:
    return interfaces.hashed(15, "bwp", call.network + call.container)


def bucket(rate: int, burst: int) -> dict[str, Any]:
    """A token bucket filter: bytes a second, bytes at once, bytes that may wait. *rate*, *burst* in bits."""
    return {"kind": "tbf", "rate": rate // 8, "burst": burst // 8, "limit": int(rate // 8 * LATENCY) + burst // 8}


def _outside(host: Host, call: Call, result: Result) -> Link:
    """The host's end of the pod's cable. PluginError: it is not there, or not in the result."""
    parts = result.get("interfaces", ())
    if not parts:
        raise PluginError("no interfaces provided")
    pod = interfaces.pod_of(host, call.netns)
    inside = pod.links.get(call.ifname)
    if inside is None:
        why = f'could not look up "{call.ifname}": Link not found'
        raise PluginError(f"container interface {call.ifname} has no veth peer: {why}")
    for part in parts:
        if not part.get("sandbox") and inside.peer == ("", part["name"]):
            return host.own.links[part["name"]]
    raise PluginError("no veth peer of container interface found in host ns")


def add(host: Host, call: Call) -> Result:
    """Shape both ways. PluginError: it is not chained after the plugin that made the cable."""
    limits, result = _limits(call), previous(call)
    if not limits:
        return result or {}
    if result is None:
        raise PluginError("must be called as chained plugin")
    outside = _outside(host, call, result)
    if "ingressRate" in limits:
        _attach(outside, bucket(limits["ingressRate"], limits["ingressBurst"]), "create qdisc")
    if "egressRate" in limits:
        name = _device(call)
        if name in host.own.links:
            raise PluginError("adding link: file exists")
        shaper = host.own.links[name] = Link(name, "ifb", host.new_mac(), outside.mtu, up=True)
        _attach(outside, {"kind": "ingress", "redirect": name}, "create ingress qdisc")
        _attach(shaper, bucket(limits["egressRate"], limits["egressBurst"]), "create ifb qdisc")
        result["interfaces"].append({"name": name, "mac": shaper.mac})
    return result


def _attach(link: Link, qdisc: dict[str, Any], doing: str) -> None:
    """A link has one qdisc of a kind. PluginError: it has one, left by an ADD without a DEL of the cable."""
    if any(there["kind"] == qdisc["kind"] for there in link.qdiscs):
        raise PluginError(f"{doing}: file exists")
    link.qdiscs.append(qdisc)


def delete(host: Host, call: Call) -> None:
    """Remove the device; the buckets on the cable go with the cable."""
    _limits(call)
    if _device(call) in host.own.links:
        host.remove_link(host.own, _device(call))


def check(host: Host, call: Call) -> None:
    """Whether both buckets are there. PluginError: one is not, or has other numbers."""
    limits, result = _limits(call), chained(call, "must be called as a chained plugin")
    outside = _outside(host, call, result)
    if "ingressRate" in limits:
        _check_bucket(outside, bucket(limits["ingressRate"], limits["ingressBurst"]))
    if "egressRate" in limits:
        if _device(call) not in host.own.links:
            raise PluginError("get ifb device: Link not found")
        _check_bucket(host.own.links[_device(call)], bucket(limits["egressRate"], limits["egressBurst"]))


def _check_bucket(link: Link, wanted: dict[str, Any]) -> None:
    if not link.qdiscs:
        raise PluginError("Failed to find qdisc")
    found = link.qdiscs[0]
    if found["kind"] == "tbf":
        for key, said in (("rate", "Rate"), ("limit", "Limit"), ("burst", "Buffer")):
            if found[key] != wanted[key]:
                raise PluginError(f"{said} doesn't match")


PLUGIN = Plugin(add, delete, check, versions=VERSIONS[2:])
