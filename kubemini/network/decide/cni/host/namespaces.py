"""A host as the CNI plugins find and leave it: network namespaces with links, addresses and routes, rules, files.

Invariant: only what the kernel would allow comes about: an address brings the route of its subnet, a link that goes
takes its addresses, its routes and its other end along, and a bridge without an address of its own wears the lowest
hardware address of its ports.
Names and hardware addresses that a real host draws at random are counted here, so that two runs are alike.
Models containernetworking/plugins pkg/ip SetupVeth
Models containernetworking/plugins pkg/ip DelLinkByNameAddr
Simplified: one routing table; no link is ever down without having been set so; no IPv6 link-local addresses.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from kubemini.network.decide.cni.host.addresses import ip_address, ip_interface, ip_network
from kubemini.network.decide.cni.host.errors import KernelError, NotThere
from kubemini.network.decide.cni.host.iptables import Tables
from kubemini.network.decide.cni.host.nftables import Ruleset

NO_ADDRESS = "00:00:00:00:00:00"
LOOPBACK = ("127.0.0.1/8", "::1/128")
ETHERNET = 1500  # bytes in a packet, unless somebody sets another MTU


@dataclass(slots=True)
class Link:
    """A network interface. *peer* is the other end of a veth pair: (path of its namespace, name)."""

    name: str
    kind: str | None = None
    mac: str = NO_ADDRESS
    mtu: int = ETHERNET
    master: str = ""
    peer: tuple[str, str] | None = None
    up: bool = False
    addresses: list[str] = field(default_factory=list)  # "10.244.1.3/24", as added
    pinned: bool = False  # its hardware address was set by somebody
    hairpin: bool = False
    isolated: bool = False
    promiscuous: bool = False
    all_multicast: bool = False
    queue: int = 1000  # packets (txqueuelen)
    qdiscs: list[dict[str, Any]] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        """As ``ip -json -details link`` and ``ip -json address`` tell it."""
        shown: dict[str, Any] = {"ifname": self.name, "mtu": self.mtu, "address": self.mac, "kind": self.kind}
        shown["link_type"] = "loopback" if self.name == "lo" else "ether"
        order = sorted(self.addresses, key=lambda a: ip_interface(a).version)
        return shown | {"addrs": order} | ({"master": self.master} if self.master else {})


@dataclass(frozen=True, slots=True)
class Route:
    """A row of a routing table; *to* is a network, ``0.0.0.0/0`` for the default route."""

    to: str
    dev: str
    via: str = ""
    scope: str = ""  # "" is global, as ip prints it
    source: str = ""
    metric: int = 0

    def row(self) -> dict[str, str]:
        """As ``ip -json route`` tells it."""
        network = ip_network(self.to)
        name = "default" if network.prefixlen == 0 else self.to
        if network.prefixlen == network.max_prefixlen:
            name = str(network.network_address)
        rest = {"gateway": self.via, "dev": self.dev, "scope": self.scope, "prefsrc": self.source}
        return {"dst": name} | {key: value for key, value in rest.items() if value}


@dataclass(slots=True)
class Namespace:
    """One network namespace."""

    path: str = ""
    links: dict[str, Link] = field(default_factory=dict)
    routes: list[Route] = field(default_factory=list)
    sysctls: dict[str, str] = field(default_factory=dict)

    def link(self, name: str) -> Link:
        """The link of that name. KernelError: there is none."""
        if name not in self.links:
            raise KernelError("Link not found")
        return self.links[name]

    def add_address(self, name: str, address: str) -> None:
        """Give a link an address, and its subnet a route. KernelError: it has it already."""
        link = self.link(name)
        if address in link.addresses:
            raise KernelError("file exists")
        link.addresses.append(address)
        if link.up:
            self._connect(link, address)

    def remove_address(self, name: str, address: str) -> None:
        """Take an address away, and the route of its subnet with it."""
        self.link(name).addresses.remove(address)
        source = address.partition("/")[0]
        self.routes = [r for r in self.routes if (r.dev, r.source) != (name, source)]
        self.routes = [r for r in self.routes if not r.via or self._on_link(r.via)]

    def set_up(self, name: str) -> None:
        """Switch a link on: the routes of its subnets appear, and lo has its two addresses."""
        link = self.link(name)
        if name == "lo":
            link.addresses += [a for a in LOOPBACK if a not in link.addresses]
        if not link.up:
            link.up = True
            for address in link.addresses:
                self._connect(link, address)

    def set_down(self, name: str) -> None:
        """Switch a link off: its routes go, and the IPv6 addresses."""
        link = self.link(name)
        link.up = False
        link.addresses = [a for a in link.addresses if ip_interface(a).version == 4]
        self.routes = [r for r in self.routes if r.dev != name]

    def _connect(self, link: Link, address: str) -> None:
        to = ip_interface(address)
        if to.network.prefixlen < to.max_prefixlen and link.name != "lo":
            scope = "link" if to.version == 4 else ""
            source = str(to.ip) if to.version == 4 else ""
            self.routes.append(Route(str(to.network), link.name, scope=scope, source=source))

    def add_route(self, route: Route, *, exclusive: bool = False) -> None:
        """Add a route. KernelError: it is there (with *exclusive* also by another way), or its gateway is not near."""
        same = [r for r in self.routes if (r.to, r.metric) == (route.to, route.metric)]
        if any((r.via, r.dev) == (route.via, route.dev) for r in same) or (exclusive and same):
            raise KernelError("file exists")
        if route.via and not self._on_link(route.via):
            raise KernelError("network is unreachable")
        self.routes.append(route)

    def _on_link(self, address: str) -> bool:
        near = (r for r in self.routes if not r.via)
        return any(ip_address(address) in ip_network(r.to) for r in near)

    def table(self) -> list[dict[str, str]]:
        """The main routing table of IPv4, as ``ip -json route`` orders it."""

        def place(route: Route) -> tuple[int, int]:
            network = ip_network(route.to)
            return (int(network.network_address), network.prefixlen)

        return [r.row() for r in sorted(self.routes, key=place) if ip_network(r.to).version == 4]


@dataclass(slots=True)
class Host:
    """A host: its own namespace, those of its pods by path, files by path, rules; *plugins* are what CNI_PATH holds."""

    name: str = "host"
    own: Namespace = field(default_factory=Namespace)
    pods: dict[str, Namespace] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    tables: dict[int, Tables] = field(default_factory=lambda: {4: Tables(), 6: Tables()})
    ruleset: Ruleset = field(default_factory=Ruleset)
    plugins: tuple[str, ...] = ()
    path: str = "/opt/cni/bin"
    drawn: int = 0

    def draw(self, what: str) -> str:
        """Eight hexadecimal digits that nobody on this host has yet."""
        self.drawn += 1
        return hashlib.sha256(f"{self.name} {what} {self.drawn}".encode()).hexdigest()[:8]

    def new_mac(self) -> str:
        """A hardware address of one's own: second bit of the first byte set."""
        digits = self.draw("mac") + self.draw("mac")[:2]
        return ":".join(["02", *(digits[i : i + 2] for i in range(0, 10, 2))])

    def namespace(self, path: str) -> Namespace:
        """The namespace at *path*. NotThere: there is none."""
        if path not in self.pods:
            raise NotThere(f'failed to Statfs "{path}": no such file or directory')
        return self.pods[path]

    def _at(self, path: str) -> Namespace:
        return self.pods[path] if path else self.own

    def add_bridge(self, name: str, mtu: int) -> None:
        """Create a bridge, unless a link of that name is there."""
        if name not in self.own.links:
            self.own.links[name] = Link(name, "bridge", self.new_mac(), mtu or ETHERNET)

    def add_veth(self, inside: Namespace, name: str, mtu: int, mac: str) -> tuple[str, bool]:
        """Create a veth pair between *inside* and the host: (name of the host's end, whether it could be done)."""
        outside = "veth" + self.draw("veth")
        if name in inside.links:
            return outside, False
        other = self.new_mac()
        inside.links[name] = Link(name, "veth", mac or self.new_mac(), mtu or ETHERNET, peer=("", outside))
        self.own.links[outside] = Link(outside, "veth", other, mtu or ETHERNET, peer=(inside.path, name))
        return outside, True

    def enslave(self, port: str, bridge: str) -> None:
        """Make a link a port of a bridge."""
        self.own.link(port).master = bridge
        self._dress(bridge)

    def remove_link(self, space: Namespace, name: str) -> None:
        """Delete a link with its routes, and its other end."""
        link = space.links.pop(name)
        space.routes = [r for r in space.routes if r.dev != name]
        if link.master:
            self._dress(link.master)
        if link.peer and link.peer[1] in self._at(link.peer[0]).links:
            self.remove_link(self._at(link.peer[0]), link.peer[1])

    def remove_namespace(self, path: str) -> None:
        """A pod's namespace goes, and every link in it."""
        space = self.pods[path]
        for name in list(space.links):
            self.remove_link(space, name)
        del self.pods[path]

    def _dress(self, bridge: str) -> None:
        """A bridge takes what its ports have: the smallest MTU, and the lowest hardware address until one is set."""
        link = self.own.links[bridge]
        ports = [port for port in self.own.links.values() if port.master == bridge]
        link.mtu = min((port.mtu for port in ports), default=ETHERNET)
        if not link.pinned:
            link.mac = min((port.mac for port in ports), default=NO_ADDRESS)

    def rows(self) -> list[dict[str, Any]]:
        """The links of the host."""
        return [link.row() for link in self.own.links.values()]


def namespace(path: str) -> Namespace:
    """A fresh network namespace of a pod: lo alone, and up."""
    fresh = Namespace(path, {"lo": Link("lo", mtu=65536)})
    fresh.set_up("lo")
    return fresh
