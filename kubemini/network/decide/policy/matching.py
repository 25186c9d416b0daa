"""What a rule of a policy matches: the other end of a connection, and the port. Pure.

A rule is read once, then asked often: who is at an address does not change while the policies stand, so the answer for
each address is kept in the rule (`PolicyRule.known`); ports are ranges by protocol.

Invariant: an ipBlock and a network look at the address in the packet, whoever has it; selectors find pods only; a
named port counts only if the *destination* is a pod that has it with this name, number and protocol.
Models kubernetes-sigs/kube-network-policies pkg/networkpolicy evaluateSelectors evaluateIPBlocks evaluatePorts;
plugins/npa-v1alpha2 evaluateClusterEgress evaluateClusterIngress evaluateProtocols
"""

import ipaddress
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from kubemini.api import labels
from kubemini.api.objects import Obj
from kubemini.network.decide.policy.places import PolicyNode, PolicyPod, number

HIGHEST_PORT = 65535
ANY = ((0, HIGHEST_PORT),)
Ranges = tuple[tuple[int, int], ...]
Peer = Callable[[str, PolicyPod | None], bool]


@dataclass(frozen=True, slots=True)
class Ports:
    """Ports by protocol, as ranges, and names of ports: (name, protocol), with protocol "" for any."""

    ranges: Mapping[str, Ranges]
    named: tuple[tuple[str, str], ...] = ()

    def match(self, port: int, protocol: str, destination: PolicyPod | None) -> bool:
        """Whether they hold *port*, in whose name the *destination* has a say."""
        for low, high in self.ranges.get(protocol, ()):
            if low <= port <= high:
                return True
        if destination is None:
            return False
        return any(
            asked in (protocol, "") and (name, port, protocol) in destination.ports for name, asked in self.named
        )


@dataclass(frozen=True, slots=True)
class Half:
    """What one side says of a connection: whether it may be, and which rule decided, in words."""

    allowed: bool
    rule: str

    @property
    def fate(self) -> str:
        """``allow`` or ``deny``."""
        return "allow" if self.allowed else "deny"


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """A rule as it is asked: *peers* None is everybody, *ports* None is every port, *half* None is Pass."""

    half: Half | None
    peers: Peer | None
    ports: Ports | None
    known: dict[str, bool] = field(default_factory=dict, compare=False, repr=False)

    def match(self, other: str, pod: PolicyPod | None, port: int, protocol: str, destination: PolicyPod | None) -> bool:
        """Whether it speaks of a connection with address *other* (where *pod* is) to this port of *destination*."""
        if self.peers is not None:
            found = self.known.get(other)
            if found is None:
                found = self.known[other] = self.peers(other, pod)
            if not found:
                return False
        return self.ports is None or self.ports.match(port, protocol, destination)


# -- NetworkPolicy -----------------------------------------------------------------------------------------------------
def peers(said: Sequence[Obj] | None, namespace: str) -> Peer | None:
    """``from`` or ``to`` of a NetworkPolicy in *namespace*: any of its elements; none at all is everybody."""
    if not said:
        return None
    return _any([_block(one["ipBlock"]) if one.get("ipBlock") else _selected(one, namespace) for one in said])


def ports(said: Sequence[Obj] | None) -> Ports | None:
    """``ports`` of a NetworkPolicy; none at all is every port."""
    if not said:
        return None
    numbers: dict[str, Ranges] = {}
    named = []
    for one in said:
        protocol, port = one.get("protocol") or "TCP", one.get("port")
        if isinstance(port, str):
            named.append((port, protocol))
        else:
            found = ANY if port is None else ((port, one.get("endPort") or port),)
            numbers[protocol] = numbers.get(protocol, ()) + found
    return Ports(numbers, tuple(named))


def _selected(peer: Obj, namespace: str) -> Peer:
    """One element with selectors: both together are AND; without a namespaceSelector: in the policy's own namespace."""
    of_pods, of_namespaces = peer.get("podSelector"), peer.get("namespaceSelector")
    in_namespace = None if of_namespaces is None else selector(of_namespaces)
    is_pod = selector(of_pods or {})

    def matches(address: str, pod: PolicyPod | None) -> bool:
        if pod is None or not is_pod(pod.labels):
            return False
        return pod.namespace == namespace if in_namespace is None else in_namespace(pod.namespace_labels)

    return matches


def _block(block: Obj) -> Peer:
    inside, holes = network(block["cidr"]), [network(hole) for hole in block.get("except") or ()]
    return lambda address, pod: inside(address) and not any(hole(address) for hole in holes)


# -- ClusterNetworkPolicy ----------------------------------------------------------------------------------------------
def cluster_peers(said: Sequence[Obj] | None, nodes: Iterable[PolicyNode]) -> Peer:
    """``from`` or ``to`` of a ClusterNetworkPolicy: any of its elements; none at all is nobody.

    Simplified: domainNames match nothing, as in a data plane without an agent that reads DNS answers.
    """
    found: list[Peer] = []
    for one in said or ():
        if one.get("namespaces") is not None or one.get("pods") is not None:
            found.append(subject(one))
        if one.get("nodes") is not None:
            found.append(_nodes(selector(one["nodes"]), nodes))
        found += [_at(network(cidr)) for cidr in one.get("networks") or ()]
    return _any(found)


def subject(said: Obj) -> Peer:
    """Which pods a subject, or a peer, selects: by ``namespaces``, or by both selectors of ``pods``."""
    by_namespace = None if said.get("namespaces") is None else selector(said["namespaces"])
    pods = said.get("pods")
    in_namespace = selector((pods or {}).get("namespaceSelector") or {})
    is_pod = selector((pods or {}).get("podSelector") or {})

    def matches(address: str, pod: PolicyPod | None) -> bool:
        if pod is None:
            return False
        if by_namespace is not None and by_namespace(pod.namespace_labels):
            return True
        return pods is not None and in_namespace(pod.namespace_labels) and is_pod(pod.labels)

    return matches


def protocols(said: Sequence[Obj] | None) -> Ports | None:
    """``protocols`` of a rule of a ClusterNetworkPolicy; none at all is every port of every protocol."""
    if not said:
        return None
    numbers: dict[str, Ranges] = {}
    named = []
    for one in said:
        if one.get("destinationNamedPort"):
            named.append((one["destinationNamedPort"], ""))
            continue
        for protocol in ("tcp", "udp", "sctp"):
            if one.get(protocol) is not None:
                upper = protocol.upper()
                numbers[upper] = numbers.get(upper, ()) + _destination(one[protocol].get("destinationPort"))
    return Ports(numbers, tuple(named))


def _destination(port: Obj | None) -> Ranges:
    if port is None:
        return ANY
    if port.get("range"):
        return ((port["range"]["start"], port["range"]["end"]),)
    return ((port["number"], port["number"]),)


def _nodes(chosen: Callable[[Mapping[str, str]], bool], nodes: Iterable[PolicyNode]) -> Peer:
    addresses = frozenset(address for node in nodes if chosen(node.labels) for address in node.addresses)
    return lambda address, pod: address in addresses


# -- what both are made of ---------------------------------------------------------------------------------------------
def _any(found: list[Peer]) -> Peer:
    return found[0] if len(found) == 1 else lambda address, pod: any(one(address, pod) for one in found)


def _at(inside: Callable[[str], bool]) -> Peer:
    return lambda address, pod: inside(address)


@cache
def network(cidr: str) -> Callable[[str], bool]:
    """Whether an address lies in *cidr*; bits of the host in it are of no account."""
    block = ipaddress.ip_network(cidr, strict=False)
    version, low, high = block.version, int(block.network_address), int(block.broadcast_address)

    def inside(address: str) -> bool:
        family, at = number(address)
        return family == version and low <= at <= high

    return inside


def selector(said: Obj) -> Callable[[Mapping[str, str]], bool]:
    """Whether labels are picked; an empty selector picks all.

    One that cannot be read picks nothing: in a ClusterNetworkPolicy no API server looks at it.
    """
    try:
        return labels.from_object(said).matches
    except labels.SelectorError:
        return labels.NOTHING.matches
