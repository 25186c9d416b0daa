"""PodSecurity: a namespace says by labels what its pods may ask of their hosts; the rest is refused, or warned of.

Whatever makes pods (a Deployment, a Job) is only warned about: the refusal comes when it makes one.
Models k/pod-security-admission admission Admission.ValidatePod Admission.ValidateNamespace.
Simplified: a new level of a namespace is held against all pods that are known, however many.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from kubemini.api import errors
from kubemini.api.errors import ApiError
from kubemini.api.kinds import KNOWN, NAMESPACE, POD, Kind
from kubemini.api.objects import Obj, get
from kubemini.apiserver.admission import forbid
from kubemini.apiserver.decide.attributes import CREATE, DELETE, UPDATE, Attributes
from kubemini.apiserver.decide.podsecurity.levels import PREFIX, PRIVILEGED, Level, policy_of, stricter, violations

NAME = "PodSecurity"
IGNORED = ("exec", "attach", "binding", "eviction", "log", "portforward", "proxy", "status")
TEMPLATES = {
    KNOWN["v1", "ReplicationController"]: ("spec", "template"),
    KNOWN["v1", "PodTemplate"]: ("template",),
    KNOWN["apps/v1", "Deployment"]: ("spec", "template"),
    KNOWN["apps/v1", "ReplicaSet"]: ("spec", "template"),
    KNOWN["apps/v1", "StatefulSet"]: ("spec", "template"),
    KNOWN["apps/v1", "DaemonSet"]: ("spec", "template"),
    KNOWN["batch/v1", "Job"]: ("spec", "template"),
    KNOWN["batch/v1", "CronJob"]: ("spec", "jobTemplate", "spec", "template"),
}


def needs(asked: Attributes) -> tuple[Kind, ...]:
    """The pods of a namespace whose labels change."""
    labels = [get(one or {}, "metadata", "labels") or {} for one in (asked.obj, asked.old)]
    relabeled = asked.kind == NAMESPACE and asked.operation == UPDATE
    return (POD,) if relabeled and any(key.startswith("pod-security") for some in labels for key in some) else ()


def validate(asked: Attributes) -> ApiError | None:
    """Why the pod may not be, or the namespace not ask for this level; warnings on the way."""
    if asked.obj is None or asked.operation == DELETE:
        return None
    if asked.kind == NAMESPACE:
        return None if asked.subresource else _of_namespace(asked, asked.obj)
    if asked.kind == POD:
        return None if asked.subresource in IGNORED or _insignificant(asked) else _of_pod(asked, asked.obj, True)
    path = TEMPLATES.get(asked.kind)
    template = get(asked.obj, *path) if path and not asked.subresource else None
    return _of_pod(asked, template, False) if template else None


def _of_pod(asked: Attributes, pod: Mapping[str, Any], enforce: bool) -> ApiError | None:
    space = asked.space or asked.known.get(NAMESPACE, "", asked.namespace)
    policy, _ = policy_of(get(space or {}, "metadata", "labels") or {})
    why = _said(policy.audit, pod)
    if why:
        asked.annotate(f"{PREFIX}audit-violations", f'would violate PodSecurity "{policy.audit}": {why}')
    if enforce:
        asked.annotate(f"{PREFIX}enforce-policy", str(policy.enforce))
        why = _said(policy.enforce, pod)
        if why:
            return forbid(asked, f'violates PodSecurity "{policy.enforce}": {why}')
    why = _said(policy.warn, pod)
    if why:
        asked.warn(f'would violate PodSecurity "{policy.warn}": {why}')
    return None


def _said(level: Level, pod: Mapping[str, Any]) -> str:
    return ", ".join(str(one) for one in violations(level, pod.get("metadata") or {}, pod.get("spec") or {}))


def _insignificant(asked: Attributes) -> bool:
    """Whether an update of a pod changes nothing that is judged: no image, no container more."""
    if asked.operation == CREATE or asked.old is None or asked.obj is None:
        return False
    new, old = asked.obj.get("spec") or {}, asked.old.get("spec") or {}
    return _images(new) == _images(old)


def _images(spec: Mapping[str, Any]) -> list[list[tuple[Any, Any]]]:
    fields = ("containers", "initContainers", "ephemeralContainers")
    return [[(one.get("name"), one.get("image")) for one in spec.get(field) or ()] for field in fields]


def _of_namespace(asked: Attributes, new: Obj) -> ApiError | None:
    policy, wrong = policy_of(get(new, "metadata", "labels") or {})
    before, wrong_before = policy_of(get(asked.old or {}, "metadata", "labels") or {})
    if wrong and (asked.old is None or wrong != wrong_before):
        return errors.invalid(NAMESPACE, asked.name, wrong)
    level, was = policy.enforce, before.enforce
    relaxed = level.version == was.version and not stricter(level.name, was.name)
    if asked.operation == UPDATE and level != was and level.name != PRIVILEGED and not relaxed:
        for text in _of_those_there(asked, level):
            asked.warn(text)
    return None


def _of_those_there(asked: Attributes, level: Level) -> Iterator[str]:
    """Warnings of the pods that would not be let in any more: each reason once, with the first pod's name."""
    found: dict[str, list[str]] = {}
    for pod in asked.known.items(POD, asked.name):
        reasons = [one.reason for one in violations(level, pod["metadata"], pod.get("spec") or {})]
        if reasons:
            found.setdefault(", ".join(reasons), []).append(pod["metadata"]["name"])
    if found:
        yield f'existing pods in namespace "{asked.name}" violate the new PodSecurity enforce level "{level}"'
    lines = []
    for reason, pods in found.items():
        more = len(pods) - 1
        others = f" (and {more} other pod{'s' if more > 1 else ''})" if more else ""
        lines.append(f"{min(pods)}{others}: {reason}")
    yield from sorted(lines)
