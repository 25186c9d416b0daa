"""NodeRestriction: a kubelet writes its own node, its own lease and the status of its own pods, and not every label.

The Node authorizer cannot see what is written; this plugin does. So a kubelet that somebody has taken over can harm
only what runs on its machine anyway.
Models k/k plugin/pkg/admission/noderestriction Plugin.Admit; k/kubelet pkg/apis IsKubeletLabel; k/k pkg/api/pod
HasAPIObjectReference.
Simplified: the audiences of tokens and the requests for certificates are not looked at.
"""

from collections.abc import Callable, Mapping
from typing import Any

from kubemini.api import errors
from kubemini.api.errors import ApiError
from kubemini.api.kinds import NODE, POD, Kind
from kubemini.api.objects import Obj, get, without
from kubemini.apiserver.admission import forbid
from kubemini.apiserver.decide.access.nodes import LEASES, MIRROR, used_by
from kubemini.apiserver.decide.access.users import node_name
from kubemini.apiserver.decide.attributes import CREATE, DELETE, UPDATE, Attributes

NAME = "NodeRestriction"
RESTRICTED = "node-restriction.kubernetes.io"
OWN_LABELS = (
    "kubernetes.io/hostname",
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
    "beta.kubernetes.io/instance-type",
    "node.kubernetes.io/instance-type",
    "kubernetes.io/os",
    "kubernetes.io/arch",
    "beta.kubernetes.io/os",
    "beta.kubernetes.io/arch",
)
OWN_DOMAINS = ("kubelet.kubernetes.io", "node.kubernetes.io")
_BOUND_VOLUMES = {
    "csi": "csidrivers (via CSI volumes)",
    "glusterfs": "endpoints (via glusterFS volumes)",
    "persistentVolumeClaim": "persistentvolumeclaims",
    "ephemeral": "persistentvolumeclaims (via ephemeral volumes)",
    "azureFile": "secrets (via azureFile volumes)",
}


def needs(asked: Attributes) -> tuple[Kind, ...]:
    """Nodes ask for pods and for themselves."""
    return (POD, NODE) if node_name(asked.user) is not None and asked.kind in (POD, NODE) else ()


def admit(asked: Attributes) -> "Obj | ApiError | None":
    """What a node writes, unchanged, or why it may not."""
    node = node_name(asked.user)
    if node is None:
        return asked.obj
    if not node:
        return forbid(asked, f'could not determine node from user "{asked.user.name}"')
    judge = _JUDGES.get((asked.kind.group, asked.kind.plural))
    found = judge(asked, node) if judge is not None else ""
    if isinstance(found, ApiError):
        return found
    return forbid(asked, found) if found else asked.obj


# -- pods --------------------------------------------------------------------------------------------------------------


def _pod(asked: Attributes, node: str) -> "str | ApiError":
    if asked.subresource == "status":
        return _pod_status(asked, node)
    if asked.subresource == "eviction":
        return _bound_elsewhere(asked, node, f"node {node} can only evict pods with spec.nodeName set to itself")
    if asked.subresource:
        return f"unexpected pod subresource \"{asked.subresource}\", only 'status' and 'eviction' are allowed"
    if asked.operation == CREATE:
        return _mirror(asked, node)
    if asked.operation == DELETE:
        return _bound_elsewhere(asked, node, f'node "{node}" can only delete pods with spec.nodeName set to itself')
    return f'unexpected operation "{asked.operation}", node "{node}" can only create and delete mirror pods'


def _bound_elsewhere(asked: Attributes, node: str, why: str) -> "str | ApiError":
    pod = asked.known.get(POD, asked.namespace, asked.name)
    if pod is None:
        return errors.not_found(POD, asked.name)
    return "" if get(pod, "spec", "nodeName") == node else why


def _pod_status(asked: Attributes, node: str) -> str:
    if asked.operation != UPDATE or asked.obj is None or asked.old is None:
        return f'unexpected operation "{asked.operation}"'
    if get(asked.old, "spec", "nodeName") != node:
        return f'node "{node}" can only update pod status for pods with spec.nodeName set to itself'
    if (get(asked.old, "metadata", "labels") or {}) != (get(asked.obj, "metadata", "labels") or {}):
        return f'node "{node}" cannot update labels through pod status'
    before, after = (get(one, "status", "resourceClaimStatuses") or () for one in (asked.old, asked.obj))
    return "" if before == after else f'node "{node}" cannot update resource claim statues'


def _mirror(asked: Attributes, node: str) -> "str | ApiError":
    """A pod that only mirrors what a node runs anyway: it belongs to the node, and opens nothing."""
    pod = asked.obj
    assert pod is not None, "what is created is there"
    if MIRROR not in (get(pod, "metadata", "annotations") or {}):
        return f'pod does not have "{MIRROR}" annotation, node "{node}" can only create mirror pods'
    if get(pod, "spec", "nodeName") != node:
        return f'node "{node}" can only create pods with spec.nodeName set to itself'
    owners = get(pod, "metadata", "ownerReferences") or ()
    wrong = _wrong_owner(asked, node, owners)
    if wrong:
        return wrong
    used = _uses(pod)
    return f'node "{node}" can not create pods that reference {used}' if used else ""


def _wrong_owner(asked: Attributes, node: str, owners: Any) -> "str | ApiError":
    only = f'node "{node}" can only create pods with'
    if len(owners) > 1:
        return f"{only} a single owner reference set to itself"
    owner: Mapping[str, Any] = owners[0] if owners else {}
    if (owner.get("apiVersion"), owner.get("kind"), owner.get("name")) != ("v1", "Node", node):
        return f"{only} an owner reference set to itself"
    if not owner.get("controller"):
        return f"{only} a controller owner reference set to itself"
    if owner.get("blockOwnerDeletion"):
        return f'node "{node}" must not set blockOwnerDeletion on an owner reference'
    found = asked.known.get(NODE, "", node)
    if found is None:
        return errors.not_found(NODE, node)
    uid = found["metadata"]["uid"]
    return "" if owner.get("uid") == uid else f"node {node} UID mismatch: expected {owner.get('uid')} got {uid}"


def _uses(pod: Obj) -> str:
    """The first thing of the API that a pod refers to; "" if it refers to none."""
    used = {resource for resource, _, _ in used_by(pod)}
    named = next((one for one in ("serviceaccounts", "secrets", "configmaps") if one in used), "")
    if named or get(pod, "spec", "resourceClaims"):
        return named or "resourceclaims"
    return next((found for found in map(_used_by, get(pod, "spec", "volumes") or ()) if found), "")


def _used_by(volume: Mapping[str, Any]) -> str:
    found = next((used for key, used in _BOUND_VOLUMES.items() if volume.get(key) is not None), "")
    for source in (volume.get("projected") or {}).get("sources") or ():
        if "serviceAccountToken" in source:
            found = found or "serviceaccounts (via projected volumes)"
    return found


# -- the node itself ---------------------------------------------------------------------------------------------------


def _node(asked: Attributes, node: str) -> str:
    name = asked.name or get(asked.obj or {}, "metadata", "name")
    if name != node:
        return f'node "{node}" is not allowed to modify node "{name}"'
    obj, old = asked.obj, asked.old
    if obj is None:
        return ""
    if asked.operation == CREATE:
        wrong = _forbidden_labels(get(obj, "metadata", "labels") or {}, {})
        return f'node "{node}" is not allowed to set the following labels: {wrong}' if wrong else ""
    if old is None:
        return ""
    if (get(obj, "spec", "taints") or ()) != (get(old, "spec", "taints") or ()):
        return f'node "{node}" is not allowed to modify taints'
    if (get(obj, "metadata", "ownerReferences") or ()) != (get(old, "metadata", "ownerReferences") or ()):
        return f'node "{node}" is not allowed to modify ownerReferences'
    wrong = _forbidden_labels(*(get(one, "metadata", "labels") or {} for one in (obj, old)))
    return f"is not allowed to modify labels: {wrong}" if wrong else ""


def _forbidden_labels(new: Mapping[str, str], old: Mapping[str, str]) -> str:
    """The labels that were changed and are not a kubelet's to change, as a text."""
    changed = sorted(key for key in {**new, **old} if new.get(key) != old.get(key))
    return ", ".join(key for key in changed if _is_forbidden(key))


def _is_forbidden(key: str) -> bool:
    domain = key.partition("/")[0] if "/" in key else ""
    if _lies_in(domain, RESTRICTED):
        return True
    official = _lies_in(domain, "kubernetes.io") or _lies_in(domain, "k8s.io")
    return official and key not in OWN_LABELS and not any(_lies_in(domain, own) for own in OWN_DOMAINS)


def _lies_in(domain: str, wide: str) -> bool:
    return domain == wide or domain.endswith(f".{wide}")


# -- what belongs to it ------------------------------------------------------------------------------------------------


def _named_alike(what: str) -> Callable[[Attributes, str], str]:
    def judge(asked: Attributes, node: str) -> str:
        name = asked.name or get(asked.obj or {}, "metadata", "name")
        return "" if name == node else f"can only access {what} with the same name as the requesting node"

    return judge


def _lease(asked: Attributes, node: str) -> str:
    space = asked.namespace or get(asked.obj or {}, "metadata", "namespace")
    if space != LEASES:
        return f'can only access leases in the "{LEASES}" system namespace'
    return _named_alike("node lease")(asked, node)


def _claim(asked: Attributes, node: str) -> str:
    if asked.subresource != "status":
        return "may only update PVC status"
    if asked.obj is None or asked.old is None:
        return f'unexpected operation "{asked.operation}"'
    free = [("metadata", "resourceVersion"), ("metadata", "managedFields"), ("status", "capacity")]
    free += [("status", key) for key in ("conditions", "allocatedResources", "allocatedResourceStatuses")]
    same = without(asked.obj, *free) == without(asked.old, *free)
    return (
        ""
        if same
        else f'node "{node}" is not allowed to update fields other than status.quantity and status.conditions'
    )


def _slice(asked: Attributes, node: str) -> str:
    if asked.operation not in (CREATE, DELETE):
        return ""
    obj = asked.obj if asked.operation == CREATE else asked.known.get(asked.kind, "", asked.name)
    verb = "create" if asked.operation == CREATE else "delete"
    same = get(obj or {}, "spec", "nodeName") == node
    return "" if same else f"can only {verb} ResourceSlice with the same NodeName as the requesting node"


def _token(asked: Attributes, node: str) -> "str | ApiError":
    """A token of a service account: only one that is bound to a pod of the node."""
    if asked.operation != CREATE or asked.subresource != "token":
        return ""
    ref = get(asked.obj or {}, "spec", "boundObjectRef") or {}
    if (ref.get("apiVersion"), ref.get("kind")) != ("v1", "Pod") or not ref.get("name"):
        return "node requested token not bound to a pod"
    if not ref.get("uid"):
        return "node requested token with a pod binding without a uid"
    pod = asked.known.get(POD, asked.namespace, ref["name"])
    if pod is None:
        return errors.not_found(POD, ref["name"])
    if pod["metadata"]["uid"] != ref["uid"]:
        why = f"the UID in the bound object reference ({ref['uid']}) does not match the UID in record."
        return f"{why} The object might have been deleted and then recreated"
    bound = get(pod, "spec", "nodeName") == node
    return "" if bound else "node requested token bound to a pod scheduled on a different node"


_JUDGES: Mapping[tuple[str, str], Callable[[Attributes, str], "str | ApiError"]] = {
    ("", "pods"): _pod,
    ("", "nodes"): _node,
    ("", "persistentvolumeclaims"): _claim,
    ("", "serviceaccounts"): _token,
    ("coordination.k8s.io", "leases"): _lease,
    ("storage.k8s.io", "csinodes"): _named_alike("CSINode"),
    ("resource.k8s.io", "resourceslices"): _slice,
}
