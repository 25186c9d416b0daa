"""What a server creates when it finds it missing: the roles of RBAC and who has them, flow schemas, priorities.

    for kind, obj in objects(): …      in the order in which the real server makes them, kind after kind

Invariant: nobody writes here by hand: ``objects.json`` holds what a kube-apiserver 1.37.2 has created in an empty
etcd, an object a line, without what every server makes up for itself (uid, versions, times).
Models k/k plugin/pkg/auth/authorizer/rbac/bootstrappolicy ClusterRoles ClusterRoleBindings NamespaceRoles; k/k
pkg/registry/flowcontrol/ensurer EnsureConfigurations; k/apiserver pkg/apis/flowcontrol/bootstrap MandatoryFlowSchemas.
Simplified: what an administrator has taken out of a role that is there is not put in again; of flow schemas that
others write nobody says whether their level is there.
"""

import json
from collections.abc import Iterator
from functools import cache
from ipaddress import ip_network
from pathlib import Path

from kubemini.api.kinds import Kind, by_gvk
from kubemini.api.objects import Obj, evolve, freeze

MANAGER = "kube-apiserver"
NAMESPACE, NAME = "default", "kubernetes"  # of the Service by which pods find the API server
SECURE_PORT = 6443


@cache
def _all() -> tuple[Obj, ...]:
    text = (Path(__file__).parent / "objects.json").read_text(encoding="utf-8")
    return tuple(freeze(obj) for obj in json.loads(text))


def spec(kind: str, name: str) -> Obj | None:
    """What is wanted by the object of *kind* called *name*, if it is one of these."""
    found = (obj for obj in _all() if obj["kind"] == kind and obj["metadata"]["name"] == name)
    return next((obj["spec"] for obj in found), None)


def objects() -> Iterator[tuple[Kind, Obj]]:
    """All of them, kind after kind, of the kinds that are served."""
    for obj in _all():
        kind = by_gvk(obj["apiVersion"], obj["kind"])
        if kind is not None:
            yield kind, obj


def first_address(cluster_range: str) -> str:
    """Where the API server is found within the cluster."""
    return str(ip_network(cluster_range)[1])


def service(cluster_range: str) -> Obj:
    """The Service by which pods find the API server: the first address of *cluster_range*.

    Models k/k pkg/controlplane/controller/kubernetesservice Controller.CreateOrUpdateMasterServiceIfNeeded
    """
    port = {"name": "https", "port": 443, "protocol": "TCP", "targetPort": SECURE_PORT}
    labels = {"provider": "kubernetes", "component": "apiserver"}
    spec = {"clusterIP": first_address(cluster_range), "ports": [port], "sessionAffinity": "None", "type": "ClusterIP"}
    meta = {"name": NAME, "namespace": NAMESPACE, "labels": labels}
    return freeze({"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec})


def found(schema: Obj, now: str) -> Obj:
    """A flow schema, and in its status that its priority level is there.

    Models k/apiserver pkg/util/flowcontrol cfgMeal.presyncFlowSchemaStatus
    """
    level = schema["spec"]["priorityLevelConfiguration"]["name"]
    text = f'This FlowSchema references the PriorityLevelConfiguration object named "{level}" and it exists'
    told = {"type": "Dangling", "status": "False", "lastTransitionTime": now, "reason": "Found", "message": text}
    return evolve(schema, ("status",), freeze({"conditions": [told]}))
