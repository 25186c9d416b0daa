"""ClusterNetworkPolicies, a custom resource: its limits and patterns are in its CRD, its CEL rules here.

Models kubernetes-sigs/network-policy-api apis/v1beta1 ClusterNetworkPolicy (v0.3.0, experimental channel).
"""

import ipaddress
from typing import Any

from kubemini.api.kinds import CLUSTER_NETWORK_POLICY
from kubemini.api.objects import Obj, get
from kubemini.apiserver.rules import customresource
from kubemini.apiserver.rules.causes import Wrong, invalid
from kubemini.apiserver.rules.customresource import says
from kubemini.apiserver.served import ServedKind, serve

NO_NAMES = (
    "networks/nodes/domainNames peer cannot be set with namedPorts since there are no namedPorts for "
    "networks/nodes/domainNames"
)
WITHOUT_NAMES = ("networks", "nodes", "domainNames")


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    return customresource.complaints(obj, _expressions)


def _expressions(obj: Obj) -> Wrong:
    for direction in ("egress", "ingress"):
        for number, rule in enumerate(obj["spec"].get(direction) or ()):
            path = f"spec.{direction}[{number}]"
            yield from _ranges(rule, path)
            if direction == "egress":
                yield from _peers(rule, path)


def _ranges(rule: Obj, path: str) -> Wrong:
    for number, protocol in enumerate(rule.get("protocols") or ()):
        for name in ("sctp", "tcp", "udp"):
            said = get(protocol, name, "destinationPort", "range", default=None)
            if said and said["start"] >= said["end"]:
                where = f"{path}.protocols[{number}].{name}.destinationPort.range"
                yield says(where, "Start port must be less than End port")


def _peers(rule: Obj, path: str) -> Wrong:
    for number, peer in enumerate(rule["to"]):
        for at, cidr in enumerate(peer.get("networks") or ()):
            if not _is_network(cidr):
                yield invalid(f"{path}.to[{number}].networks[{at}]", cidr, "Invalid CIDR format provided")
    named = any("destinationNamedPort" in protocol for protocol in rule.get("protocols") or ())
    if named and any(word in peer for peer in rule["to"] for word in WITHOUT_NAMES):
        yield says(path, NO_NAMES)


def _is_network(cidr: str) -> bool:
    """CEL's ``isCIDR(self) && cidr(self) == cidr(self).masked()``."""
    try:
        return "/" in cidr and bool(ipaddress.ip_network(cidr))
    except ValueError:
        return False


def summary(policy: Obj) -> dict[str, Any]:
    """Its tier and its place there."""
    return {word: get(policy, "spec", word, default=None) for word in ("tier", "priority")}


serve(
    ServedKind(
        CLUSTER_NETWORK_POLICY,
        acted_on=True,
        subresources=("status",),
        counted=True,
        defaults=customresource.defaults,
        rules=rules,
        summary=summary,
        not_simulated=("spec.egress[].to[].domainNames",),
    )
)
