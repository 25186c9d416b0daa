"""Large clusters: many who watch, many pods in a store, nodes that do nothing for an hour, a scheduler on the wire."""

import tracemalloc

from kubemini.apiserver.http import WatchStream
from kubemini.bench.measures import ROUNDS, cpu
from kubemini.bench.scheduling import a_node, a_pod
from kubemini.bench.table import Result, middle
from kubemini.cluster import Cluster, build
from kubemini.cluster.topology.bare import without
from kubemini.lab.asking import Asking
from kubemini.sim.units import HOUR, MINUTE, SECOND

NAMESPACE = "/api/v1/namespaces/default"
WATCHERS, NODES, WIRED = 5000, 5000, 200
PODS, WEIGHED = 150_000, 1000  # as many as the limits of Kubernetes allow; so many of them are made, and weighed
ANYWHERE = [{"operator": "Exists"}]


def bare() -> Asking:
    """An API server and its etcd, and somebody who asks it."""
    cluster = Cluster(without(build("single", workers=0), "controller-manager", "scheduler"))
    cluster.run(15)
    return Asking(cluster)


class Audience:
    """So *many* clients outside that watch ConfigMaps."""

    def __init__(self, many: int = WATCHERS):
        self.asking, self.told = bare(), 0
        self.streams = [self._watch() for _ in range(many)]

    def _watch(self) -> WatchStream:
        stream = self.asking.begin("GET", f"{NAMESPACE}/configmaps?watch=1").body
        assert isinstance(stream, WatchStream)
        return stream

    def tell(self) -> None:
        """Something happens, and all have it before them; nobody has read it yet."""
        self.told += 1
        self.asking.ask("POST", f"{NAMESPACE}/configmaps", {"metadata": {"name": f"news-{self.told}"}})
        self.asking.cluster.run(1)

    def texts(self) -> set[bytes]:
        """What they read: the same, all of them."""
        return {b"".join(iter(stream.read, None)) for stream in self.streams}


def weighed(pods: int = WEIGHED) -> float:
    """The bytes that a pod takes, in all that an API server and etcd keep of it."""
    asking = bare()
    asking.ask("POST", f"{NAMESPACE}/serviceaccounts", {"metadata": {"name": "default"}})
    tracemalloc.start()
    for number in range(pods):
        asking.ask("POST", f"{NAMESPACE}/pods", a_pod(number))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return held / pods


class Wired:
    """A scheduler on the wire, with its API server, and *nodes* whose kubelets are silent."""

    def __init__(self, nodes: int = NODES):
        cluster = Cluster(without(build("single", workers=0), "controller-manager"))
        cluster.run(15)
        self.asking = Asking(cluster)
        self.asking.ask("POST", f"{NAMESPACE}/serviceaccounts", {"metadata": {"name": "default"}})
        for number in range(nodes):
            self.asking.ask("POST", "/api/v1/nodes", a_node(number))

    def place(self, pods: int = WIRED) -> list[str]:
        """Make so many pods, and wait until they are bound; returns their nodes."""
        for number in range(pods):
            pod = a_pod(number)
            self.asking.ask("POST", f"{NAMESPACE}/pods", {**pod, "spec": {**pod["spec"], "tolerations": ANYWHERE}})
        self.asking.cluster.run(1)
        bound = self.asking.ask("GET", f"{NAMESPACE}/pods")["items"]
        return [pod["spec"].get("nodeName", "") for pod in bound]


def idle_events(workers: int = 5) -> float:
    """The events of an hour a node of a cluster in which nothing happens."""
    cluster = Cluster.single(workers=workers)
    cluster.run(120)
    before = cluster.sim.events
    cluster.run(10 * MINUTE / SECOND)
    return (cluster.sim.events - before) * (HOUR / (10 * MINUTE)) / workers


# -- the measures ------------------------------------------------------------------------------------------------------
def wired() -> list[Result]:
    """Pods made and bound a second of CPU, by an API server, etcd and a scheduler together."""
    full = Wired()
    return [Result("pods_wired", WIRED / cpu(full.place))]


def watchers() -> list[Result]:
    """What an event costs more, if so many have it before them."""
    alone, all_of_them = Audience(0), Audience()
    costs = [1e6 * (cpu(all_of_them.tell) - cpu(alone.tell)) for _ in range(ROUNDS)]
    return [middle("watchers", costs)]


def store() -> list[Result]:
    """So many pods as one of them weighs."""
    return [Result("store", weighed() * PODS / 2**20)]


def idle() -> list[Result]:
    """A count: what a node does in an hour in which nothing happens."""
    return [Result("idle_node_events", idle_events())]
