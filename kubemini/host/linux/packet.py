"""A packet as a header: what a router, a firewall and conntrack look at. Pure.

Invariant: a packet never changes; a hop that rewrites it makes another one.
Models torvalds/linux include/uapi/linux/ip.h iphdr
Simplified: no options, no fragments' offsets, no payload; ports of ICMP are its type and code.
"""

from dataclasses import dataclass, replace

from kubemini.api.names import host_port

Ends = tuple[str, str, int, str, int]  # protocol, source, its port, destination, its port


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet; addresses as text, *size* in bytes with its IPv4 header.

    *protocol* is "TCP", "UDP", "SCTP" or "ICMP". *flags* is what TCP says: "S" opens, "SA" agrees,
    "A" goes on, "F" ends, "R" resets; for ICMP, what it tells ("echo", "reply", "port unreachable").
    *df* forbids to cut it into fragments, which TCP asks for, and which a black hole lives on.
    *inside* is the packet that this one carries (VXLAN), *about* the one that an ICMP error quotes.
    """

    protocol: str
    source: str
    destination: str
    sport: int = 0
    dport: int = 0
    ttl: int = 64
    size: int = 60
    flags: str = ""
    df: bool = True
    inside: "Packet | None" = None
    about: "Packet | None" = None

    @property
    def reply(self) -> "Packet":
        """What the receiver answers with: ends swapped, a fresh TTL."""
        return replace(
            self,
            source=self.destination,
            destination=self.source,
            sport=self.dport,
            dport=self.sport,
            ttl=64,
            flags={"S": "SA", "echo": "reply"}.get(self.flags, self.flags),
        )

    @property
    def ends(self) -> "Ends":
        """What conntrack knows a flow by."""
        return (self.protocol, self.source, self.sport, self.destination, self.dport)

    def __str__(self) -> str:
        if self.protocol == "ICMP":
            return f"ICMP {self.flags} {self.source} → {self.destination}"
        return f"{self.protocol} {host_port(self.source, self.sport)} → {host_port(self.destination, self.dport)}"
