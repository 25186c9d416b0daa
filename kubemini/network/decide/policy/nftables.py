"""Policies as rules of nftables: what a data plane that programs the kernel puts on every node. Pure.

    table ip policies
      chain forward            established? accept. Else: by source to the pod's egress, by destination to its ingress
      chain egress_10_…_2      the Admin tier in its order: return (allowed), drop, or goto the next tier
      chain egress_10_…_2_n    NetworkPolicies: return where any rule fits, at the end drop; or the Baseline tier

The kernel's own way to the same verdicts as `judge`, and a second route: it is made from the objects, not from what
judge has read, and real kernels run it (tests/real/kernel).
Invariant: a rule that allows ends one side only: ``return`` goes back to where the other side is asked.
Models kubernetes-sigs/kube-network-policies pkg/dataplane syncNFTablesRules
Simplified: IPv4; the whole table anew for every change; a data plane of this kind never looks at what is established.
"""

from collections.abc import Iterable, Iterator, Sequence

from kubemini.api.objects import Obj
from kubemini.network.decide.policy.judge import PEERS, directions
from kubemini.network.decide.policy.matching import selector, subject
from kubemini.network.decide.policy.places import PolicyNode, PolicyPod

FIELD = {"Ingress": "saddr", "Egress": "daddr"}  # where the other end stands
VERDICTS = {"Accept": "return", "Deny": "drop"}
PROTOCOLS = ("TCP", "UDP", "SCTP")


class Text:
    """The table for all pods, which every node may have: a packet meets the chains of the pods that it concerns."""

    def __init__(
        self,
        policies: Sequence[Obj],
        cluster_policies: Sequence[Obj],
        pods: Sequence[PolicyPod],
        nodes: Sequence[PolicyNode] = (),
    ):
        self.policies, self.pods, self.nodes = policies, pods, nodes
        self.cluster = sorted(cluster_policies, key=lambda p: (p["spec"]["priority"], p["metadata"]["name"]))

    def table(self) -> str:
        """What ``nft -f`` takes."""
        chains: list[str] = []
        for direction in FIELD:
            for pod in self.pods:
                chains += self._chains(direction, pod)
        maps = [self._map("Egress", "saddr"), self._map("Ingress", "daddr")]
        forward = ["type filter hook forward priority 0; policy accept;", "ct state established,related accept", *maps]
        return "\n".join(["table ip policies {", *chains, *_chain("forward", forward), "}", ""])

    def _map(self, direction: str, field: str) -> str:
        jumps = ", ".join(f"{pod.addresses[0]} : jump {_name(direction, pod)}" for pod in self.pods)
        return f"ip {field} vmap {{ {jumps} }}" if jumps else ""

    def _chains(self, direction: str, pod: PolicyPod) -> list[str]:
        name, here = _name(direction, pod), subject_of(pod)
        mine = [p for p in self.cluster if subject(p["spec"]["subject"])(*here)]
        after = f"goto {name}_n"
        first = [line for p in mine if p["spec"]["tier"] == "Admin" for line in self._ordered(p, direction, pod, after)]
        return [*_chain(f"{name}_n", self._below(direction, pod, mine)), *_chain(name, [*first, after])]

    def _below(self, direction: str, pod: PolicyPod, cluster: Sequence[Obj]) -> Iterator[str]:
        """The tiers after Admin."""
        selecting = [
            p
            for p in self.policies
            if p["metadata"]["namespace"] == pod.namespace and selector(p["spec"].get("podSelector") or {})(pod.labels)
        ]
        isolating = [p for p in selecting if direction in directions(p["spec"])]
        for policy in isolating:
            for rule in policy["spec"].get(direction.lower()) or ():
                ends = self._ends(rule.get(PEERS[direction]), FIELD[direction], pod.namespace)
                yield from self._lines(ends, self._ports(rule.get("ports"), direction, pod), "return")
        if isolating:
            yield "drop"
        elif not selecting:
            for policy in cluster:
                if policy["spec"]["tier"] == "Baseline":
                    yield from self._ordered(policy, direction, pod, "return")

    def _ordered(self, policy: Obj, direction: str, pod: PolicyPod, passing: str) -> Iterator[str]:
        """The rules of a ClusterNetworkPolicy."""
        for rule in policy["spec"].get(direction.lower()) or ():
            ends = self._cluster_ends(rule.get(PEERS[direction]) or (), FIELD[direction])
            ports = self._protocols(rule.get("protocols"), direction, pod)
            yield from self._lines(ends, ports, VERDICTS.get(rule["action"], passing))

    def _lines(self, ends: Iterable[str], ports: Sequence[str], verdict: str) -> Iterator[str]:
        return (f"{end}{port}{verdict}" for end in ends for port in ports)

    # -- the other end ---------------------------------------------------------------------------------------------
    def _ends(self, peers: Sequence[Obj] | None, field: str, namespace: str) -> list[str]:
        if not peers:
            return [""]
        return [end for peer in peers for end in self._end(peer, field, namespace)]

    def _end(self, peer: Obj, field: str, namespace: str) -> list[str]:
        if block := peer.get("ipBlock"):
            holes = f"ip {field} != {_set(block['except'])} " if block.get("except") else ""
            return [f"ip {field} {block['cidr']} {holes}"]
        by_pod = selector(peer.get("podSelector") or {})
        of_namespaces = peer.get("namespaceSelector")
        chosen = [
            pod.addresses[0]
            for pod in self.pods
            if by_pod(pod.labels)
            and (pod.namespace == namespace if of_namespaces is None else selector(of_namespaces)(pod.namespace_labels))
        ]
        return _at(field, chosen)

    def _cluster_ends(self, peers: Sequence[Obj], field: str) -> list[str]:
        found: list[str] = []
        for peer in peers:
            if "networks" in peer:
                found += _at(field, peer["networks"])
            elif "nodes" in peer:
                chosen = [node for node in self.nodes if selector(peer["nodes"])(node.labels)]
                found += _at(field, [address for node in chosen for address in node.addresses])
            else:
                found += _at(field, [pod.addresses[0] for pod in self.pods if subject(peer)(*subject_of(pod))])
        return found

    # -- ports -------------------------------------------------------------------------------------------------------
    def _ports(self, said: Sequence[Obj] | None, direction: str, pod: PolicyPod) -> list[str]:
        found: list[str] = []
        for one in said or ():
            protocol, port = one.get("protocol") or "TCP", one.get("port")
            if isinstance(port, str):
                found += self._named(port, (protocol,), direction, pod)
            else:
                found.append(_range(protocol, port, one.get("endPort") or port))
        return found if said else [""]

    def _protocols(self, said: Sequence[Obj] | None, direction: str, pod: PolicyPod) -> list[str]:
        found: list[str] = []
        for one in said or ():
            if "destinationNamedPort" in one:
                found += self._named(one["destinationNamedPort"], PROTOCOLS, direction, pod)
            for protocol in PROTOCOLS:
                if protocol.lower() in one:
                    port = one[protocol.lower()].get("destinationPort") or {}
                    whole = port.get("range") or {"start": port.get("number"), "end": port.get("number")}
                    found.append(_range(protocol, whole["start"], whole["end"]))
        return found if said else [""]

    def _named(self, name: str, protocols: Sequence[str], direction: str, pod: PolicyPod) -> list[str]:
        """A name is a number at the destination: this pod's own, or whichever pod's it goes to."""
        destinations = [pod] if direction == "Ingress" else self.pods
        return [
            f"ip daddr {end.addresses[0]} {_range(protocol, number, number)}"
            for end in destinations
            for has, number, protocol in sorted(end.ports)
            if has == name and protocol in protocols
        ]


def subject_of(pod: PolicyPod) -> tuple[str, PolicyPod]:
    """A pod as `matching.subject` is asked of it."""
    return pod.addresses[0], pod


def _range(protocol: str, low: int | None, high: int | None) -> str:
    if low is None:
        return f"meta l4proto {protocol.lower()} "
    return f"{protocol.lower()} dport {low}{f'-{high}' if high != low else ''} "


def _at(field: str, addresses: Sequence[str]) -> list[str]:
    return [f"ip {field} {_set(addresses)} "] if addresses else []


def _set(addresses: Sequence[str]) -> str:
    return f"{{ {', '.join(addresses)} }}"


def _name(direction: str, pod: PolicyPod) -> str:
    return f"{direction.lower()}_{pod.addresses[0].replace('.', '_')}"


def _chain(name: str, lines: Iterable[str]) -> list[str]:
    return [f" chain {name} {{", *(f"  {line}" for line in lines if line), " }"]
