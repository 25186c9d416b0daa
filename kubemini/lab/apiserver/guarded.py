"""A cluster whose new pods a webhook must allow: what the experiments and two exercises of this chapter share.

The webhook runs as the Deployment guard/guard; a Python function says what its pods say.
"""

from dataclasses import replace
from typing import Any

from kubemini.apiserver.flags import Webhook
from kubemini.cluster import Cluster
from kubemini.controllers.decide.actions import is_ready
from kubemini.lab.apiserver.server import TOKENS, Asked, said
from kubemini.sim.units import SECOND

DIGEST = "@sha256:" + "8f5a" * 16
SIGNED, LOOSE = f"shop/web{DIGEST}", "shop/web:1.0"
START = 8  # seconds, after which all that is applied runs
APPS = "/apis/apps/v1/namespaces"
MUTATING = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
GUARD = f"{CONFIGURATIONS}/guard"
HOOK = "https://hook.shop.example/"  # of a program outside of the cluster
WEBHOOK: dict[str, Any] = {
    "name": "guard.shop.example",
    "clientConfig": {"service": {"namespace": "guard", "name": "guard"}},
    "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
    "failurePolicy": "Fail",
    "sideEffects": "None",
    "admissionReviewVersions": ["v1"],
}


def admit_digests(review: dict[str, Any]) -> dict[str, Any]:
    """The program behind the webhook: every image must be named by its digest."""
    request = review["request"]
    spec = request["object"]["spec"]
    images = [c["image"] for c in [*spec["containers"], *spec.get("initContainers", [])]]
    loose = [image for image in images if "@sha256:" not in image]
    response = {"uid": request["uid"], "allowed": not loose}
    if loose:
        response["status"] = {"code": 403, "message": f"no digest: {', '.join(loose)}"}
    return {**review, "response": response}


def configuration(webhook: dict[str, Any]) -> dict[str, Any]:
    """*webhook* as the API server takes it; what it does not say is said as in `WEBHOOK`, but for its selectors."""
    meta = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration"}
    return {**meta, "metadata": {"name": "guard"}, "webhooks": [{**WEBHOOK, **webhook}]}


def mutating(name: str, url: str = HOOK) -> dict[str, Any]:
    """A configuration by which the program at *url* may change every new pod."""
    meta = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration"}
    hook = {**WEBHOOK, "name": f"{name}.shop.example", "clientConfig": {"url": url}}
    return {**meta, "metadata": {"name": name}, "webhooks": [hook]}


def pod(name: str, image: str = SIGNED, init: str = "") -> dict[str, Any]:
    """A pod of one container, and with *init* of another that runs before it."""
    spec: dict[str, Any] = {"containers": [{"name": "c", "image": image}]}
    if init:
        spec["initContainers"] = [{"name": "first", "image": init}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def _deployment(namespace: str, name: str, image: str, replicas: int) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": name, "image": image}]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template}
    meta = {"name": name, "namespace": namespace}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}


class Guarded(Asked):
    """Two workers; the shop, the guard, a Deployment in kube-system that all need. *program*: what the guard says."""

    def __init__(self, program: Webhook = admit_digests, seed: int = 1):
        super().__init__(Cluster.single(workers=2, seed=seed))
        self.server.flags = replace(self.server.flags, tokens=TOKENS)
        self.cluster.use_webhook("guard/guard", program)
        spaces = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": n}} for n in ("guard", "shop", "blog")]
        port = {"port": 443, "targetPort": 8443}
        service = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "guard", "namespace": "guard"},
            "spec": {"selector": {"app": "guard"}, "ports": [port]},
        }
        deployments = [
            _deployment("guard", "guard", "shop/guard:1.0", 1),
            _deployment("kube-system", "dns", "dns:1.0", 1),
            _deployment("shop", "web", SIGNED, 2),
        ]
        self.cluster.apply([*spaces, service, *deployments])
        self.cluster.run(START)

    def create(self, namespace: str, obj: dict[str, Any]) -> tuple[int, str]:
        """Whether the pod *obj* could be made, as a dry run tells: (code, what the server says)."""
        code, answer = self.ask("POST", f"/api/v1/namespaces/{namespace}/pods?dryRun=All", obj)
        return code, said(answer)

    def scale(self, namespace: str, name: str, replicas: int) -> tuple[int, str]:
        """``kubectl scale``: (code, what the server says)."""
        path = f"{APPS}/{namespace}/deployments/{name}/scale"
        code, answer = self.ask("PATCH", path, {"spec": {"replicas": replicas}})
        return code, said(answer)

    def pods(self, namespace: str, name: str) -> list[str]:
        """The names of the pods of a Deployment that are ready."""
        _, found = self.ask("GET", f"/api/v1/namespaces/{namespace}/pods?labelSelector=app={name}")
        return [one["metadata"]["name"] for one in found["items"] if _serves(one)]

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.cluster.run_until(self.sim.now + round(seconds * SECOND))

    def lock_out(self) -> None:
        """The guard is taken down and shall come back; then the shop shall grow. Neither will."""
        self.ask("POST", CONFIGURATIONS, configuration({}))
        self.scale("guard", "guard", 0)
        self.wait(3)
        self.scale("guard", "guard", 1)
        self.scale("shop", "web", 4)
        self.wait(10)


def _serves(obj: dict[str, Any]) -> bool:
    """Whether a pod is ready, and not on its way out."""
    return is_ready(obj) and "deletionTimestamp" not in obj["metadata"]
