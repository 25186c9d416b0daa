"""A node that runs out of memory, for the cells of *The node*: which of its pods its kubelet ends first.

Three pods of the three classes of quality of service; the second one takes 20Mi more every ten seconds.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from kubemini.api.objects import get
from kubemini.cluster import Cluster
from kubemini.containers.process import Process, Sleep
from kubemini.kubelet.configuration import Configuration
from kubemini.kubelet.decide.nodestatus import CAPACITY
from kubemini.kubelet.kubelet import Kubelet
from kubemini.lab.asking import Asking
from kubemini.params import Params, changed
from kubemini.sim.units import SECOND

MI = 2**20
NODE, LEFT = "1Gi", 100 * MI  # the machine's memory; what must be left of it
USES = {"exact": 250, "modest": 350, "free": 120}  # Mi that each takes when it starts
RESOURCES = {
    "exact": {"requests": {"cpu": "100m", "memory": "300Mi"}, "limits": {"cpu": "100m", "memory": "300Mi"}},
    "modest": {"requests": {"memory": "100Mi"}},
    "free": {},
}
GROWS, STEP = 20 * MI, 10 * SECOND  # of the pod called modest


class Squeezed(NamedTuple):
    """A pod, its class, how many Mi it used at first and asked for, and what became of it."""

    name: str
    qos: str
    uses: int
    asks: str
    ended: str


def squeezed(seconds: float = 180) -> list[Squeezed]:
    """The three pods after so much time."""
    cluster = Cluster.single(workers=1, params=changed(Params(), {"kubelet_details": True}))
    kubelet = cluster.components["kubelet@worker-1"]
    assert isinstance(kubelet, Kubelet)
    kubelet.configuration = Configuration(CAPACITY | {"memory": NODE}, eviction_hard={"memory.available": LEFT})
    for name in USES:
        cluster.use_program(f"shop/{name}", _eats(name))
    cluster.run(8)
    cluster.apply([_pod(name) for name in USES])
    cluster.run(seconds)
    found = {pod["metadata"]["name"]: pod for pod in Asking(cluster).ask("GET", "/api/v1/pods")["items"]}
    return [_told(name, found[name]) for name in USES]


def _pod(name: str) -> dict[str, Any]:
    container = {"name": name, "image": f"shop/{name}", "resources": RESOURCES[name]}
    spec = {"containers": [container], "restartPolicy": "Never"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def _eats(name: str) -> Any:
    def program(process: Process) -> Iterator[Any]:
        process.allocate(USES[name] * MI)
        while True:
            yield Sleep(STEP)
            if name == "modest":
                process.allocate(GROWS)

    return program


def _told(name: str, pod: dict[str, Any]) -> Squeezed:
    status = pod["status"]
    ended = f"{status['reason']}: {status['message'].strip()}" if "reason" in status else status["phase"]
    return Squeezed(
        name, status["qosClass"], USES[name], get(RESOURCES, name, "requests", "memory") or "nothing", ended
    )
