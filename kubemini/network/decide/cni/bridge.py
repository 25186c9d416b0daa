"""bridge: a switch in software on the host, and a cable from it into each pod.

Invariant: a failed ADD gives the address back, but leaves the cable (and the bridge) behind: DEL is there for that.
The bridge gets the gateway's address and, with it, a hardware address that stays.
Models containernetworking/plugins plugins/main/bridge cmdAdd
Simplified: no VLANs, no check of spoofed hardware addresses.
"""

from typing import Any

from kubemini.network.decide.cni import interfaces
from kubemini.network.decide.cni.calls import Call, Plugin, Result, arguments, chained
from kubemini.network.decide.cni.host.addresses import ip_interface
from kubemini.network.decide.cni.host.errors import KernelError, PluginError
from kubemini.network.decide.cni.host.namespaces import NO_ADDRESS, Host, Link, Namespace

FORWARD = {4: "net/ipv4/ip_forward", 6: "net/ipv6/conf/all/forwarding"}


def _mac(call: Call) -> str:
    """The hardware address that somebody asked for; the last one wins."""
    by_args = arguments(call.args, ("MAC",)).get("MAC", "")
    by_config = ((call.config.get("args") or {}).get("cni") or {}).get("mac")
    return str((call.config.get("runtimeConfig") or {}).get("mac") or by_config or by_args)


def _name(call: Call) -> str:
    return str(call.config.get("bridge", "cni0"))


def _with_ipam(call: Call) -> bool:
    return bool((call.config.get("ipam") or {}).get("type"))


def add(host: Host, call: Call) -> Result:
    """Bridge, cable, address, routes, gateway, masquerading: in this order."""
    config, mac = call.config, _mac(call)
    if _with_ipam(call) and config.get("disableContainerInterface"):
        raise PluginError("cannot use IPAM when DisableContainerInterface flag is set")
    if config.get("hairpinMode") and config.get("promiscMode"):
        raise PluginError("cannot set hairpin mode and promiscuous mode at the same time")
    before = _bridge(host, call).mac
    pod = interfaces.pod_of(host, call.netns)
    inside, outside = interfaces.new_pair(host, pod, call.ifname, config.get("mtu", 0), mac)
    outside.hairpin, outside.isolated = bool(config.get("hairpinMode")), bool(config.get("portIsolation"))
    host.enslave(outside.name, _name(call))
    result: Result = {}
    if _with_ipam(call):
        result = interfaces.ipam(host, call, "ADD")
        try:
            _third_layer(host, call, pod, result, before)
        except PluginError:
            interfaces.ipam(host, call, "DEL")
            raise
    elif not config.get("disableContainerInterface"):
        pod.set_up(call.ifname)
    if config.get("dns"):
        result["dns"] = config["dns"]
    ends = [{"name": link.name, "mac": link.mac} for link in (host.own.links[_name(call)], outside)]
    ends.append({"name": inside.name, "mac": inside.mac, "sandbox": call.netns})
    return {"interfaces": ends} | result


def _bridge(host: Host, call: Call) -> Link:
    """The bridge, made if it is not there. PluginError: a link of that name is none."""
    name = _name(call)
    host.add_bridge(name, call.config.get("mtu", 0))
    link = host.own.links[name]
    if call.config.get("promiscMode"):
        link.promiscuous = True
    if link.kind != "bridge":
        raise PluginError(f'failed to create bridge "{name}": "{name}" already exists but is not a bridge')
    host.own.set_up(name)
    return link


def _third_layer(host: Host, call: Call, pod: Namespace, result: Result, before: str) -> None:
    """Addresses and what goes with them; *before* is the bridge's hardware address before the cable came."""
    if not result.get("ips"):
        raise PluginError("IPAM plugin returned missing IP config")
    is_gateway = bool(call.config.get("isGateway") or call.config.get("isDefaultGateway"))
    own = _gateways(call, result, is_gateway)
    interfaces.configure(pod, call.ifname, result, own)
    for ip in result["ips"] if is_gateway else ():
        address = ip_interface(ip["address"])
        _ensure_address(host, call, f"{ip['gateway']}/{address.network.prefixlen}", before)
        host.own.sysctls[FORWARD[address.version]] = "1"
    if call.config.get("ipMasq"):
        interfaces.masquerade(host, call, result)


def _gateways(call: Call, result: Result, is_gateway: bool) -> dict[str, Any] | None:
    """Fill in gateways and, if asked for, a default route a family; the IPv4 one is returned if it was added.

    It looks only at routes that name a gateway: a default route of the IPAM configuration that names none is not
    seen, and the same route twice is what the kernel then refuses.
    """
    own, found = None, set()
    for ip in result["ips"]:
        address = ip_interface(ip["address"])
        ip["interface"] = 2
        if "gateway" not in ip and is_gateway:
            ip["gateway"] = str(address.network.network_address + 1)
        default = "0.0.0.0/0" if address.version == 4 else "::/0"
        if call.config.get("isDefaultGateway") and default not in found:
            found.add(default)
            routes = result.setdefault("routes", [])
            if not any(r.get("gw") and r["dst"] == default for r in routes):
                routes.append({"dst": default, "gw": ip["gateway"]})
                own = routes[-1] if address.version == 4 else own
    return own


def _ensure_address(host: Host, call: Call, gateway: str, before: str) -> None:
    """Give the bridge the gateway's address. PluginError: it has another one, and forceAddress is off."""
    link = host.own.links[_name(call)]
    new = ip_interface(gateway)
    for held in [ip_interface(a) for a in link.addresses]:
        near = held.version == new.version and (new.version == 4 or held.network.overlaps(new.network))
        if held != new and near:
            if not call.config.get("forceAddress"):
                raise PluginError(
                    f'failed to set bridge addr: "{link.name}" already has an IP address different from {gateway}'
                )
            host.own.remove_address(link.name, str(held))
    if gateway not in link.addresses:
        host.own.add_address(link.name, gateway)
    if not link.pinned:
        link.mac = before if before != NO_ADDRESS else host.new_mac()
        link.pinned = True


def delete(host: Host, call: Call) -> None:
    """Cable, address, masquerading. It succeeds whatever is missing; what it cannot find out, it leaves behind."""
    _mac(call)
    addresses = interfaces.detach(host, call) if call.netns else None
    if _with_ipam(call):
        interfaces.ipam(host, call, "DEL")
    if addresses is not None and _with_ipam(call) and call.config.get("ipMasq"):
        interfaces.unmasquerade(host, call, addresses)


def check(host: Host, call: Call) -> None:
    """Whether all is as ADD left it. PluginError: the first thing that is not."""
    pod = interfaces.pod_of(host, call.netns)
    if _with_ipam(call):
        interfaces.ipam(host, call, "CHECK")
    result = chained(call, "Required prevResult missing")
    parts = {part["name"]: part for part in result.get("interfaces", ())}
    bridge = _check_bridge(host, call, parts.get(_name(call), {}))
    contained = parts.get(call.ifname, {})
    if contained.get("sandbox", "") != call.netns:
        raise PluginError(
            f"Sandbox in prevResult {contained.get('sandbox', '')} doesn't match configured netns: {call.netns}"
        )
    inside = check_pod_end(pod, contained)
    others = [part for name, part in parts.items() if name not in (bridge.name, call.ifname)]
    if not any(_is_cable(host, part, inside, bridge) for part in others):
        raise PluginError(f"CNI veth created for bridge {bridge.name} was not found")
    interfaces.verify(pod, call.ifname, result)


def _check_bridge(host: Host, call: Call, part: dict[str, Any]) -> Link:
    name = part.get("name", "")
    if not name:
        raise PluginError("Interface name missing ")
    if name not in host.own.links:
        raise PluginError(f"Interface name {name} not found")
    if part.get("sandbox"):
        raise PluginError(f"Interface {name} should not be in sandbox")
    link = host.own.links[name]
    if link.kind != "bridge":
        raise PluginError(f"Interface {name} does not have link type of bridge")
    if part.get("mac") and part["mac"] != link.mac:
        raise PluginError(f"Bridge interface {name} Mac doesn't match: {part['mac']}")
    wanted = bool(call.config.get("promiscMode"))
    if link.promiscuous != wanted:
        said = [str(value).lower() for value in (wanted, link.promiscuous)]
        raise PluginError(
            f"Bridge interface {name} configured Promisc Mode {said[0]} doesn't match current state: {said[1]} "
        )
    return link


def check_pod_end(pod: Namespace, part: dict[str, Any]) -> Link:
    """The pod's end of the cable. PluginError: it is gone, no veth, or has another hardware address."""
    name = part["name"]
    try:
        link = pod.link(name)
    except KernelError:
        raise PluginError(f"Interface name {name} not found") from None
    if link.kind != "veth":
        raise PluginError(f"Error: Container interface {name} not of type veth")
    if part.get("mac") and part["mac"] != link.mac:
        raise PluginError(f"Interface {name} Mac {part['mac']} doesn't match container Mac: {link.mac}")
    return link


def _is_cable(host: Host, part: dict[str, Any], inside: Link, bridge: Link) -> bool:
    """Whether this interface of the host is the other end, and a port of the bridge."""
    name = part["name"]
    if name not in host.own.links:
        raise PluginError(f"Interface name {name} not found")
    link = host.own.links[name]
    if inside.peer != ("", name) or link.master != bridge.name:
        return False
    if part.get("mac") and part["mac"] != link.mac:
        raise PluginError(f"Interface {name} Mac doesn't match: {part['mac']} not found")
    return True


def status(host: Host, call: Call) -> None:
    """Whether pods can be added: as far as it looks, whether the IPAM plugin is there."""
    if _with_ipam(call):
        interfaces.ipam(host, call, "STATUS")


PLUGIN = Plugin(add, delete, check, status=status)
