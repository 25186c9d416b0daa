"""A small world for tests of clients: etcd members, API servers over them, and programs that talk to those."""

from kubemini.api.kinds import NODE, POD
from kubemini.api.objects import evolve, freeze, get
from kubemini.apiserver.server import ApiServer
from kubemini.client import ApiClient
from kubemini.cluster import Cluster
from kubemini.etcd.server.member import Member
from kubemini.host import Component, Host
from kubemini.sim import Sim
from kubemini.sim.units import SECOND
from kubemini.wire import Network


class Program(Component):
    """A component that does what a test tells it to; *begin* is called at each boot."""

    def __init__(self, sim, net, host, name, servers, begin=None):
        super().__init__(sim, net, host, name)
        self.servers, self.begin = servers, begin

    def boot(self):
        self.client = ApiClient(self, self.servers, f"test:{self.name}")
        self.replies = []
        if self.begin:
            self.begin(self)

    def do(self, *requests):
        """Carry out generators of the client in order; their replies are kept."""
        self.spawn(self._do(requests))

    def _do(self, requests):
        for request in requests:
            self.replies.append((yield from request))


class World:
    """etcd-1 … on hosts of their own, apiserver-1 … on others; *stacked*: each API server knows its own member only."""

    def __init__(self, servers=1, seed=1, members=1, stacked=False, params=None):
        self.sim = Sim(seed)
        self.net = Network(self.sim, params)
        endpoints = [f"etcd-{i + 1}" for i in range(members)]
        self.members = [Member(self.sim, self.net, Host(self.sim, f"host-{e}"), e, endpoints) for e in endpoints]
        self.etcd = self.members[0]
        self.hosts = [Host(self.sim, f"cp-{i + 1}") for i in range(servers)]
        self.names = [f"apiserver-{i + 1}" for i in range(servers)]
        self.servers = [
            ApiServer(self.sim, self.net, host, name, [endpoints[i]] if stacked else endpoints)
            for i, (host, name) in enumerate(zip(self.hosts, self.names))
        ]
        self.programs = {}
        for program in [*self.members, *self.servers]:
            program.start()
        self.run(3)

    def program(self, name, servers=None, begin=None, host=None):
        """A program on a host of its own."""
        made = Program(self.sim, self.net, host or Host(self.sim, f"host-{name}"), name, servers or self.names, begin)
        self.programs[name] = made
        made.start()
        return made

    def run(self, seconds):
        """Let time pass."""
        self.sim.run_until(self.sim.now + round(seconds * SECOND))

    def at(self, seconds, act, *args):
        """``act(*args)`` at an instant."""
        self.sim.command(round(seconds * SECOND), act, *args)

    def ask(self, request, by="asker"):
        """The reply to one request, after at most fifteen seconds."""
        program = self.programs.get(by) or self.program(by)
        program.do(request(program.client))
        before = len(program.replies)
        for _ in range(150):
            self.run(0.1)
            if len(program.replies) > before:
                return program.replies[-1]
        raise AssertionError("no reply")


def a_deployment(replicas=3, name="web", cpu="100m", **spec):
    container = {"name": "c", "image": "nginx:1.29", "resources": {"requests": {"cpu": cpu, "memory": "64Mi"}}}
    return freeze(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": {"app": name}},
                "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}},
                **spec,
            },
        }
    )


SHOP = freeze(
    {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
    }
)


class Shop:
    """A cluster with a Deployment and a Service, and short words for what tests do to it."""

    def __init__(self, *objects, cluster=None, seed=1):
        self.cluster = cluster or Cluster.single(workers=2, seed=seed)
        self.sim = self.cluster.sim
        self.cluster.apply(objects or [a_deployment(), SHOP])

    def run(self, seconds):
        self.cluster.run(seconds)

    def all(self, kind):
        """The objects of a kind, as the first API server that is up has them."""
        up = [c for name, c in self.cluster.components.items() if name.startswith("apiserver-") and c.up]
        return [o for o in up[0].cache(kind).items() if not o["metadata"].get("namespace", "").startswith("kube-")]

    def pods(self, app="web"):
        """The pods that count."""
        mine = [p for p in self.all(POD) if get(p, "metadata", "labels", "app") == app]
        return [p for p in mine if "deletionTimestamp" not in p["metadata"]]

    def node(self, name):
        return next(n for n in self.all(NODE) if n["metadata"]["name"] == name)

    def readiness(self, name):
        return next(c["status"] for c in self.node(name)["status"]["conditions"] if c["type"] == "Ready")

    def ask(self, verb, path, body=None):
        """A request of kubectl, one second for the answer."""
        user = self.cluster.user
        user.spawn(user.request(verb, path, freeze(body), {"type": "merge"}))
        self.run(1)
        outcome = self.sim.trace.of("request", user.name)[-1].detail
        assert outcome["outcome"] == "ok", outcome

    def patch(self, kind, name, body):
        namespace = "default" if kind.namespaced else ""
        self.ask("PATCH", kind.path(namespace, name), body)

    def object_records(self, kind, verb):
        return [r for r in self.sim.trace.of("object") if (r.detail["kind"], r.detail["verb"]) == (kind, verb)]

    def made(self):
        """How many pods were ever made."""
        return len(self.object_records("Pod", "ADDED"))


def image(version):
    container = a_deployment()["spec"]["template"]["spec"]["containers"][0]
    return {"spec": {"template": {"spec": {"containers": [evolve(container, ("image",), f"nginx:{version}")]}}}}


def run_until(shop, happened, limit):
    """Run in steps of 50 ms until *happened*; the instant in seconds."""
    end = shop.sim.now + limit * SECOND
    while not happened():
        assert shop.sim.now < end, "it did not happen in time"
        shop.run(0.05)
    return shop.sim.now / SECOND
