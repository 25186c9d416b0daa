"""Which addresses an endpoint may have.

Models k/k pkg/apis/core/validation ValidateEndpointIP (ValidateNonSpecialIP); k/k pkg/apis/discovery/validation
validateEndpoints.
"""

from kubemini.api import names
from kubemini.apiserver.rules.causes import NO_IP, Wrong, address, each, invalid


def of_family(text: str, family: str, path: str, number: int) -> Wrong:
    """The address *text* of an endpoint of a slice for *family*: IPv4, IPv6 or FQDN."""
    where, found = f"{path}[{number}]", address(text)
    if family == "FQDN":
        yield from each(names.dns_subdomain(text.removesuffix(".")), where, text)
    elif family in ("IPv4", "IPv6") and found is None:
        yield invalid(where, text, NO_IP)
    elif family in ("IPv4", "IPv6"):
        if found is not None and f"IPv{found.version}" != family:
            yield invalid(path, text, f"must be an {family} address")
        yield from not_special(text, where)


def not_special(text: str, path: str, both: bool = False) -> Wrong:
    """An address that another machine can be reached by; *both*: a bad one is named twice, as Kubernetes does."""
    found = address(text)
    if found is None:
        if both:
            yield invalid(path, text, NO_IP)
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
