"""What Deployments and ReplicaSets share: a selector that picks the pods of the template, and the template.

Models k/k pkg/apis/apps/validation ValidateDeploymentSpec, ValidatePodTemplateSpecForReplicaSet.
"""

from collections.abc import Mapping
from typing import Any

from kubemini.api import labels, names
from kubemini.api.objects import Obj, get
from kubemini.apiserver.rules import podspec
from kubemini.apiserver.rules.causes import Wrong, forbidden, invalid, not_negative, required, supported
from kubemini.apiserver.rules.gostructs import selector as as_go
from kubemini.apiserver.rules.gostructs import stays
from kubemini.apiserver.rules.metadata import annotations, label_pairs, label_selector, readable

DNS_LABEL = (
    "this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended"
)
NO_MATCH = "`selector` does not match template `labels`"


def selector_and_template(spec: Obj, path: str = "spec") -> Wrong:
    """The selector, then the template; Kubernetes' texts for ReplicaSets say deployment too."""
    selector, template = spec.get("selector"), spec.get("template") or {}
    yield from whole_selector(selector, f"{path}.selector", "deployment")
    if not readable(selector):
        yield invalid(f"{path}.selector", as_go(selector), "invalid label selector")
        return
    yield from picked(selector, template, f"{path}.template.metadata.labels")
    yield from pod_template(template, f"{path}.template")
    yield from runs_on(template, f"{path}.template.spec", "ReplicaSet")


def whole_selector(selector: Obj | None, path: str, owner: str) -> Wrong:
    """A selector that is there, and picks by something; *owner*: as the text calls it."""
    if selector is None:
        yield required(path)
        return
    yield from label_selector(selector, path)
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        yield invalid(path, as_go(selector), f"empty selector is invalid for {owner}")


def picked(selector: Obj | None, template: Obj, path: str) -> Wrong:
    """The pods of the template are among those that the selector picks."""
    worn = get(template, "metadata", "labels", default=None) or {}
    if not labels.matches(selector, worn):
        yield invalid(path, worn or None, NO_MATCH)


def runs_on(template: Obj, path: str, owner: str) -> Wrong:
    """Pods that are replaced run on and on; *owner*: the kind, as the text calls it."""
    pod = template.get("spec") or {}
    yield from supported(f"{path}.restartPolicy", pod.get("restartPolicy", "Always"), ("Always",))
    if pod.get("activeDeadlineSeconds") is not None:
        yield forbidden(f"{path}.activeDeadlineSeconds", f"activeDeadlineSeconds in {owner} is not Supported")


def pod_template(template: Obj, path: str) -> Wrong:
    """Models k/k pkg/apis/core/validation ValidatePodTemplateSpec"""
    meta, spec = template.get("metadata") or {}, template.get("spec") or {}
    yield from label_pairs(meta.get("labels"), f"{path}.labels")
    yield from annotations(meta.get("annotations"), f"{path}.annotations")
    yield from podspec.annotations(meta, f"{path}.annotations")
    yield from podspec.pod_spec(spec, f"{path}.spec")
    if spec.get("ephemeralContainers"):
        yield forbidden(f"{path}.spec.ephemeralContainers", "ephemeral containers not allowed in pod template")


def selector_stays(new: Obj, old: Obj) -> Wrong:
    """Models k/k pkg/registry/apps/deployment deploymentStrategy.ValidateUpdate"""
    after, before = get(new, "spec", "selector"), get(old, "spec", "selector")
    yield from stays(after, before, "spec.selector", "*metav1.LabelSelector")


def counts(status: Mapping[str, Any], *fields: str) -> Wrong:
    """No count is negative, none but ``replicas`` larger than ``replicas``.

    Models k/k pkg/apis/apps/validation ValidateDeploymentStatus, ValidateReplicaSetStatus
    """
    yield from not_negative(status, "status", "replicas", *fields)
    for field in fields:
        if (status.get(field) or 0) > (status.get("replicas") or 0):
            yield invalid(f"status.{field}", status.get(field, 0), "cannot be greater than status.replicas")


def replica_counts(new: Obj, old: Obj) -> Wrong:
    """The status of a ReplicaSet or ReplicationController: no count is larger than what it counts among.

    Models k/k pkg/apis/apps/validation ValidateReplicaSetStatus
    """
    status = new.get("status") or {}
    yield from not_negative(status, "status", "observedGeneration", "terminatingReplicas")
    yield from counts(status, "fullyLabeledReplicas", "readyReplicas", "availableReplicas")
    yield from available_are_ready(status, "readyReplicas")


def available_are_ready(status: Mapping[str, Any], ready: str) -> Wrong:
    """What is available is ready; *ready*: as the text calls it."""
    available = status.get("availableReplicas") or 0
    if available > (status.get("readyReplicas") or 0):
        yield invalid("status.availableReplicas", available, f"cannot be greater than {ready}")


def not_fewer_collisions(new: Obj, old: Obj) -> Wrong:
    """Models k/k pkg/apis/core/validation IsDecremented"""
    before, after = get(old, "status", "collisionCount"), get(new, "status", "collisionCount")
    if before is not None and (after is None or after < before):
        yield invalid("status.collisionCount", after or 0, "cannot be decremented")


def name_warnings(new: Obj, old: Obj | None) -> list[str]:
    """A new workload is told if its pods cannot have its name for a host name."""
    wrong = names.dns_label(new["metadata"]["name"]) if old is None else []
    return [f"metadata.name: {DNS_LABEL}: [{' '.join(wrong)}]"] if wrong else []


def template_defaults(template: Mapping[str, Any] | None) -> dict[str, Any]:
    """*template* with the defaults of its pod."""
    template = template or {}
    filled = podspec.pod_spec_defaults(template.get("spec"))
    return {**template, "metadata": template.get("metadata") or {}, "spec": filled}


def summary(obj: Obj) -> dict[str, Any]:
    """How many are wanted, how many are ready."""
    return {
        "replicas": get(obj, "spec", "replicas", default=1),
        "ready": get(obj, "status", "readyReplicas", default=0),
    }
