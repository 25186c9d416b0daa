"""The Node authorizer: a kubelet may read what the pods of its node use, and nothing else. Pure.

    secrets, config maps, claims, service accounts ──▶ pod ──▶ node        one hop to a pod that is bound to the node
    volumes ──▶ claim ──▶ pod ──▶ node                                     two
    what is not about one object                                           by the rules of the role system:node

Models k/k plugin/pkg/auth/authorizer/node NodeAuthorizer.Authorize Graph.AddPod Graph.AddPV; k/k pkg/api/v1/pod
VisitPodSecretNames VisitPodConfigmapNames.
Simplified: the graph is walked anew for each question; it has no resource claims and no pod certificates.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kubemini.api.objects import Obj
from kubemini.apiserver.decide.access.attributes import Attributes, Decision
from kubemini.apiserver.decide.access.rbac import Rule, allows
from kubemini.apiserver.decide.access.users import node_name

MIRROR = "kubernetes.io/config.mirror"
LEASES = "kube-node-lease"
SLICE_VERBS = (
    "only the following verbs are allowed for a ResourceSlice: "
    "get, watch, list, create, update, patch, delete, deletecollection"
)
ALLOWED = Decision(True)
NO_OPINION = Decision(False)


@dataclass(frozen=True, slots=True)
class Bound:
    """What the authorizer has heard of; *rules*: those of the role system:node."""

    pods: Sequence[Obj] = ()
    volumes: Sequence[Obj] = ()
    attachments: Sequence[Obj] = ()
    rules: Sequence[Rule] = ()


def authorize(facts: Callable[[], Bound], asked: Attributes) -> Decision:
    """May this node? Who is none gets no opinion."""
    node = node_name(asked.user)
    if node is None:
        return NO_OPINION
    if not node:
        return Decision(False, f'unknown node for user "{asked.user.name}"')
    special = _SPECIAL.get((asked.group, asked.resource)) if asked.is_resource else None
    if special is not None:
        return special(facts, node, asked)
    return Decision(any(allows(rule, asked) for rule in facts().rules))


# -- what is asked for one kind at a time ------------------------------------------------------------------------------


def _read(facts: Callable[[], Bound], node: str, asked: Attributes) -> Decision:
    """Secrets and config maps: those that its pods name."""
    if asked.verb not in ("get", "list", "watch"):
        return Decision(False, "can only read resources of this type")
    if asked.subresource:
        return Decision(False, "cannot read subresource")
    if not asked.namespace:
        return Decision(False, "can only read namespaced object of this type")
    return _related(facts, node, asked)


def _get(facts: Callable[[], Bound], node: str, asked: Attributes) -> Decision:
    if asked.verb != "get":
        return Decision(False, "can only get individual resources of this type")
    if asked.subresource:
        return Decision(False, "cannot get subresource")
    return _related(facts, node, asked)


def _claim(facts: Callable[[], Bound], node: str, asked: Attributes) -> Decision:
    if asked.subresource != "status":
        return _get(facts, node, asked)
    if asked.verb not in ("update", "patch"):
        return Decision(False, "can only get/update/patch this type")
    return _related(facts, node, asked)


def _service_account(facts: Callable[[], Bound], node: str, asked: Attributes) -> Decision:
    if asked.verb == "get" and not asked.subresource:
        return _read(facts, node, asked)
    if asked.verb != "create" or not asked.name:
        return Decision(False, "can only create tokens for individual service accounts")
    if asked.subresource != "token":
        return Decision(False, "can only create token subresource of serviceaccount")
    return _related(facts, node, asked)


def _lease(facts: Callable[[], Bound], node: str, asked: Attributes) -> Decision:
    if asked.verb not in ("get", "create", "update", "patch", "delete"):
        return Decision(False, "can only get, create, update, patch, or delete a node lease")
    if asked.namespace != LEASES:
        return Decision(False, f'can only access leases in the "{LEASES}" system namespace')
    if asked.verb != "create" and asked.name != node:
        return Decision(False, "can only access node lease with the same name as the requesting node")
    return ALLOWED


def _csi_node(facts: Callable[[], Bound], node: str, asked: Attributes) -> Decision:
    if asked.subresource:
        return Decision(False, "cannot authorize CSINode subresources")
    if asked.verb not in ("get", "create", "update", "patch", "delete"):
        return Decision(False, "can only get, create, update, patch, or delete a CSINode")
    if asked.verb != "create" and asked.name != node:
        return Decision(False, "can only access CSINode with the same name as the requesting node")
    return ALLOWED


def _slice(facts: Callable[[], Bound], node: str, asked: Attributes) -> Decision:
    if asked.subresource:
        return Decision(False, "cannot authorize ResourceSlice subresources")
    if asked.verb == "create":
        return ALLOWED
    if asked.verb in ("get", "update", "patch", "delete"):
        return _unrelated(node) if asked.name else Decision(False, "No Object name found")
    if asked.verb not in ("list", "watch", "deletecollection"):
        return Decision(False, SLICE_VERBS)
    if asked.selected.get("spec.nodeName") == node:
        return ALLOWED
    return Decision(False, "can only list/watch/deletecollection resourceslices with nodeName field selector")


def _certificate(facts: Callable[[], Bound], node: str, asked: Attributes) -> Decision:
    """Requests for certificates of its pods."""
    if asked.subresource:
        return Decision(False, "nodes may not access the status subresource of PodCertificateRequests")
    if asked.verb == "create":
        return ALLOWED
    if asked.verb == "get":
        return _related(facts, node, asked)
    if asked.verb not in ("list", "watch"):
        return Decision(False, f"nodes may not {asked.verb} podcertificaterequests")
    if asked.selected.get("spec.nodeName") == node:
        return ALLOWED
    return Decision(False, "can only list/watch podcertificaterequests with nodeName field selector")


def _node(facts: Callable[[], Bound], node: str, asked: Attributes) -> Decision:
    """Nodes: which one it writes is looked at when it is written (NodeRestriction)."""
    if asked.subresource == "status":
        return Decision(asked.verb in ("update", "patch"))
    if asked.subresource:
        return NO_OPINION
    if asked.verb in ("create", "update", "patch"):
        return ALLOWED
    if asked.verb not in ("get", "list", "watch"):
        return NO_OPINION
    if asked.name == node:
        return ALLOWED
    what = f"'{asked.name}'" if asked.name else "all nodes"
    return Decision(False, f"node '{node}' cannot read {what}, only its own Node object")


def _pod(facts: Callable[[], Bound], node: str, asked: Attributes) -> Decision:
    """Pods: those that are bound to it."""
    verb, sub = asked.verb, asked.subresource
    if sub:
        return Decision((sub, verb) in (("status", "update"), ("status", "patch"), ("eviction", "create")))
    if verb == "get":
        return _get(facts, node, asked)
    if verb in ("list", "watch"):
        if asked.selected.get("spec.nodeName") == node:
            return ALLOWED
        if asked.name:
            return _related(facts, node, asked)
        return Decision(False, "can only list/watch pods with spec.nodeName field selector")
    return Decision(verb in ("create", "delete"))


_SPECIAL: Mapping[tuple[str, str], Callable[[Callable[[], Bound], str, Attributes], Decision]] = {
    ("", "secrets"): _read,
    ("", "configmaps"): _read,
    ("", "persistentvolumeclaims"): _claim,
    ("", "persistentvolumes"): _get,
    ("storage.k8s.io", "volumeattachments"): _get,
    ("", "serviceaccounts"): _service_account,
    ("coordination.k8s.io", "leases"): _lease,
    ("storage.k8s.io", "csinodes"): _csi_node,
    ("resource.k8s.io", "resourceslices"): _slice,
    ("resource.k8s.io", "resourceclaims"): _get,
    ("certificates.k8s.io", "podcertificaterequests"): _certificate,
    ("", "nodes"): _node,
    ("", "pods"): _pod,
}

# -- the graph ---------------------------------------------------------------------------------------------------------


def _unrelated(node: str) -> Decision:
    return Decision(False, f"no relationship found between node '{node}' and this object")


def _related(facts: Callable[[], Bound], node: str, asked: Attributes) -> Decision:
    """Whether a way leads from the object to the node."""
    if not asked.name:
        return Decision(False, "No Object name found")
    wanted = asked.resource, asked.namespace, asked.name
    return ALLOWED if wanted in _reachable(facts(), node) else _unrelated(node)


def _reachable(facts: Bound, node: str) -> set[tuple[str, str, str]]:
    """(resource, namespace, name) of all from which a way leads to *node*."""
    found: set[tuple[str, str, str]] = set()
    for pod in facts.pods:
        if pod["spec"].get("nodeName") == node:
            found.update(of_pod(pod))
    for volume in facts.volumes:
        spec = volume.get("spec") or {}
        claim = spec.get("claimRef") or {}
        if ("persistentvolumeclaims", claim.get("namespace", ""), claim.get("name", "")) in found:
            found.add(("persistentvolumes", "", volume["metadata"]["name"]))
            found.update(("secrets", space, name) for space, name in _secrets_of_volume(spec, claim["namespace"]))
    for attachment in facts.attachments:
        if (attachment.get("spec") or {}).get("nodeName") == node:
            found.add(("volumeattachments", "", attachment["metadata"]["name"]))
    return found


def of_pod(pod: Obj) -> Iterator[tuple[str, str, str]]:
    """(resource, namespace, name) of the pod itself, and of what it opens: a mirror pod opens nothing."""
    meta = pod["metadata"]
    yield "pods", meta["namespace"], meta["name"]
    if MIRROR not in (meta.get("annotations") or {}):
        yield from used_by(pod)


def used_by(pod: Obj) -> Iterator[tuple[str, str, str]]:
    """The same of what the pod uses."""
    spec, meta = pod["spec"], pod["metadata"]
    space = meta.get("namespace", "")
    if spec.get("serviceAccountName"):
        yield "serviceaccounts", space, spec["serviceAccountName"]
    for secret in spec.get("imagePullSecrets") or ():
        yield "secrets", space, secret.get("name", "")
    containers = [c for key in ("initContainers", "containers", "ephemeralContainers") for c in spec.get(key) or ()]
    for container in containers:
        yield from _of_environment(container, space)
    for volume in spec.get("volumes") or ():
        yield from _of_volume(volume, space, meta.get("name", ""))


def _of_environment(container: Mapping[str, Any], space: str) -> Iterator[tuple[str, str, str]]:
    sources = [one.get("valueFrom") or {} for one in container.get("env") or ()] + [*(container.get("envFrom") or ())]
    for source in sources:
        for key, resource in (
            ("secretKeyRef", "secrets"),
            ("secretRef", "secrets"),
            ("configMapKeyRef", "configmaps"),
            ("configMapRef", "configmaps"),
        ):
            if source.get(key):
                yield resource, space, source[key].get("name", "")


def _of_volume(volume: Mapping[str, Any], space: str, pod: str) -> Iterator[tuple[str, str, str]]:
    sources = [volume, *((volume.get("projected") or {}).get("sources") or ())]
    for source in sources:
        if source.get("secret"):
            yield "secrets", space, source["secret"].get("secretName") or source["secret"].get("name", "")
        if source.get("configMap"):
            yield "configmaps", space, source["configMap"].get("name", "")
    if volume.get("persistentVolumeClaim"):
        yield "persistentvolumeclaims", space, volume["persistentVolumeClaim"]["claimName"]
    if volume.get("ephemeral"):
        yield "persistentvolumeclaims", space, f"{pod}-{volume['name']}"
    for key in ("azureFile", "cephfs", "cinder", "flexVolume", "iscsi", "rbd", "scaleIO", "storageos", "csi"):
        held = volume.get(key) or {}
        ref = held.get("secretRef") or held.get("nodePublishSecretRef")
        name = held.get("secretName") if key == "azureFile" else (ref or {}).get("name")
        if name:
            yield "secrets", space, name


def _secrets_of_volume(spec: Mapping[str, Any], space: str) -> Iterator[tuple[str, str]]:
    csi = spec.get("csi") or {}
    refs = [csi.get(key) for key in ("nodePublishSecretRef", "nodeStageSecretRef", "nodeExpandSecretRef")]
    refs += [(spec.get(key) or {}).get("secretRef") for key in ("cephfs", "flexVolume", "iscsi", "rbd", "scaleIO")]
    for ref in refs:
        if ref and ref.get("name"):
            yield ref.get("namespace") or space, ref["name"]
