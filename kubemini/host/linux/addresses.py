"""Addresses and networks as text, compared as numbers. Pure."""

from functools import lru_cache
from ipaddress import ip_address, ip_network


@lru_cache(maxsize=65536)
def number(address: str) -> tuple[int, int]:
    """(version, value) of an address; ValueError if it is none."""
    found = ip_address(address)
    return found.version, int(found)


@lru_cache(maxsize=65536)
def network(text: str) -> tuple[int, int, int]:
    """(version, first address, mask) of ``10.0.0.0/8``, or of one address; host bits are cut off."""
    found = ip_network(text, strict=False)
    return found.version, int(found.network_address), int(found.netmask)


def within(address: str, net: str) -> bool:
    """Whether *address* is in *net*; never, if one is IPv4 and the other IPv6."""
    version, base, mask = network(net)
    of, value = number(address)
    return of == version and value & mask == base


def length(net: str) -> int:
    """How many bits of *net* are fixed: what the longest prefix has most of."""
    return network(net)[2].bit_count()
