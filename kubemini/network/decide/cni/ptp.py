"""ptp: a cable from each pod straight to the host, and routes at both ends; no bridge.

Invariant: the pod sends everything to the gateway, its neighbours too; the host knows each pod by a /32 route.
Models containernetworking/plugins plugins/main/ptp cmdAdd
"""

from typing import Any

from kubemini.network.decide.cni import interfaces
from kubemini.network.decide.cni.bridge import FORWARD
from kubemini.network.decide.cni.calls import Call, Plugin, Result, chained
from kubemini.network.decide.cni.host.addresses import ip_interface
from kubemini.network.decide.cni.host.errors import KernelError, PluginError
from kubemini.network.decide.cni.host.namespaces import Host, Link, Namespace, Route


def add(host: Host, call: Call) -> Result:
    """Address, cable, routes in the pod, address and route at the host's end, masquerading."""
    result = interfaces.ipam(host, call, "ADD")
    try:
        if not result.get("ips"):
            raise PluginError("IPAM plugin returned missing IP config")
        for ip in result["ips"]:
            host.own.sysctls[FORWARD[ip_interface(ip["address"]).version]] = "1"
        pod = interfaces.pod_of(host, call.netns)
        inside, outside = interfaces.new_pair(host, pod, call.ifname, call.config.get("mtu", 0))
        for ip in result["ips"]:
            ip["interface"] = 1
        interfaces.configure(pod, call.ifname, result)
        for ip in result["ips"]:
            _through_the_gateway(pod, call.ifname, ip)
            _to_the_pod(host, outside, ip)
        if call.config.get("ipMasq"):
            interfaces.masquerade(host, call, result)
    except PluginError:
        interfaces.ipam(host, call, "DEL")
        raise
    if call.config.get("dns"):
        result["dns"] = call.config["dns"]
    ends = [{"name": outside.name, "mac": outside.mac}]
    ends.append({"name": inside.name, "mac": inside.mac, "sandbox": call.netns})
    return {"interfaces": ends} | result


def _single(address: str) -> str:
    return address + ("/128" if ":" in address else "/32")


def _through_the_gateway(pod: Namespace, name: str, ip: dict[str, Any]) -> None:
    """In the pod: the gateway is near, its whole subnet lies behind it."""
    address = ip_interface(ip["address"])
    subnet, gateway, source = str(address.network), ip["gateway"], str(address.ip)
    pod.routes = [r for r in pod.routes if (r.to, r.dev, r.via) != (subnet, name, "")]
    near = Route(_single(gateway), name, scope="link", source=source)
    pod.routes += [near, Route(subnet, name, via=gateway, source=source)]


def _to_the_pod(host: Host, outside: Link, ip: dict[str, Any]) -> None:
    """On the host: the gateway's address on every cable, and one route a pod."""
    host.own.add_address(outside.name, _single(ip["gateway"]))
    route = Route(_single(str(ip_interface(ip["address"]).ip)), outside.name, scope="host")
    try:
        host.own.add_route(route, exclusive=True)
    except KernelError:  # a route of a pod that was here before stays, and wins
        return


def delete(host: Host, call: Call) -> None:
    """Address first, then the cable and the masquerading."""
    interfaces.ipam(host, call, "DEL")
    addresses = interfaces.detach(host, call) if call.netns else None
    if addresses and call.config.get("ipMasq"):
        interfaces.unmasquerade(host, call, addresses)


def check(host: Host, call: Call) -> None:
    """Whether the pod's end is as ADD left it. PluginError: the first thing that is not."""
    pod = interfaces.pod_of(host, call.netns)
    interfaces.ipam(host, call, "CHECK")
    result = chained(call, "ptp: Required prevResult missing")
    ours = (p for p in result.get("interfaces", ()) if (p["name"], p.get("sandbox")) == (call.ifname, call.netns))
    part = next(ours, None)
    if part is None:
        raise PluginError(f"Sandbox in prevResult  doesn't match configured netns: {call.netns}")
    _check_end(pod, part)
    interfaces.verify(pod, call.ifname, result)


def _check_end(pod: Namespace, part: dict[str, Any]) -> None:
    name = part["name"]
    if name not in pod.links:
        raise PluginError(f"ptp: Container Interface name in prevResult: {name} not found")
    if pod.links[name].kind != "veth":
        raise PluginError(f"Error: Container interface {name} not of type veth/p2p")
    mac = pod.links[name].mac
    if part.get("mac") and part["mac"] != mac:
        raise PluginError(f"ptp: Interface {name} Mac {part['mac']} doesn't match container Mac: {mac}")


def status(host: Host, call: Call) -> None:
    """Whether the IPAM plugin is there."""
    interfaces.ipam(host, call, "STATUS")


PLUGIN = Plugin(add, delete, check, status=status)
