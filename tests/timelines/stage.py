"""A control plane whose nodes and kubelets are played by hand, and a clock: when was what first true?"""

import os
from types import SimpleNamespace

from kubemini.sim.units import MS, SECOND
from tests.oracles.histories.hand import Hand
from tests.oracles.histories.noting import NAMESPACE, Notes
from tests.oracles.histories.world import World

SEEDS = range(1, 1 + int(os.environ.get("TIMELINES", "1")))
KINDS = ("Deployment", "Node", "Pod", "ReplicaSet")
NOBODY_SAYS = SimpleNamespace(node_of=lambda pod, step: None)  # the nodes take turns
LOOKS = 20 * MS


class Stage:
    """One run of one seed."""

    def __init__(self, seed):
        history = {"steps": [], "kubelet": "hand", "needs": ["api", "controllers"]}
        self.world = World(history, seed)
        self.notes = Notes(self.world, KINDS)
        self.hand = Hand(self.world, self.notes, NOBODY_SAYS, history)
        self.draws, self._drawn = self.world.sim.draws("timeline"), 0
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        assert self.world.ask("POST", "/api/v1/namespaces", namespace)[0] == 201
        account = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/default"
        self.when(lambda: self.world.ask("GET", account)[0] == 200, 60)
        self.run(1)

    @property
    def now(self):
        """Seconds."""
        return self.world.sim.now / SECOND

    def run(self, seconds):
        """Let so much time pass."""
        self.world.reach(self.world.sim.now + round(seconds * SECOND))

    def chance(self, low, high):
        """A whole number from *low* to *high*, both included."""
        self._drawn += 1
        return self.draws.between(self._drawn, low, high)

    def when(self, happened, within):
        """The instant (s) at which *happened()* is first seen to be true; it fails if that takes longer."""
        end = self.now + within
        while not happened():
            assert self.now < end, f"it has not happened within {within} s"
            self.world.reach(self.world.sim.now + LOOKS)
        return self.now

    # -- what there is -------------------------------------------------------------------------------------------------
    def nodes(self, *names, zone="a"):
        """Register nodes in a zone; their Leases are renewed every 10 s, from now on."""
        for name in names:
            self.hand.register({"name": name, "labels": {"topology.kubernetes.io/zone": zone}})

    def pod(self, name, node, seconds=None):
        """A ready pod on *node* that tolerates a silent one for so long; None: as by default."""
        keys = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
        bears = [
            {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": seconds} for key in keys
        ]
        spec = {"nodeName": node, "containers": [{"name": "c", "image": "app:1"}]}
        spec |= {} if seconds is None else {"tolerations": bears}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
        assert self.world.ask("POST", f"/api/v1/namespaces/{NAMESPACE}/pods", pod)[0] == 201
        self.when(lambda: f"Pod/{name}" in self.notes.now, 1)
        self.hand.act({"do": "ready"}, [name])

    def say_of_itself(self, node, status):
        """The kubelet of *node* writes another status of its Ready condition."""
        change = {"status": {"conditions": [{"type": "Ready", "status": status}]}}
        path, type = f"/api/v1/nodes/{node}/status", "application/strategic-merge-patch+json"
        assert self.world.ask("PATCH", path, change, type)[0] == 200

    def ready(self, key):
        """The status of the Ready condition of an object."""
        found = self.notes.now[key]["status"].get("conditions", ())
        return next((condition["status"] for condition in found if condition["type"] == "Ready"), None)

    def tainted(self, node, effect):
        """Whether the node is said to be unreachable, with that effect."""
        taints = self.notes.now[f"Node/{node}"]["spec"].get("taints", ())
        return any(taint["key"].endswith("unreachable") and taint["effect"] == effect for taint in taints)

    def marked(self, pod):
        """Whether a pod is being deleted."""
        return "deletionTimestamp" in self.notes.now[f"Pod/{pod}"]["metadata"]

    def told(self, reason, name):
        """How often an Event of that reason was told of the object of that name."""
        found = [e for e in self.notes.events.values() if (e["reason"], e["involvedObject"]["name"]) == (reason, name)]
        return sum(event["count"] for event in found)
