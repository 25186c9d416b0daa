"""Which programs there are, and whom each of them knows, as kubeadm wires it.

An API server knows its local etcd member (stacked) or all members (external); scheduler and controller-manager know
the API server of their own host; kubelets, kube-proxies and users know the load balancer, the address that two of them
share, or the only API server where there is none.
"""

from collections.abc import Callable
from dataclasses import dataclass

from kubemini.apiserver.server import ApiServer
from kubemini.cluster.topology.spec import ADDRESS, HostSpec, Topology
from kubemini.controllers.manager import ControllerManager
from kubemini.etcd.server.member import Member
from kubemini.host import Component, Host
from kubemini.kubelet.kubelet import Kubelet
from kubemini.loadbalancer.haproxy import HAProxy
from kubemini.loadbalancer.keepalived import Keepalived
from kubemini.network.cloudbalancer import CloudBalancer
from kubemini.network.dns import CoreDNSProcess, NodeCache, Outside
from kubemini.network.ingress import IngressController
from kubemini.network.kubeproxy import KubeProxy
from kubemini.network.policyagent import PolicyAgent
from kubemini.network.speaker import Speaker
from kubemini.scheduler.loop import Scheduler
from kubemini.sim import Sim
from kubemini.users import Caller, Clients, EtcdUser, Outsider, PodNetwork, Servers, User, Visitor
from kubemini.wire import Network

Names = list[str]


@dataclass(frozen=True, slots=True)
class Program:
    """A class, and the lists of names that it is told: a function each of the topology and the program's own host."""

    make: Callable[..., Component]
    knows: tuple[Callable[[Topology, HostSpec], Names], ...] = ()


def _members(topology: Topology, host: HostSpec) -> Names:
    return topology.members


def _own_member_or_all(topology: Topology, host: HostSpec) -> Names:
    return [c for c in host.components if c.startswith("etcd-")] or topology.members


def _own_api_server(topology: Topology, host: HostSpec) -> Names:
    return [c for c in host.components if c.startswith("apiserver-")]


def _api_servers(topology: Topology, host: HostSpec) -> Names:
    return topology.api_servers


def _front_door(topology: Topology, host: HostSpec) -> Names:
    return topology.front_door


def _address(topology: Topology, host: HostSpec) -> Names:
    return [ADDRESS]


def _keepaliveds(topology: Topology, host: HostSpec) -> Names:
    return topology.of("keepalived-")


def _own_balancer(topology: Topology, host: HostSpec) -> Names:
    return [c for c in host.components if c.startswith("haproxy-")]


def _control_plane(topology: Topology, host: HostSpec) -> Names:
    return [*topology.api_servers, *topology.members]


PROGRAMS: dict[str, Program] = {
    "etcd": Program(Member, (_members,)),
    "apiserver": Program(ApiServer, (_own_member_or_all,)),
    "scheduler": Program(Scheduler, (_own_api_server,)),
    "controller-manager": Program(ControllerManager, (_own_api_server,)),
    "haproxy": Program(HAProxy, (_api_servers,)),
    "keepalived": Program(Keepalived, (_address, _keepaliveds, _own_balancer, _control_plane)),
    "kubelet": Program(Kubelet, (_front_door,)),
    "kube-proxy": Program(KubeProxy, (_front_door,)),
    "kube-network-policies": Program(PolicyAgent, (_front_door,)),
    "speaker": Program(Speaker, (_front_door,)),
    "cloud": Program(CloudBalancer, (_front_door,)),
    "pods": Program(PodNetwork),
    "visitor": Program(Visitor),
    "callers": Program(Caller),
    "servers": Program(Servers),
    "clients": Program(Clients),
    "coredns": Program(CoreDNSProcess, (_front_door,)),
    "node-cache": Program(NodeCache),
    "upstream-dns": Program(Outside),
    "visitor@internet": Program(Outsider),
    "ingress": Program(IngressController, (_front_door,)),
    "kubectl": Program(User, (_front_door, _members)),
    "etcd-client": Program(EtcdUser, (_members,)),
}


def install(name: str, topology: Topology, spec: HostSpec, sim: Sim, net: Network, host: Host) -> Component:
    """The program behind the component *name* ("etcd-1", "kubelet@worker-1"), installed on *host*."""
    program = PROGRAMS.get(name) or PROGRAMS[name.split("@")[0].rstrip("0123456789").rstrip("-")]
    return program.make(sim, net, host, name, *(known(topology, spec) for known in program.knows))
