"""A whole cluster: hosts, network and programs, wired after a `Topology`.

Who knows whom, as kubeadm wires it: an API server knows its local etcd member (stacked) or all members (external);
scheduler and controller-manager know the API server of their own host; kubelets, kube-proxies and users know the
load balancer, or the only API server where there is none.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kubemini.api.manifests import load as load_manifests
from kubemini.api.objects import Obj
from kubemini.apiserver.server import ApiServer
from kubemini.cluster import topology as topologies
from kubemini.cluster.topology import ETCD, Topology
from kubemini.cluster.users import EtcdUser, User
from kubemini.cluster.workload import PodNetwork, Visitor
from kubemini.controllers.manager import ControllerManager
from kubemini.etcd.member import Member
from kubemini.host import Component, Host
from kubemini.kubelet.kubelet import Kubelet
from kubemini.loadbalancer.haproxy import HAProxy
from kubemini.net import Network
from kubemini.network.kubeproxy import KubeProxy
from kubemini.params import Params
from kubemini.scheduler.loop import Scheduler
from kubemini.sim import Sim, Trace
from kubemini.sim.kernel import EVENT_BUDGET, FULL
from kubemini.sim.units import duration


class Cluster:
    """A cluster you can run, use and break.

    cluster = Cluster.stacked(members=3)
    cluster.apply("shop.yaml")
    cluster.run("30s")
    cluster.components["etcd-1"].crash()
    cluster.run("10s")

    *fidelity* "quiescent" leaves out the heartbeats of an etcd that is at rest: the same records but for "timer", the
    same state whenever `run` returns, far fewer events (etcd/quiescence.py).
    """

    def __init__(self, topology: Topology, seed: int = 1, params: Params | None = None, fidelity: str = FULL):
        if not isinstance(seed, int) or isinstance(seed, bool):
            raise ValueError(f"seed: expected a whole number, got {seed!r}")
        self.topology = topology
        self.params = params or Params()
        self.sim = Sim(seed, fidelity)
        self.net = Network(self.sim, self.params)
        self.hosts: dict[str, Host] = {}
        self.components: dict[str, Component] = {}
        self.sim.trace.header.update(seed=seed, topology=topology.header())
        for spec in topology.hosts:
            self.hosts[spec.name] = Host(self.sim, spec.name, spec.zone, self.params.disk_fsync)
        for spec in topology.hosts:
            for name in spec.components:
                self.components[name] = self._build(name, self.hosts[spec.name])
        self._started = False

    @classmethod
    def single(
        cls, workers: int = 2, seed: int = 1, params: Params | None = None, fidelity: str = FULL, **options: Any
    ) -> "Cluster":
        """One control-plane host."""
        return cls(topologies.single(workers, **options), seed, params, fidelity)

    @classmethod
    def stacked(
        cls, members: int = 3, seed: int = 1, params: Params | None = None, fidelity: str = FULL, **options: Any
    ) -> "Cluster":
        """*members* control-plane hosts, each with its own etcd member."""
        return cls(topologies.stacked(members, **options), seed, params, fidelity)

    @classmethod
    def external(
        cls,
        api_servers: int = 3,
        etcd_members: int = 5,
        seed: int = 1,
        params: Params | None = None,
        fidelity: str = FULL,
        **options: Any,
    ) -> "Cluster":
        """API servers and etcd members on hosts of their own; ``etcd_zones="aabbc"`` places the members."""
        return cls(topologies.external(api_servers, etcd_members, **options), seed, params, fidelity)

    # -- wiring --------------------------------------------------------------------------------------------------
    def _api_servers(self) -> list[str]:
        return self.topology.of("apiserver-")

    def _front_door(self) -> list[str]:
        """Where kubelets and users send their requests."""
        return self.topology.of("haproxy-") or self._api_servers()

    def _etcd_of(self, host: Host) -> list[str]:
        local = [c for h in self.topology.hosts if h.name == host.name for c in h.components if c.startswith("etcd-")]
        return local or self.topology.members

    def _build(self, name: str, host: Host) -> Component:
        sim, net = self.sim, self.net
        program = name.split("@")[0].rstrip("0123456789").rstrip("-")
        local = [c for h in self.topology.hosts if h.name == host.name for c in h.components if "apiserver-" in c]
        match program:
            case "etcd":
                return Member(sim, net, host, name, self.topology.members)
            case "apiserver":
                return ApiServer(sim, net, host, name, self._etcd_of(host))
            case "scheduler":
                return Scheduler(sim, net, host, name, local)
            case "controller-manager":
                return ControllerManager(sim, net, host, name, local)
            case "haproxy":
                return HAProxy(sim, net, host, name, self._api_servers())
            case "kubelet":
                return Kubelet(sim, net, host, name, self._front_door())
            case "kube-proxy":
                return KubeProxy(sim, net, host, name, self._front_door())
            case "pods":
                return PodNetwork(sim, net, host, name)
            case "visitor":
                return Visitor(sim, net, host, name)
            case "kubectl":
                return User(sim, net, host, name, self._front_door(), self.topology.members)
            case "etcd-client":
                return EtcdUser(sim, net, host, name, self.topology.members)
        raise AssertionError(f"no program is called {program}")

    # -- using it ------------------------------------------------------------------------------------------------
    @property
    def trace(self) -> Trace:
        """Everything that has happened."""
        return self.sim.trace

    @property
    def zones(self) -> list[str]:
        """The zones that hosts stand in, in order of first mention."""
        return list(dict.fromkeys(h.zone for h in self.topology.hosts if h.role in (ETCD, "control-plane", "worker")))

    def hosts_in(self, zone: str) -> list[Host]:
        """The hosts of one zone."""
        return [host for host in self.hosts.values() if host.zone == zone]

    @property
    def user(self) -> Any:
        """The program behind the reader's deeds: kubectl, or an etcd client where there is no API."""
        return self.components.get("kubectl") or self.components["etcd-client"]

    def prepare(self, manifests: str = "", workload: dict[str, Any] | None = None) -> None:
        """What there is to do from the start: manifests to apply and clients that send requests."""
        if manifests:
            self.user.at_start(load_manifests(manifests, "manifests"))
        for kind, options in (workload or {}).items():
            every = duration(options.get("every", "500ms"))
            if kind == "visitors":
                visitors = [c for c in self.components.values() if isinstance(c, Visitor)]
                for number, visitor in enumerate(visitors):
                    visitor.visit(options["service"], every * len(visitors), every * number)
            else:
                self.user.work(kind, every, {k: v for k, v in options.items() if k != "every"})

    def apply(self, source: str | Path | Iterable[Obj]) -> None:
        """``kubectl apply``: the manifests in a file, in a text, or as objects.

        Raises ManifestError, naming file, document and field, before anything is changed.
        """
        if isinstance(source, Path) or (
            isinstance(source, str) and "\n" not in source and source.endswith((".yaml", ".yml", ".json"))
        ):
            objects = load_manifests(Path(source).read_text(encoding="utf-8"), str(source))
        elif isinstance(source, str):
            objects = load_manifests(source, "manifest")
        else:
            objects = list(source)
        self.user.apply(objects)

    def start(self) -> None:
        """Start every program but the spares, once; `run` does it by itself."""
        if not self._started:
            self._started = True
            for component in self.components.values():
                if component.name not in self.topology.spares:
                    component.start()

    def run(self, time: str | float) -> Trace:
        """Let *time* ("30s", or seconds) pass and return the trace so far. Raises Runaway if too much happens."""
        self.run_until(self.sim.now + duration(time))
        return self.trace

    def run_until(self, instant: int, budget: int = EVENT_BUDGET) -> None:
        """Let the cluster live until *instant* (µs). Raises Runaway after *budget* events."""
        self.sim.allow(budget)
        self.start()
        self.sim.run_until(instant)
        self.sim.rouse()
        self.trace.header["until"] = instant
