"""What a server creates when it finds it missing: the roles of RBAC and who has them, flow schemas, priorities.

    for kind, obj in objects(): …      in the order in which the real server makes them, kind after kind

Invariant: nobody writes here by hand: ``objects.json`` holds what a kube-apiserver 1.37.2 has created in an empty
etcd, an object a line, without what every server makes up for itself (uid, versions, times).
Models k/k plugin/pkg/auth/authorizer/rbac/bootstrappolicy ClusterRoles ClusterRoleBindings NamespaceRoles; k/k
pkg/registry/flowcontrol/ensurer EnsureConfigurations; k/apiserver pkg/apis/flowcontrol/bootstrap MandatoryFlowSchemas.
Simplified: what an administrator has taken out of a role that is there is not put in again.
"""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from kubemini.api.kinds import Kind, by_gvk
from kubemini.api.objects import Obj, freeze

MANAGER = "kube-apiserver"


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
