"""What a container may be: name, image, ports, environment, resources, hooks, probes; and what it is by default.

Models k/k pkg/apis/core/validation validateContainerCommon, validateContainers, validateInitContainers,
validateContainerRestartPolicy, validateResizePolicy; defaults: k/k pkg/apis/core/v1 SetDefaults_Container,
SetDefaults_Probe.
"""

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kubemini.api import names
from kubemini.api.objects import Obj, evolve
from kubemini.apiserver.rules.causes import (
    Wrong,
    duplicate,
    each,
    forbidden,
    invalid,
    required,
    supported,
    too_many,
    unsupported,
)
from kubemini.apiserver.rules.filling import filled
from kubemini.apiserver.rules.pods import claims, environment, mounts, probes, security
from kubemini.apiserver.rules.resources import canonical, resources

PROTOCOLS = ("SCTP", "TCP", "UDP")
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_PART, _HOST = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*", r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
IMAGE = re.compile(  # distribution/reference ReferenceRegexp
    rf"(?:(?:{_HOST}(?:\.{_HOST})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?/)?{_PART}(?:/{_PART})*"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?"
    r"(?:@(?P<digest>[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?"
)
NOT_BEFORE = "may not be set for init containers without restartPolicy=Always"
NO_RESIZE = "must not be set to 'RestartContainer' for non-sidecar initContainers"
NO_RESTART = "must be 'NotRequired' when pod `restartPolicy` is 'Never'"
NO_POLICY = "must specify restartPolicy when restart rules are used"
MOST_RULES, MOST_CODES = 20, 255


@dataclasses.dataclass(frozen=True)
class Around:
    """The pod around a container, as far as a container's rules look."""

    grace: int = 0  # seconds it has to end
    volumes: Mapping[str, Obj] = dataclasses.field(default_factory=dict)  # those that are in order, by name
    restarts: str = "Always"
    host_users: bool = True  # its users are the machine's
    claims: Sequence[str] = ()  # the names of its claims on devices


def containers(items: Sequence[Obj], path: str, around: Around) -> Wrong:
    """The containers that a pod is made of; at least one."""
    if not items:
        yield required(path)
        return
    seen: list[str] = []
    for number, container in enumerate(items):
        where = f"{path}[{number}]"
        yield from common(container, where, around)
        yield from _taken(container, where, seen)
        yield from probes.lifecycle(container.get("lifecycle"), f"{where}.lifecycle", around.grace)
        for probe in PROBES:
            yield from probes.probe(container.get(probe), f"{where}.{probe}", around.grace)
        yield from _restarts(container, where)
    yield from _host_ports(items, path)


def init_containers(items: Sequence[Obj], path: str, others: Sequence[Obj], around: Around) -> Wrong:
    """Those that run before; only one that stays (restartPolicy Always) has hooks and probes."""
    seen = [container.get("name", "") for container in others]
    for number, container in enumerate(items):
        where, stays = f"{path}[{number}]", container.get("restartPolicy") == "Always"
        yield from common(container, where, around)
        yield from _restarts(container, where)
        yield from _taken(container, where, seen)
        yield from _host_ports([container], path)
        if stays:
            yield from probes.lifecycle(container.get("lifecycle"), f"{where}.lifecycle", around.grace)
        for part in ("lifecycle", *PROBES):
            if container.get(part) is not None and not stays:
                yield forbidden(f"{where}.{part}", NOT_BEFORE)
            elif part != "lifecycle":
                yield from probes.probe(container.get(part), f"{where}.{part}", around.grace)
        for at, change in enumerate(container.get("resizePolicy") or ()):
            if not stays and change.get("restartPolicy") == "RestartContainer":
                yield invalid(f"{where}.resizePolicy[{at}].restartPolicy", "RestartContainer", NO_RESIZE)


def unpadded(items: Sequence[Obj], path: str) -> Wrong:
    """What only a pod asks of its containers. Models k/k pkg/apis/core/validation validateContainerOnlyForPod"""
    for number, container in enumerate(items):
        yield from unpadded_image(container, f"{path}[{number}]")


def unpadded_image(container: Obj, path: str) -> Wrong:
    """The same of one container."""
    image = container.get("image", "")
    if image.strip() != image:
        yield invalid(f"{path}.image", image, "must not have leading or trailing whitespace")


def _taken(container: Obj, path: str, seen: list[str]) -> Wrong:
    name = container.get("name", "")
    if name in seen:
        yield duplicate(f"{path}.name", name)
    seen.append(name)


def common(container: Obj, path: str, around: Around) -> Wrong:
    """What no container may be, whatever its place."""
    name = container.get("name", "")
    yield from each(names.dns_label(name), f"{path}.name", name) if name else [required(f"{path}.name")]
    if not container.get("image"):
        yield required(f"{path}.image")
    policy = container.get("terminationMessagePolicy", "File")
    yield from supported(f"{path}.terminationMessagePolicy", policy, ("File", "FallbackToLogsOnError"))
    yield from _ports(container.get("ports") or (), f"{path}.ports")
    yield from environment.variables(container.get("env"), f"{path}.env")
    yield from environment.sources(container.get("envFrom"), f"{path}.envFrom")
    yield from mounts.mounts(container, around.volumes, f"{path}.volumeMounts")
    yield from mounts.devices(container, around.volumes, f"{path}.volumeDevices")
    policy = container.get("imagePullPolicy", "")
    yield from supported(f"{path}.imagePullPolicy", policy, ("Always", "IfNotPresent", "Never"))
    yield from resources(container.get("resources") or {}, f"{path}.resources")
    claimed = (container.get("resources") or {}).get("claims") or ()
    yield from claims.of_container(claimed, around.claims, f"{path}.resources.claims")
    yield from _resizes(container.get("resizePolicy") or (), f"{path}.resizePolicy", around.restarts)
    yield from security.of_container(container.get("securityContext"), f"{path}.securityContext", around.host_users)


def _resizes(changes: Sequence[Obj], path: str, restarts: str) -> Wrong:
    """What a change of an amount does to the container."""
    seen: list[str] = []
    for number, change in enumerate(changes):
        name, answer = change.get("resourceName", ""), change.get("restartPolicy", "")
        if name in seen:
            yield duplicate(f"{path}[{number}]", name)
        seen.append(name)
        for value, choices in ((name, ("cpu", "memory")), (answer, ("NotRequired", "RestartContainer"))):
            if not value:
                yield required(path)
            elif value not in choices:
                yield unsupported(path, value, choices)
        if restarts == "Never" and answer != "NotRequired":
            yield invalid(path, answer, NO_RESTART)


def _restarts(container: Obj, path: str) -> Wrong:
    """A container's own policy, and its exceptions by exit code."""
    policy, rules = container.get("restartPolicy"), container.get("restartPolicyRules") or ()
    if policy is not None:
        yield from supported(f"{path}.restartPolicy", policy, ("Always", "Never", "OnFailure"))
    elif rules:
        yield required(f"{path}.restartPolicy", NO_POLICY)
    if len(rules) > MOST_RULES:
        yield too_many(f"{path}.restartPolicyRules", len(rules), MOST_RULES)
    for number, rule in enumerate(rules):
        where = f"{path}.restartPolicyRules[{number}]"
        yield from supported(f"{where}.action", rule.get("action", ""), ("Restart", "RestartAllContainers"))
        codes = rule.get("exitCodes")
        if codes is None:
            yield required(f"{where}.exitCodes", "must be specified")
            continue
        yield from supported(f"{where}.exitCodes.operator", codes.get("operator", ""), ("In", "NotIn"))
        if len(codes.get("values") or ()) > MOST_CODES:
            yield too_many(f"{where}.exitCodes.values", len(codes["values"]), MOST_CODES)


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


# -- defaults --------------------------------------------------------------------------------------------------------


def container_defaults(container: Mapping[str, Any]) -> dict[str, Any]:
    """*container* with every default."""
    full = filled(
        container,
        imagePullPolicy=pull_policy(container.get("image") or ""),
        resources={},
        terminationMessagePath="/dev/termination-log",
        terminationMessagePolicy="File",
    )
    amounts = full["resources"]
    full["resources"] = {**amounts, **{p: canonical(amounts[p]) for p in ("limits", "requests") if amounts.get(p)}}
    if "stopSignal" in (full.get("lifecycle") or {}):  # behind a gate, ContainerStopSignals
        hooks = {key: hook for key, hook in full["lifecycle"].items() if key != "stopSignal"}
        full = {**full, "lifecycle": hooks} if hooks else {k: v for k, v in full.items() if k != "lifecycle"}
    if full.get("env"):
        full["env"] = environment.variables_filled(full["env"])
    if "ports" in full:
        full["ports"] = [filled(port, protocol="TCP") for port in full["ports"] or []]
    for name, fill in _DEFAULTED.items():
        if full.get(name):
            full[name] = fill(full[name])
    return full


def pull_policy(image: str) -> str:
    """When an image is fetched: Always for the tag latest (also unspoken), else IfNotPresent, also for no image's name.

    Models k/k pkg/util/parsers ParseImageName
    """
    found = IMAGE.fullmatch(image)
    if found is None:
        return "IfNotPresent"
    tag = found["tag"] or ("" if found["digest"] else "latest")
    return "Always" if tag == "latest" else "IfNotPresent"


def limits_as_requests(container: Obj) -> Obj:
    """What has a limit and no request requests its limit; in pods, not in templates of pods."""
    amounts = container.get("resources") or {}
    if not amounts.get("limits"):
        return container
    return evolve(container, ("resources", "requests"), {**amounts["limits"], **(amounts.get("requests") or {})})


def ports_of_the_host(container: Obj) -> Obj:
    """*container* of a pod in the machine's network: its ports are the machine's."""
    ports = container.get("ports")
    if not ports:
        return container
    return {
        **container,
        "ports": [{**port, "hostPort": port.get("hostPort") or port["containerPort"]} for port in ports],
    }


_DEFAULTED: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    **dict.fromkeys(("readinessProbe", "livenessProbe", "startupProbe"), probes.probe_defaults),
    "lifecycle": probes.lifecycle_defaults,
}
