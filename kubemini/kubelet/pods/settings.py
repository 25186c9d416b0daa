"""What a container finds when it starts: its environment, its mounts, its limits.

Models k/k pkg/kubelet Kubelet.makeEnvironmentVariables; k/k pkg/kubelet/kuberuntime verifyRunAsNonRoot
Simplified: only kubelets with `kubelet_details` read ConfigMaps and Secrets.
"""

from collections.abc import Mapping
from typing import Any

from kubemini.api.objects import Obj, get
from kubemini.api.quantity import in_bytes, millicores, parse
from kubemini.containers import File, Files, Folder, Mount, Setting, image_of
from kubemini.kubelet.decide import insides
from kubemini.kubelet.decide.pods.mounts import values
from kubemini.kubelet.pods.shared import Attended
from kubemini.kubelet.pods.volumes import Volumes
from kubemini.sim import Steps

TERMINATION_LOG = "/dev/termination-log"
ROOT = "/var/lib/kubelet"


class NotSet(Exception):
    """The configuration of a container is wrong; the text is the kubelet's."""


class Settings:
    """Of the containers of one worker."""

    def __init__(self, worker: Attended, volumes: Volumes):
        self.worker, self.shared, self.volumes = worker, worker.shared, volumes

    def of(self, container: Obj) -> Steps:
        """The setting of *container*. Raises NotSet."""
        pod, details = self.worker.pod, self.shared.params.kubelet_details
        if details:
            self._check_user(container)
        environment = (yield from self._environment(container)) if details else {}
        sandbox = self.shared.containers.of_pod[self.worker.uid]
        ips, node = sandbox.ips or ("",), self.shared.host.name
        found = insides.facts(pod, container, ips, {}, self.shared.host.resolv_conf(pod), node, False)
        limits = get(container, "resources", "limits") or {}
        files = [Mount(path, File(text.encode())) for path, text in found.files.items()]
        return Setting(
            found.hostname,
            {**found.environment, **self.shared.links.of(pod), **environment},
            [*files, Mount(_log_path(container), File()), *self._mounts(container)],
            container.get("workingDir") or "",
            in_bytes(limits["memory"]) if "memory" in limits else None,
            millicores(limits["cpu"]) if "cpu" in limits else None,
            ports=tuple(one["containerPort"] for one in container.get("ports") or ()),
            about={"pod": sandbox.name, "node": node, "image": container.get("image", ""), "ip": sandbox.ip},
        )

    def _mounts(self, container: Obj) -> list[Mount]:
        found = []
        for one in container.get("volumeMounts") or ():
            folder: Any = self.volumes.folders.setdefault(one["name"], Folder())
            if one.get("subPath"):
                folder = (
                    Files(folder).find("/" + one["subPath"]) if Files(folder).exists("/" + one["subPath"]) else folder
                )
            found.append(Mount(one["mountPath"], folder, bool(one.get("readOnly"))))
        return found

    def _environment(self, container: Obj) -> Steps:
        found: dict[str, str] = {}
        for one in container.get("envFrom") or ():
            kind = "configmap" if "configMapRef" in one else "secret"
            ref = one.get("configMapRef") or one.get("secretRef") or {}
            data = yield from self._data(kind, ref)
            found |= {one.get("prefix", "") + key: value.decode() for key, value in data.items()}
        for one in container.get("env") or ():
            value = yield from self._value(container, one)
            if value is not None:
                found[one["name"]] = value
        return found

    def _value(self, container: Obj, one: Obj) -> Steps:
        source = one.get("valueFrom")
        if source is None:
            return one.get("value", "")
        for key, kind in (("configMapKeyRef", "configmap"), ("secretKeyRef", "secret")):
            if key in source:
                return (yield from self._key(kind, source[key]))
        if "fileKeyRef" in source:
            return self._of_file(source["fileKeyRef"])
        if "resourceFieldRef" in source:
            return self._amount(container, source["resourceFieldRef"])
        return None  # a field of the pod: the facts have it

    def _data(self, kind: str, ref: Obj) -> Steps:
        obj = yield from self.volumes.source(kind, ref["name"])
        if obj is None:
            if ref.get("optional"):
                return {}
            raise NotSet(f'{kind} "{ref["name"]}" not found')
        return values(kind, obj)

    def _key(self, kind: str, ref: Obj) -> Steps:
        data = yield from self._data(kind, ref)
        if ref["key"] in data:
            return data[ref["key"]].decode()
        if ref.get("optional"):
            return None
        title = "ConfigMap" if kind == "configmap" else "Secret"
        raise NotSet(f"couldn't find key {ref['key']} in {title} {self.worker.key[0]}/{ref['name']}")

    def _of_file(self, ref: Obj) -> str | None:
        path = ref["path"]
        files = Files(self.volumes.folders[ref["volumeName"]])
        found = _env_file(files.read("/" + path).decode()) if files.exists("/" + path) else {}
        if ref["key"] in found or ref.get("optional"):
            return found.get(ref["key"])
        where = f"{ROOT}/pods/{self.worker.uid}/volumes/kubernetes.io~empty-dir/{ref['volumeName']}/{path}"
        raise NotSet(f'environment variable key "{ref["key"]}" not found in file "{where}"')

    def _amount(self, container: Obj, ref: Obj) -> str:
        kind, _, name = ref["resource"].partition(".")
        text = get(container, "resources", kind, name)
        divisor = parse(ref.get("divisor") or "1")
        return str(-(-parse(text).millis // max(1, divisor.millis))) if text else "0"

    def _check_user(self, container: Obj) -> None:
        context = {
            **(get(self.worker.pod, "spec", "securityContext") or {}),
            **(container.get("securityContext") or {}),
        }
        if not context.get("runAsNonRoot"):
            return
        where = f'(pod: "{self.worker.life.full_name}", container: {container["name"]})'
        known = image_of(container.get("image", ""))
        user = known.user if known is not None else ""
        if context.get("runAsUser") is not None:
            if context["runAsUser"] == 0:
                raise NotSet(f"container's runAsUser breaks non-root policy {where}")
        elif user and not user.isdigit():
            why = f"image has non-numeric user ({user}), cannot verify user is non-root"
            raise NotSet(f"container has runAsNonRoot and {why} {where}")
        elif user in ("", "0"):
            raise NotSet(f"container has runAsNonRoot and image will run as root {where}")


def _log_path(container: Obj) -> str:
    return str(container.get("terminationMessagePath") or TERMINATION_LOG)


def _env_file(text: str) -> Mapping[str, str]:
    """``A='from file'`` a line: names and values."""
    found = {}
    for line in text.splitlines():
        name, there, value = line.strip().partition("=")
        if there and not name.startswith("#"):
            found[name.strip()] = value.strip().strip("'\"")
    return found
