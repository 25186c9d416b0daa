"""The walk of a packet, hop by hop, from the socket that sends it to the one that gets it. Pure.

Theory of operation. A packet is a `Flight` that is passed from station to station; every station is a method
of `Walk` that returns the next one, until one of them ends it:

    output      a socket sends: route, OUTPUT, again a route if a rule changed the address, POSTROUTING
    transmit    out of a device: over a veth to its peer, into a VXLAN, or through the ports of a bridge
    bridge      a frame on a bridge. With br_netfilter its rules run here, too: a frame whose address
                they translate to somebody on the same bridge is bridged on and never routed, so its
                TTL stays, and it leaves where it came in only if the port is in hairpin mode
    receive     a device gets a packet: PREROUTING, then a route: for us, or to be forwarded
    forward     one TTL less, the MTU of the way out, FORWARD, POSTROUTING
    local       INPUT, then a socket; a VXLAN packet is unpacked and received once more

Each station leaves hops behind: where, what, the header before and after, and the rule. A packet that
is refused, too big or too old sends an ICMP error home, which walks like any packet: whether it
arrives decides what the sender learns. `connect` (exchange.py) walks a question and its answer.
Models torvalds/linux net/ipv4/ip_forward.c ip_forward
Models torvalds/linux net/ipv4/ip_input.c ip_rcv
Models torvalds/linux net/bridge/br_netfilter_hooks.c br_nf_pre_routing_finish
Models torvalds/linux drivers/net/vxlan/vxlan_core.c vxlan_xmit_one
Simplified: no fragments (a packet that may be cut passes whole), no rp_filter, no source routing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from kubemini.host.linux.netfilter import hooks
from kubemini.host.linux.netfilter.flight import Act, Choose, Flight, Step
from kubemini.host.linux.netns import (
    VXLAN_OVERHEAD,
    VXLAN_PORT,
    End,
    Interface,
    Namespace,
    Namespaces,
)
from kubemini.host.linux.packet import Packet
from kubemini.host.linux.routes import Route

Next = Callable[[], Any] | None  # the next station, or the end
Guard = Callable[[str, Packet], str]
ICMP_SIZE = 56  # bytes: IPv4, ICMP, and the header it quotes
DELIVERED = "delivered"


@dataclass(frozen=True, slots=True)
class Hop:
    """One thing that happened to a packet: where, what, its header before and after, and why."""

    namespace: str
    device: str
    what: str
    before: Packet
    after: Packet
    mtu: int = 0
    rule: str = ""

    @property
    def ttl(self) -> int:
        """What is left of the packet's life after this hop."""
        return self.after.ttl

    def row(self) -> dict[str, Any]:
        """As a table or a widget shows it."""
        return {
            "namespace": self.namespace,
            "device": self.device,
            "what": self.what,
            "before": str(self.before),
            "after": str(self.after),
            "ttl": self.ttl,
            "mtu": self.mtu,
            "rule": self.rule,
        }


@dataclass(frozen=True, slots=True)
class Ending:
    """How the walk of one packet ended: *how* is delivered, dropped, refused, expired, too big, lost,
    unreachable or hairpin; *step* is the rule that decided, *why* what decided if it was none.

    *error* is the ICMP message that the sender is due, and *namespace* who sends it.
    """

    how: str
    namespace: str
    packet: Packet
    why: str = ""
    step: Step | None = None
    error: Packet | None = None
    flight: Flight | None = None


@dataclass(slots=True)
class Walk:
    """One packet on its way; *run* takes it to its end.

    *guard* is asked in POSTROUTING, before a source is translated: (namespace, packet) → the rule of
    somebody who is handed packets there and lets this one go no further, or "".
    """

    net: Namespaces
    choose: Choose
    now: int = 0
    guard: Guard | None = None
    hops: list[Hop] = field(default_factory=list)
    steps: list[tuple[str, Step]] = field(default_factory=list)
    ended: Ending | None = None

    def run(self, namespace: str, packet: Packet) -> Ending:
        """Send *packet* from *namespace*; an empty source is filled in by the route."""
        flight = self._flight(namespace, packet)
        station: Next = lambda: self._output(self.net[namespace], flight)  # noqa: E731
        while station is not None:
            station = station()
        assert self.ended is not None
        return self.ended

    def _flight(self, namespace: str, packet: Packet) -> Flight:
        here = self.net[namespace]
        return Flight(packet, namespace, here.routes, self.choose, self.now)

    # -- what every station does -------------------------------------------------------------------
    def _end(self, here: Namespace, flight: Flight, how: str, why: str = "", **more: Any) -> Next:
        self.ended = Ending(how, here.name, flight.packet, why, flight=flight, **more)
        rule = str(more["step"]) if more.get("step") else why
        self._hop(here, flight.incoming or flight.outgoing, how, flight.packet, flight, rule)
        return None

    def _hop(
        self,
        here: Namespace,
        device: str,
        what: str,
        before: Packet,
        flight: Flight,
        rule: str = "",
    ) -> None:
        mtu = here.interfaces[device].mtu if device in here.interfaces else 0
        self.hops.append(Hop(here.name, device, what, before, flight.packet, mtu, rule))

    def _hook(self, here: Namespace, name: str, flight: Flight, next_hop: str = "") -> bool:
        """The packet through one hook; False if that was its end."""
        own = ""
        if name == "postrouting":
            if self.guard and (said := self.guard(here.name, flight.packet)):
                step = Step("policies of", here.name, said, "drop")
                self.steps.append((here.name, step))
                self._end(here, flight, "dropped", step=step)
                return False
            own = here.source_for(flight.outgoing, next_hop)
        elif name == "prerouting":
            own = here.source_for(flight.incoming, flight.packet.source)
        elif name == "output":
            own = "::1" if ":" in flight.packet.destination else "127.0.0.1"
        before, known = flight.packet, len(flight.steps)
        act = hooks.run(here.rules, here.conntrack, name, flight, own)
        new = flight.steps[known:]
        self.steps += [(here.name, step) for step in new]
        if act is not None:
            self._stopped(here, name, flight, act, new)
            return False
        if flight.packet != before:
            device = flight.outgoing if name in {"output", "postrouting"} else flight.incoming
            deciding = [s for s in new if s.verdict in {"dnat", "snat", "masquerade"}]
            rule = str(deciding[-1]) if deciding else f"conntrack: {_entry(flight)}"
            self._hop(here, device, f"translated in {name.upper()}", before, flight, rule)
        return True

    def _stopped(self, here: Namespace, hook: str, flight: Flight, act: Act, new: list[Step]) -> Next:
        verdicts = [s for s in new if s.verdict == act.kind]
        step = verdicts[0] if verdicts else None
        why = "" if step else f"policy {act.kind.upper()} of {hook.upper()}"
        if act.kind != "reject":
            return self._end(here, flight, "dropped", why, step=step)
        error = _error(flight.packet, "port unreachable")
        return self._end(here, flight, "refused", why, step=step, error=error)

    # -- stations ----------------------------------------------------------------------------------
    def _output(self, here: Namespace, flight: Flight) -> Next:
        route = here.routes.lookup(flight.packet.destination, flight.packet.source)
        if route is None or route.kind not in {"unicast", "local"}:
            return self._no_way(here, flight, route)
        if not flight.packet.source:
            flight.packet = replace(flight.packet, source=self._source(here, flight, route))
        asked = (flight.packet.destination, flight.mark)
        flight.outgoing = _leaves(route)
        self._hop(here, flight.outgoing, "sent", flight.packet, flight, f"route {route}")
        if not self._hook(here, "output", flight):
            return None
        if (flight.packet.destination, flight.mark) != asked:
            route = here.routes.lookup(flight.packet.destination, flight.packet.source)
            if route is None or route.kind not in {"unicast", "local"}:
                return self._no_way(here, flight, route)
            flight.outgoing = _leaves(route)
        loops = flight.outgoing == "lo"
        if flight.packet.source.startswith("127.") and not loops and not here.route_localnet:
            why = "an address of 127.0.0.0/8 does not leave the host (route_localnet is 0)"
            return self._end(here, flight, "dropped", why)
        if not self._fits(here, flight, local=True):
            return None
        if not self._hook(here, "postrouting", flight, route.next_hop(flight.packet.destination)):
            return None
        return self._leave(here, flight, route)

    def _source(self, here: Namespace, flight: Flight, route: Route) -> str:
        if route.source:
            return route.source
        return here.source_for(route.device, route.next_hop(flight.packet.destination))

    def _leave(self, here: Namespace, flight: Flight, route: Route) -> Next:
        if flight.outgoing == "lo":
            flight.incoming = "lo"
            return lambda: self._receive(here, flight)
        next_hop = route.next_hop(flight.packet.destination)
        return lambda: self._transmit(here, flight, route.device, next_hop)

    def _no_way(self, here: Namespace, flight: Flight, route: Route | None) -> Next:
        if route is not None and route.kind == "blackhole":
            return self._end(here, flight, "lost", f"route {route}")
        why = f"route {route}" if route else f"no route to {flight.packet.destination}"
        error = _error(flight.packet, "network unreachable")
        return self._end(here, flight, "unreachable", why, error=error)

    def _fits(self, here: Namespace, flight: Flight, local: bool = False) -> bool:
        device = here.interfaces[flight.outgoing]
        if flight.packet.size <= device.mtu or not flight.packet.df:
            return True
        why = f"{flight.packet.size} bytes do not fit into the MTU of {device.name}: {device.mtu}"
        error = None if local else _error(flight.packet, "fragmentation needed", device.mtu)
        self._end(here, flight, "too big", why, error=error)
        return False

    def _transmit(self, here: Namespace, flight: Flight, device: str, next_hop: str) -> Next:
        out = here.interfaces[device]
        if out.kind == "vxlan":
            return self._encapsulate(here, flight, out, next_hop)
        target = self.net.neighbour(here.name, device, next_hop)
        if target is None:
            why = f"nobody on the wire of {device} answers for {next_hop}"
            error = _error(flight.packet, "host unreachable")
            return self._end(here, flight, "unreachable", why, error=error)
        if out.kind == "bridge":
            port = self.net.port_towards(here.name, device, target)
            assert port is not None
            return lambda: self._cross(here, flight, port, target)
        return lambda: self._cross(here, flight, device, target)

    def _cross(self, here: Namespace, flight: Flight, device: str, target: End) -> Next:
        """Over a veth into the other namespace, where the packet's mark and connection are unknown."""
        peer = here.interfaces[device].peer
        assert peer is not None
        there = self.net[peer[0]]
        if there.name != here.name:
            flight = self._flight(there.name, flight.packet)
        far = there.interfaces[peer[1]]
        if far.master:
            return lambda: self._bridge(there, flight, far, target)
        flight.incoming = far.name
        return lambda: self._receive(there, flight)

    def _bridge(self, here: Namespace, flight: Flight, port: Interface, target: End) -> Next:
        bridge = port.master
        flight.incoming, flight.outgoing = bridge, ""
        if here.bridge_nf:
            before = flight.packet.destination
            if not self._hook(here, "prerouting", flight):
                return None
            if flight.packet.destination != before:
                target = self._moved(here, flight, bridge)
        if target == (here.name, bridge):
            return lambda: self._arrive(here, flight, done=here.bridge_nf)
        return lambda: self._bridged(here, flight, port, target)

    def _moved(self, here: Namespace, flight: Flight, bridge: str) -> End:
        """Whom a frame is for now that its address was translated: a neighbour, or the bridge."""
        route = here.routes.lookup(flight.packet.destination, flight.packet.source, bridge)
        if route is not None and route.kind == "unicast" and route.device == bridge:
            next_hop = route.next_hop(flight.packet.destination)
            found = self.net.neighbour(here.name, bridge, next_hop)
            if found is not None:
                return found
        return here.name, bridge

    def _bridged(self, here: Namespace, flight: Flight, port: Interface, target: End) -> Next:
        out = self.net.port_towards(here.name, port.master, target)
        assert out is not None
        if out == port.name and not port.hairpin:
            why = f"{out} is not in hairpin mode: {port.master} sends no frame back where it came in"
            return self._end(here, flight, "dropped", why)
        flight.outgoing = port.master
        if here.bridge_nf:
            if not self._hook(here, "forward", flight):
                return None
            if not self._hook(here, "postrouting", flight, flight.packet.destination):
                return None
        self._hop(here, port.master, "bridged", flight.packet, flight, f"{port.name} → {out}")
        return lambda: self._cross(here, flight, out, target)

    def _receive(self, here: Namespace, flight: Flight) -> Next:
        return self._arrive(here, flight, done=False)

    def _arrive(self, here: Namespace, flight: Flight, done: bool) -> Next:
        """At the IP layer; *done*: PREROUTING has run on the bridge already."""
        flight.outgoing = ""
        if not done and not self._hook(here, "prerouting", flight):
            return None
        packet = flight.packet
        outside = flight.incoming != "lo" and not here.route_localnet
        if outside and "127." in (packet.source[:4], packet.destination[:4]):
            return self._end(here, flight, "dropped", "martian: 127.0.0.0/8 from a wire")
        route = here.routes.lookup(packet.destination, packet.source, flight.incoming)
        if route is not None and route.kind == "local":
            return lambda: self._local(here, flight)
        if not here.forwarding:
            why = f"{packet.destination} is not an address of {here.name}, which forwards nothing"
            return self._end(here, flight, "dropped", why)
        if route is None or route.kind != "unicast":
            return self._no_way(here, flight, route)
        return lambda: self._forward(here, flight, route)

    def _forward(self, here: Namespace, flight: Flight, route: Route) -> Next:
        before = flight.packet
        if before.ttl <= 1:
            error = _error(before, "time exceeded")
            return self._end(here, flight, "expired", "its TTL ended here", error=error)
        flight.packet = replace(before, ttl=before.ttl - 1)
        flight.outgoing = route.device
        if not self._fits(here, flight) or not self._hook(here, "forward", flight):
            return None
        self._hop(here, route.device, "forwarded", before, flight, f"route {route}")
        next_hop = route.next_hop(flight.packet.destination)
        if not self._hook(here, "postrouting", flight, next_hop):
            return None
        return lambda: self._transmit(here, flight, route.device, next_hop)

    def _local(self, here: Namespace, flight: Flight) -> Next:
        if not self._hook(here, "input", flight):
            return None
        packet = flight.packet
        inner = packet.inside
        if inner is None or packet.dport != VXLAN_PORT:
            return self._end(here, flight, DELIVERED)
        device = next((i.name for i in here.interfaces.values() if i.kind == "vxlan"), None)
        if device is None:
            return self._end(here, flight, "dropped", "nobody here unpacks VXLAN")
        unpacked = self._flight(here.name, inner)
        unpacked.incoming = device
        self._hop(here, device, "unpacked", packet, unpacked, "VXLAN")
        return lambda: self._receive(here, unpacked)

    def _encapsulate(self, here: Namespace, flight: Flight, device: Interface, next_hop: str) -> Next:
        """Into a UDP packet to the machine that has the next hop; that packet is sent anew."""
        inner = flight.packet
        to = device.remotes.get(next_hop)
        if to is None:
            why = f"{device.name} does not know which host has {next_hop}"
            return self._end(here, flight, "unreachable", why)
        size = inner.size + VXLAN_OVERHEAD
        port = 49152 + sum(map(ord, f"{inner.ends}")) % 16384
        outer = Packet("UDP", device.local, to, port, VXLAN_PORT, size=size, df=False, inside=inner)
        wrapped = self._flight(here.name, outer)
        self._hop(here, device.name, "encapsulated", inner, wrapped, f"VXLAN to {to}")
        return lambda: self._output(here, wrapped)


def _leaves(route: Route) -> str:
    return "lo" if route.kind == "local" else route.device


def _entry(flight: Flight) -> str:
    tracked = flight.tracked
    return str(tracked.entry) if tracked and tracked.entry else ""


def _error(about: Packet, what: str, mtu: int = 0) -> Packet | None:
    """The ICMP error about a packet; none about an error. *mtu* stands in dport."""
    if about.about is not None:
        return None
    return Packet("ICMP", "", about.source, 0, mtu, size=ICMP_SIZE, flags=what, df=False, about=about)
