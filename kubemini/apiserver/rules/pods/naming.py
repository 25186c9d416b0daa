"""What a pod is called and whom it asks for names: host name, aliases, DNS.

Models k/k pkg/apis/core/validation validatePodDNSConfig, ValidateHostAliases, validatePodHostName,
validatePodHostNetworkDeps, validateReadinessGates.
"""

import re

from kubemini.api import names
from kubemini.api.objects import Obj
from kubemini.apiserver.rules import causes
from kubemini.apiserver.rules.causes import Wrong, each, forbidden, invalid, required, too_long

MOST_SERVERS, MOST_SEARCHES, LONGEST_SEARCHES, LONGEST_NAME = 3, 32, 2048, 64
_UNDERSCORED = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_DOMAIN = rf"{_UNDERSCORED}(\.{_UNDERSCORED})*"
_DOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must "
    f"start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{_DOMAIN}')"
)


def dns_config(config: Obj | None, policy: str, path: str) -> Wrong:
    """Name servers, search paths, options."""
    servers = (config or {}).get("nameservers") or []
    if policy == "None" and config is None:
        yield required(path, "must provide `dnsConfig` when `dnsPolicy` is None")
        return
    if policy == "None" and not servers:
        yield required(f"{path}.nameservers", "must provide at least one DNS nameserver when `dnsPolicy` is None")
        return
    if config is None:
        return
    if len(servers) > MOST_SERVERS:
        yield invalid(f"{path}.nameservers", servers, f"must not have more than {MOST_SERVERS} nameservers")
    for number, server in enumerate(servers):
        yield from causes.ip(server, f"{path}.nameservers[{number}]")
    yield from _searches(config.get("searches") or [], f"{path}.searches")
    for number, option in enumerate(config.get("options") or ()):
        if not option.get("name"):
            yield required(f"{path}.options[{number}]", "must not be empty")


def _searches(searches: list[str], path: str) -> Wrong:
    if len(searches) > MOST_SEARCHES:
        yield invalid(path, searches, f"must not have more than {MOST_SEARCHES} search paths")
    if len(" ".join(searches)) > LONGEST_SEARCHES:
        text = f"must not have more than {LONGEST_SEARCHES} characters (including spaces) in the search list"
        yield invalid(path, searches, text)
    for number, domain in enumerate(searches):
        bare = domain.removesuffix(".")
        if domain != "." and len(bare) > 253:
            yield invalid(f"{path}[{number}]", bare, "must be no more than 253 bytes")
        if domain != "." and not re.fullmatch(_DOMAIN, bare):
            yield invalid(f"{path}[{number}]", bare, _DOMAIN_RULE)


def host_aliases(spec: Obj, path: str) -> Wrong:
    """More names for addresses."""
    for number, alias in enumerate(spec.get("hostAliases") or ()):
        where = f"{path}.hostAliases[{number}]"
        yield from causes.ip(alias.get("ip", ""), f"{where}.ip")
        for at, name in enumerate(alias.get("hostnames") or ()):
            yield from each(names.dns_subdomain(name), f"{where}.hostnames[{at}]", name)


def host_name(spec: Obj, path: str) -> Wrong:
    """A name that overrides all others."""
    name, where = spec.get("hostnameOverride"), f"{path}.hostnameOverride"
    if name is None:
        return
    if spec.get("setHostnameAsFQDN"):
        yield forbidden(where, "may not be specified when setHostnameAsFQDN is true")
    if spec.get("hostNetwork"):
        yield forbidden(where, "may not be specified when hostNetwork is true")
    if len(name) > LONGEST_NAME:
        yield too_long(where, LONGEST_NAME)
    yield from each(names.dns_subdomain(name), where, name)


def host_ports(spec: Obj, path: str, is_pod: bool) -> Wrong:
    """In the machine's network a port is the machine's; a template may leave that to its pods."""
    if not spec.get("hostNetwork"):
        return
    for number, container in enumerate(spec.get("containers") or ()):
        for at, port in enumerate(container.get("ports") or ()):
            outside = port.get("hostPort") or 0
            if (is_pod or outside) and outside != port.get("containerPort", 0):
                text = "must match `containerPort` when `hostNetwork` is true"
                yield invalid(f"{path}.containers[{number}].ports[{at}].hostPort", outside, text)


def readiness_gates(spec: Obj, path: str) -> Wrong:
    """Conditions that somebody else must give."""
    for number, gate in enumerate(spec.get("readinessGates") or ()):
        type = gate.get("conditionType", "")
        yield from each(names.qualified_name(type), f"{path}.readinessGates[{number}].conditionType", type)
