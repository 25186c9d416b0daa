"""A whole cluster: hosts, network and programs, wired after a `Topology` (see `programs`)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from kubemini.api.manifests import load as load_manifests
from kubemini.apiserver.flags import Webhook
from kubemini.apiserver.server import ApiServer
from kubemini.cluster import source as sources
from kubemini.cluster.listening import Listener
from kubemini.cluster.programs import install
from kubemini.cluster.source import Source
from kubemini.cluster.topology import CONTROL_PLANE, ETCD, WORKER, Topology, TopologyError, build
from kubemini.cluster.workload import (
    LOOKING_UP,
    Load,
    WorkloadError,
    allow,
    custom,
    names_in,
    read_workload,
    refuse_without_api_server,
)
from kubemini.containers import name_of
from kubemini.etcd.server.member import Member
from kubemini.host import Component, Host
from kubemini.host.linux.podnetwork import Cni
from kubemini.kubelet.kubelet import Kubelet
from kubemini.metricsserver.server import SERVICE as METRICS_SERVICE
from kubemini.metricsserver.server import MetricsServer
from kubemini.network.cni import Plugins
from kubemini.network.names import dns_complaints, resolv_conf_text
from kubemini.params import Params, altered
from kubemini.ranges import is_whole, shown
from kubemini.sim import Sim, Trace
from kubemini.sim.engine import EVENT_BUDGET, FULL
from kubemini.sim.units import NEVER, clock, duration
from kubemini.users import Caller, Clients, Errand, EtcdUser, Outsider, User, Visitor
from kubemini.users.terminal import Terminal
from kubemini.wire import Network

METRICS_SERVER = "metrics-server"


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
        if not is_whole(seed) or not -(2**63) <= seed < 2**63:
            raise ValueError(f"seed: expected a whole number of at most 18 digits, got {shown(seed)}")
        if not isinstance(topology, Topology):
            raise ValueError(f"topology: expected one that build() made, got {shown(topology)}; try Cluster.single()")
        if params is not None and not isinstance(params, Params):
            raise ValueError(f"params: expected Params, such as Params(etcd_pre_vote=False), got {shown(params)}")
        self.topology = topology
        self.params = params or Params()
        self.sim = Sim(seed, fidelity)
        self.net = Network(self.sim, self.params)
        self.hosts: dict[str, Host] = {}
        self.components: dict[str, Component] = {}
        self.sim.trace.header.update(seed=seed, topology=topology.header())
        if names := altered(self.params):
            self.sim.trace.header["altered"] = names
        for spec in topology.hosts:
            self.hosts[spec.name] = Host(self.sim, spec.name, spec.zone, self.params.disk_fsync)
        for spec in topology.hosts:
            for name in spec.components:
                host = self.hosts[spec.name]
                self.components[name] = install(name, topology, spec, self.sim, self.net, host)
                if isinstance(self.components[name], Kubelet):
                    host.cni, host.dns_complaints = Plugins(host), dns_complaints
                    host.resolv_conf = resolv_conf_text
        self._started = False
        self._terminal: Terminal | None = None

    @classmethod
    def single(
        cls, workers: int = 2, seed: int = 1, params: Params | None = None, fidelity: str = FULL, **options: Any
    ) -> "Cluster":
        """One control-plane host."""
        return cls(build("single", workers=workers, **options), seed, params, fidelity)

    @classmethod
    def stacked(
        cls, members: int = 3, seed: int = 1, params: Params | None = None, fidelity: str = FULL, **options: Any
    ) -> "Cluster":
        """*members* control-plane hosts, each with its own etcd member."""
        return cls(build("stacked", members=members, **options), seed, params, fidelity)

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
        return cls(
            build("external", api_servers=api_servers, etcd_members=etcd_members, **options), seed, params, fidelity
        )

    # -- using it ------------------------------------------------------------------------------------------------
    @property
    def trace(self) -> Trace:
        """Everything that has happened."""
        return self.sim.trace

    @property
    def zones(self) -> list[str]:
        """The zones that hosts stand in, in order of first mention."""
        return list(dict.fromkeys(h.zone for h in self.topology.hosts if h.role in (ETCD, CONTROL_PLANE, WORKER)))

    def hosts_in(self, zone: str) -> list[Host]:
        """The hosts of one zone."""
        return [host for host in self.hosts.values() if host.zone == zone]

    @property
    def user(self) -> EtcdUser:
        """Somebody with etcdctl, who has kubectl too where there is an API server."""
        found = self.components.get("kubectl") or self.components["etcd-client"]
        assert isinstance(found, EtcdUser)
        return found

    @property
    def kubectl(self) -> User:
        """Somebody with kubectl. Raises TopologyError where there is no API server."""
        user = self.user
        if not isinstance(user, User):
            raise TopologyError("an etcd topology has no API server; take another one, such as Cluster.single()")
        return user

    @property
    def terminal(self) -> Terminal:
        """Somebody who types kubectl lines, where the user of kubectl sits, or near all; made when first asked for.

        Its contexts are those of `kubemini serve`: the balancer, if there is one, and each API server.
        """
        if self._terminal is None:
            user = self.components.get("kubectl")
            host = user.host if user is not None else Host(self.sim, "outside")
            self.net.near_all.update(() if user is not None else (host.name,))
            door, servers = self.topology.front_door, self.topology.of("apiserver-")
            contexts = {"lb": door[0]} if door != servers else {}
            contexts |= {name: name for name in servers}
            self._terminal = Terminal(self.sim, self.net, host, "terminal", contexts)
        self._terminal.start()
        return self._terminal

    def member(self, name: str) -> Member:
        """The etcd member, or the spare, called *name*. Raises TopologyError that names those there are."""
        found = self.components.get(name)
        if not isinstance(found, Member):
            there = ", ".join(n for n, c in self.components.items() if isinstance(c, Member))
            raise TopologyError(f"{shown(name)} is not an etcd member of this cluster; there are: {there}")
        return found

    def prepare(self, manifests: str = "", workload: dict[str, Any] | None = None) -> None:
        """What there is to do from the start: manifests to apply and clients that send requests.

        Raises ManifestError or WorkloadError before anything is changed.
        """
        loads = read_workload(self.topology, workload or {})
        if not isinstance(manifests, str):
            raise WorkloadError(f"manifests: expected a text, got {shown(manifests)}; apply() takes files and objects")
        if manifests:
            refuse_without_api_server(self.topology, "manifests")
            self.kubectl.at_start(load_manifests(manifests, "manifests"), "manifests")
        for load in loads:
            if load.kind == "visitors":
                self._send_visitors(load)
            elif load.kind == "callers":
                self._have_called(load)
            elif load.kind == "webhook":
                self.use_webhook(load.options["service"], allow)
            elif load.kind == "clients":
                for component in self.components.values():
                    if isinstance(component, Clients):
                        component.custom = custom(load)
            elif load.kind == "outsiders":
                outsider = self.components["visitor@internet"]
                assert isinstance(outsider, Outsider)
                outsider.ask(load.options["urls"], load.every)
            else:
                self.user.work(load.kind, load.every, load.options)

    def _send_visitors(self, load: Load) -> None:
        outside = load.options.get("from") == "outside"
        found = [c for c in self.components.values() if type(c) is Visitor]
        visitors = [c for c in found if c.name.startswith("visitor@outside") == outside]
        door = load.options.get("door") or ("cluster-ip" if outside else "")
        for number, visitor in enumerate(visitors):
            visitor.visit(load.options["service"], load.every * len(visitors), load.every * number, door)
            if "name" in load.options:
                visitor.look_up_first(**{key: load.options[key] for key in LOOKING_UP if key in load.options})

    def _have_called(self, load: Load) -> None:
        """Each workload calls each Service but its own; the calls of one period are spread over it."""
        workloads, services = names_in(load.options["pods"]), names_in(load.options["services"])
        pairs = [(workload, service) for workload in workloads for service in services if workload != service]
        how = {word: load.options[word] for word in ("keep", "names", "options") if word in load.options}
        errands = tuple(
            Errand(workload, service, load.every, load.every * number // len(pairs), **how)
            for number, (workload, service) in enumerate(pairs)
        )
        for component in self.components.values():
            if isinstance(component, Caller):
                component.errands = errands

    def apply(self, source: Source) -> None:
        """``kubectl apply``: the manifests in a file, in a text, or as objects.

        Raises ManifestError, naming file, document and field, before anything is changed.
        """
        user = self.kubectl
        user.apply(*sources.read(source))

    def environment(self, pod: str) -> dict[str, str]:
        """What ``kubectl exec POD -- env`` says of Services: as it was when the container of *pod* started.

        ValueError: no such pod runs, or the kubelets tell of no Services (``Params(kubelet_service_links=True)``).
        """
        if not self.params.kubelet_service_links:
            raise ValueError(
                "environment: containers are told nothing here; ask for Params(kubelet_service_links=True)"
            )
        name = pod if "/" in pod else f"default/{pod}"
        runtimes = [host.kernel.containers for host in self.hosts.values() if host.kernel.containers is not None]
        running = [r for runtime in runtimes for r in runtime.of_pod.values()]
        found = [r.environment for r in running if f"{r.namespace}/{r.name}" == name]
        if not found:
            there = ", ".join(sorted(r.name for r in running)) or "none"
            raise ValueError(f"environment: no pod {shown(pod)} runs; there are: {there}")
        return found[0]

    def use_cni(self, make: Callable[[str], Cni]) -> None:
        """Give every worker CNI plugins of your own, before it starts: *make* gets a worker's name and returns them.

        They have ``add(pod)``, which returns the pod's address or raises `NoNetwork`, ``delete(pod)``, and
        ``collect(uids)``, for a host that has lost its memory. ValueError: the cluster runs already.
        """
        if self._started:
            raise ValueError("use_cni: the cluster runs already; make a new one and call use_cni before run")
        for host in self.hosts.values():
            if host.cni is not None:
                host.cni = make(host.name)

    def use_program(self, image: str, program: Callable[..., Any]) -> None:
        """Let *program* be what containers of *image* run that start from now on; its registry and tag do not matter.

        A function of a request answers on the ports that the container declares (80, if it declares none), with a
        text, ``(status, text)`` or an `Answer`: ``lambda request: "hello"``; `Request` has method, path, headers and
        body. A generator function lives as a process, which may write, wait, listen and end with an exit code:
        ``def worker(process): process.out("up"); yield Sleep(5 * SECOND); return 1``. What raises ends its container
        with 1 and says so in its log. A container that names a command runs that instead.
        """
        for host in self.hosts.values():
            host.programs[name_of(image)] = program

    def use_webhook(self, service: str, program: Webhook) -> None:
        """Let *program* answer for the pods behind *service* (NAMESPACE/NAME): AdmissionReview → AdmissionReview.

        It is asked while a pod there serves. ValueError: the cluster runs already, or has no API server.
        """
        if self._started:
            raise ValueError("use_webhook: the cluster runs already; make a new one and call use_webhook before run")
        refuse_without_api_server(self.topology, "use_webhook")
        for component in self.components.values():
            if isinstance(component, ApiServer):
                known = {**component.flags.webhooks, service: program}
                component.flags = replace(component.flags, webhooks=known)

    def use_metrics_server(self) -> MetricsServer:
        """A metrics-server beside the first API server: HorizontalPodAutoscalers count by its `usage`.

        It knows nothing of a pod until it is told: ``usage = {"*": {"app": {"cpu": "90m", "memory": "80Mi"}}}``.
        ValueError: the cluster runs already, or has no API server.
        """
        if self._started:
            raise ValueError("use_metrics_server: the cluster runs already; make a new one and call it before run")
        refuse_without_api_server(self.topology, "use_metrics_server")
        servers = [component for component in self.components.values() if isinstance(component, ApiServer)]
        for server in servers:
            extensions = {**server.flags.extensions, "/".join(METRICS_SERVICE): METRICS_SERVER}
            server.flags = replace(server.flags, extensions=extensions)
        made = self.add(METRICS_SERVER, servers[0].host.name, MetricsServer)
        assert isinstance(made, MetricsServer)
        return made

    def add(self, name: str, host: str, make: Callable[..., Component]) -> Component:
        """A program of your own: ``make(sim, net, host, name, servers)``, which may ask *servers*, as a kubelet does.

        It starts with all others, or now if they run. ValueError: no such host, or the name is taken.
        """
        if name in self.components:
            raise ValueError(f"add: there is a {shown(name)} already; take another name")
        if host not in self.hosts:
            raise ValueError(f"add: there is no host {shown(host)}; there are: {', '.join(self.hosts)}")
        refuse_without_api_server(self.topology, "add")
        made = make(self.hosts[host].sim, self.net, self.hosts[host], name, self.topology.front_door)
        self.components[name] = made
        if self._started:
            made.start()
        return made

    def listen(self, since: int = 0, until: int = NEVER) -> None:
        """From now on, or between two instants (µs), the trace tells what travels as well: see cluster/listening.py."""
        self.net.tap = Listener(self.sim, since, until)
        self.trace.header["listened"] = [max(since, self.sim.now), until]

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
        if not is_whole(instant) or instant < self.sim.now:
            now = clock(self.sim.now)
            raise ValueError(f"run_until: expected an instant in microseconds, not before {now}, got {shown(instant)}")
        self.sim.allow(budget)
        self.start()
        self.sim.run_until(instant)
        self.sim.end_rests()
        self.trace.header["until"] = instant
        waiting = [
            ask for user in self.components.values() if isinstance(user, EtcdUser) for ask in user.waiting.values()
        ]
        self.trace.header.pop("waiting", None)
        if waiting:
            self.trace.header["waiting"] = waiting
