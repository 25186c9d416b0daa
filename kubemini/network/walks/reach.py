"""Who reaches whom in a pod network, and what is in the way: for every pair of pods, by walking packets. Pure.

A pair is asked twice: with a small packet, and with one as big as the sender's interface takes that must not be cut
(``ping -M do``). The small one says whether the way there and the way back exist, the big one whether data can flow:
where it vanishes without a word there is an MTU black hole. If a way is missing, the node that lacks the route is
named, and the route.
Models containernetworking/plugins plugins/main/bridge/bridge.go cmdAdd
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kubemini.host.linux.addresses import within
from kubemini.host.linux.exchange import CONNECTED, LOST_RETURN, Exchange, connect
from kubemini.host.linux.netfilter import iptables
from kubemini.host.linux.netns import Namespaces
from kubemini.host.linux.packet import Packet
from kubemini.host.linux.routes import MAIN, Route
from kubemini.network.decide.services.node import CLUSTER_CIDR, Node
from kubemini.network.walks.ground import DEFAULT, OUTSIDE, WIRE, Plan, PodPlan, build, withdraw

PORT = 80
CLIENT = "203.0.113.9"  # a machine outside of the cluster
BLACK_HOLE, NO_ROUTE = "black hole", "no route"
NEEDED = "fragmentation needed"  # the ICMP message that saves a sender from a black hole


@dataclass(frozen=True, slots=True)
class Found:
    """What became of a pair: *fate* is connected, black hole, no route, or how the packet ended; *why* what decided.

    *source* is the address that the other side saw, *ttl* what was left of 64, *size* the biggest packet tried.
    """

    fate: str
    why: str
    source: str = ""
    ttl: int = 0
    size: int = 0

    @property
    def works(self) -> bool:
        """Whether data flows."""
        return self.fate == CONNECTED


def nodes_of(count: int) -> tuple[Node, ...]:
    """Nodes n1, n2, …: 192.168.0.11, .12, …, with 10.244.1.0/24, 10.244.2.0/24, … for their pods."""
    return tuple(
        Node(f"n{i}", (f"192.168.0.{10 + i}",), "", f"10.244.{i}.0/24", f"10.244.{i}.1") for i in range(1, count + 1)
    )


def pods_of(nodes: Iterable[Node], each: int) -> tuple[PodPlan, ...]:
    """Pods n1-a, n1-b, … of each node, with the addresses that host-local gives them: .2, .3, …"""
    return tuple(
        PodPlan(f"{node.name}-{chr(ord('a') + i)}", node.name, f"{node.bridge.rpartition('.')[0]}.{i + 2}")
        for node in nodes
        for i in range(each)
    )


class PodNetwork:
    """A pod network to be broken: *nodes* nodes with *pods* pods each, and a machine outside.

    *network* is host-gw, vxlan, routed or none (`ground.Plan`); *pod_mtu* is the MTU of the pods' interfaces, 0 for
    what fits. ValueError if there is no such network.
    """

    def __init__(self, network: str = "host-gw", nodes: int = 3, pods: int = 2, pod_mtu: int = 0):
        known = nodes_of(nodes)
        self.plan = Plan(known, pods_of(known, pods), {CLIENT: "n1"}, network, pod_mtu=pod_mtu)
        self.net: Namespaces = build(self.plan)
        for name in (*self.names, OUTSIDE):
            self.net[name].listening["TCP", "", PORT] = name

    @property
    def names(self) -> list[str]:
        """The pods."""
        return [pod.name for pod in self.plan.pods]

    def _node(self, name: str) -> Node:
        found = next((node for node in self.plan.nodes if node.name == name), None)
        if found is None:
            raise ValueError(f"no node {name!r}; there are: {', '.join(n.name for n in self.plan.nodes)}")
        return found

    def address(self, name: str) -> str:
        """The address of a pod, a node, or the machine outside. ValueError: there is none of that name."""
        addresses = {pod.name: pod.ip for pod in self.plan.pods} | {OUTSIDE: CLIENT}
        return addresses[name] if name in addresses else self._node(name).addresses[0]

    # -- to break and to repair ----------------------------------------------------------------------------------------
    def forget(self, node: str, other: str) -> None:
        """``ip route del``: *node* does not know any more where the pods of *other* are."""
        self.net[self._node(node).name].routes.delete(self._node(other).pod_cidr)

    def route(self, node: str, other: str, via: str = "") -> None:
        """``ip route add``: *node* sends to the pods of *other* by way of *via*, of *other* itself if not said."""
        to, gateway = self._node(other), self.address(via or other)
        self.net[self._node(node).name].routes.add(Route(to.pod_cidr, via=gateway, device=WIRE))

    def withdraw(self, node: str) -> None:
        """Everybody forgets the way to the pods of *node*, as when its BGP speaker is gone."""
        withdraw(self.net, self._node(node))

    def rules(self, node: str, text: str) -> None:
        """``iptables-restore --noflush`` on *node*. ValueError: a line cannot be understood."""
        iptables.load(self.net[self._node(node).name].rules, text.splitlines())

    def masquerade(self, *, own_subnet_only: bool = False) -> None:
        """On every node, what its pods send out of the pod network gets the node's address.

        *own_subnet_only* spares only what stays on the node, as ipMasq of the bridge plugin does.
        """
        for node in self.plan.nodes:
            spared = node.pod_cidr if own_subnet_only else CLUSTER_CIDR
            self.rules(node.name, f"*nat\n-A POSTROUTING -s {node.pod_cidr} ! -d {spared} -j MASQUERADE\nCOMMIT")

    def no_icmp(self, node: str) -> None:
        """A firewall of *node* that somebody made too tight: ICMP that asks for smaller packets goes nowhere."""
        self.rules(node, "*filter\n-A OUTPUT -p icmp -m icmp --icmp-type 3/4 -j DROP\nCOMMIT")

    # -- to ask --------------------------------------------------------------------------------------------------------
    def send(self, source: str, target: str, size: int = 60) -> Exchange:
        """One packet of *size* bytes that must not be cut, and its answer: TCP if small, else an ICMP echo."""
        to = self.address(target)
        small = Packet("TCP", "", to, 0, PORT, size=size)
        packet = small if size == 60 else Packet("ICMP", "", to, size=size, flags="echo")
        return connect(self.net, source, packet, lambda weights: 0)

    def ask(self, source: str, target: str) -> Found:
        """What becomes of *source* → *target*."""
        small = self.send(source, target)
        if small.verdict.fate != CONNECTED:
            return self._broken(source, target, small)
        seen = small.verdict
        size = self.net[source].interfaces[WIRE].mtu
        for _ in range(2):  # whoever is told the MTU of the way sends again, smaller
            big = self.send(source, target, size)
            if big.verdict.fate == CONNECTED:
                return Found(CONNECTED, seen.rule, seen.source, seen.ttl, size)
            here = big.hops[-1].namespace == source  # the sender's own kernel says it at once
            if big.verdict.told != NEEDED and not here:
                break
            size = self._path_mtu(big)
        return Found(BLACK_HOLE, big.verdict.rule, seen.source, seen.ttl, size)

    def _path_mtu(self, big: Exchange) -> int:
        """What the ICMP message says that fits: the MTU at the end of the words of the hop that refused."""
        return int(big.verdict.rule.rpartition(" ")[2])

    def _broken(self, source: str, target: str, small: Exchange) -> Found:
        verdict = small.verdict
        answer = verdict.fate == LOST_RETURN
        lacking = self._lacking(*((target, source) if answer else (source, target)))
        if lacking and verdict.step is None:
            where, route = lacking
            back = ", so the answer is lost" if answer else ""
            return Found(NO_ROUTE, f"{where} has no route to {route}{back}", verdict.source, verdict.ttl)
        last = (small.back or small.hops)[-1].namespace if verdict.step is None else small.steps[-1][0]
        return Found(verdict.fate, f"{last}: {verdict.rule}", verdict.source, verdict.ttl)

    def _lacking(self, source: str, target: str) -> tuple[str, str] | None:
        """The first on the way from *source* to *target* that knows no better route to a pod than the default one."""
        pod = next((p for p in self.plan.pods if p.name == target), None)
        if pod is None:
            return None
        subnet = self._node(pod.node).pod_cidr
        own = next((p.node for p in self.plan.pods if p.name == source), source)
        way = ["router"] if own == OUTSIDE else [own, "router"]
        for name in way:
            route = self.net[name].routes.lookup(pod.ip)
            if route is None or route.destination == DEFAULT:
                return name, subnet
            if not route.via or within(route.via, subnet) or route.via == self.address(pod.node):
                return None
        return None

    def matrix(self) -> dict[tuple[str, str], Found]:
        """Every ordered pair of two pods: what becomes of it."""
        return dict(self._pairs())

    def _pairs(self) -> Iterator[tuple[tuple[str, str], Found]]:
        for source in self.names:
            for target in self.names:
                if source != target:
                    yield (source, target), self.ask(source, target)

    def routes(self, node: str) -> list[str]:
        """The routing table of a node, as ``ip route`` prints it."""
        return [str(route) for route in self.net[node].routes.tables[MAIN]]
