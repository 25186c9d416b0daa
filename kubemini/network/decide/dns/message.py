"""Questions and answers of DNS as values, and the arithmetic of names.

Invariant: a name in a record or a question is whole and ends in a dot; case is kept, and never counts.
RFC 1034, RFC 1035; package dns of the library that CoreDNS uses.
Simplified: records of class IN only, no EDNS, no truncation, no DNSSEC.
"""

import ipaddress
from dataclasses import dataclass, replace

NOERROR, NXDOMAIN, SERVFAIL, REFUSED = "NOERROR", "NXDOMAIN", "SERVFAIL", "REFUSED"
REVERSE = (".in-addr.arpa.", ".ip6.arpa.")


@dataclass(frozen=True, slots=True)
class Question:
    """A name and a type: ``Question("web.default.svc.cluster.local.", "A")``; asked by UDP or *tcp*; *klass*: class."""

    name: str
    type: str
    tcp: bool = False
    klass: str = "IN"


@dataclass(frozen=True, slots=True)
class Record:
    """One record; *ttl* in seconds, *data* as in a zone file."""

    name: str
    ttl: int
    type: str
    data: str

    def __str__(self) -> str:
        return f"{self.name} {self.ttl} {self.type} {self.data}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server says. *rule* names what decided: a plugin, and what it found."""

    rcode: str
    answer: tuple[Record, ...] = ()
    authority: tuple[Record, ...] = ()
    additional: tuple[Record, ...] = ()
    aa: bool = False  # the server answers for the zone
    ra: bool = False  # somebody looked further on our behalf
    rule: str = ""

    @property
    def nodata(self) -> bool:
        """The name is there and has no record of this type."""
        return self.rcode == NOERROR and not self.answer

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses in the answer section."""
        return tuple(r.data for r in self.answer if r.type in ("A", "AAAA"))

    def with_ttl(self, ttl: int) -> "Answer":
        """The same with *ttl* on every record."""

        def renewed(records: tuple[Record, ...]) -> tuple[Record, ...]:
            return tuple(replace(record, ttl=ttl) for record in records)

        parts = renewed(self.answer), renewed(self.authority), renewed(self.additional)
        return replace(self, answer=parts[0], authority=parts[1], additional=parts[2])


def whole(name: str) -> str:
    """*name* with its final dot."""
    return name if name.endswith(".") else name + "."


def labels(name: str) -> list[str]:
    """The labels of *name*, without the root."""
    return [label for label in name.split(".") if label]


def within(zone: str, name: str) -> bool:
    """Whether *name* is *zone* or lies below it."""
    above, below = labels(zone.lower()), labels(name.lower())
    return not above or below[-len(above) :] == above


def zone_of(zones: tuple[str, ...], name: str) -> str:
    """The longest of *zones* that holds *name*, or "".

    Models coredns plugin Zones.Matches
    """
    return max((zone for zone in zones if within(zone, name)), key=len, default="")


def address_type(text: str) -> str:
    """A or AAAA for an address, CNAME for a name.

    Models coredns plugin/etcd/msg Service.HostType
    """
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return "CNAME"
    return "A" if found.version == 4 or found.ipv4_mapped else "AAAA"


def normal(address: str) -> str:
    """An address as it is written in a record."""
    found = ipaddress.ip_address(address)
    mapped = found.ipv4_mapped if found.version == 6 else None
    return str(mapped or found)


def is_reverse(name: str) -> bool:
    """Whether *name* stands for an address: it ends in in-addr.arpa or ip6.arpa."""
    return name.lower().endswith(REVERSE)


def reversed_name(address: str) -> str:
    """The name that PTR is asked for: ``10.96.0.1`` is ``1.0.96.10.in-addr.arpa.``."""
    return ipaddress.ip_address(address).reverse_pointer + "."


def address_of(name: str) -> str:
    """The address that a reverse name stands for, or "" if it stands for none.

    Models coredns plugin/pkg/dnsutil ExtractAddressFromReverse
    """
    lower = name.lower()
    for suffix, joined in zip(REVERSE, (".", ""), strict=True):
        if lower.endswith(suffix):
            parts = lower.removesuffix(suffix).split(".")[::-1]
            text = joined.join(parts)
            if suffix == REVERSE[1]:
                text = ":".join(text[i : i + 4] for i in range(0, len(text) - len(text) % 4, 4))
            return normal(text) if address_type(text) != "CNAME" else ""
    return ""
