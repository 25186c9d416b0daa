"""Network namespaces, their interfaces, and who sits on which wire. Pure.

Invariant: an address added to an interface brings its local and its connected route with it; a frame
for the next hop reaches whoever answers for that address on the same wire, and nobody else.
Models torvalds/linux net/ipv4/devinet.c inet_select_addr
Simplified: no ARP in time, no MAC addresses, no VLANs; a bridge knows where everybody is.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from kubemini.host.linux.addresses import within
from kubemini.host.linux.conntrack import Conntrack
from kubemini.host.linux.netfilter.ruleset import Ruleset
from kubemini.host.linux.routes import HOST, LINK, LOCAL, Route, Routes

VXLAN_OVERHEAD = 50  # bytes: 20 IPv4, 8 UDP, 8 VXLAN, 14 Ethernet
VXLAN_PORT = 8472
End = tuple[str, str]  # a namespace and an interface of it


@dataclass(slots=True)
class Interface:
    """One interface; *kind* is lo, veth, bridge or vxlan.

    *master* is the bridge it is a port of, *hairpin* lets a frame leave where it came in. A VXLAN
    interface sends from *local* and knows behind which machine a next hop is (*remotes*).
    """

    name: str
    kind: str = "veth"
    mtu: int = 1500
    addresses: list[str] = field(default_factory=list)
    peer: End | None = None
    master: str = ""
    hairpin: bool = False
    proxy_arp: bool = False
    local: str = ""
    remotes: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Namespace:
    """One network namespace: interfaces, routes, rules, connections, and who listens.

    *listening* maps (protocol, address or "", port) to a name, which an answer is signed with.
    """

    name: str
    interfaces: dict[str, Interface] = field(default_factory=dict)
    routes: Routes = field(default_factory=Routes)
    rules: Ruleset = field(default_factory=Ruleset)
    conntrack: Conntrack = field(default_factory=Conntrack)
    forwarding: bool = False
    bridge_nf: bool = False
    route_localnet: bool = False
    listening: dict[tuple[str, str, int], str] = field(default_factory=dict)

    def address(self, device: str, text: str) -> None:
        """``ip addr add text dev device``: the address, its local and its connected route."""
        here = text.split("/")[0]
        self.interfaces[device].addresses.append(text)
        self.routes.add(Route(here, device=device, kind="local", source=here, scope=HOST), LOCAL)
        if not text.endswith(("/32", "/128")):
            self.routes.add(Route(_net(text), device=device, source=here, scope=LINK))

    def listener(self, protocol: str, address: str, port: int) -> str | None:
        """Who listens at an address of ours, or on all of them."""
        exact = self.listening.get((protocol, address, port))
        return exact or self.listening.get((protocol, "", port))

    def source_for(self, device: str, next_hop: str) -> str:
        """The address that packets leave with through *device*, or "" if there is none.

        The first of the device that shares a network with the next hop, else its first, else the
        first of the others; of the next hop's family.
        """
        own = _leaving(self.interfaces[device].addresses, next_hop)
        near = [a for a in own if within(next_hop, a)]
        others = (a for i in self.interfaces.values() for a in _leaving(i.addresses, next_hop))
        return next(iter([*near, *own, *others]), "").split("/")[0]


def _leaving(addresses: Iterable[str], next_hop: str) -> list[str]:
    """Those that a packet to *next_hop* may leave with: of its family, and not of the loopback."""
    six = ":" in next_hop
    return [a for a in addresses if (":" in a) == six and not a.startswith(("127.", "::1/"))]


def _net(text: str) -> str:
    from ipaddress import ip_interface

    return str(ip_interface(text).network)


class Namespaces(dict[str, Namespace]):
    """All namespaces of a network, by name, and the wires between them."""

    def create(self, name: str) -> Namespace:
        """``ip netns add``: a namespace with a loopback interface."""
        if name in self:
            raise ValueError(f"{name}: File exists; choose another name for the namespace")
        here = self[name] = Namespace(name)
        here.interfaces["lo"] = Interface("lo", "lo", 65536, ["127.0.0.1/8"])
        loop = Route("127.0.0.0/8", device="lo", kind="local", source="127.0.0.1", scope=HOST)
        here.routes.add(loop, LOCAL)
        return here

    def bridge(self, namespace: str, name: str, mtu: int = 1500) -> Interface:
        """``ip link add name type bridge``."""
        made = self[namespace].interfaces[name] = Interface(name, "bridge", mtu)
        return made

    def veth(self, one: End, other: End, mtu: int = 1500, master: str = "") -> None:
        """``ip link add … type veth peer …``; *one* becomes a port of *master* if that is given."""
        hairpin = bool(master)
        self[one[0]].interfaces[one[1]] = Interface(one[1], "veth", mtu, peer=other, master=master, hairpin=hairpin)
        self[other[0]].interfaces[other[1]] = Interface(other[1], "veth", mtu, peer=one)

    def neighbour(self, namespace: str, device: str, address: str) -> End | None:
        """Who answers for *address* on the wire of *device*: ARP, without its time."""
        here = self[namespace].interfaces[device]
        ends = self.ports(namespace, device) if here.kind == "bridge" else self._across(here)
        return next((end for end in ends if self._answers(end, address)), None)

    def port_towards(self, namespace: str, bridge: str, target: End) -> str | None:
        """The port of *bridge* behind which *target* is."""
        for port in self._ports(namespace, bridge):
            if target in self._across(port):
                return port.name
        return None

    def ports(self, namespace: str, bridge: str, but: str = "") -> Iterator[End]:
        """Everyone behind the ports of a bridge, except behind *but*."""
        for port in self._ports(namespace, bridge):
            if port.name != but:
                yield from self._across(port)

    def _ports(self, namespace: str, bridge: str) -> Iterator[Interface]:
        return (i for i in self[namespace].interfaces.values() if i.master == bridge)

    def _across(self, device: Interface) -> Iterator[End]:
        """Everyone on the wire that leaves through *device*."""
        if device.peer is None:
            return
        namespace, name = device.peer
        far = self[namespace].interfaces[name]
        if far.master:
            yield namespace, far.master
            yield from self.ports(namespace, far.master, but=name)
        else:
            yield device.peer

    def _answers(self, end: End, address: str) -> bool:
        namespace, device = end
        here = self[namespace]
        return here.interfaces[device].proxy_arp or here.routes.is_local(address)
