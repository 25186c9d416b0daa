"""What the API server fills in where a manifest is silent. Pure, and idempotent: default(default(x)) == default(x).

Source: Kubernetes 1.37 pkg/apis/core/v1/defaults.go and pkg/apis/apps/v1/defaults.go.
Simplified: no volumes, security contexts, IP families or host networks; a service account is a name only.
"""

import base64
from collections.abc import Mapping
from typing import Any

from kubemini.api import quantity
from kubemini.api.objects import Obj, freeze, get


def default(obj: Obj) -> Obj:
    """*obj* with every default of its kind; *obj* itself if it has them all."""
    fill = _BY_KIND.get(obj.get("kind", ""))
    filled = fill(obj) if fill else obj
    return freeze(obj if filled == obj else filled)


def qos_class(spec: Mapping[str, Any]) -> str:
    """Guaranteed, Burstable or BestEffort: who is evicted last, later, first."""
    asked = [_positive(get(c, "resources", "requests", default={})) for c in spec.get("containers", [])]
    capped = [_positive(get(c, "resources", "limits", default={})) for c in spec.get("containers", [])]
    if not any(asked) and not any(capped):
        return "BestEffort"
    guaranteed = all({"cpu", "memory"} <= limits.keys() for limits in capped) and asked == capped
    return "Guaranteed" if guaranteed else "Burstable"


def _positive(amounts: Mapping[str, Any]) -> dict[str, Any]:
    parsed = {name: quantity.parse(str(amounts[name])).amount for name in ("cpu", "memory") if name in amounts}
    return {name: amount for name, amount in parsed.items() if amount > 0}


# -- one function a kind ---------------------------------------------------------------------------------------------


def _filled(value: Mapping[str, Any] | None, **defaults: Any) -> dict[str, Any]:
    """*value* with *defaults* for what it lacks."""
    value = value or {}
    return {**value, **{key: default for key, default in defaults.items() if value.get(key) is None}}


def _pod(obj: Obj) -> Obj:
    spec = _filled(_pod_spec(obj.get("spec")), enableServiceLinks=True)
    return {**obj, "spec": spec}


def _pod_spec(spec: Mapping[str, Any] | None) -> dict[str, Any]:
    filled = _filled(
        spec,
        restartPolicy="Always",
        terminationGracePeriodSeconds=30,
        dnsPolicy="ClusterFirst",
        schedulerName="default-scheduler",
        securityContext={},
    )
    return filled | {"containers": [_container(container) for container in filled.get("containers") or []]}


def _container(container: Mapping[str, Any]) -> dict[str, Any]:
    filled = _filled(
        container,
        imagePullPolicy=_pull_policy(container.get("image") or ""),
        resources={},
        terminationMessagePath="/dev/termination-log",
        terminationMessagePolicy="File",
    )
    filled["resources"] = _resources(filled["resources"])
    if "ports" in filled:
        filled["ports"] = [_filled(port, protocol="TCP") for port in filled["ports"] or []]
    for probe in ("readinessProbe", "livenessProbe", "startupProbe"):
        if filled.get(probe):
            filled[probe] = _probe(filled[probe])
    return filled


def _pull_policy(image: str) -> str:
    """Always for the tag latest (also unspoken), else IfNotPresent."""
    last = image.rpartition("/")[2]
    tag = last.partition(":")[2] or ("" if "@" in last else "latest")
    return "Always" if tag == "latest" else "IfNotPresent"


def _resources(resources: Mapping[str, Any]) -> dict[str, Any]:
    """Amounts in canonical form; what has a limit and no request requests its limit."""
    amounts = {part: _canonical(resources[part]) for part in ("limits", "requests") if resources.get(part)}
    if "limits" in amounts:
        amounts["requests"] = {**amounts["limits"], **amounts.get("requests", {})}
    return {**resources, **amounts}


def _canonical(amounts: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(quantity.parse(str(amount))) for name, amount in amounts.items()}


def _probe(probe: Mapping[str, Any]) -> dict[str, Any]:
    filled = _filled(probe, timeoutSeconds=1, periodSeconds=10, successThreshold=1, failureThreshold=3)
    if filled.get("httpGet"):
        filled["httpGet"] = _filled(filled["httpGet"], path="/", scheme="HTTP")
    return filled


def _template(template: Mapping[str, Any] | None) -> dict[str, Any]:
    template = template or {}
    return {**template, "metadata": template.get("metadata") or {}, "spec": _pod_spec(template.get("spec"))}


def _deployment(obj: Obj) -> Obj:
    spec = _filled(obj.get("spec"), replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600, strategy={})
    spec["strategy"] = _filled(spec["strategy"], type="RollingUpdate")
    if spec["strategy"]["type"] == "RollingUpdate":
        rolling = _filled(spec["strategy"].get("rollingUpdate"), maxUnavailable="25%", maxSurge="25%")
        spec["strategy"]["rollingUpdate"] = rolling
    return {**obj, "spec": spec | {"template": _template(spec.get("template"))}}


def _replica_set(obj: Obj) -> Obj:
    spec = _filled(obj.get("spec"), replicas=1)
    return {**obj, "spec": spec | {"template": _template(spec.get("template"))}}


def _service(obj: Obj) -> Obj:
    spec = _filled(obj.get("spec"), type="ClusterIP", sessionAffinity="None")
    if spec["type"] != "ExternalName":
        spec = _filled(spec, internalTrafficPolicy="Cluster")
    if spec["type"] in ("NodePort", "LoadBalancer"):
        spec = _filled(spec, externalTrafficPolicy="Cluster")
    if spec["type"] == "LoadBalancer":
        spec = _filled(spec, allocateLoadBalancerNodePorts=True)
    if spec.get("ports"):
        spec["ports"] = [_filled(port, protocol="TCP", targetPort=port.get("port")) for port in spec["ports"]]
    return {**obj, "spec": spec}


def _namespace(obj: Obj) -> Obj:
    labels = {
        **get(obj, "metadata", "labels", default={}),
        "kubernetes.io/metadata.name": obj["metadata"].get("name", ""),
    }
    spec = _filled(obj.get("spec"), finalizers=["kubernetes"])
    return {
        **obj,
        "metadata": {**obj["metadata"], "labels": labels},
        "spec": spec,
        "status": _filled(obj.get("status"), phase="Active"),
    }


def _secret(obj: Obj) -> Obj:
    filled = _filled(obj, type="Opaque")
    written = filled.pop("stringData", None) or {}
    if written:
        encoded = {key: base64.b64encode(str(text).encode()).decode() for key, text in written.items()}
        filled["data"] = {**(filled.get("data") or {}), **encoded}
    return filled


def _node(obj: Obj) -> Obj:
    capacity = get(obj, "status", "capacity")
    if not capacity:
        return obj
    status = _filled(obj["status"], allocatable=capacity)
    return {**obj, "status": status | {part: _canonical(status[part]) for part in ("capacity", "allocatable")}}


def _endpoint_slice(obj: Obj) -> Obj:
    ports = [_filled(port, name="", protocol="TCP") for port in obj.get("ports") or []]
    return {**obj, "endpoints": obj.get("endpoints") or [], "ports": ports}


_BY_KIND = {
    "Pod": _pod,
    "Deployment": _deployment,
    "ReplicaSet": _replica_set,
    "Service": _service,
    "Namespace": _namespace,
    "Secret": _secret,
    "Node": _node,
    "EndpointSlice": _endpoint_slice,
}
