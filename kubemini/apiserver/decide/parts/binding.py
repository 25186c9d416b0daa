"""/binding: a pod gets its node. Pure.

Models k/k pkg/registry/core/pod/storage BindingREST.Create, pkg/apis/core/validation ValidatePodBinding.
Simplified: a Binding may leave its pod's name to the URL.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kubemini.api import errors
from kubemini.api.errors import ApiError
from kubemini.api.kinds import POD
from kubemini.api.objects import Obj, evolve_many, freeze, get, without
from kubemini.api.timestamps import timestamp
from kubemini.apiserver.decide import decoding
from kubemini.apiserver.decide.identity import wrong_uid

MAP = "map[string]string"
BINDING = {
    "metadata": (
        "ObjectMeta",
        "v1.ObjectMeta",
        {"name": "string", "namespace": "string", "uid": "types.UID", "labels": MAP, "annotations": MAP},
    ),
    "target": ("ObjectReference", "v1.ObjectReference", {"kind": "string", "name": "string", "apiVersion": "string"}),
}
BOUND = freeze({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201})


def unreadable(binding: Any) -> ApiError | None:
    """Why *binding* is no Binding, or None."""
    wrong = decoding.refusal(binding, "Binding")
    if wrong is not None:
        return wrong
    mistyped = decoding.mistyped(binding, "Binding", BINDING)
    if mistyped:
        return errors.bad_request(f'Binding in version "v1" cannot be handled as a Binding: {mistyped}')
    return None


def misbound(binding: Mapping[str, Any], name: str) -> ApiError | None:
    """Why *binding* cannot be one of the pod *name*, or None. Models k/k pkg/registry/core/pod/storage BindingREST"""
    if get(binding, "metadata", "name", default="") != name:
        return errors.bad_request("name in URL does not match name in Binding object")
    target = binding.get("target") or {}
    found = []
    if target.get("kind", "") not in ("Node", ""):
        known = 'supported values: "Node", "<empty>"'
        found.append(f"target.kind: Unsupported value: {decoding.quoted(target['kind'])}: {known}")
    if not target.get("name"):
        found.append("target.name: Required value")
    return errors.failed(found[0] if len(found) == 1 else "[" + ", ".join(found) + "]") if found else None


def bind(pod: Obj, binding: Mapping[str, Any], now: int) -> "Obj | ApiError":
    """*pod* on the node that *binding* names, with its labels and annotations, or why that cannot be."""
    meta, node = pod["metadata"], binding["target"]["name"]
    name, said = meta["name"], binding.get("metadata") or {}
    if said.get("uid") and said["uid"] != meta["uid"]:
        return errors.conflict(POD, name, wrong_uid(POD, meta, said["uid"]))
    if "deletionTimestamp" in meta:
        return _cannot_bind(name, f"pod {name} is being deleted, cannot be assigned to a host")
    if pod["spec"].get("nodeName"):
        return _cannot_bind(name, f'pod {name} is already assigned to node "{pod["spec"]["nodeName"]}"')
    if pod["spec"].get("schedulingGates"):
        return _cannot_bind(name, f"pod {name} has non-empty .spec.schedulingGates")
    scheduled = {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": timestamp(now)}
    others = [c for c in get(pod, "status", "conditions", default=()) if c["type"] != "PodScheduled"]
    added = [
        (("metadata", part), {**(meta.get(part) or {}), **said[part]})
        for part in ("labels", "annotations")
        if said.get(part)
    ]
    free = without(pod, ("status", "nominatedNodeName"))  # ClearingNominatedNodeNameAfterBinding
    return evolve_many(free, (("spec", "nodeName"), node), (("status", "conditions"), [*others, scheduled]), *added)


def _cannot_bind(name: str, why: str) -> ApiError:
    return errors.conflict(replace(POD, plural="pods/binding"), name, why)
