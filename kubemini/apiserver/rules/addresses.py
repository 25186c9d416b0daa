"""Which addresses an endpoint may have, and how a range of addresses is spelled.

Models k/k pkg/apis/core/validation ValidateEndpointIP (ValidateNonSpecialIP); k/k pkg/apis/discovery/validation
validateEndpoints.
"""

import ipaddress

from kubemini.api import names
from kubemini.apiserver.rules.causes import NO_IP, Wrong, address, invalid, required

Range = ipaddress.IPv4Network | ipaddress.IPv6Network


def of_family(text: str, family: str, path: str, number: int) -> Wrong:
    """The address *text* of an endpoint of a slice for *family*: IPv4, IPv6 or FQDN."""
    where, found = f"{path}[{number}]", address(text)
    if family == "FQDN":
        yield from _domain(text, where)
    elif family in ("IPv4", "IPv6") and found is None:
        yield invalid(where, text, NO_IP)
    elif family in ("IPv4", "IPv6"):
        if found is not None and family == "IPv6" and str(found) != text and found.version == 6:
            yield invalid(where, text, f'must be in canonical form ("{found}")')
            return
        if found is not None and f"IPv{found.version}" != family:
            yield invalid(path, text, f"must be an {family} address")
        yield from not_special(text, where)


def _domain(text: str, path: str) -> Wrong:
    """Models k/apimachinery pkg/util/validation IsFullyQualifiedDomainName"""
    name = text.removesuffix(".")
    if not text:
        yield required(path)
    elif wrong := names.dns_subdomain(name):
        yield invalid(path, name, ",".join(wrong))
    elif "." not in name:
        yield invalid(path, name, "should be a domain with at least two segments separated by dots")
    else:
        bad = next((label for label in name.split(".") if names.dns_label(label)), None)
        if bad is not None:
            yield invalid(path, bad, ",".join(names.dns_label(bad)))


def not_special(text: str, path: str) -> Wrong:
    """An address that another machine can be reached by."""
    found = address(text)
    if found is None:
        yield invalid(path, text, "must be a valid IP address")
        return
    if found.is_unspecified:
        yield invalid(path, text, f"may not be unspecified ({text})")
    if found.is_loopback:
        yield invalid(path, text, "may not be in the loopback range (127.0.0.0/8, ::1/128)")
    if found.is_link_local:
        yield invalid(path, text, "may not be in the link-local range (169.254.0.0/16, fe80::/10)")
    if str(found).startswith(("224.0.0.", "ff02:")):
        yield invalid(path, text, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)")


def cidr(value: str, path: str) -> Wrong:
    """A range of addresses. Models k/apimachinery pkg/util/validation IsValidCIDRForLegacyField"""
    found = network(value)
    if found is None:
        yield invalid(path, value, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")
        return
    written = _strictly(value)
    if written is None:
        yield invalid(path, value, "must not have leading 0s in IP or prefix length")
    elif mapped_ipv4(written.ip):
        yield invalid(path, value, "must not have an IPv4-mapped IPv6 address")
    elif written.ip != found.network_address:
        yield invalid(path, value, "must not have bits set beyond the prefix length")


def ip_warnings(value: str, path: str) -> list[str]:
    """What is odd about how an address is written. Models k/apimachinery pkg/util/validation GetWarningsForIP"""
    found = address(value)
    if found is None:
        return []
    if mapped_ipv4(found):
        plain = getattr(found, "ipv4_mapped", found)
        return [f'{path}: non-standard IP address "{value}" is invalid: use "{plain}"']
    if str(found) != value:
        return [f'{path}: IPv6 address "{value}" should be in RFC 5952 canonical format ("{found}")']
    return []


def cidr_warnings(value: str, path: str) -> list[str]:
    """What is odd about how a range is written. Models k/apimachinery pkg/util/validation GetWarningsForCIDR"""
    found, written = network(value), _strictly(value)
    if found is None:
        return []
    if written is not None and written.ip != found.network_address:
        both = f'(should be "{found}" or "{written.ip}/{found.max_prefixlen}"?)'
        return [f'{path}: CIDR value "{value}" is ambiguous in this context {both}']
    if written is None or mapped_ipv4(written.ip):
        return [f'{path}: non-standard CIDR value "{value}" is invalid: use "{found}"']
    if str(found) != value:
        return [f'{path}: IPv6 CIDR value "{value}" should be in RFC 5952 canonical format ("{found}")']
    return []


def mapped_ipv4(found: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether an address of IPv6 stands for one of IPv4: ``::ffff:10.0.0.1``."""
    return getattr(found, "ipv4_mapped", None) is not None


def canonical(value: str, path: str) -> Wrong:
    """A range of addresses in the one way to write it. Models k/apimachinery pkg/util/validation IsValidCIDR"""
    wrong, found = [*cidr(value, path)], network(value)
    yield from wrong
    if not wrong and value != str(found):
        yield invalid(path, value, f'must be in canonical form ("{found}")')


def network(value: str) -> Range | None:
    """The range that *value* spells, zeros in front of numbers and bits beyond the prefix forgiven; None: no range."""
    bare, slash, length = value.partition("/")
    if not slash or not (length.isascii() and length.isdigit()):
        return None
    if ":" not in bare:
        bare = ".".join(part.lstrip("0") or "0" if part.isdigit() else part for part in bare.split("."))
    try:
        return ipaddress.ip_network(f"{bare}/{int(length)}", strict=False)
    except ValueError:
        return None


def _strictly(value: str) -> ipaddress.IPv4Interface | ipaddress.IPv6Interface | None:
    """*value* if there are no zeros in front of its numbers."""
    length = value.rpartition("/")[2]
    try:
        return ipaddress.ip_interface(value) if length == str(int(length)) else None
    except ValueError:
        return None
