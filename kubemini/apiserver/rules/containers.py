"""What a container may be: name, image, ports, environment, resources, hooks, probes; and what it is by default.

Models k/k pkg/apis/core/validation validateContainerCommon, validateContainers, validateInitContainers; defaults:
k/k pkg/apis/core/v1 SetDefaults_Container, SetDefaults_Probe.
Simplified: volume mounts, devices and security contexts are not judged.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kubemini.api import names
from kubemini.api.objects import Obj
from kubemini.apiserver.rules import probes
from kubemini.apiserver.rules.causes import Wrong, duplicate, each, forbidden, indexed, invalid, required, supported
from kubemini.apiserver.rules.resources import canonical, resources

PROTOCOLS = ("SCTP", "TCP", "UDP")
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
NO_SOURCE = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"


def containers(items: Sequence[Obj], path: str, grace: int) -> Wrong:
    """The containers that a pod is made of; at least one."""
    if not items:
        yield required(path)
    seen: list[str] = []
    for number, container in enumerate(items):
        where = f"{path}[{number}]"
        yield from common(container, where)
        yield from _taken(container, where, seen)
        yield from probes.lifecycle(container.get("lifecycle"), f"{where}.lifecycle", grace)
        for probe in PROBES:
            yield from probes.probe(container.get(probe), f"{where}.{probe}", grace)
    yield from _host_ports(items, path)


def init_containers(items: Sequence[Obj], path: str, others: Sequence[Obj], grace: int) -> Wrong:
    """Those that run before; only one that stays (restartPolicy Always) has hooks and probes."""
    seen = [container.get("name", "") for container in others]
    for number, container in enumerate(items):
        where, stays = f"{path}[{number}]", container.get("restartPolicy") == "Always"
        yield from common(container, where)
        yield from _taken(container, where, seen)
        if stays:
            yield from probes.lifecycle(container.get("lifecycle"), f"{where}.lifecycle", grace)
        for part in ("lifecycle", *PROBES):
            if container.get(part) is not None and not stays:
                text = "may not be set for init containers without restartPolicy=Always"
                yield forbidden(f"{where}.{part}", text)
            elif part != "lifecycle":
                yield from probes.probe(container.get(part), f"{where}.{part}", grace)
    yield from _host_ports(items, path)


def _taken(container: Obj, path: str, seen: list[str]) -> Wrong:
    name = container.get("name", "")
    if name in seen:
        yield duplicate(f"{path}.name", name)
    seen.append(name)


def common(container: Obj, path: str) -> Wrong:
    """What no container may be, whatever its place."""
    name, image = container.get("name", ""), container.get("image", "")
    yield from each(names.dns_label(name), f"{path}.name", name) if name else [required(f"{path}.name")]
    if not image:
        yield required(f"{path}.image")
    elif image.strip() != image:
        yield invalid(f"{path}.image", image, "must not have leading or trailing whitespace")
    policy = container.get("terminationMessagePolicy", "File")
    yield from supported(f"{path}.terminationMessagePolicy", policy, ("FallbackToLogsOnError", "File"))
    yield from _ports(container.get("ports") or (), f"{path}.ports")
    yield from indexed(container.get("env"), f"{path}.env", _variable)
    policy = container.get("imagePullPolicy", "")
    yield from supported(f"{path}.imagePullPolicy", policy, ("Always", "IfNotPresent", "Never"))
    yield from resources(container.get("resources") or {}, f"{path}.resources")
    for change in container.get("resizePolicy") or ():
        answers = ("NotRequired", "RestartContainer")
        yield from supported(f"{path}.resizePolicy", change.get("restartPolicy", ""), answers)


def _ports(ports: Sequence[Obj], path: str) -> Wrong:
    seen: list[str] = []
    for number, port in enumerate(ports):
        where, name = f"{path}[{number}]", port.get("name", "")
        if name and (wrong := names.port_name(name)):
            yield from each(wrong, f"{where}.name", name)
        elif name in seen:
            yield duplicate(f"{where}.name", name)
        seen += [name] if name else []
        if not port.get("containerPort"):
            yield required(f"{where}.containerPort")
        for field in ("containerPort", "hostPort"):
            if port.get(field):
                yield from each(names.port_number(port[field]), f"{where}.{field}", port[field])
        yield from supported(f"{where}.protocol", port.get("protocol", ""), PROTOCOLS)


def _host_ports(items: Sequence[Obj], path: str) -> Wrong:
    """Models k/k pkg/apis/core/validation checkHostPortConflicts"""
    seen: list[str] = []
    for number, container in enumerate(items):
        for at, port in enumerate(container.get("ports") or ()):
            used = f"{port.get('protocol', '')}/{port.get('hostIP', '')}/{port.get('hostPort', 0)}"
            if port.get("hostPort") and used in seen:
                yield duplicate(f"{path}[{number}].ports[{at}].hostPort", used)
            seen.append(used)


def _variable(variable: Obj, path: str) -> Wrong:
    """Models k/k pkg/apis/core/validation ValidateEnv"""
    name, source = variable.get("name", ""), variable.get("valueFrom")
    yield from each(names.variable(name), f"{path}.name", name) if name else [required(f"{path}.name")]
    if source is None:
        return
    given = [word for word in SOURCES if source.get(word) is not None]
    if not given:
        yield invalid(f"{path}.valueFrom", "", NO_SOURCE)
    elif variable.get("value"):
        yield invalid(f"{path}.valueFrom", "", "may not be specified when `value` is not empty")
    elif len(given) > 1:
        yield invalid(f"{path}.valueFrom", "", "may not have more than one field specified at a time")
    for word in ("configMapKeyRef", "secretKeyRef"):
        if source.get(word) is not None:
            for field in ("name", "key"):
                if not source[word].get(field):
                    yield required(f"{path}.valueFrom.{word}.{field}")


# -- defaults --------------------------------------------------------------------------------------------------------


def filled(value: Mapping[str, Any] | None, **defaults: Any) -> dict[str, Any]:
    """*value* with *defaults* for what it lacks; where the default is text or a number, "" and 0 are a lack too."""
    value = value or {}
    lacks = {key: new for key, new in defaults.items() if value.get(key) is None or _is_zero(value[key], new)}
    return {**value, **lacks}


def unset(value: Mapping[str, Any] | None, **defaults: Any) -> dict[str, Any]:
    """*value* with *defaults* for what is not given at all; "" is given: in Go it is a pointer."""
    value = value or {}
    return {**value, **{key: new for key, new in defaults.items() if value.get(key) is None}}


def _is_zero(value: Any, default: Any) -> bool:
    return value == "" and isinstance(default, str)


def container_defaults(container: Mapping[str, Any]) -> dict[str, Any]:
    """*container* with every default."""
    full = filled(
        container,
        imagePullPolicy=pull_policy(container.get("image") or ""),
        resources={},
        terminationMessagePath="/dev/termination-log",
        terminationMessagePolicy="File",
    )
    full["resources"] = _resources(full["resources"])
    if "ports" in full:
        full["ports"] = [filled(port, protocol="TCP") for port in full["ports"] or []]
    for name, fill in _DEFAULTED.items():
        if full.get(name):
            full[name] = fill(full[name])
    if full.get("env"):
        full["env"] = [_whole_variable(one) for one in full["env"]]
    return full


def _whole_variable(variable: Mapping[str, Any]) -> Mapping[str, Any]:
    """A variable, with the version of the field that it tells. Models k/k SetDefaults_ObjectFieldSelector"""
    source = variable.get("valueFrom") or {}
    if source.get("fieldRef") is None:
        return variable
    return {**variable, "valueFrom": {**source, "fieldRef": filled(source["fieldRef"], apiVersion="v1")}}


def pull_policy(image: str) -> str:
    """Always for the tag latest (also unspoken), else IfNotPresent, also for no image."""
    if not image:
        return "IfNotPresent"
    last = image.rpartition("/")[2]
    tag = last.partition(":")[2] or ("" if "@" in last else "latest")
    return "Always" if tag == "latest" else "IfNotPresent"


def _resources(amounts: Mapping[str, Any]) -> dict[str, Any]:
    """Amounts in canonical form; what has a limit and no request requests its limit."""
    parts = {part: canonical(amounts[part]) for part in ("limits", "requests") if amounts.get(part)}
    if "limits" in parts:
        parts["requests"] = {**parts["limits"], **parts.get("requests", {})}
    return {**amounts, **parts}


_DEFAULTED: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    **dict.fromkeys(("readinessProbe", "livenessProbe", "startupProbe"), probes.probe_defaults),
    "lifecycle": probes.lifecycle_defaults,
}
