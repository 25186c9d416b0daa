"""What the plugins that make interfaces share: their addresses and routes, the IPAM plugin they call, masquerading.

Models containernetworking/plugins pkg/ipam ConfigureIface
Models containernetworking/plugins pkg/ip ValidateExpectedInterfaceIPs
Models containernetworking/plugins pkg/ip SetupIPMasqForNetworks
"""

import hashlib
from dataclasses import replace
from typing import Any

from kubemini.network.decide.cni import hostlocal
from kubemini.network.decide.cni.calls import Call, Plugin, Result, answer, current
from kubemini.network.decide.cni.host.addresses import ip_interface
from kubemini.network.decide.cni.host.errors import KernelError, NotThere, PluginError
from kubemini.network.decide.cni.host.iptables import Rule, comment, network
from kubemini.network.decide.cni.host.namespaces import Host, Link, Namespace, Route

IPAM: dict[str, Plugin] = {"host-local": hostlocal.PLUGIN}
MASQUERADE = "inet cni_plugins_masquerade"
POSTROUTING = "type nat hook postrouting priority srcnat; policy accept;"


def ipam(host: Host, call: Call, command: str) -> Result:
    """Call the IPAM plugin that the configuration names; its result for ADD. PluginError: as it says."""
    name = call.config["ipam"]["type"]
    if name not in IPAM or name not in host.plugins:
        raise PluginError(f'failed to find plugin "{name}" in path [{host.path}]')
    return current(answer(IPAM[name], host, replace(call, command=command)) or {})


def pod_of(host: Host, path: str) -> Namespace:
    """The namespace of the pod. PluginError: its path leads nowhere."""
    try:
        return host.namespace(path)
    except NotThere as error:
        raise PluginError(f'failed to open netns "{path}": {error}') from None


def new_pair(host: Host, pod: Namespace, name: str, mtu: int, mac: str = "") -> tuple[Link, Link]:
    """A veth pair: (the pod's end, the host's end). PluginError: the pod has an interface of that name."""
    outside, done = host.add_veth(pod, name, mtu, mac)
    if not done:
        raise PluginError(f'container veth name ("{name}") peer provided ("{outside}") already exists')
    host.own.set_up(outside)
    return pod.links[name], host.own.links[outside]


def configure(pod: Namespace, name: str, result: Result, own: Result | None = None) -> None:
    """Give an interface its addresses, switch it on, and add the routes. PluginError: the kernel refused.

    *own* is the default route that the plugin added to the result by itself, if it did.
    """
    for ip in result["ips"]:
        pod.add_address(name, ip["address"])
    pod.set_up(name)
    gateways = {ip_interface(ip["address"]).version: ip.get("gateway", "") for ip in reversed(result["ips"])}
    for route in result.get("routes", ()):
        to = ip_interface(route["dst"])
        via = route.get("gw") or gateways.get(to.version, "")
        metric = route.get("priority", 0)
        try:
            pod.add_route(Route(str(to.network), name, via, metric=metric))
        except KernelError as error:
            mask = _mask(to, whole=route is own)
            raise PluginError(
                f"failed to add route '{{{to.ip} {mask}}} via {via or '<nil>'} dev {name} "
                f"metric {metric} (Scope: universe, Table: 0)': {error}"
            ) from None


def _mask(to: Any, *, whole: bool) -> str:
    """The mask of a route as Go prints it; *whole*: the zero address stands for it, which Go keeps in 16 bytes."""
    if whole and to.version == 4:
        return "00000000000000000000ffff00000000"
    return str(to.netmask.packed.hex())


def addresses_of(pod: Namespace, name: str) -> list[str]:
    """The addresses of an interface that the world could reach."""
    link = pod.links.get(name)
    return list(link.addresses) if link else []


def verify(pod: Namespace, name: str, result: Result) -> None:
    """Whether addresses and routes are as ADD left them. PluginError: the first thing that is not."""
    for ip in result.get("ips", ()):
        if ip["address"] not in addresses_of(pod, name):
            raise PluginError(f"Failed to match addr {ip['address']} on interface {name}")
        subnet = str(ip_interface(ip["address"]).network)
        if not any(r.to == subnet for r in pod.routes):
            raise PluginError(f"Failed to find Gateway {ip.get('gateway', '<nil>')} for interface {name}")
    for route in result.get("routes", ()):
        to = ip_interface(route["dst"])
        via = route.get("gw", "") if to.network.prefixlen else ""
        if not any(r.to == str(to.network) and via in ("", r.via) for r in pod.routes):
            shown = (
                f"{{Dst:{{IP:{to.ip} Mask:{to.netmask.packed.hex()}}} GW:{route.get('gw', '<nil>')} "
                f"MTU:{route.get('mtu', 0)} AdvMSS:{route.get('advmss', 0)} Priority:{route.get('priority', 0)} "
                "Table:<nil> Scope:<nil>}"
            )
            raise PluginError(f"Expected Route {shown} not found in routing table")


def hashed(length: int, prefix: str, text: str) -> str:
    """A name of *length* letters: *prefix* and as much of a hash as fits."""
    return (prefix + hashlib.sha512(text.encode()).hexdigest())[:length]


def chain_of(call: Call, prefix: str = "") -> str:
    """The chain of this container: its name is a hash, so that DEL finds it without having kept anything."""
    return hashed(28, "CNI-" + prefix, call.network + call.container)


def masquerade(host: Host, call: Call, result: Result) -> None:
    """What leaves the pod's own subnet, multicast apart, gets the host's address. PluginError: no such back end."""
    backend = call.config.get("ipMasqBackend") or "iptables"
    if backend not in ("iptables", "nftables"):
        raise PluginError(f'unknown ipmasq backend "{backend}"')
    own = {"nftables": _by_nftables, "iptables": _by_iptables}[backend]
    own(host, call, [ip_interface(ip["address"]) for ip in result["ips"]])


def _by_iptables(host: Host, call: Call, addresses: list[Any]) -> None:
    chain, said = chain_of(call), comment(f'name: "{call.network}" id: "{call.container}"')
    for address in addresses:
        tables = host.tables[address.version]
        multicast = "! 224.0.0.0/4" if address.version == 4 else "! ff00::/8"
        tables.ensure("nat", chain)
        tables.add("nat", chain, Rule("ACCEPT", destination=str(address.network), matches=(said,)))
        tables.add("nat", chain, Rule("MASQUERADE", destination=multicast, matches=(said,)))
        tables.add("nat", "POSTROUTING", Rule(chain, source=network(str(address.ip)), matches=(said,)))


def _instance(call: Call) -> str:
    """The comment by which the nftables back end finds the rules of one interface."""
    hashes = f"{hashed(16, '', call.network)}-{hashed(16, '', f'{call.ifname}:{call.container}')}"
    return f"{hashes}, net: {call.network}, if: {call.ifname}, id: {call.container}"[:128]


def _by_nftables(host: Host, call: Call, addresses: list[Any]) -> None:
    about = "Masquerading for plugins from github.com/containernetworking/plugins"
    table = host.ruleset.table(MASQUERADE, about)
    what = "Masquerade traffic from certain IPs to any (non-multicast) IP outside their subnet"
    checks = table.chain("masq_checks", comment=what)
    postrouting = table.chain("postrouting", POSTROUTING)
    returned = ("ip daddr 224.0.0.0/4 return", "ip6 daddr ff00::/8 return", "goto masq_checks")
    postrouting.rules = [(text, "") for text in returned]
    host.ruleset.remove(MASQUERADE, "masq_checks", {_instance(call)})
    for address in addresses:
        ip = "ip" if address.version == 4 else "ip6"
        checks.rules.append((f"{ip} saddr {address.ip} {ip} daddr != {address.network} masquerade", _instance(call)))


def unmasquerade(host: Host, call: Call, addresses: list[str]) -> None:
    """Take the rules away again, of both back ends; iptables needs the addresses to find its own."""
    chain, said = chain_of(call), comment(f'name: "{call.network}" id: "{call.container}"')
    for address in (ip_interface(a) for a in addresses):
        tables = host.tables[address.version]
        tables.remove("nat", "POSTROUTING", Rule(chain, source=network(str(address.ip)), matches=(said,)))
        tables.ensure("nat", chain)
        try:
            tables.drop("nat", chain)
        except KernelError:  # an earlier DEL of this container did not find its address: that rule still jumps there
            program = "iptables" if address.version == 4 else "ip6tables"
            raise PluginError(
                f"running [/usr/sbin/{program} -t nat -X {chain} --wait]: exit status 4: {program} v1.8.9 (nf_tables): "
                f" CHAIN_DEL failed (Device or resource busy): chain {chain}\n"
            ) from None
    host.ruleset.remove(MASQUERADE, "masq_checks", {_instance(call)})


def detach(host: Host, call: Call) -> list[str] | None:
    """Delete the pod's interface: its addresses, none if it was gone; None: the namespace itself is gone."""
    if call.netns not in host.pods:
        return None
    pod = host.pods[call.netns]
    found = addresses_of(pod, call.ifname)
    if call.ifname in pod.links:
        host.remove_link(pod, call.ifname)
    return found
