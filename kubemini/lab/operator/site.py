"""The kind Site, a cluster that knows it, and an operator that keeps it: for the cells of *Write an operator*.

A Site is an image that runs so many times, and a name at a provider of names, which is outside of the cluster.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kubemini.api.kinds import DEPLOYMENT, Kind, row
from kubemini.api.objects import Obj
from kubemini.cluster import Cluster
from kubemini.controllers.operator import Create, Operator, Patch, Provider, Reconcile, Write, owned_by
from kubemini.kubectlline import kubectl
from kubemini.params import Params, changed
from kubemini.users.terminal import Typed

APPLY = "apply --server-side -f -"
SITE: Kind = row("book.example/v1", "Site", "sites", "st")
DEFINITION = Path(__file__).with_name("sites.yaml").read_text(encoding="utf-8")


def site(name: str = "shop", replicas: int = 2, image: str = "shop/web:1.0", **meta: Any) -> str:
    """The manifest of a Site."""
    said = ", ".join(f"{key}: {value}" for key, value in {"name": name, **meta}.items())
    head = f"apiVersion: book.example/v1\nkind: Site\nmetadata: {{{said}}}\n"
    return f"{head}spec: {{image: {image!r}, replicas: {replicas}}}\n"


class World:
    """A small cluster in which the kind Site is defined, and nobody keeps it yet."""

    def __init__(self, seed: int = 1, workers: int = 2):
        params = changed(Params(), {"all_controllers": True})
        self.cluster = Cluster.single(workers=workers, seed=seed, params=params)
        self.cluster.run("10s")
        self.provider = Provider()
        self.kubectl(APPLY, DEFINITION)
        self.run(5)

    def add(
        self,
        reconcile: Reconcile,
        name: str = "operator-1",
        host: str = "worker-1",
        make: type[Operator] = Operator,
        **options: Any,
    ) -> Operator:
        """An operator of Sites starts."""
        program = make.of(reconcile, SITE, owns=[DEPLOYMENT], provider=self.provider, **options)
        operator = self.cluster.add(name, host, program)
        assert isinstance(operator, Operator)
        return operator

    def run(self, seconds: float) -> None:
        """Let time pass."""
        self.cluster.run(seconds)

    def kubectl(self, line: str, given: str = "") -> Typed:
        """What kubectl says to *line*."""
        return kubectl(self.cluster, line, given)

    def get(self, what: str) -> Any:
        """``kubectl get``: an object, or the list of several."""
        found = json.loads(self.kubectl(f"get {what} -o json").out)
        return found["items"] if found["kind"] == "List" else found


def deployment_of(site: Obj) -> Obj:
    """The Deployment that a Site wants: its name, its image, so many replicas; the Site is its controller."""
    name, labels = site["metadata"]["name"], {"site": site["metadata"]["name"]}
    container = {"name": "web", "image": site["spec"]["image"]}
    spec = {
        "replicas": site["spec"]["replicas"],
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
    }
    return owned_by(site, {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec})


def pod_of(site: Obj, name: str) -> Obj:
    """A pod of a Site, under that name; the Site is its controller."""
    container = {"name": "web", "image": site["spec"]["image"]}
    spec = {"containers": [container]}
    return owned_by(site, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec})


def keep(site: Obj, observed: Mapping[str, Any]) -> list[Write]:
    """The Deployment of a Site exists, and has as many replicas as it says."""
    if "deletionTimestamp" in site["metadata"]:
        return []
    if not observed["Deployment"]:
        return [Create(deployment_of(site))]
    (there,) = observed["Deployment"]
    wanted = {"replicas": site["spec"]["replicas"]}
    return [Patch(there, {"spec": wanted})] if there["spec"]["replicas"] != wanted["replicas"] else []
