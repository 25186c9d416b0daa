"""Who a pod of a StatefulSet is: its ordinal, its name and its claims, the same at every birth.

Models k/k pkg/controller/statefulset getParentNameAndOrdinal, newStatefulSetPod, newVersionedStatefulSetPod
Models k/k pkg/controller/statefulset identityMatches, storageMatches, updateIdentity, updateStorage
"""

import re
from typing import Any

from kubemini.api.kinds import PERSISTENT_VOLUME_CLAIM, POD
from kubemini.api.objects import EMPTY, Obj, evolve, evolve_many, freeze, get
from kubemini.controllers.decide.actions import owner_reference
from kubemini.controllers.decide.workloads import revisions

POD_NAME, POD_INDEX = "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index"
REVISION = "controller-revision-hash"
_NAME = re.compile(r"(.*)-([0-9]+)", re.DOTALL)
_LARGEST = 2**31 - 1


def parent_and_ordinal(name: str) -> tuple[str, int]:
    """Of a pod's name: ``db-0`` is (db, 0). The ordinal is -1 if there is none."""
    match = _NAME.fullmatch(name)
    if not match:
        return "", -1
    return match[1], int(match[2]) if int(match[2]) <= _LARGEST else -1


def ordinal(pod: Obj) -> int:
    """The number of a pod in its StatefulSet; -1: it has none."""
    return parent_and_ordinal(pod["metadata"]["name"])[1]


def is_member(stateful: Obj, pod: Obj) -> bool:
    """Whether the pod is called as one of *stateful* would be."""
    return parent_and_ordinal(pod["metadata"]["name"])[0] == stateful["metadata"]["name"]


def ordinals(stateful: Obj) -> range:
    """Those that are wanted."""
    start = get(stateful, "spec", "ordinals", "start", default=0)
    return range(start, start + stateful["spec"].get("replicas", 1))


def revision_of(pod: Obj) -> str:
    """The name of the ControllerRevision that the pod was made after."""
    return get(pod, "metadata", "labels", REVISION, default="")


# -- claims ----------------------------------------------------------------------------------------------------------
def templates(stateful: Obj) -> list[Obj]:
    """The claims that every pod has, as templates."""
    return list(stateful["spec"].get("volumeClaimTemplates") or ())


def claim_name(stateful: Obj, template: Obj, number: int) -> str:
    """The name of the claim after *template* of the pod with that ordinal."""
    return f"{template['metadata']['name']}-{stateful['metadata']['name']}-{number}"


def claims(stateful: Obj, pod: Obj) -> list[Obj]:
    """The PersistentVolumeClaims of a pod. Models k/k pkg/controller/statefulset getPersistentVolumeClaims"""
    found, number = [], ordinal(pod)
    picked = get(stateful, "spec", "selector", "matchLabels") or EMPTY
    for template in templates(stateful):
        meta = template["metadata"]
        about = {**meta, "name": claim_name(stateful, template, number), "labels": {**meta.get("labels", {}), **picked}}
        claim = {**template, "apiVersion": PERSISTENT_VOLUME_CLAIM.api_version, "kind": PERSISTENT_VOLUME_CLAIM.kind}
        found.append(freeze({**claim, "metadata": {**about, "namespace": stateful["metadata"]["namespace"]}}))
    return found


def _volumes(stateful: Obj, pod: Obj) -> list[Any]:
    """Its own claims first, then what the template has besides."""
    number = ordinal(pod)
    ours = {t["metadata"]["name"]: claim_name(stateful, t, number) for t in templates(stateful)}
    mounted = [{"name": name, "persistentVolumeClaim": {"claimName": claim}} for name, claim in ours.items()]
    return [*mounted, *(v for v in pod["spec"].get("volumes") or () if v["name"] not in ours)]


def storage_fits(stateful: Obj, pod: Obj) -> bool:
    """Whether the pod has its own claims."""
    mounted = {v["name"]: get(v, "persistentVolumeClaim", "claimName") for v in pod["spec"].get("volumes") or ()}
    number = ordinal(pod)
    return number >= 0 and all(
        mounted.get(t["metadata"]["name"]) == claim_name(stateful, t, number) for t in templates(stateful)
    )


def identity_fits(stateful: Obj, pod: Obj) -> bool:
    """Whether the pod says itself who it is."""
    name = pod["metadata"]["name"]
    return is_member(stateful, pod) and ordinal(pod) >= 0 and get(pod, "metadata", "labels", POD_NAME) == name


def corrected(stateful: Obj, pod: Obj) -> Obj:
    """The same pod with its labels and its claims."""
    if not identity_fits(stateful, pod):
        pod = _labelled(pod)
    return pod if storage_fits(stateful, pod) else evolve(pod, ("spec", "volumes"), _volumes(stateful, pod))


def _labelled(pod: Obj) -> Obj:
    labels = {POD_NAME: pod["metadata"]["name"], POD_INDEX: str(ordinal(pod))}
    return evolve(pod, ("metadata", "labels"), {**(pod["metadata"].get("labels") or EMPTY), **labels})


# -- a new pod -------------------------------------------------------------------------------------------------------
def new_pod(stateful: Obj, number: int, old: Obj, new: Obj) -> Obj:
    """The pod with that ordinal, after the *new* ControllerRevision, or the *old* one below the partition."""
    rolling = get(stateful, "spec", "updateStrategy", default=EMPTY)
    below = -1
    if rolling.get("type", "RollingUpdate") == "RollingUpdate":
        start, partition = ordinals(stateful).start, get(rolling, "rollingUpdate", "partition")
        kept = get(stateful, "status", "currentReplicas", default=0) if partition is None else partition
        below = start + kept
    revision = old if number < below else new
    return _made(revisions.restored(stateful, revision), number, revision["metadata"]["name"])


def _made(stateful: Obj, number: int, revision: str) -> Obj:
    template, meta = stateful["spec"]["template"], stateful["metadata"]
    about = template.get("metadata") or EMPTY
    name = f"{meta['name']}-{number}"
    pod = freeze(
        {
            "apiVersion": POD.api_version,
            "kind": POD.kind,
            "metadata": {
                **{part: about[part] for part in ("annotations", "finalizers") if about.get(part)},
                "labels": {**(about.get("labels") or EMPTY), REVISION: revision},
                "name": name,
                "generateName": f"{meta['name']}-",
                "namespace": meta["namespace"],
                "ownerReferences": [owner_reference(stateful)],
            },
            "spec": {**template["spec"], "hostname": name},
        }
    )
    if stateful["spec"].get("serviceName"):
        pod = evolve(pod, ("spec", "subdomain"), stateful["spec"]["serviceName"])
    volumes = _volumes(stateful, pod)
    return _labelled(evolve_many(pod, (("spec", "volumes"), volumes)) if volumes else pod)
