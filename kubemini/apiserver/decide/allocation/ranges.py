"""One range of addresses: what of it can be given, its static band, and how a free one is looked for. Pure.

Invariant: who asks for none in particular gets one of the band only when the rest of the range is full; so an address
that people choose from the band is most likely free.
Models k/k pkg/registry/core/service/ipallocator NewIPAllocator allocateNextService ipIterator calculateRangeOffset
Models k/k pkg/api/servicecidr PrefixContainsIP
Simplified: the search begins where a number for each byte says, so nearly as evenly as the real one's.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any, NamedTuple

IPV4, IPV6 = "IPv4", "IPv6"


class Range(NamedTuple):
    """What of a CIDR can be given, as numbers: *first* … *last*; the static band is all below *dynamic*."""

    version: int
    first: int
    dynamic: int
    last: int

    def text(self, number: int) -> str:
        """An address as it is written."""
        return str(ip_address(number) if self.version == 4 else ip_address(number.to_bytes(16, "big")))


@lru_cache(1024)
def range_of(cidr: str) -> Range:
    """The range that *cidr* spells: without its network's own address, and without the broadcast address of IPv4."""
    net = ip_network(cidr)
    size, start = net.num_addresses, int(net.network_address)
    last = start + size - (2 if net.version == 4 else 1)
    return Range(net.version, start + 1, start + 1 + band(size, most=256, step=16), last)


def band(size: int, most: int, step: int, least: int = 16) -> int:
    """How many of *size* are kept for those who choose: ``min(max(least, size/step), most)``, none of a small range."""
    return 0 if size <= least else min(max(least, size // step), most)


def family(text: str) -> str:
    """IPv4 or IPv6, by how an address or range is written."""
    return IPV6 if ":" in text else IPV4


def contains(cidr: str, address: str) -> bool:
    """Whether *cidr* can give *address*."""
    found, known = ip_address(address), range_of(cidr)
    return found.version == known.version and known.first <= int(found) <= known.last


def free_in(cidr: str, is_free: Callable[[str], bool], rng: Any) -> str | None:
    """An address of *cidr* that nobody has, or None: it is full."""
    known = range_of(cidr)
    for low, high in ((known.dynamic, known.last), (known.first, known.dynamic - 1)):
        if low <= high:
            begin = _drawn(known, low, high, rng)
            found = next((text for text in map(known.text, around(low, high, begin)) if is_free(text)), None)
            if found is not None:
                return found
    return None


def around(low: int, high: int, begin: int) -> Iterator[int]:
    """Every number from *low* to *high*, the first is *begin*."""
    yield from range(begin, high + 1)
    yield from range(low, begin)


def _drawn(known: Range, low: int, high: int, rng: Any) -> int:
    """A number from *low* to *high*, byte by byte."""
    width = 4 if known.version == 4 else 16
    ends = zip(known.first.to_bytes(width, "big"), known.last.to_bytes(width, "big"), strict=True)
    spans = list(ends) if low == known.dynamic else None
    if spans is None:
        return int(rng.randint(low, high))
    while True:
        number = int.from_bytes(
            bytes(first if first == last else rng.randint(first, last) for first, last in spans), "big"
        )
        if low <= number <= high:
            return number
