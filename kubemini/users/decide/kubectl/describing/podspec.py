"""Containers, volumes and what else a pod's spec or template says.

Models k/kubectl pkg/describe DescribePodTemplate describeContainers describeVolumes DescribeProbe.
Simplified: of volumes, those that clusters here may have; of the environment, no value of a resource's field.
"""

from typing import Any

from kubemini.api import names
from kubemini.users.decide.kubectl.describing.page import NONE, Page, date, titled, truth
from kubemini.users.decide.kubectl.targets import selector_of


def template_text(template: Any) -> str:
    """The page of a template alone, its tabs as they are: kubectl aligns nothing there."""
    page = Page()
    template_on(page, template)
    return page.raw()


def template_on(page: Page, template: Any) -> None:
    """*template*, as part of what has it."""
    meta, spec = template.get("metadata") or {}, template.get("spec") or {}
    page.line("Pod Template:")
    page.labels("  Labels", meta.get("labels"))
    if meta.get("annotations"):
        page.annotations("  Annotations", meta["annotations"])
    if spec.get("serviceAccountName"):
        page.field("Service Account", spec["serviceAccountName"], 1)
    if spec.get("initContainers"):
        containers(page, "Init Containers", spec["initContainers"], None, "  ")
    containers(page, "Containers", spec.get("containers") or [], None, "  ")
    volumes(page, spec.get("volumes") or [], "  ")
    spreading(page, spec.get("topologySpreadConstraints") or [], "  ")
    if spec.get("priorityClassName"):
        page.field("Priority Class Name", spec["priorityClassName"], 1)
    page.labels("  Node-Selectors", spec.get("nodeSelector"))
    page.several("  Tolerations", tolerations(spec.get("tolerations") or []))


def containers(
    page: Page, label: str, found: list[Any], statuses: list[Any] | None, space: str, pod: Any = None
) -> None:
    """Each container, with its status if there is one."""
    by_name = {one["name"]: one for one in statuses or []}
    page.line(f"{space}{label}:{'' if found else ' <none>'}")
    for one in found:
        status = by_name.get(one["name"])
        _basics(page, one, status, " " if space else "")
        for title, words in (("Command", one.get("command")), ("Args", one.get("args"))):
            if words:
                page.line(f"{title}:", 2)
                for line in (line for word in words for line in word.split("\n")):
                    page.line(line, 3)
        if status is not None:
            _state(page, status)
        resources(page, one.get("resources") or {}, 2)
        for title, key in (("Liveness", "livenessProbe"), ("Readiness", "readinessProbe"), ("Startup", "startupProbe")):
            if one.get(key):
                page.field(title, probe(one[key]), 2)
        _environment(page, one, pod)
        _mounts(page, one)


def _basics(page: Page, one: Any, status: Any, indent: str) -> None:
    page.line(f"{indent}{one['name']}:", 1)
    if status is not None:
        page.field("Container ID", status.get("containerID", ""), 2)
    page.field("Image", one.get("image", ""), 2)
    if status is not None:
        page.field("Image ID", status.get("imageID", ""), 2)
    for title, key in (("Port", "containerPort"), ("Host Port", "hostPort")):
        ports = ", ".join(_port(port, key) for port in one.get("ports") or [])
        page.field(f"{title}s" if "," in ports else title, ports or NONE, 2)


def _port(port: Any, key: str) -> str:
    name = f" ({port['name']})" if port.get("name") else ""
    return f"{port.get(key, 0)}/{port.get('protocol', 'TCP')}{name}"


def _state(page: Page, status: Any) -> None:
    _one_state(page, "State", status.get("state") or {})
    if (status.get("lastState") or {}).get("terminated"):
        _one_state(page, "Last State", status["lastState"])
    page.field("Ready", titled(status.get("ready")), 2)
    page.field("Restart Count", status.get("restartCount", 0), 2)


def _one_state(page: Page, title: str, state: Any) -> None:
    if state.get("running") is not None:
        page.field(title, "Running", 2)
        page.field("Started", date(state["running"].get("startedAt")), 3)
        return
    if state.get("terminated") is None:
        page.field(title, "Waiting", 2)
        if (state.get("waiting") or {}).get("reason"):
            page.field("Reason", state["waiting"]["reason"], 3)
        return
    ended = state["terminated"]
    page.field(title, "Terminated", 2)
    for name, key in (("Reason", "reason"), ("Message", "message")):
        if ended.get(key):
            page.field(name, ended[key], 3)
    page.field("Exit Code", ended.get("exitCode", 0), 3)
    if ended.get("signal"):
        page.field("Signal", ended["signal"], 3)
    page.field("Started", date(ended.get("startedAt")), 3)
    page.field("Finished", date(ended.get("finishedAt")), 3)


def resources(page: Page, found: Any, level: int) -> None:
    """Limits and requests."""
    for key in ("limits", "requests"):
        if found.get(key):
            page.line(f"{key.capitalize()}:", level)
        for name in sorted(found.get(key) or {}):
            page.field(name, found[key][name], level + 1)


def probe(found: Any) -> str:
    """A probe in one line."""
    seconds = (found.get(key, 0) for key in ("initialDelaySeconds", "timeoutSeconds", "periodSeconds"))
    delay, timeout, period = seconds
    attributes = (
        f"delay={delay}s timeout={timeout}s period={period}s "
        f"successThreshold={found.get('successThreshold', 0)} failureThreshold={found.get('failureThreshold', 0)}"
    )
    if found.get("exec"):
        return f"exec [{' '.join(found['exec'].get('command') or [])}] {attributes}"
    if found.get("httpGet"):
        asked = found["httpGet"]
        host = names.host_port(asked.get("host", ""), asked.get("port", ""))
        path = asked.get("path", "")
        path = path if not path or path.startswith("/") else f"/{path}"
        return f"http-get {asked.get('scheme', 'HTTP').lower()}://{host}{path} {attributes}"
    if found.get("tcpSocket"):
        return f"tcp-socket {found['tcpSocket'].get('host', '')}:{found['tcpSocket'].get('port', '')} {attributes}"
    if found.get("grpc"):
        return f"grpc <pod>:{found['grpc'].get('port', 0)} {found['grpc'].get('service', '')} {attributes}"
    return f"unknown {attributes}"


def _environment(page: Page, one: Any, pod: Any) -> None:
    if one.get("envFrom"):
        page.line("Environment Variables from:", 2)
        for source in one["envFrom"]:
            kind = "ConfigMap" if source.get("configMapRef") else "Secret"
            ref = source.get("configMapRef") or source.get("secretRef") or {}
            prefix = f" with prefix '{source['prefix']}'" if source.get("prefix") else ""
            page.line(f"{ref.get('name', '')}\t{kind}{prefix}\tOptional: {truth(ref.get('optional'))}", 3)
    page.line("Environment:" + ("" if one.get("env") else f"\t{NONE}"), 2)
    for variable in one.get("env") or []:
        _variable(page, variable, pod)


def _variable(page: Page, variable: Any, pod: Any) -> None:
    name, source = variable["name"], variable.get("valueFrom")
    if not source:
        first, *more = variable.get("value", "").split("\n")
        page.field(name, first, 3)
        for line in more:
            page.line(f"\t{line}", 3)
    elif source.get("fieldRef"):
        ref = source["fieldRef"]
        page.field(name, f"{_of_pod(pod, ref['fieldPath'])} ({ref.get('apiVersion', 'v1')}:{ref['fieldPath']})", 3)
    elif source.get("resourceFieldRef"):
        page.field(name, f" ({source['resourceFieldRef'].get('resource', '')})", 3)
    elif source.get("secretKeyRef"):
        ref = source["secretKeyRef"]
        where = f"<set to the key '{ref['key']}' in secret '{ref['name']}'>"
        page.field(name, f"{where}\tOptional: {truth(ref.get('optional'))}", 3)
    elif source.get("configMapKeyRef"):
        ref = source["configMapKeyRef"]
        where = f"<set to the key '{ref['key']}' of config map '{ref['name']}'>"
        page.field(name, f"{where}\tOptional: {truth(ref.get('optional'))}", 3)


def _of_pod(pod: Any, path: str) -> str:
    value = pod
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""


def _mounts(page: Page, one: Any) -> None:
    mounts = sorted(one.get("volumeMounts") or [], key=lambda mount: str(mount["mountPath"]))
    page.line("Mounts:" + ("" if mounts else f"\t{NONE}"), 2)
    for mount in mounts:
        how = "ro" if mount.get("readOnly") else "rw"
        path = f',path="{mount["subPath"]}"' if mount.get("subPath") else ""
        page.line(f"{mount['mountPath']} from {mount['name']} ({how}{path})", 3)


# -- volumes -----------------------------------------------------------------------------------------------------------
def volumes(page: Page, found: list[Any], space: str) -> None:
    """Each volume, and what it is."""
    page.line(f"{space}Volumes:" + ("" if found else f"\t{NONE}"))
    for volume in found:
        page.line(f"{' ' if space else ''}{volume['name']}:", 1)
        for name, value in _volume(volume):
            page.field(name, value, 2)


def _volume(volume: Any) -> list[tuple[str, Any]]:
    if (it := volume.get("hostPath")) is not None:
        return [
            ("Type", "HostPath (bare host directory volume)"),
            ("Path", it["path"]),
            ("HostPathType", it.get("type", "")),
        ]
    if (it := volume.get("emptyDir")) is not None:
        told = "EmptyDir (a temporary directory that shares a pod's lifetime)"
        return [("Type", told), ("Medium", it.get("medium", "")), ("SizeLimit", it.get("sizeLimit") or "<unset>")]
    if (it := volume.get("secret")) is not None:
        told = "Secret (a volume populated by a Secret)"
        return [("Type", told), ("SecretName", it.get("secretName", "")), ("Optional", truth(it.get("optional")))]
    if (it := volume.get("configMap")) is not None:
        told = "ConfigMap (a volume populated by a ConfigMap)"
        return [("Type", told), ("Name", it.get("name", "")), ("Optional", truth(it.get("optional")))]
    if (it := volume.get("persistentVolumeClaim")) is not None:
        told = "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)"
        return [("Type", told), ("ClaimName", it["claimName"]), ("ReadOnly", truth(it.get("readOnly")))]
    if (it := volume.get("downwardAPI")) is not None:
        return [("Type", "DownwardAPI (a volume populated by information about the pod)")]
    if (it := volume.get("projected")) is not None:
        return _projected(it)
    return [("Type", "<unknown>")]


def _projected(volume: Any) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = [("Type", "Projected (a volume that contains injected data from multiple sources)")]
    for source in volume.get("sources") or []:
        if (it := source.get("secret")) is not None:
            found += [("SecretName", it.get("name", "")), ("Optional", truth(it.get("optional")))]
        elif source.get("downwardAPI") is not None:
            found.append(("DownwardAPI", "true"))
        elif (it := source.get("configMap")) is not None:
            found += [("ConfigMapName", it.get("name", "")), ("Optional", truth(it.get("optional")))]
        elif (it := source.get("serviceAccountToken")) is not None:
            found.append(("TokenExpirationSeconds", it.get("expirationSeconds", 0)))
    return found


# -- placing -----------------------------------------------------------------------------------------------------------
def spreading(page: Page, found: list[Any], space: str) -> None:
    """Topology spread constraints, if there are any."""
    if not found:
        return
    told = []
    for one in sorted(found, key=lambda one: str(one["topologyKey"])):
        chosen = f" for selector {selector_of(one['labelSelector'])}" if one.get("labelSelector") is not None else ""
        told.append(
            f"{one['topologyKey']}:{one['whenUnsatisfiable']} when max skew {one['maxSkew']} is exceeded{chosen}"
        )
    page.several(f"{space}Topology Spread Constraints", told)


def tolerations(found: list[Any]) -> list[str]:
    """Each toleration as text."""
    return [_toleration(one) for one in sorted(found, key=lambda one: str(one.get("key", "")))]


def _toleration(one: Any) -> str:
    key, value, effect = one.get("key", ""), one.get("value", ""), one.get("effect", "")
    text = key + (f"={value}" if value else "") + (f":{effect}" if effect else "")
    if one.get("operator") == "Exists" and not value:
        text += " op=Exists" if key or effect else "op=Exists"
    seconds = one.get("tolerationSeconds")
    return text if seconds is None else f"{text} for {seconds}s"
