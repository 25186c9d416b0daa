"""Where a packet to a Service goes, in closed form: its fate, who may answer it, what they see. Pure.

Theory of operation. A packet meets the rules of the node it starts on (from outside: of the node it
reaches first); if none of them decides and its address belongs to another node, it meets the rules
there. A rule that decides gives a set of endpoints, each as likely as the others, or ends it. The
way there and the way back are two: the answer must pass the node whose rules rewrote the packet,
or nobody turns the address back and the client waits. It does if that node masqueraded the packet,
if the endpoint is on it, or if the client is.
Invariant: the same as what the rule text does, told by the same Table; another route to it.
Models k/k pkg/proxy/iptables Proxier.syncProxyRules; pkg/proxy/nftables Proxier.syncProxyRules
Simplified: an endpoint always answers; nodes stand in networks of 24 bits (64 of IPv6).
"""

from dataclasses import dataclass
from typing import Protocol

from kubemini.network.decide.services import iptablesmode, nftablesmode
from kubemini.network.decide.services.hooks import Chosen, Meeting
from kubemini.network.decide.services.ports import Endpoint, ServicePort, family
from kubemini.network.decide.services.world import LOOPBACK, Table, World, in_range


class Header(Protocol):
    """What of a packet decides; kubemini.host.linux.packet.Packet is one."""

    @property
    def protocol(self) -> str:
        """TCP, UDP, SCTP."""

    @property
    def source(self) -> str:
        """An address as text."""

    @property
    def destination(self) -> str:
        """An address as text."""

    @property
    def dport(self) -> int:
        """The port it goes to."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A header of our own, for those who have no packet."""

    protocol: str
    source: str
    destination: str
    dport: int


@dataclass(frozen=True, slots=True)
class Way:
    """One endpoint that may be picked, the source it sees, and whether its answer comes back."""

    endpoint: Endpoint
    source: str
    masqueraded: bool
    returns: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a packet.

    *fate*: connected; refused (by a rule); dropped (by a rule: the client waits); lost return;
    closed (no rule, nothing listens on the node); untouched (no rule, on to the default route).
    *rule* is the chain that decided and what it did, ``nat:KUBE-SEP-*=dnat``, "" where none did; *node*
    is where; *port* is the Service port. With affinity (*sticky*) a client that was here stays.
    """

    fate: str
    rule: str = ""
    node: str = ""
    port: ServicePort | None = None
    ways: tuple[Way, ...] = ()
    sticky: bool = False

    @property
    def backends(self) -> dict[str, str]:
        """The source address that each endpoint sees, of those whose answer comes back."""
        return {way.endpoint.address: way.source for way in self.ways if way.returns}

    @property
    def some_lost(self) -> bool:
        """Whether it depends on the pick: some answers come back, some do not."""
        return len({way.returns for way in self.ways}) == 2


def decide(world: World, node: str, packet: Header) -> Verdict:
    """What becomes of *packet*, which starts on, or from outside first reaches, *node*."""
    meeting, chosen = meet(world, node, packet)
    if chosen is None:
        return _without_rule(world, meeting)
    if chosen.fate != "dnat":
        return Verdict(chosen.fate, chosen.rule, meeting.table.node.name, chosen.port)
    ways = tuple(way(world, meeting, chosen, endpoint) for endpoint in chosen.endpoints)
    fate = "connected" if any(w.returns for w in ways) else "lost return"
    sticky = chosen.port is not None and chosen.port.affinity_s > 0
    return Verdict(fate, chosen.rule, meeting.table.node.name, chosen.port, ways, sticky)


def meet(world: World, node: str, packet: Header) -> tuple[Meeting, Chosen | None]:
    """Where the rules decide about *packet*, and how; None where none does."""
    home = world.owner(packet.destination)
    if not world.owner(packet.source) and _is_node(world, home, packet.destination):
        node = home  # from outside a node is reached by its own address
    meeting, chosen = _met(world.tables[node], packet)
    if chosen is None and home not in ("", node) and _is_node(world, home, packet.destination):
        meeting, chosen = _met(world.tables[home], packet)
    return meeting, chosen


def _is_node(world: World, name: str, ip: str) -> bool:
    return name in world.tables and ip in world.tables[name].own


def _met(table: Table, packet: Header) -> tuple[Meeting, Chosen | None]:
    if _by_hand(table, packet):
        primary = table.node.primary(family(packet.destination))
        if packet.protocol != "TCP":
            return Meeting(table, packet), Chosen("refused", "kube-proxy:nodeport-localhost=reject")
        packet = Asked(packet.protocol, primary, primary, packet.dport)
    meeting = Meeting(table, packet)
    rules = nftablesmode if table.config.mode == "nftables" else iptablesmode
    return meeting, rules.chosen(meeting)


def _by_hand(table: Table, packet: Header) -> bool:
    """Whether nftables mode's process in user space takes it: a node port on 127.0.0.1, if asked for.

    It opens a connection of its own to the node's address, so the source seen is the node's.
    """
    asked = table.config.mode == "nftables" and "localhost" in (table.config.node_port_addresses or ())
    ip = packet.destination
    if not asked or not in_range(ip, LOOPBACK[family(ip)]):
        return False
    return table.find_node_port(family(ip), packet.protocol, packet.dport) is not None


def _without_rule(world: World, meeting: Meeting) -> Verdict:
    """No rule that sends it on: kube-proxy's own port, closed on a node, a plain connection to a pod.

    Everything else goes off to the default route.
    """
    table, packet = meeting.table, meeting.packet
    name, ip = table.node.name, packet.destination
    if table.is_own(ip):
        if packet.protocol != "TCP" or not table.is_health_check(family(ip), packet.dport):
            return Verdict("closed", node=name)
        rule = f"{iptablesmode.HEALTH}=accept" if table.config.mode == "iptables" else ""
        itself = Way(Endpoint(ip, packet.dport, name), packet.source, False, True)
        return Verdict("connected", rule, name, ways=(itself,))
    if ip not in world.pods:
        return Verdict("untouched", node=name)
    source = table.way_out(ip) if meeting.from_self else packet.source
    endpoint = Endpoint(ip, packet.dport, world.pods[ip])
    return Verdict("connected", node=name, ways=(Way(endpoint, source, False, True),))


def way(world: World, meeting: Meeting, chosen: Chosen, endpoint: Endpoint) -> Way:
    """How the packet comes to *endpoint*, and whether the answer comes back.

    A pod that meets itself is masqueraded. Towards the node itself POSTROUTING is passed only by
    what the node sends: a pod keeps its source.
    """
    table, source = meeting.table, meeting.packet.source
    here, protocol = table.node.name, meeting.packet.protocol
    hairpin = endpoint.ip == source and table.is_hairpin(source, protocol, endpoint.port)
    to_self = endpoint.ip in table.own and not meeting.from_self
    if (chosen.masquerade or hairpin) and not to_self:
        return Way(endpoint, table.way_out(endpoint.ip), True, True)
    returns = here in (world.owner(source), world.owner(endpoint.ip) or endpoint.node)
    return Way(endpoint, source, False, returns)


def header(world: World, node: str, ip: str, protocol: str, destination: str, port: int) -> Asked:
    """A header from a pod or host of address *ip*; "" is *node* itself, which picks its source."""
    table = world.tables[node]
    if not ip:
        ip = destination if table.is_own(destination) else table.way_out(destination)
    return Asked(protocol, ip, destination, port)


def named(verdict: Verdict, names: dict[str, str]) -> dict[str, str]:
    """Its backends under names: ``{"web-1": "10.244.1.1"}``; an address without a name is itself."""
    return {names.get(w.endpoint.ip, w.endpoint.address): w.source for w in verdict.ways if w.returns}
