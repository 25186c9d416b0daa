"""How long a program with an informer hears nothing when its API server fails, for the page *kubectl at the door*."""

from itertools import pairwise

from kubemini.api.kinds import CONFIG_MAP
from kubemini.api.objects import Obj
from kubemini.client import ApiClient, Informer
from kubemini.cluster import Cluster
from kubemini.host import Component, Host
from kubemini.sim import Sim
from kubemini.sim.engine import QUIESCENT
from kubemini.sim.units import SECOND
from kubemini.wire import Network

BEGIN, BACK, END = 20, 80, 110  # seconds: the server fails, is well again, and when we stop listening
WRITES = {"api_writes": {"every": "500ms"}}  # of settings, which are a ConfigMap


class Listener(Component):
    """A program that keeps a copy of all ConfigMaps, and notes when it hears of a change."""

    def __init__(self, sim: Sim, net: Network, host: Host, name: str, servers: list[str]):
        super().__init__(sim, net, host, name)
        self.servers, self.heard = servers, list[int]()

    def boot(self) -> None:
        self.client = ApiClient(self, self.servers, "system:serviceaccount:default:listener")
        Informer(self.client, CONFIG_MAP, self._changed).start()

    def _changed(self, old: Obj | None, new: Obj | None) -> None:
        self.heard.append(self.sim.now)


def silence(servers: int = 3, fault: str = "crash", seed: int = 1) -> float:
    """Seconds without news, though something changes twice a second.

    *fault* (crash or pause) befalls the API server that it hangs on, for `BACK` - `BEGIN` seconds.
    """
    cluster = Cluster.stacked(members=servers, workers=1, seed=seed, fidelity=QUIESCENT)
    cluster.prepare(workload=WRITES)
    listener = cluster.add("listener", "worker-1", Listener)
    assert isinstance(listener, Listener)
    cluster.run_until(BEGIN * SECOND)
    server = cluster.components[listener.client.transport.path[-1]]
    getattr(server, fault)()
    cluster.run_until(BACK * SECOND)
    server.start() if fault == "crash" else server.resume()
    cluster.run_until(END * SECOND)
    return max(b - a for a, b in pairwise([*listener.heard, cluster.sim.now]) if b > BEGIN * SECOND) / SECOND
