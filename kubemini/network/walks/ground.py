"""A cluster built of network namespaces: nodes, pods, the wire between them and the world outside.

Invariant: it looks as the lab of the recordings does. A router with a switch; every node on it with a
bridge for its pods; the outside behind the router. Who sends from outside to an address of a Service
enters at one node; what a node sends to such an address untranslated is lost at the router.
Models containernetworking/plugins plugins/main/bridge/bridge.go setupBridge
Models flannel-io/flannel pkg/backend/vxlan/vxlan_network.go
Where nodes have addresses of both families, so has everybody.
Simplified: routes are there at once; a withdrawn one (BGP) is taken out by `withdraw`; VXLAN carries IPv6 over IPv4.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kubemini.host.linux.netns import VXLAN_OVERHEAD, Interface, Namespace, Namespaces
from kubemini.host.linux.routes import MAIN, Route, Selector
from kubemini.network.decide.services.node import Node
from kubemini.network.decide.services.ports import IPV4, IPV6, family

ROUTER, OUTSIDE = "router", "outside"
LAN, WIRE, VXLAN = "lan0", "eth0", "flannel.1"
LAN_NET, LAN_HOST = "192.168.0.0/24", "192.168.0.1"
LAN_HOST6, OUTSIDE_HOST6 = "fd00:168::1", "2001:db8:113::1"
OUTSIDE_NET, OUTSIDE_HOST = "203.0.113.0/24", "203.0.113.1"
NETWORKS = ("host-gw", "vxlan", "routed", "none")
DEFAULT, DEFAULT6 = "0.0.0.0/0", "::/0"
WIDE = {False: 24, True: 64}  # bits of the networks that nodes stand in: of IPv4, of IPv6


@dataclass(frozen=True, slots=True)
class PodPlan:
    """A pod with a network of its own: where it runs, and its address, or two with a comma between."""

    name: str
    node: str
    ip: str

    @property
    def ips(self) -> list[str]:
        """Its addresses."""
        return self.ip.split(",")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be built. *network* says how packets find the node of a pod.

    host-gw: a route on every node to every other; vxlan: the same inside UDP, the pods' MTU 50 bytes
    less; routed: nodes and router tell each other (BGP), so outside, too, pods' addresses are known;
    none: nobody knows. *clients* outside: address → the node at which it enters.
    """

    nodes: tuple[Node, ...]
    pods: tuple[PodPlan, ...]
    clients: Mapping[str, str] = field(default_factory=dict)
    network: str = "routed"
    services: tuple[str, ...] = ("10.96.0.0/16", "198.51.100.0/24")
    mtu: int = 1500
    pod_mtu: int = 0  # 0: what fits
    bridge_nf: bool = True
    hairpin: bool = True
    route_localnet: bool = False
    bridge: str = "cbr0"


def build(plan: Plan) -> Namespaces:
    """All namespaces of *plan*, wired and routed, with no rules in them; ValueError if it is wrong."""
    if plan.network not in NETWORKS:
        raise ValueError(f"no network {plan.network!r}; there are: {', '.join(NETWORKS)}")
    net = Namespaces()
    _router(net, plan)
    for node in plan.nodes:
        _node(net, plan, node)
    for pod in plan.pods:
        _pod(net, plan, pod)
    _ways(net, plan)
    return net


def _router(net: Namespaces, plan: Plan) -> None:
    router, outside = net.create(ROUTER), net.create(OUTSIDE)
    router.forwarding = True
    net.bridge(ROUTER, LAN, plan.mtu)
    router.address(LAN, f"{LAN_HOST}/24")
    net.veth((ROUTER, "to-outside"), (OUTSIDE, WIRE), plan.mtu)
    router.address("to-outside", f"{OUTSIDE_HOST}/24")
    for client in plan.clients or (f"{OUTSIDE_HOST[:-1]}2",):
        own = [a for a in outside.interfaces[WIRE].addresses if (":" in a) == (":" in client)]
        outside.address(WIRE, f"{client}/{_alone(client) if own else WIDE[':' in client]}")
    outside.routes.add(Route(DEFAULT, via=OUTSIDE_HOST, device=WIRE))
    router.routes.add(Route(DEFAULT, kind="blackhole"))
    router.routes.add(Route(DEFAULT, kind="blackhole"), "lost")
    if six(plan):
        router.address(LAN, f"{LAN_HOST6}/64")
        router.address("to-outside", f"{OUTSIDE_HOST6}/64")
        outside.routes.add(Route(DEFAULT6, via=OUTSIDE_HOST6, device=WIRE))
        router.routes.add(Route(DEFAULT6, kind="blackhole"))
        router.routes.add(Route(DEFAULT6, kind="blackhole"), "lost")
    for priority, services in enumerate(plan.services):
        router.routes.select(Selector(10 + priority, "lost", destination=services, incoming=LAN))
        for at, (client, node) in enumerate(plan.clients.items()):
            if (":" in client) == (":" in services):
                table = _entering(router, plan, node, ":" in client)
                chosen = Selector(100 + priority * 1000 + at, table, f"{client}/{_alone(client)}", services)
                router.routes.select(chosen)


def _entering(router: Namespace, plan: Plan, node: str, is_six: bool) -> str:
    """The table by which packets enter at *node*, made if need be."""
    table = f"enters at {node}" + (" (IPv6)" if is_six else "")
    if table not in router.routes.tables:
        primary = next(n for n in plan.nodes if n.name == node).primary(IPV6 if is_six else IPV4)
        router.routes.add(Route(DEFAULT6 if is_six else DEFAULT, via=primary, device=LAN), table)
    return table


def six(plan: Plan) -> bool:
    """Whether there is IPv6 in it."""
    return any(":" in address for node in plan.nodes for address in node.addresses)


def _alone(address: str) -> int:
    """The prefix of a single address."""
    return 128 if ":" in address else 32


def _node(net: Namespaces, plan: Plan, node: Node) -> None:
    here = net.create(node.name)
    here.forwarding = True
    here.bridge_nf, here.route_localnet = plan.bridge_nf, plan.route_localnet
    net.veth((ROUTER, f"to-{node.name}"), (node.name, WIRE), plan.mtu, master=LAN)
    known = net[ROUTER].interfaces[LAN].addresses
    for address in node.addresses:
        here.address(WIRE, f"{address}/{WIDE[':' in address]}")
        if ":" not in address:
            gateway = f"{address.rsplit('.', 1)[0]}.1/24"
            if gateway not in known:
                net[ROUTER].address(LAN, gateway)
    here.routes.add(Route(DEFAULT, via=LAN_HOST, device=WIRE))
    if six(plan):
        here.address("lo", "::1/128")
        here.routes.add(Route(DEFAULT6, via=LAN_HOST6, device=WIRE))
    net.bridge(node.name, plan.bridge, pod_mtu(plan))
    for bridge, cidr in zip(node.bridges, node.pod_cidrs, strict=True):
        here.address(plan.bridge, f"{bridge}/{cidr.split('/')[1]}")
    if plan.network == "vxlan":
        here.interfaces[VXLAN] = Interface(VXLAN, "vxlan", plan.mtu - VXLAN_OVERHEAD, local=node.addresses[0])
        for cidr in node.pod_cidrs:
            here.address(VXLAN, f"{_first(cidr)}/{_alone(cidr)}")


def pod_mtu(plan: Plan) -> int:
    """The MTU of the pods' interfaces: what fits through the network, if the plan says nothing."""
    return plan.pod_mtu or plan.mtu - (VXLAN_OVERHEAD if plan.network == "vxlan" else 0)


def _pod(net: Namespaces, plan: Plan, pod: PodPlan) -> None:
    here = net.create(pod.name)
    node = next(node for node in plan.nodes if node.name == pod.node)
    port = f"veth-{pod.name}"
    net.veth((pod.node, port), (pod.name, WIRE), pod_mtu(plan), master=plan.bridge)
    net[pod.node].interfaces[port].hairpin = plan.hairpin
    for ip, cidr, bridge in zip(pod.ips, node.pod_cidrs, node.bridges, strict=True):
        here.address(WIRE, f"{ip}/{cidr.split('/')[1]}")
        here.routes.add(Route(DEFAULT6 if ":" in ip else DEFAULT, via=bridge, device=WIRE))


def _ways(net: Namespaces, plan: Plan) -> None:
    """How every node, and the router, find the pods of the others."""
    if plan.network == "none":
        return
    for node in plan.nodes:
        here = net[node.name]
        for other in (n for n in plan.nodes if n is not node):
            for cidr in other.pod_cidrs:
                if plan.network in {"host-gw", "routed"}:
                    here.routes.add(Route(cidr, via=other.primary(family(cidr)), device=WIRE))
                elif plan.network == "vxlan":
                    far = _first(cidr)
                    here.routes.add(Route(cidr, via=far, device=VXLAN))
                    here.interfaces[VXLAN].remotes[far] = other.addresses[0]
        for cidr in node.pod_cidrs if plan.network == "routed" else ():
            net[ROUTER].routes.add(Route(cidr, via=node.primary(family(cidr)), device=LAN))


def withdraw(net: Namespaces, node: Node) -> None:
    """Everybody forgets the way to the pods of *node*, as when its BGP speaker is gone."""
    for here in net.values():
        for cidr in node.pod_cidrs:
            if any(r.destination == cidr and r.via for r in here.routes.tables[MAIN]):
                here.routes.delete(cidr)


def _first(network: str) -> str:
    return network.split("/")[0]
