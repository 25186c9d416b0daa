"""What pods use, at a real control plane: a custom resource of the name that autoscalers ask for, written each second.

No metrics server runs there; whoever asks `metrics.k8s.io` for the pods of a namespace is answered by the API server
with what a story has said that they use.
"""

from kubemini.api.timestamps import timestamp
from kubemini.metricsserver.decide.answers import is_measured, used
from kubemini.sim.units import SECOND

GROUP, VERSION = "metrics.k8s.io", "v1beta1"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
ANYTHING = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {
        "name": f"pods.{GROUP}",
        "annotations": {"api-approved.kubernetes.io": "unapproved, what stories say that pods use"},
    },
    "spec": {
        "group": GROUP,
        "names": {"plural": "pods", "singular": "pod", "kind": "PodMetrics", "listKind": "PodMetricsList"},
        "scope": "Namespaced",
        "versions": [{"name": VERSION, "served": True, "storage": True, "schema": ANYTHING}],
    },
}
SOON = SECOND // 2


def define(world):
    """Have the control plane of *world* serve the resource; returns when it does."""
    world.ask("POST", CRDS, DEFINITION)
    world.until(lambda: _established(world.ask("GET", f"{CRDS}/pods.{GROUP}")[1]))
    world.close()


def _established(definition):
    conditions = definition.get("status", {}).get("conditions") or ()
    return any(one["type"] == "Established" and one["status"] == "True" for one in conditions)


class Metrics:
    """What the pods of *namespace* in *world* use; ``usage``: by pod, or `*`, and container; None is no metrics."""

    def __init__(self, world, notes, namespace):
        self.world, self.notes, self.usage, self.told = world, notes, None, set()
        self.path = f"/apis/{GROUP}/{VERSION}/namespaces/{namespace}/pods"

    def measure(self, usage):
        """From here on pods use that."""
        begun, self.usage = self.usage is None, usage
        if begun:
            self.world.every(SOON, self._write)
        else:
            self._write()

    def _write(self):
        pods = [pod for key, pod in self.notes.now.items() if key.startswith("Pod/") and is_measured(pod)]
        using = {pod["metadata"]["name"]: pod for pod in pods if used(pod, self.usage)}
        for name in self.told - using.keys():
            self.world.ask("DELETE", f"{self.path}/{name}")
        for name, pod in using.items():
            measured = self._measured(pod)
            if name not in self.told:
                self.world.ask("POST", self.path, measured)
            else:
                self.world.ask("PATCH", f"{self.path}/{name}", measured, "application/merge-patch+json")
        self.told = set(using)

    def _measured(self, pod):
        meta = {"name": pod["metadata"]["name"], "labels": pod["metadata"].get("labels", {})}
        containers = [{"name": name, "usage": what} for name, what in used(pod, self.usage).items()]
        made = {"apiVersion": f"{GROUP}/{VERSION}", "kind": "PodMetrics", "metadata": meta, "window": "1s"}
        return {**made, "timestamp": timestamp(self.world.now), "containers": containers}
