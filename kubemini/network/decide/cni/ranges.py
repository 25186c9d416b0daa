"""Ranges of addresses that host-local gives away: read from the configuration and checked.

Models containernetworking/plugins plugins/ipam/host-local/backend/allocator Range.Canonicalize
Models containernetworking/plugins plugins/ipam/host-local/backend/allocator LoadIPAMConfig
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

from kubemini.network.decide.cni.calls import Call
from kubemini.network.decide.cni.host.addresses import ip_address, ip_interface
from kubemini.network.decide.cni.host.errors import PluginError


@dataclass(frozen=True, slots=True)
class Range:
    """A range of a subnet, both ends inclusive."""

    subnet: Any
    first: Any
    last: Any
    gateway: Any

    def __contains__(self, address: Any) -> bool:
        return address.version == self.subnet.version and self.first <= address <= self.last

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"


Set = Sequence[Range]


def containing(ranges: Set, address: Any) -> Range | None:
    """The range of the set that holds the address."""
    return next((r for r in ranges if address in r), None)


def shown(ranges: Set) -> str:
    """A set as error messages write it."""
    return ",".join(str(r) for r in ranges)


def load(call: Call) -> list[Set]:
    """The sets of ranges of a configuration. PluginError: they make no sense."""
    ipam = call.config.get("ipam")
    if ipam is None:
        raise PluginError("IPAM config missing 'ipam' key")
    raw = list(ipam.get("ranges") or ())
    if ipam.get("subnet"):
        raw.insert(0, [ipam])
    raw = [*((call.config.get("runtimeConfig") or {}).get("ipRanges") or ()), *raw]
    if not raw:
        raise PluginError("no IP ranges specified")
    for text in (r["subnet"] for ranges in raw for r in ranges):
        if "/" not in text:
            raise PluginError(f"invalid CIDR address: {text}")
    sets = [_set(number, ranges) for number, ranges in enumerate(raw)]
    versions = [ranges[0].subnet.version for ranges in sets]
    version = call.config.get("cniVersion") or "0.1.0"
    if version < "0.3.0" and max(versions.count(4), versions.count(6)) > 1:
        raise PluginError(f"CNI version {version} does not support more than 1 address per family")
    for (i, one), (j, other) in combinations(enumerate(sets), 2):
        if any(_overlap(r, s) for r in one for s in other):
            raise PluginError(f"range set {i} overlaps with {j}")
    return sets


def _set(number: int, raw: Sequence[dict[str, Any]]) -> Set:
    try:
        if not raw:
            raise PluginError("empty range set")
        ranges = [_range(r) for r in raw]
        if any(one.subnet.version != other.subnet.version for one, other in pairwise(ranges)):
            raise PluginError("mixed address families")
        for one, other in combinations(ranges, 2):
            if _overlap(one, other):
                raise PluginError(f"subnets {one} and {other} overlap")
    except PluginError as error:
        raise PluginError(f"invalid range set {number}: {error.message}") from None
    return ranges


def _overlap(one: Range, other: Range) -> bool:
    return one.first in other or one.last in other or other.first in one or other.last in one


def _range(raw: dict[str, Any]) -> Range:
    subnet = _subnet(raw["subnet"])
    gateway = ip_address(raw["gateway"]) if raw.get("gateway") else subnet.network_address + 1
    if gateway not in subnet:
        raise PluginError(f"gateway {gateway} not in network {subnet}")
    end: Any = ip_address(raw["rangeEnd"]) if raw.get("rangeEnd") else None
    first: Any = ip_address(raw["rangeStart"]) if raw.get("rangeStart") else subnet.network_address + 1
    if raw.get("rangeStart") and (first not in subnet or (end is not None and first > end)):
        raise PluginError(f"RangeStart {first} not in network {subnet}")
    if end is not None and (end not in subnet or end < first):
        raise PluginError(f"RangeEnd {end} not in network {subnet}")
    last = end if end is not None else subnet.broadcast_address - (1 if subnet.version == 4 else 0)
    if last < first:
        raise PluginError(f"RangeStart {first} is after RangeEnd {last} in network {subnet}")
    return Range(subnet, first, last, gateway)


def _subnet(text: str) -> Any:
    given: Any = ip_interface(text)
    subnet = given.network
    if subnet.prefixlen > subnet.max_prefixlen - 2:
        raise PluginError(f"Network {given.with_prefixlen} too small to allocate from")
    if given.ip != subnet.network_address:
        raise PluginError(
            f"Network has host bits set. For a subnet mask of length {subnet.prefixlen} "
            f"the network address is {subnet.network_address}"
        )
    return subnet
