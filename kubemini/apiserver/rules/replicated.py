"""What Deployments and ReplicaSets share: a selector that picks the pods of the template, and the template.

Models k/k pkg/apis/apps/validation ValidateDeploymentSpec, ValidatePodTemplateSpecForReplicaSet.
"""

from collections.abc import Mapping
from typing import Any

from kubemini.api import labels
from kubemini.api.objects import Obj, get
from kubemini.apiserver.rules import podspec
from kubemini.apiserver.rules.causes import IMMUTABLE, Wrong, forbidden, invalid, not_negative, required, supported
from kubemini.apiserver.rules.metadata import annotations, label_pairs, label_selector, readable

NO_MATCH = "`selector` does not match template `labels`"


def selector_and_template(spec: Obj, path: str = "spec") -> Wrong:
    """The selector, then the template; Kubernetes' texts for ReplicaSets say deployment too."""
    selector, template = spec.get("selector"), spec.get("template") or {}
    if selector is None:
        yield required(f"{path}.selector")
    else:
        yield from label_selector(selector, f"{path}.selector")
        if not selector.get("matchLabels") and not selector.get("matchExpressions"):
            yield invalid(f"{path}.selector", selector, "empty selector is invalid for deployment")
    if not readable(selector):
        yield invalid(f"{path}.selector", selector, "invalid label selector")
        return
    wanted = get(template, "metadata", "labels", default=None) or {}
    if not labels.matches(selector, wanted):
        yield invalid(f"{path}.template.metadata.labels", wanted or None, NO_MATCH)
    yield from pod_template(template, f"{path}.template")
    pod = template.get("spec") or {}
    yield from supported(f"{path}.template.spec.restartPolicy", pod.get("restartPolicy", "Always"), ("Always",))
    if pod.get("activeDeadlineSeconds") is not None:
        text = "activeDeadlineSeconds in ReplicaSet is not Supported"
        yield forbidden(f"{path}.template.spec.activeDeadlineSeconds", text)


def pod_template(template: Obj, path: str) -> Wrong:
    """Models k/k pkg/apis/core/validation ValidatePodTemplateSpec"""
    meta, spec = template.get("metadata") or {}, template.get("spec") or {}
    yield from label_pairs(meta.get("labels"), f"{path}.labels")
    yield from annotations(meta.get("annotations"), f"{path}.annotations")
    yield from podspec.behaviour(meta, f"{path}.annotations")
    yield from podspec.pod_spec(spec, f"{path}.spec")
    if spec.get("ephemeralContainers"):
        yield forbidden(f"{path}.spec.ephemeralContainers", "ephemeral containers not allowed in pod template")


def selector_stays(new: Obj, old: Obj) -> Wrong:
    """Models k/k pkg/registry/apps/deployment deploymentStrategy.ValidateUpdate"""
    if get(new, "spec", "selector") != get(old, "spec", "selector"):
        yield invalid("spec.selector", get(new, "spec", "selector"), IMMUTABLE)


def counts(status: Mapping[str, Any], *fields: str) -> Wrong:
    """No count is negative, none but ``replicas`` larger than ``replicas``.

    Models k/k pkg/apis/apps/validation ValidateDeploymentStatus, ValidateReplicaSetStatus
    """
    yield from not_negative(status, "status", "replicas", *fields)
    for field in fields:
        if (status.get(field) or 0) > (status.get("replicas") or 0):
            yield invalid(f"status.{field}", status.get(field, 0), "cannot be greater than status.replicas")


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
