"""Connection tracking: flows that the kernel has seen, and how it translates them. Pure.

Invariant: addresses are translated as the first packet of a flow was; rules that change later change
nothing for it. An entry becomes visible only when its first packet leaves (or arrives): of a packet
that was dropped or refused nothing stays.
Models torvalds/linux net/netfilter/nf_conntrack_core.c resolve_normal_ct
Models torvalds/linux net/netfilter/nf_nat_core.c nf_nat_packet
Models torvalds/linux net/netfilter/nf_conntrack_proto_tcp.c nf_conntrack_tcp_packet
Simplified: no windows of TCP, no helpers, no zones; an answer alone makes a flow established; a table
is never full.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from kubemini.host.linux.packet import Ends, Packet
from kubemini.sim.units import SECOND

# seconds a silent flow is remembered; net.netfilter.nf_conntrack_*_timeout* of Linux
TIMEOUTS = {
    "TCP": {"new": 120, "established": 432_000, "closing": 120, "closed": 10},
    "UDP": {"new": 30, "established": 120},
    "SCTP": {"new": 3, "established": 210},
    "ICMP": {"new": 30, "established": 30},
}
SOURCE, DESTINATION = "source", "destination"  # which end a hook translates


@dataclass(slots=True)
class Entry:
    """One flow: as its first packet came (*original*), and as answers to it will come (*reply*)."""

    original: Ends
    reply: Ends
    state: str = "new"
    until: int = 0  # µs
    confirmed: bool = False
    decided: set[str] = field(default_factory=set)  # ends that NAT has settled, be it "as they are"

    @property
    def dnat(self) -> bool:
        """Whether its destination is translated (ct status dnat)."""
        return self.original[3:] != self.reply[1:3]

    @property
    def snat(self) -> bool:
        """Whether its source is translated."""
        return self.original[1:3] != self.reply[3:]

    def __str__(self) -> str:
        """As ``conntrack -L`` prints it, without its timer."""
        (protocol, *way), (_, *back) = self.original, self.reply
        seen = "" if self.state != "new" else " [UNREPLIED]"
        return f"{protocol.lower()} {_way(way)}{seen} {_way(back)}"


def _way(ends: Sequence[object]) -> str:
    source, sport, destination, dport = ends
    return f"src={source} dst={destination} sport={sport} dport={dport}"


@dataclass(slots=True)
class Tracked:
    """What conntrack says of one packet: its entry, whether it is an answer, and its state."""

    entry: Entry | None
    is_reply: bool
    state: str  # NEW, ESTABLISHED, RELATED, INVALID, UNTRACKED


@dataclass(slots=True)
class Conntrack:
    """The table of one namespace."""

    flows: dict[Ends, Entry] = field(default_factory=dict)

    def look(self, packet: Packet, now: int) -> Tracked:
        """What is known of *packet*; a first packet gets an entry that is not in the table yet."""
        if packet.about is not None:
            return self._related(packet.about, now)
        entry = self.find(packet.ends, now)
        if entry is None and packet.protocol == "TCP" and packet.flags in {"SA", "R"}:
            return Tracked(None, False, "INVALID")
        if entry is None:
            return Tracked(Entry(packet.ends, turned(packet.ends)), False, "NEW")
        is_reply = packet.ends == entry.reply and packet.ends != entry.original
        state = "ESTABLISHED" if is_reply or entry.state != "new" else "NEW"
        return Tracked(entry, is_reply, state)

    def _related(self, about: Packet, now: int) -> Tracked:
        """An ICMP error belongs to the flow that it quotes, and goes against it."""
        against = turned(about.ends)
        entry = self.find(against, now)
        if entry is None:
            return Tracked(None, False, "INVALID")
        return Tracked(entry, against == entry.reply, "RELATED")

    def find(self, ends: Ends, now: int) -> Entry | None:
        """The entry that a packet with these ends belongs to, if it is not too old."""
        entry = self.flows.get(ends)
        if entry is not None and entry.until <= now:
            self.forget(entry)
            return None
        return entry

    def confirm(self, tracked: Tracked, packet: Packet, now: int) -> None:
        """The packet made it through: its entry stands in the table, and lives on."""
        entry = tracked.entry
        if entry is None or tracked.state == "RELATED":
            return
        if not entry.confirmed:
            entry.confirmed = True
            self.flows[entry.original] = self.flows[entry.reply] = entry
        if tracked.is_reply and entry.state == "new":
            entry.state = "established"
        if packet.protocol == "TCP" and packet.flags in {"F", "R"}:
            entry.state = "closing" if packet.flags == "F" else "closed"
        entry.until = now + TIMEOUTS[packet.protocol][entry.state] * SECOND

    def forget(self, entry: Entry) -> None:
        """Delete one entry."""
        for ends in (entry.original, entry.reply):
            if self.flows.get(ends) is entry:
                del self.flows[ends]

    def entries(self) -> list[Entry]:
        """Every entry once, the oldest first."""
        return list({id(entry): entry for entry in self.flows.values()}.values())

    def delete(self, protocol: str, to: str = "", port: int = 0, endpoint: str = "") -> list[Entry]:
        """``conntrack -D -p … --orig-dst to --orig-port-dst port --dst-nat endpoint``.

        Empty values match all; returns what was deleted.
        """
        gone = [
            e
            for e in self.entries()
            if e.original[0] == protocol
            and to in ("", e.original[3])
            and port in (0, e.original[4])
            and (not endpoint or (e.dnat and e.reply[1] == endpoint))
        ]
        for entry in gone:
            self.forget(entry)
        return gone

    def free(self, reply: Ends) -> bool:
        """Whether no flow expects answers with these ends yet."""
        return reply not in self.flows


def turned(ends: Ends) -> Ends:
    """The ends of an answer."""
    protocol, source, sport, destination, dport = ends
    return (protocol, destination, dport, source, sport)


def translated(packet: Packet, tracked: Tracked, end: str) -> Packet:
    """*packet* with one end put as its flow's entry says; an ICMP error with what it quotes."""
    entry = tracked.entry
    if entry is None:
        return packet
    _, source, sport, destination, dport = turned(entry.original if tracked.is_reply else entry.reply)
    if packet.about is not None:
        return _translated_error(packet, tracked, end)
    if end == SOURCE:
        return replace(packet, source=source, sport=sport)
    return replace(packet, destination=destination, dport=dport)


def _translated_error(packet: Packet, tracked: Tracked, end: str) -> Packet:
    """Models torvalds/linux net/netfilter/nf_nat_proto.c nf_nat_icmp_reply_translation."""
    entry, about = tracked.entry, packet.about
    assert entry is not None and about is not None
    if not (entry.dnat if (end == SOURCE) == tracked.is_reply else entry.snat):
        return packet
    _, receiver, rport, sender, port = entry.original if tracked.is_reply else entry.reply
    if end == SOURCE:
        return replace(packet, source=sender, about=replace(about, destination=sender, dport=port))
    return replace(packet, destination=receiver, about=replace(about, source=receiver, sport=rport))
