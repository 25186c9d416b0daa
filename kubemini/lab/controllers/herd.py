"""Many informers of one API server, started at once or one after the other: what that costs the server.

Each is a program with an informer of pods, like an agent on each node. What is counted is what the server does: lists
answered, and objects that it sent for them.
"""

from dataclasses import dataclass, replace
from typing import Any

from kubemini.api.kinds import POD
from kubemini.client import ApiClient, Informer
from kubemini.cluster import Cluster
from kubemini.host import Component
from kubemini.lab.controllers.keepers import READY, pod
from kubemini.params import Params
from kubemini.sim.units import MS, SECOND


class Agent(Component):
    """One informer, as an agent on a node has it."""

    def __init__(self, sim: Any, net: Any, host: Any, name: str, servers: list[str]):
        super().__init__(sim, net, host, name)
        self.servers = servers

    def boot(self) -> None:
        self.client = ApiClient(self, self.servers, "system:kube-controller-manager")
        informer = Informer(self.client, POD)
        informer.on_synced.append(self._done)
        informer.start()

    def _done(self) -> None:
        self.sim.record(self.name, "log", text="has its list")


@dataclass(frozen=True, slots=True)
class Load:
    """*lists* answered in each tenth of a second; *objects*: how many were sent; *last*: s until the last list."""

    lists: list[int]
    objects: int
    last: float

    @property
    def most(self) -> int:
        """The most lists in a tenth of a second."""
        return max(self.lists)


def start(agents: int = 500, pods: int = 100, over: float = 0, seed: int = 1) -> Load:
    """Start so many *agents* of a cluster with so many *pods*, evenly *over* so many seconds."""
    quiet = replace(Params(), restart_policy="Never")
    cluster = Cluster.single(workers=0, seed=seed, params=quiet)
    for number in range(pods):
        cluster.apply(pod(f"pod-{number}"))
    cluster.run(READY + 2)
    begun = cluster.sim.now
    for number in range(agents):
        cluster.run_until(begun + round(over * SECOND * number / agents))
        cluster.add(f"agent-{number}", "cp-1", Agent)
    cluster.run(3)
    done = [record.at - begun for record in cluster.trace.of("log") if record.actor.startswith("agent-")]
    tenths = [at // (100 * MS) for at in done]
    lists = [tenths.count(n) for n in range(max(tenths) + 1)]
    return Load(lists, len(done) * pods, max(done) / SECOND)
