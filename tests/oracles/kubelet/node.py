"""The world that recorded lives are played in: one control plane and one node n1 with 2 CPUs and 24 GiB, in process.

What the recording's README says of its machine is said here: the node, the images of its registry, and what was done to
the node by hand (hooks).
"""

from dataclasses import replace

from kubemini.apiserver import flags
from kubemini.cluster import Cluster
from kubemini.cluster.topology import build
from kubemini.params import Params, changed
from kubemini.serve.world import AS_REAL
from tests.oracles.sessions.world import RECORDED, TOKENS, YEAR, Inside

NODE, KUBELET, WORKER = "n1", "kubelet@n1", "worker-1"


class Node(Inside):
    """A cluster with one node, to be asked as the recorder asked a real one."""

    def __init__(self, seed=1):
        self.cluster = Cluster(_topology(), seed=seed, params=changed(Params(), {**AS_REAL, **RECORDED}))
        self.sim, self.server = self.cluster.sim, self.cluster.components["apiserver-1"]
        self.server.flags = replace(flags.as_real(TOKENS), disabled_plugins=("TaintNodesByCondition",))
        self.kubelet, self.host = self.cluster.components[KUBELET], self.cluster.hosts[NODE]
        self.sim.begin_at(YEAR)
        self.cluster.start()
        self.until(lambda: self.server.core.health.ready)
        self.sleep(20)

    # -- what was done to the node ---------------------------------------------------------------------------------
    def hook(self, step, namespace):
        """Do what the recorder did outside of the API, or raise LookupError."""
        acts = {
            "kubelet-stop": lambda: self.kubelet.terminate(),
            "kubelet-start": lambda: self.kubelet.start(),
        }
        if step["hook"] not in acts:
            raise LookupError(f"what the hook {step['hook']} does is not simulated: {step['does']}")
        acts[step["hook"]]()


def _topology():
    """The usual one of a single control plane, with its worker called n1."""
    topology = build("single", workers=1)
    return replace(topology, hosts=tuple(_renamed(host) for host in topology.hosts))


def _renamed(host):
    if host.name != WORKER:
        return replace(host, components=tuple(name for name in host.components if name != "kubectl"))
    wanted = (name for name in host.components if not name.startswith("visitor"))
    return replace(host, name=NODE, components=tuple(name.replace(WORKER, NODE) for name in wanted))
