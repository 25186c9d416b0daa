"""Functions that Kubernetes adds: quantities, addresses and their ranges, URLs, versions.

Models k/apiserver pkg/cel/library Quantity IP CIDR URLs SemverLib.
"""

import re
from fractions import Fraction
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from kubemini.api.cel.functions.overloads import function
from kubemini.api.cel.types import BOOL, DOUBLE, INT, STRING, list_of, map_of
from kubemini.api.cel.values import CIDR, IP, QUANTITY, SEMVER, URL, CelError, Cidr, Ip, Semver, Url
from kubemini.api.quantity import Quantity, QuantityError, parse

# -- quantities ----------------------------------------------------------------------------------------------------


@function("quantity", STRING, gives=QUANTITY)
def quantity(text: str) -> Quantity:
    """The quantity that *text* states."""
    try:
        return parse(text)
    except QuantityError as error:
        raise CelError(str(error)) from None


@function("isQuantity", STRING, gives=BOOL)
def is_quantity(text: str) -> bool:
    """Whether it states one."""
    try:
        return bool(parse(text)) or True
    except QuantityError:
        return False


@function("sign", QUANTITY, gives=INT)
def sign(one: Quantity) -> int:
    """-1, 0 or 1."""
    return (one.amount > 0) - (one.amount < 0)


@function("isInteger", QUANTITY, gives=BOOL, method=True)
def is_integer(one: Quantity) -> bool:
    """Whether 64 bits hold it without a rest."""
    return one.amount.denominator == 1 and -(2**63) <= one.amount < 2**63


@function("asInteger", QUANTITY, gives=INT, method=True)
def as_integer(one: Quantity) -> int:
    """As a whole number."""
    if not is_integer(one):
        raise CelError("cannot convert value to integer")
    return int(one.amount)


@function("asApproximateFloat", QUANTITY, gives=DOUBLE, method=True)
def as_float(one: Quantity) -> float:
    """As a number with a fraction."""
    return float(one.amount)


@function("add", QUANTITY, QUANTITY, gives=QUANTITY, method=True)
@function("add", QUANTITY, INT, gives=QUANTITY, method=True)
def add(one: Quantity, other: Any) -> Quantity:
    """The sum."""
    return one + (Quantity(Fraction(other)) if isinstance(other, int) else other)


@function("sub", QUANTITY, QUANTITY, gives=QUANTITY, method=True)
@function("sub", QUANTITY, INT, gives=QUANTITY, method=True)
def sub(one: Quantity, other: Any) -> Quantity:
    """The difference."""
    return one - (Quantity(Fraction(other)) if isinstance(other, int) else other)


@function("compareTo", QUANTITY, QUANTITY, gives=INT, method=True)
def compare(one: Quantity, other: Quantity) -> int:
    """-1: less, 0: the same, 1: more."""
    return (one.amount > other.amount) - (one.amount < other.amount)


@function("isLessThan", QUANTITY, QUANTITY, gives=BOOL, method=True)
def is_less(one: Quantity, other: Quantity) -> bool:
    """Whether it is less."""
    return one.amount < other.amount


@function("isGreaterThan", QUANTITY, QUANTITY, gives=BOOL, method=True)
def is_more(one: Quantity, other: Quantity) -> bool:
    """Whether it is more."""
    return one.amount > other.amount


# -- addresses -----------------------------------------------------------------------------------------------------


def _address(text: str) -> IPv4Address | IPv6Address:
    try:
        found = ip_address(text)
    except ValueError:
        zeros = re.fullmatch(r"[0-9]+(\.[0-9]+){3}", text) and re.search(r"(^|\.)0[0-9]", text)
        why = "IPv4 field has octet with leading zero" if zeros else "unable to parse IP"
        start = f'IP Address "{text}" parse error during conversion from string'
        raise CelError(f'{start}: ParseAddr("{text}"): {why}') from None
    if isinstance(found, IPv6Address) and found.scope_id:
        raise CelError(f'IP address "{text}" with zone value is not allowed')
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        raise CelError(f'IPv4-mapped IPv6 address "{text}" is not allowed')
    return found


@function("ip", STRING, gives=IP)
def ip(text: str) -> Ip:
    """The address that *text* states."""
    return Ip(_address(text))


@function("isIP", STRING, gives=BOOL)
def is_ip(text: str) -> bool:
    """Whether it states one."""
    try:
        return bool(Ip(_address(text))) or True
    except CelError:
        return False


@function("ip.isCanonical", STRING, gives=BOOL)
def is_canonical(text: str) -> bool:
    """Whether it is written in the one way that is usual."""
    return str(_address(text)) == text


@function("string", IP, gives=STRING)
def ip_text(one: Ip) -> str:
    """As a text."""
    return str(one.address)


_KINDS = {
    "isUnspecified": lambda one: one.is_unspecified,
    "isLoopback": lambda one: one.is_loopback,
    "isLinkLocalMulticast": lambda one: (
        one in ip_network("224.0.0.0/24") if one.version == 4 else one in ip_network("ff02::/16")
    ),
    "isLinkLocalUnicast": lambda one: one.is_link_local,
    "isGlobalUnicast": lambda one: not (one.is_unspecified or one.is_loopback or one.is_multicast or one.is_link_local),
}
for _name, _test in _KINDS.items():
    function(_name, IP, gives=BOOL, method=True)(lambda one, test=_test: bool(test(one.address)))
function("family", IP, gives=INT, method=True)(lambda one: one.address.version)


@function("cidr", STRING, gives=CIDR)
def cidr(text: str) -> Cidr:
    """The range of addresses that *text* states."""
    address, slash, bits = text.partition("/")
    if not slash:
        raise _no_range(text, "no '/'")
    try:
        said = _address(address)
    except CelError:
        raise _no_range(text, f'ParseAddr("{address}"): unable to parse IP') from None
    if not re.fullmatch("0|[1-9][0-9]*", bits):
        raise _no_range(text, f'bad bits after slash: "{bits}"')
    if int(bits) > said.max_prefixlen:
        raise _no_range(text, "prefix length out of range")
    return Cidr(said, ip_network(text, strict=False))


def _no_range(text: str, why: str) -> CelError:
    start = "network address parse error during conversion from string"
    return CelError(f'{start}: {start}: netip.ParsePrefix("{text}"): {why}')


@function("isCIDR", STRING, gives=BOOL)
def is_cidr(text: str) -> bool:
    """Whether it states one."""
    try:
        return bool(cidr(text)) or True
    except CelError:
        return False


@function("string", CIDR, gives=STRING)
def cidr_text(one: Cidr) -> str:
    """As a text."""
    return f"{one.said}/{one.network.prefixlen}"


@function("containsIP", CIDR, IP, gives=BOOL, method=True)
@function("containsIP", CIDR, STRING, gives=BOOL, method=True)
def contains_ip(one: Cidr, other: Any) -> bool:
    """Whether the address lies in it."""
    if isinstance(other, str) and not is_ip(other):
        raise CelError("no such overload")
    address = other.address if isinstance(other, Ip) else _address(other)
    return address.version == one.network.version and address in one.network


@function("containsCIDR", CIDR, CIDR, gives=BOOL, method=True)
@function("containsCIDR", CIDR, STRING, gives=BOOL, method=True)
def contains_cidr(one: Cidr, other: Any) -> bool:
    """Whether the whole range lies in it."""
    found = other if isinstance(other, Cidr) else cidr(other)
    same = found.network.version == one.network.version
    return same and found.network.prefixlen >= one.network.prefixlen and found.network.network_address in one.network


function("ip", CIDR, gives=IP, method=True)(lambda one: Ip(one.said))
function("masked", CIDR, gives=CIDR, method=True)(lambda one: Cidr(one.network.network_address, one.network))
function("prefixLength", CIDR, gives=INT, method=True)(lambda one: one.network.prefixlen)


# -- URLs ----------------------------------------------------------------------------------------------------------


@function("url", STRING, gives=URL)
def url(text: str) -> Url:
    """The URL that *text* states: an absolute one, or a path."""
    try:
        parts = urlsplit(text)
        known = bool(parts.scheme or text.startswith("/")) and (parts.port or True)
    except ValueError:
        known = False
    if not known or re.search(r"\s", urlsplit(text).netloc):
        raise CelError(f'URL parse error during conversion from string: parse "{text}": invalid URI for request')
    return Url(urlsplit(text))


@function("isURL", STRING, gives=BOOL)
def is_url(text: str) -> bool:
    """Whether it states one."""
    try:
        return bool(url(text)) or True
    except CelError:
        return False


function("getScheme", URL, gives=STRING, method=True)(lambda one: one.parts.scheme)
function("getHost", URL, gives=STRING, method=True)(lambda one: one.parts.netloc.rpartition("@")[2])
function("getHostname", URL, gives=STRING, method=True)(lambda one: one.parts.hostname or "")
function("getPort", URL, gives=STRING, method=True)(lambda one: str(one.parts.port or ""))
function("getEscapedPath", URL, gives=STRING, method=True)(lambda one: quote(one.parts.path, safe="/%:@!$&'()*+,;=~"))
function("getQuery", URL, gives=map_of(STRING, list_of(STRING)), method=True)(
    lambda one: parse_qs(one.parts.query, keep_blank_values=True)
)

# -- versions ------------------------------------------------------------------------------------------------------
_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?")


@function("semver", STRING, gives=SEMVER)
def semver(text: str) -> Semver:
    """The version that *text* states."""
    match = _VERSION.fullmatch(text)
    if match is None:
        major = text.partition(".")[0]
        few = text.count(".") < 2
        raise CelError(
            "No Major.Minor.Patch elements found" if few else f'Invalid character(s) found in major number "{major}"'
        )
    major, minor, patch, before = match.groups()
    return Semver((int(major), int(minor), int(patch)), tuple(before.split(".")) if before else ())


@function("isSemver", STRING, gives=BOOL)
def is_semver(text: str) -> bool:
    """Whether it states one."""
    return _VERSION.fullmatch(text) is not None


def _rank(one: Semver) -> tuple[Any, ...]:
    parts = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in one.before)
    return (one.numbers, not one.before, parts)


function("major", SEMVER, gives=INT, method=True)(lambda one: one.numbers[0])
function("minor", SEMVER, gives=INT, method=True)(lambda one: one.numbers[1])
function("patch", SEMVER, gives=INT, method=True)(lambda one: one.numbers[2])
function("compareTo", SEMVER, SEMVER, gives=INT, method=True)(
    lambda one, other: (_rank(one) > _rank(other)) - (_rank(one) < _rank(other))
)
function("isLessThan", SEMVER, SEMVER, gives=BOOL, method=True)(lambda one, other: _rank(one) < _rank(other))
function("isGreaterThan", SEMVER, SEMVER, gives=BOOL, method=True)(lambda one, other: _rank(one) > _rank(other))
