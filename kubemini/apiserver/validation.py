"""Is this object allowed? The API server's own words for what is not.

    undecodable(obj, kind)  400: not even of the right types         (asked first, before defaulting)
    validate(obj)           422: breaks a rule on creation
    validate(new, old)      422: breaks a rule, or changes what must stay

Each decider returns an ApiError or None; objects are judged after defaulting.
Source: Kubernetes 1.37 k/k pkg/apis/{core,apps}/validation, kubernetes/apimachinery pkg/api/validation.
Simplified: volumes, security contexts, affinity and addresses are not judged; a refused Pod update shows no diff; a
text about a wrong type names the kind where Go names the inner struct.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from kubemini.api import errors, labels, names, quantity, schema
from kubemini.api.errors import ApiError, FieldError
from kubemini.api.kinds import Kind, kind_of
from kubemini.api.objects import Obj, evolve, get, without

Wrong = Iterator[FieldError]
IMMUTABLE = "field is immutable"
POD_UPDATE = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def validate(obj: Obj, old: Obj | None = None) -> ApiError | None:
    """Why *obj* may not be stored (in place of *old*), or None."""
    kind = kind_of(obj)
    found = [*_metadata(kind, obj["metadata"], old), *_RULES.get(kind.kind, _nothing)(obj)]
    if old is not None:
        found += _UPDATE_RULES.get(kind.kind, _nothing_changed)(obj, old)
    unique = list(dict.fromkeys(found))
    return errors.invalid(kind, obj["metadata"].get("name", ""), unique) if unique else None


def undecodable(obj: Any, kind: Kind) -> ApiError | None:
    """Why *obj* cannot be read as a *kind* at all, or None."""
    text = f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: '
    shape = schema.MANIFESTS.get(kind.kind)
    problem = next(_mistyped(obj, shape, "", kind.kind), None) if shape else None
    return errors.bad_request(text + problem) if problem else None


# -- the four kinds of complaint -------------------------------------------------------------------------------------


def _required(field: str, detail: str = "") -> FieldError:
    return FieldError("FieldValueRequired", field, "Required value" + (f": {detail}" if detail else ""))


def _bad(field: str, value: Any, detail: str) -> FieldError:
    return FieldError("FieldValueInvalid", field, f"Invalid value: {_shown(value)}: {detail}")


def _duplicate(field: str, value: Any) -> FieldError:
    return FieldError("FieldValueDuplicate", field, f"Duplicate value: {_shown(value)}")


def _forbidden(field: str, detail: str) -> FieldError:
    return FieldError("FieldValueForbidden", field, f"Forbidden: {detail}")


def _supported(field: str, value: Any, choices: Sequence[str]) -> Wrong:
    if value not in choices:
        known = ", ".join(json.dumps(choice) for choice in choices)
        text = f"Unsupported value: {_shown(value)}: supported values: {known}"
        yield FieldError("FieldValueNotSupported", field, text)


def _shown(value: Any) -> str:
    """As Go prints it: text quoted, the rest as compact JSON with sorted keys."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _all(check: Iterable[str], field: str, value: Any) -> Wrong:
    for text in check:
        yield _bad(field, value, text)


def _not_negative(spec: Mapping[str, Any], path: str, *fields: str) -> Wrong:
    for field in fields:
        if (spec.get(field) or 0) < 0:
            yield _bad(f"{path}.{field}", spec[field], "must be greater than or equal to 0")


def _nothing(obj: Obj) -> Wrong:
    return iter(())


def _nothing_changed(new: Obj, old: Obj) -> Wrong:
    return iter(())


# -- metadata --------------------------------------------------------------------------------------------------------

_NAME_RULES = {"Namespace": names.dns_label, "Service": names.dns_label}


def _metadata(kind: Kind, meta: Obj, old: Obj | None) -> Wrong:
    rule = _NAME_RULES.get(kind.kind, names.dns_subdomain)
    if not meta.get("name"):
        yield _required("metadata.name", "name or generateName is required")
    else:
        yield from _all(rule(meta["name"]), "metadata.name", meta["name"])
    if kind.namespaced and not meta.get("namespace"):
        yield _required("metadata.namespace")
    elif not kind.namespaced and meta.get("namespace"):
        yield _forbidden("metadata.namespace", "not allowed on this type")
    elif kind.namespaced:
        yield from _all(names.dns_label(meta["namespace"]), "metadata.namespace", meta["namespace"])
    yield from _labels(meta.get("labels") or {}, "metadata.labels")
    for key in meta.get("annotations") or {}:
        yield from _all(names.qualified_name(key.lower()), "metadata.annotations", key)
    if old is not None:
        yield from _metadata_changes(meta, old["metadata"])


def _metadata_changes(meta: Obj, old: Obj) -> Wrong:
    for field in ("name", "namespace", "uid", "creationTimestamp"):
        if meta.get(field, "") != old.get(field, "") and meta.get(field):
            yield _bad(f"metadata.{field}", meta[field], IMMUTABLE)
    if old.get("deletionTimestamp"):
        new = [f for f in meta.get("finalizers") or [] if f not in (old.get("finalizers") or [])]
        if new:
            shown = "[]string{" + ", ".join(json.dumps(f) for f in new) + "}"
            what = "no new finalizers can be added if the object is being deleted, found new finalizers "
            yield _forbidden("metadata.finalizers", what + shown)


def _labels(pairs: Mapping[str, str], path: str) -> Wrong:
    for key, value in pairs.items():
        yield from _all(names.qualified_name(key), path, key)
        yield from _all(names.label_value(value), path, value)


# -- pods ------------------------------------------------------------------------------------------------------------


def _pod(obj: Obj) -> Wrong:
    return _pod_spec(obj.get("spec") or {}, "spec")


def _pod_spec(spec: Obj, path: str) -> Wrong:
    containers = spec.get("containers") or []
    if not containers:
        yield _required(f"{path}.containers")
    seen: list[str] = []
    for number, container in enumerate(containers):
        where, name = f"{path}.containers[{number}]", container.get("name") or ""
        yield from _container(container, where)
        if name and name in seen:
            yield _duplicate(f"{where}.name", name)
        seen.append(name)
    yield from _supported(f"{path}.restartPolicy", spec.get("restartPolicy"), ("Always", "OnFailure", "Never"))
    yield from _not_negative(spec, path, "terminationGracePeriodSeconds")
    yield from _labels(spec.get("nodeSelector") or {}, f"{path}.nodeSelector")
    if spec.get("nodeName"):
        yield from _all(names.dns_subdomain(spec["nodeName"]), f"{path}.nodeName", spec["nodeName"])
    for number, toleration in enumerate(spec.get("tolerations") or []):
        yield from _toleration(toleration, f"{path}.tolerations[{number}]")


def _container(container: Obj, path: str) -> Wrong:
    if not container.get("name"):
        yield _required(f"{path}.name")
    else:
        yield from _all(names.dns_label(container["name"]), f"{path}.name", container["name"])
    if not container.get("image"):
        yield _required(f"{path}.image")
    elif container["image"].strip() != container["image"]:
        yield _bad(f"{path}.image", container["image"], "must not have leading or trailing whitespace")
    yield from _container_ports(container.get("ports") or [], f"{path}.ports")
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        if container.get(probe):
            yield from _probe(container[probe], f"{path}.{probe}")
    yield from _supported(
        f"{path}.imagePullPolicy", container.get("imagePullPolicy"), ("Always", "IfNotPresent", "Never")
    )
    yield from _resources(container.get("resources") or {}, f"{path}.resources")


def _container_ports(ports: Sequence[Obj], path: str) -> Wrong:
    seen: list[str] = []
    for number, port in enumerate(ports):
        where, name = f"{path}[{number}]", port.get("name") or ""
        if name:
            yield from _all(names.port_name(name), f"{where}.name", name)
            if name in seen:
                yield _duplicate(f"{where}.name", name)
            seen.append(name)
        if not port.get("containerPort"):
            yield _required(f"{where}.containerPort")
        else:
            yield from _all(names.port_number(port["containerPort"]), f"{where}.containerPort", port["containerPort"])
        yield from _supported(f"{where}.protocol", port.get("protocol"), ("SCTP", "TCP", "UDP"))


def _probe(probe: Obj, path: str) -> Wrong:
    handlers = [handler for handler in ("exec", "httpGet", "tcpSocket", "grpc") if probe.get(handler) is not None]
    if not handlers:
        yield _required(path, "must specify a handler type")
    for extra in handlers[1:]:
        yield _forbidden(f"{path}.{extra}", "may not specify more than 1 handler type")
    yield from _not_negative(
        probe, path, "initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"
    )
    once = path.endswith(("livenessProbe", "startupProbe"))
    if once and probe.get("successThreshold", 1) != 1:
        yield _bad(f"{path}.successThreshold", probe["successThreshold"], "must be 1")


def _resources(resources: Obj, path: str) -> Wrong:
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for part, amounts in (("limits", limits), ("requests", requests)):
        for name, amount in amounts.items():
            if quantity.parse(str(amount)).amount < 0:
                yield _bad(f"{path}.{part}[{name}]", str(amount), "must be greater than or equal to 0")
    for name, amount in requests.items():
        asked, limit = quantity.parse(str(amount)), limits.get(name)
        if limit is not None and asked.amount > quantity.parse(str(limit)).amount:
            text = f"must be less than or equal to {name} limit of {quantity.parse(str(limit))}"
            yield _bad(f"{path}.requests", str(asked), text)


def _toleration(toleration: Obj, path: str) -> Wrong:
    operator = toleration.get("operator", "")
    if toleration.get("key"):
        yield from _all(names.qualified_name(toleration["key"]), f"{path}.key", toleration["key"])
    elif operator != "Exists":
        text = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        yield _bad(f"{path}.operator", operator, text)
    if toleration.get("tolerationSeconds") is not None and toleration.get("effect") != "NoExecute":
        text = "effect must be 'NoExecute' when `tolerationSeconds` is set"
        yield _bad(f"{path}.effect", toleration.get("effect", ""), text)
    if operator == "Exists" and toleration.get("value"):
        yield _bad(f"{path}.operator", toleration["value"], "value must be empty when `operator` is 'Exists'")


def _pod_changes(new: Obj, old: Obj) -> Wrong:
    """Only images, deadlines and additional tolerations may change (the scheduler binds through ``/binding``)."""
    if len(new["spec"]["containers"]) != len(old["spec"]["containers"]):
        yield _forbidden("spec.containers", "pod updates may not add or remove containers")
        return
    gates = {gate["name"] for gate in old["spec"].get("schedulingGates") or ()}
    added = [gate["name"] for gate in new["spec"].get("schedulingGates") or () if gate["name"] not in gates]
    for name in added:
        text = f"only deletion is allowed, but found new scheduling gate '{name}'"
        yield _forbidden("spec.schedulingGates", text)
    if _fixed(new) != _fixed(old) or not _only_added(new, old):
        yield _forbidden("spec", POD_UPDATE)


def _fixed(pod: Obj) -> Obj:
    """What no update may change."""
    spec = pod["spec"]
    for part in ("tolerations", "activeDeadlineSeconds", "schedulingGates"):
        spec = without(spec, (part,))
    return evolve(spec, ("containers",), [without(container, ("image",)) for container in spec["containers"]])


def _only_added(new: Obj, old: Obj) -> bool:
    kept = new["spec"].get("tolerations") or []
    return all(toleration in kept for toleration in old["spec"].get("tolerations") or [])


# -- deployments and replica sets ------------------------------------------------------------------------------------


def _deployment(obj: Obj) -> Wrong:
    spec = obj.get("spec") or {}
    yield from _replicated(spec, "deployment")
    yield from _strategy(spec.get("strategy") or {}, "spec.strategy")
    yield from _not_negative(spec, "spec", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds")
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None and deadline <= (spec.get("minReadySeconds") or 0):
        yield _bad("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")


def _replica_set(obj: Obj) -> Wrong:
    spec = obj.get("spec") or {}
    yield from _not_negative(spec, "spec", "minReadySeconds")
    yield from _replicated(spec, "deployment")  # Kubernetes' text for ReplicaSets says deployment too


def _replicated(spec: Obj, word: str) -> Wrong:
    yield from _not_negative(spec, "spec", "replicas")
    selector, template = spec.get("selector"), spec.get("template") or {}
    if selector is None:
        yield _required("spec.selector")
    elif not selector.get("matchLabels") and not selector.get("matchExpressions"):
        yield _bad("spec.selector", selector, f"empty selector is invalid for {word}")
    wanted = get(template, "metadata", "labels", default={})
    if not labels.matches(selector, wanted):
        what = "`selector` does not match template `labels`"
        yield _bad("spec.template.metadata.labels", wanted or None, what)
    yield from _labels(wanted, "spec.template.labels")
    yield from _pod_spec(template.get("spec") or {}, "spec.template.spec")
    policy = get(template, "spec", "restartPolicy", default="Always")
    yield from _supported("spec.template.spec.restartPolicy", policy, ("Always",))


def _strategy(strategy: Obj, path: str) -> Wrong:
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    if kind == "Recreate" and rolling is not None:
        yield _forbidden(f"{path}.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'")
    elif kind == "RollingUpdate":
        yield from _rolling(rolling or {}, f"{path}.rollingUpdate")
    else:
        yield from _supported(path, kind, ("Recreate", "RollingUpdate"))


def _rolling(rolling: Obj, path: str) -> Wrong:
    for field in ("maxUnavailable", "maxSurge"):
        value = rolling.get(field, 0)
        if isinstance(value, str):
            yield from _all(names.percent(value), f"{path}.{field}", value)
        elif value < 0:
            yield _bad(f"{path}.{field}", value, "must be greater than or equal to 0")
    unavailable, surge = _figure(rolling.get("maxUnavailable", 0)), _figure(rolling.get("maxSurge", 0))
    if unavailable == 0 and surge == 0:
        yield _bad(f"{path}.maxUnavailable", rolling.get("maxUnavailable", 0), "may not be 0 when `maxSurge` is 0")
    if isinstance(rolling.get("maxUnavailable"), str) and unavailable > 100:
        yield _bad(f"{path}.maxUnavailable", rolling["maxUnavailable"], "must not be greater than 100%")


def _figure(value: int | str) -> int:
    if isinstance(value, str):
        return 0 if names.percent(value) else int(value[:-1])
    return value


def _selector_stays(new: Obj, old: Obj) -> Wrong:
    if new["spec"].get("selector") != old["spec"].get("selector"):
        yield _bad("spec.selector", new["spec"].get("selector"), IMMUTABLE)


# -- services, configuration, the rest -------------------------------------------------------------------------------


def _service(obj: Obj) -> Wrong:
    spec = obj.get("spec") or {}
    ports, kind = spec.get("ports") or [], spec.get("type")
    if not ports and spec.get("clusterIP") != "None" and kind != "ExternalName":
        yield _required("spec.ports")
    if kind == "ExternalName" and not spec.get("externalName"):
        yield _required("spec.externalName")
    for number, port in enumerate(ports):
        yield from _service_port(port, f"spec.ports[{number}]", several=len(ports) > 1)
    yield from _service_duplicates(ports)
    yield from _labels(spec.get("selector") or {}, "spec.selector")
    yield from _supported("spec.sessionAffinity", spec.get("sessionAffinity"), ("ClientIP", "None"))
    yield from _supported("spec.type", kind, ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort"))


def _service_port(port: Obj, path: str, several: bool) -> Wrong:
    if several and not port.get("name"):
        yield _required(f"{path}.name")
    elif port.get("name"):
        yield from _all(names.dns_label(port["name"]), f"{path}.name", port["name"])
    yield from _all(names.port_number(port.get("port") or 0), f"{path}.port", port.get("port") or 0)
    yield from _supported(f"{path}.protocol", port.get("protocol"), ("SCTP", "TCP", "UDP"))
    target = port.get("targetPort", port.get("port"))
    check = names.port_name(target) if isinstance(target, str) else names.port_number(target or 0)
    yield from _all(check, f"{path}.targetPort", target)


def _service_duplicates(ports: Sequence[Obj]) -> Wrong:
    for number, port in enumerate(ports):
        before = ports[:number]
        if port.get("name") and any(other.get("name") == port["name"] for other in before):
            yield _duplicate(f"spec.ports[{number}].name", port["name"])
        same = {"protocol": port.get("protocol"), "port": port.get("port")}
        if any(same == {"protocol": other.get("protocol"), "port": other.get("port")} for other in before):
            text = "Duplicate value: " + json.dumps(same, separators=(",", ":"))
            yield FieldError("FieldValueDuplicate", f"spec.ports[{number}]", text)


def _service_changes(new: Obj, old: Obj) -> Wrong:
    """A cluster IP stays for life, unless the Service becomes an ExternalName."""
    before, after = old["spec"].get("clusterIP"), new["spec"].get("clusterIP")
    if "ExternalName" in (old["spec"].get("type"), new["spec"].get("type")) or not before or before == after:
        return
    text = "may not change once set" if after else "primary clusterIP can not be unset"
    yield _bad("spec.clusterIPs[0]", [after] if after else None, text)


def _keyed(obj: Obj) -> Wrong:
    for part in ("data", "binaryData"):
        for key in obj.get(part) or {}:
            yield from _all(names.config_key(key), f"{part}[{key}]", key)


def _keyed_changes(new: Obj, old: Obj) -> Wrong:
    if not old.get("immutable"):
        return
    if not new.get("immutable"):
        yield _forbidden("immutable", "field is immutable when `immutable` is set")
    for part in ("data", "binaryData"):
        if (new.get(part) or {}) != (old.get(part) or {}):
            yield _forbidden(part, "field is immutable when `immutable` is set")


def _lease(obj: Obj) -> Wrong:
    spec = obj.get("spec") or {}
    if spec.get("leaseDurationSeconds") is not None and spec["leaseDurationSeconds"] <= 0:
        yield _bad("spec.leaseDurationSeconds", spec["leaseDurationSeconds"], "must be greater than 0")
    yield from _not_negative(spec, "spec", "leaseTransitions")


_RULES = {
    "Pod": _pod,
    "Deployment": _deployment,
    "ReplicaSet": _replica_set,
    "Service": _service,
    "ConfigMap": _keyed,
    "Secret": _keyed,
    "Lease": _lease,
}
_UPDATE_RULES = {
    "Pod": _pod_changes,
    "Deployment": _selector_stays,
    "ReplicaSet": _selector_stays,
    "Service": _service_changes,
    "ConfigMap": _keyed_changes,
    "Secret": _keyed_changes,
}


# -- types -----------------------------------------------------------------------------------------------------------

_GO = {str: "string", bool: "bool", int: "number", float: "number", list: "array", type(None): "null"}


def _mistyped(value: Any, shape: schema.Shape, path: str, kind: str) -> Iterator[str]:
    """What Go's JSON decoder would stumble over; null and unknown fields pass."""
    if value is None or (isinstance(shape, schema.Leaf) and shape.type == "any"):
        return
    wanted = _go_type(shape)
    if wanted == "Quantity":
        if not isinstance(value, str | int | float) or isinstance(value, bool) or not _is_quantity(value):
            yield quantity.PROBLEM
    elif not _holds(wanted, value):
        yield f"json: cannot unmarshal {_go_name(value)} into Go struct field {kind}.{path} of type {wanted}"
    elif isinstance(shape, schema.ListOf):
        for item in value:
            yield from _mistyped(item, shape.item, path, kind)
    elif isinstance(shape, schema.MapOf | schema.Fields):
        for key, item in value.items():
            inner = shape.item if isinstance(shape, schema.MapOf) else shape.known.get(key, schema.ANYTHING)
            yield from _mistyped(item, inner, f"{path}.{key}" if path else key, kind)


def _go_type(shape: schema.Shape) -> str:
    if isinstance(shape, schema.Leaf):
        return shape.type
    return "array" if isinstance(shape, schema.ListOf) else "object"


def _go_name(value: Any) -> str:
    return "object" if isinstance(value, dict) else "array" if isinstance(value, list) else _GO[type(value)]


def _holds(wanted: str, value: Any) -> bool:
    name = _go_name(value)
    if wanted == "int or string":
        return name == "string" or schema.is_number(value)
    if wanted in ("int32", "int64"):
        limit = 2**31 if wanted == "int32" else 2**63
        return schema.is_number(value) and -limit <= value < limit
    return name == wanted


def _is_quantity(value: Any) -> bool:
    try:
        quantity.parse(str(value))
    except quantity.QuantityError:
        return False
    return True
