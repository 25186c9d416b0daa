"""What a pod may be: its containers, where it runs, how it ends; what it is by default; what of it has no effect here.

Models k/k pkg/apis/core/validation ValidatePodSpec; defaults: k/k pkg/apis/core/v1 SetDefaults_PodSpec.
Simplified: what a pod as a whole asks for and Windows' own options are not judged.
"""

import re
from collections.abc import Mapping
from typing import Any

from kubemini.api import names, quantity
from kubemini.api.objects import Obj
from kubemini.apiserver.rules import placement
from kubemini.apiserver.rules.causes import Wrong, each, forbidden, indexed, invalid, not_negative, supported
from kubemini.apiserver.rules.filling import filled
from kubemini.apiserver.rules.metadata import label_pairs
from kubemini.apiserver.rules.pods import claims, naming, security
from kubemini.apiserver.rules.pods import volumes as ofpods
from kubemini.apiserver.rules.pods.containers import Around, container_defaults, containers, init_containers, unpadded
from kubemini.apiserver.rules.pods.ephemeral import ephemeral_containers
from kubemini.apiserver.rules.resources import canonical, resources
from kubemini.sim.units import duration

RESTARTS = ("Always", "OnFailure", "Never")
DNS = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
LARGEST = 2**31 - 1
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
COST = re.compile(r"0|[1-9][0-9]*|-[0-9]+")
OURS = "kubemini.io/"
TIMED = (OURS + "exit-after", OURS + "stop-after")


def around(spec: Obj, volumes: Mapping[str, Obj]) -> Around:
    """What the containers of *spec* have around them."""
    grace = spec.get("terminationGracePeriodSeconds") or 0
    claimed = tuple(claim["name"] for claim in spec.get("resourceClaims") or () if claim.get("name"))
    return Around(grace, volumes, spec.get("restartPolicy", ""), spec.get("hostUsers") is not False, claimed)


def pod_spec(spec: Obj, path: str, is_pod: bool = False) -> Wrong:
    """Every complaint about *spec*, of a pod or of a template."""
    volumes, wrong = ofpods.volumes(spec.get("volumes"), f"{path}.volumes")
    yield from wrong
    yield from claims.of_pod(spec.get("resourceClaims") or (), f"{path}.resourceClaims")
    items, pod = spec.get("containers") or (), around(spec, volumes)
    yield from containers(items, f"{path}.containers", pod)
    yield from init_containers(spec.get("initContainers") or (), f"{path}.initContainers", items, pod)
    others = [*items, *(spec.get("initContainers") or ())]
    yield from ephemeral_containers(spec.get("ephemeralContainers") or (), f"{path}.ephemeralContainers", others, pod)
    yield from naming.host_ports(spec, path, is_pod)
    yield from supported(f"{path}.restartPolicy", spec.get("restartPolicy", ""), RESTARTS)
    yield from supported(f"{path}.dnsPolicy", spec.get("dnsPolicy", "ClusterFirst"), DNS)
    yield from label_pairs(spec.get("nodeSelector"), f"{path}.nodeSelector")
    yield from security.of_pod(spec.get("securityContext"), f"{path}.securityContext")
    yield from _sharing(spec, path)
    yield from placement.affinity(spec.get("affinity"), f"{path}.affinity")
    yield from naming.dns_config(spec.get("dnsConfig"), spec.get("dnsPolicy", ""), f"{path}.dnsConfig")
    yield from naming.readiness_gates(spec, path)
    yield from placement.gates(spec.get("schedulingGates") or (), f"{path}.schedulingGates")
    yield from placement.spread(spec.get("topologySpreadConstraints") or (), f"{path}.topologySpreadConstraints")
    yield from security.host_users(spec, path)
    yield from naming.host_name(spec, path)
    yield from _names(spec, path)
    yield from indexed(spec.get("tolerations"), f"{path}.tolerations", placement.toleration)
    yield from naming.host_aliases(spec, path)
    yield from _priority(spec, path)
    if spec.get("overhead") is not None:
        yield from resources({"limits": spec["overhead"]}, f"{path}.overhead")
    yield from security.operating_system(spec, path)


def only_of_pods(spec: Obj, path: str) -> Wrong:
    """What a template may say and a pod may not. Models k/k pkg/apis/core/validation validatePodMetadataAndSpec"""
    if not spec.get("serviceAccountName"):
        yield from _no_tokens(spec, path)
    yield from not_negative(spec, path, "terminationGracePeriodSeconds")
    for field in ("containers", "initContainers"):
        yield from unpadded(spec.get(field) or (), f"{path}.{field}")


def _no_tokens(spec: Obj, path: str) -> Wrong:
    for number, volume in enumerate(spec.get("volumes") or ()):
        for at, source in enumerate((volume.get("projected") or {}).get("sources") or ()):
            if source.get("serviceAccountToken") is not None:
                where = f"{path}.volumes[{number}].projected.sources[{at}].serviceAccountToken"
                yield forbidden(where, "must not be specified when serviceAccountName is not set")


def _sharing(spec: Obj, path: str) -> Wrong:
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        text = "ShareProcessNamespace and HostPID cannot both be enabled"
        yield invalid(f"{path}.shareProcessNamespace", True, text)


def _names(spec: Obj, path: str) -> Wrong:
    for field in ("serviceAccountName", "nodeName"):
        if spec.get(field):
            yield from each(names.dns_subdomain(spec[field]), f"{path}.{field}", spec[field])
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= LARGEST:
        yield invalid(f"{path}.activeDeadlineSeconds", deadline, f"must be between 1 and {LARGEST}, inclusive")
    for field in ("hostname", "subdomain"):
        if spec.get(field):
            yield from each(names.dns_label(spec[field]), f"{path}.{field}", spec[field])


def _priority(spec: Obj, path: str) -> Wrong:
    for field in ("priorityClassName", "runtimeClassName"):
        if spec.get(field) or (field == "runtimeClassName" and spec.get(field) is not None):
            yield from each(names.dns_subdomain(spec[field]), f"{path}.{field}", spec[field])
    if spec.get("preemptionPolicy") is not None:
        policies = ("PreemptLowerPriority", "Never")
        yield from supported(f"{path}.preemptionPolicy", spec["preemptionPolicy"], policies)


def gated(spec: Obj, path: str) -> Wrong:
    """A pod that must not be scheduled yet is on no node. Models k/k pkg/apis/core/validation ValidatePodCreate"""
    if spec.get("schedulingGates") and spec.get("nodeName"):
        yield forbidden(f"{path}.nodeName", "cannot be set until all schedulingGates have been cleared")


def annotations(meta: Obj, path: str) -> Wrong:
    """What a pod's deletion costs, and how our containers are to behave; the latter rule is ours.

    Models k/k pkg/apis/core/validation ValidatePodSpecificAnnotations.
    """
    for key, value in (meta.get("annotations") or {}).items():
        if key == DELETION_COST and not _is_cost(value):
            yield invalid(f"{path}[{key}]", value, "must be a 32bit integer")
        if key in TIMED and (wrong := _no_duration(value)):
            yield invalid(f"{path}[{key}]", value, wrong)


def _is_cost(text: str) -> bool:
    return bool(COST.fullmatch(text)) and -LARGEST - 1 <= int(text) <= LARGEST


def _no_duration(text: str) -> str:
    try:
        duration(text)
    except ValueError:
        return "must be a duration such as 30s, 500ms or 1m30s"
    return ""


# -- defaults --------------------------------------------------------------------------------------------------------


def pod_spec_defaults(spec: Mapping[str, Any] | None) -> dict[str, Any]:
    """*spec* with every default."""
    full = filled(
        spec,
        restartPolicy="Always",
        terminationGracePeriodSeconds=30,
        dnsPolicy="ClusterFirst",
        schedulerName="default-scheduler",
        securityContext={},
    )
    full.pop("schedulingGroup", None)  # behind a gate, GenericWorkload
    for field in ("containers", "initContainers", "ephemeralContainers"):
        if full.get(field):
            full[field] = [container_defaults(container) for container in full.get(field) or []]
    account = full.get("serviceAccountName") or full.get("serviceAccount")
    if account:
        full |= {"serviceAccountName": account, "serviceAccount": account}
    if full.get("volumes"):
        full["volumes"] = [ofpods.volume_defaults(volume) for volume in full["volumes"]]
    if full.get("overhead"):
        full["overhead"] = canonical(full["overhead"])
    return full


def qos_class(spec: Mapping[str, Any]) -> str:
    """Guaranteed, Burstable or BestEffort: who is evicted last, later, first.

    Models k/k pkg/apis/core/helper/qos ComputePodQOS
    """
    whole = [spec] if any(_positive(spec, part) for part in ("requests", "limits")) else []
    parts = whole or [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    asked, capped = _sum(parts, "requests"), _sum(parts, "limits")
    if not asked and not capped:
        return "BestEffort"
    guaranteed = all(len(_positive(part, "limits")) == 2 for part in parts) and asked == capped
    return "Guaranteed" if guaranteed else "Burstable"


def _sum(parts: list[Mapping[str, Any]], which: str) -> dict[str, Any]:
    total: dict[str, Any] = {}
    for part in parts:
        for name, amount in _positive(part, which).items():
            total[name] = total.get(name, 0) + amount
    return total


def _positive(container: Mapping[str, Any], part: str) -> dict[str, Any]:
    amounts = (container.get("resources") or {}).get(part) or {}
    parsed = {n: quantity.parse(quantity.text(amounts[n])).amount for n in ("cpu", "memory") if n in amounts}
    return {name: amount for name, amount in parsed.items() if amount > 0}
