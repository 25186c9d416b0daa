"""One packet through a cluster, walked by the rules that its kube-proxies have written.

Theory of operation. A running cluster is looked at as it stands: which pods have an address, which
containers listen, and what each node's kernel holds of kube-proxy's rules, be they up to date or not.
Of that a network of namespaces is built, the rules are loaded as text, and the packet walks. Nothing
in the cluster changes. A scenario, or manifests, are first run to the instant that is asked for.
Policies are asked of each node's agent, where there is one, as a packet is about to leave the node.
Simplified: cuts and latency of the cluster's wire are not walked; a node
without power is not there; flows and affinity of the cluster's clients are not known to the walk.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from kubemini.api.kinds import POD, SERVICE, Kind
from kubemini.api.objects import Obj, get
from kubemini.cluster import Cluster
from kubemini.host import Host
from kubemini.host.linux import firewall as own_rules
from kubemini.host.linux import netfilter
from kubemini.host.linux.exchange import all_picks, connect, from_draws
from kubemini.host.linux.netfilter.flight import Choose
from kubemini.host.linux.netns import Namespaces
from kubemini.host.linux.packet import Packet
from kubemini.host.linux.podnetwork import pod_at
from kubemini.host.linux.walk import Guard
from kubemini.network import dataplane, policing
from kubemini.network.cni import BRIDGE
from kubemini.network.decide.rules.plan import Plan as Planned
from kubemini.network.decide.rules.plan import planned
from kubemini.network.decide.services.node import ProxyConfig
from kubemini.network.decide.services.ports import IPV4, IPV6, family
from kubemini.network.kubeproxy import KubeProxy
from kubemini.network.walks.ground import OUTSIDE, Plan, PodPlan, build, six
from kubemini.network.walks.places import Place, Places
from kubemini.network.walks.proxied import MODES, load, loadable
from kubemini.network.walks.traced import Traced
from kubemini.ranges import shown
from kubemini.simulate import cluster_of, text_of

CLIENT, CLIENT6 = "203.0.113.2", "2001:db8:113::2"  # who is outside
PROTOCOLS = ("TCP", "UDP", "SCTP")
SIZES, LEAST_MTU = (28, 65_535), 68  # bytes of IPv4


def trace_packet(
    where: Any = None,
    sender: str = "",
    to: str = "",
    *,
    manifests: str = "",
    at: str | float | None = None,
    seed: int | None = None,
    proxy_mode: str = "",
    protocol: str = "",
    size: int = 60,
    network: str = "host-gw",
    pod_mtu: int = 0,
    firewall: str = "",
) -> Traced:
    """Walk a new connection from *sender* to *to*; the result prints itself, hop by hop, and why.

    *where* is a running `Cluster`, or a scenario that is run to *at* ("20s"; else to its end); instead
    of it *manifests*, a text or a file, are applied to a small cluster. Places are written pod/NAME,
    svc/NAME:PORT, node/NAME, outside, ADDRESS:PORT. *proxy_mode* ("iptables", "nftables") writes the
    same rules in another mode; *network* ("host-gw", "vxlan", "routed") is how nodes find pods, and
    *pod_mtu* a wrong MTU to try; *size* is in bytes. *firewall* is a text, or a file, of iptables-save
    or nft, that every node has beside kube-proxy's rules.
    Raises ValueError: one sentence that says what to do.
    """
    if proxy_mode and proxy_mode not in MODES:
        raise ValueError(f"kube-proxy has no mode {shown(proxy_mode)}; it has: {', '.join(MODES)}")
    if protocol and protocol not in PROTOCOLS:
        raise ValueError(f"protocol {shown(protocol)}: give one of {', '.join(PROTOCOLS)}")
    if not SIZES[0] <= size <= SIZES[1]:
        raise ValueError(f"size {shown(size)}: a packet has {SIZES[0]} to {SIZES[1]} bytes")
    if pod_mtu and not LEAST_MTU <= pod_mtu <= SIZES[1]:
        raise ValueError(f"pod_mtu {shown(pod_mtu)}: an MTU is {LEAST_MTU} to {SIZES[1]} bytes")
    cluster = cluster_of(where, manifests, at, seed)
    scene = Scene(cluster, proxy_mode, network, pod_mtu, text_of(firewall) if firewall else "")
    start = scene.places.sender(sender)
    end = scene.places.target(to, outside=sender == OUTSIDE)
    return scene.trace(start, end, protocol or end.protocol or "TCP", size)


class Scene:
    """A cluster as it stands, as namespaces with rules, and what can be named in it."""

    def __init__(
        self, cluster: Cluster, mode: str = "", network: str = "host-gw", pod_mtu: int = 0, firewall: str = ""
    ):
        self.cluster = cluster
        self.hosts = [h for h in cluster.hosts.values() if h.powered and _is_node(h)]
        if not self.hosts:
            raise ValueError("this cluster has no node that runs kube-proxy; take one with workers")
        self.nodes = [dataplane.node_of(host) for host in self.hosts]
        self.pods = {_name(pod): pod for pod in self._objects(POD) if get(pod, "status", "podIP")}
        own = {node.addresses[0]: node.name for node in self.nodes}
        self.ips = {name: _ips(pod) for name, pod in self.pods.items()}
        ips = {name: found[0] for name, found in self.ips.items()}
        homes = {name: own.get(ip) or name.removeprefix("default/") for name, ip in ips.items()}
        services = {_name(service): service for service in self._objects(SERVICE)}
        self.places = Places(ips, {n.name: n.addresses[0] for n in self.nodes}, services, homes)
        self.configs = {host.name: _config(host, mode) for host in self.hosts}
        self.firewall = firewall
        self.mode = mode or next(iter(self.configs.values())).mode
        self.plan = self._plan(network, pod_mtu)

    def _objects(self, kind: Kind) -> list[Obj]:
        """The objects of a kind, as an API server that is up has them."""
        for component in self.cluster.components.values():
            core = getattr(component, "core", None)
            if component.up and core is not None and (cache := core.begun(kind)) is not None:
                return cache.items()
        return []

    def _plan(self, network: str, pod_mtu: int) -> Plan:
        own = {node.addresses[0] for node in self.nodes}
        there = {node.name for node in self.nodes}
        pods = tuple(
            PodPlan(self.places.homes[name], pod["spec"]["nodeName"], ",".join(self.ips[name]))
            for name, pod in self.pods.items()
            if self.places.pods[name] not in own and pod["spec"]["nodeName"] in there
        )
        doors = [
            f"{ip}/{128 if ':' in ip else 32}"
            for service in self.places.services.values()
            for ip in (
                *(get(service, "spec", "externalIPs") or ()),
                *(i["ip"] for i in get(service, "status", "loadBalancer", "ingress") or () if i.get("ip")),
            )
        ]
        networks = self.cluster.params.service_cluster_ip_range
        first = self.nodes[0].name
        return Plan(
            tuple(self.nodes),
            pods,
            dict.fromkeys((CLIENT, CLIENT6)[: len(self.nodes[0].addresses)], first),
            network,
            (*networks, *doors),
            pod_mtu=pod_mtu,
            bridge=str(BRIDGE["bridge"]),
        )

    def planned(self, host: Host, of_family: str) -> list[Planned]:
        """What the kube-proxy of *host* has written in a family, whether it still lives or not."""
        table = dataplane.table(host)
        entries = [e for found in table.by_service.values() for e in found] if table else []
        return [planned(e.port, e.uses, len(e.uses.reachable)) for e in entries if e.port.family == of_family]

    def build(self, of_family: str = IPV4) -> Namespaces:
        """The namespaces, with the rules of one family in them and everybody listening who does."""
        net = build(self.plan)
        for host, node in zip(self.hosts, self.nodes):
            if dataplane.table(host):
                load(net[host.name], node, self.configs[host.name], self.planned(host, of_family), of_family)
            netfilter.load(net[host.name].rules, _of_plugins(host, of_family))
            netfilter.load(net[host.name].rules, own_rules.saved(host.kernel))
            netfilter.load(net[host.name].rules, self.firewall)
            for lost in host.kernel.lost_routes.values():
                for cidr in lost.split(","):
                    net[host.name].routes.delete(cidr)
        for namespace, protocol, port in self._listening():
            net[namespace].listening[protocol, "", port] = namespace
        return net

    def _listening(self) -> Iterator[tuple[str, str, int]]:
        """(namespace, protocol, port) of every container that runs: its ports, and those that lead to it."""
        homes = {ip: self.places.homes[name] for name, ips in self.ips.items() for ip in ips}
        alive = {ip for ip in homes if any(pod_at(host, ip) for host in self.hosts)}
        for host in self.hosts:
            for plan in (*self.planned(host, IPV4), *self.planned(host, IPV6)):
                for endpoint in plan.reachable:
                    if endpoint.ip in alive:
                        yield homes[endpoint.ip], plan.port.protocol, endpoint.port
        for name, pod in self.pods.items():
            for container in pod["spec"].get("containers") or ():
                for port in container.get("ports") or ():
                    if self.places.pods[name] in alive:
                        protocol = port.get("protocol", "TCP")
                        yield self.places.homes[name], protocol, port["containerPort"]

    def trace(self, start: Place, end: Place, protocol: str, size: int = 60) -> Traced:
        """Walk one connection, and find what other picks would have given."""
        of_family = family(end.ip)
        if start.namespace not in (net := self.build(of_family)):
            raise ValueError(f"{start.said} has no network: its node is down or unknown; try another")
        if of_family == IPV6 and not six(self.plan):
            raise ValueError(
                f"{end.said} is of IPv6, and this cluster speaks IPv4 only; set cluster_cidr to a range of each"
            )
        packet = Packet(protocol, "", end.ip, 0, end.port, size=size)
        draws, number = self.cluster.sim.draws(f"trace/{start.said}/{end.said}"), iter(range(2**31))
        choose = from_draws(lambda: draws.u(next(number)))
        guard = self._guard(protocol)
        exchange = connect(net, start.namespace, packet, choose, guard=guard)

        fresh = self.build(of_family)

        def again(choose: Choose) -> tuple[str, str]:
            for here in fresh.values():
                here.conntrack.flows.clear()
                here.rules.recent.clear()
            verdict = connect(fresh, start.namespace, packet, choose, guard=guard).verdict
            return verdict.fate, verdict.by

        others = tuple((share, *found) for share, found in all_picks(again))
        flows = {n.name: [str(e) for e in net[n.name].conntrack.entries()] for n in self.nodes}
        ruleset = {
            host.name: loadable(node, self.configs[host.name], self.planned(host, of_family), of_family)
            for host, node in zip(self.hosts, self.nodes)
        }
        return Traced(start.said, end.said, self.mode, exchange, others, flows, ruleset)

    def _guard(self, protocol: str) -> Guard:
        """Egress is judged on the node that a pod's packet leaves, ingress on the one of its receiver."""
        of_pod = {ip: pod["spec"]["nodeName"] for name, pod in self.pods.items() for ip in self.ips[name]}
        hosts = {host.name: host for host in self.hosts}

        def guard(namespace: str, packet: Packet) -> str:
            if namespace not in hosts or packet.protocol != protocol:
                return ""
            host = hosts[namespace]
            node = dataplane.node_of(host)
            own = namespace if packet.source in (*node.addresses, *node.bridges) else ""
            flow = policing.Flow(packet.source, packet.destination, packet.dport, protocol, own)
            left = of_pod.get(packet.source) != namespace or policing.may_leave(host, flow)
            passed = left and (of_pod.get(packet.destination) != namespace or policing.may_enter(host, flow))
            return "" if passed else flow.rule

        return guard


def _is_node(host: Host) -> bool:
    return any(isinstance(c, KubeProxy) for c in host.components)


def _ips(pod: Obj) -> list[str]:
    """The addresses of a pod that has some."""
    return [entry["ip"] for entry in get(pod, "status", "podIPs") or ()] or [pod["status"]["podIP"]]


def _of_plugins(host: Host, of_family: str) -> str:
    """The rules that CNI plugins have put on *host* (host ports), as iptables-save prints them."""
    found = host.kernel.pod_network
    tables = found.tables[4 if of_family == IPV4 else 6] if found else None
    return "\n".join(line for name in tables.chains for line in tables.saved(name)) if tables else ""


def _config(host: Host, mode: str) -> ProxyConfig:
    table = dataplane.table(host)
    config = table.config if table else ProxyConfig()
    return replace(config, mode=mode) if mode else config


def _name(obj: Obj) -> str:
    meta = obj["metadata"]
    return f"{meta.get('namespace', 'default')}/{meta['name']}"
