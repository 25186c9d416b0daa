"""What a container finds when it starts: its environment, its mounts, its limits.

Models k/k pkg/kubelet makeMounts; k/k pkg/kubelet/kuberuntime verifyRunAsNonRoot
Simplified: only kubelets with `kubelet_details` read ConfigMaps and Secrets.
"""

import re
from collections.abc import Mapping
from typing import Any

from kubemini.api.objects import Obj, get
from kubemini.api.quantity import in_bytes, millicores
from kubemini.containers import File, Files, Folder, Mount, Node, Setting, image_of
from kubemini.kubelet.decide import insides, users, variables
from kubemini.kubelet.decide.pods.mounts import comes_from_the_api
from kubemini.kubelet.pods.finds.volumes import Volumes
from kubemini.kubelet.pods.shared import Attended
from kubemini.sim import Steps

TERMINATION_LOG = "/dev/termination-log"


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
        sandbox = self.shared.containers.of_pod[self.worker.uid]
        told = yield from self._told(container, sandbox.ips)
        node = self.shared.host.name
        found = insides.facts(pod, sandbox.ips or ("",), self.shared.host.resolv_conf(pod), node)
        limits, known = get(container, "resources", "limits") or {}, image_of(container.get("image", ""))
        who = users.identity(pod, container, known.user if known is not None else "")
        files = [Mount(path, File(text.encode())) for path, text in found.files.items()]
        return Setting(
            found.hostname,
            {"HOSTNAME": found.hostname, **told},
            [*files, Mount(_log_path(container), File()), *self._mounts(container, told)],
            container.get("workingDir") or "",
            in_bytes(limits["memory"]) if "memory" in limits else None,
            millicores(limits["cpu"]) if "cpu" in limits else None,
            ports=tuple(one["containerPort"] for one in container.get("ports") or ()),
            about={"pod": sandbox.name, "node": node, "image": container.get("image", ""), "ip": sandbox.ip},
            stdin=bool(container.get("stdin")),
            tty=bool(container.get("tty")),
            user=who.user,
            groups=who.groups,
            privileged=bool(users.context(pod, container).get("privileged")),
            escalates=users.context(pod, container).get("allowPrivilegeEscalation") is not False,
            fixed=bool(get(container, "securityContext", "readOnlyRootFilesystem")),
            sysctls=users.sysctls(pod),
        )

    def _told(self, container: Obj, ips: tuple[str, ...]) -> Steps:
        """The environment that Kubernetes gives *container*. Raises NotSet."""
        details, objects = self.shared.params.kubelet_details, dict[tuple[str, str], Any]()
        for kind, name in variables.needed(container) if details else ():
            objects[kind, name] = yield from self.volumes.source(kind, name)
        world = variables.World(
            self.worker.pod,
            container if details else variables.by_itself(container),
            self.shared.links.of(self.worker.pod),
            ips,
            self.shared.host_ips(),
            self.shared.allocatable,
            objects,
            self._read,
        )
        try:
            return variables.variables(world)
        except variables.Wrong as error:
            raise NotSet(str(error)) from None

    def _read(self, volume: str, path: str) -> str | None:
        """A file in a volume, if it is there."""
        folder = self.volumes.folders.get(volume)
        files = Files(folder) if folder is not None else None
        return files.read(f"/{path}").decode("utf-8", "replace") if files and files.exists(f"/{path}") else None

    def _mounts(self, container: Obj, told: Mapping[str, str]) -> list[Mount]:
        volumes = {one["name"]: one for one in self.worker.pod["spec"].get("volumes") or ()}
        found = []
        for one in container.get("volumeMounts") or ():
            node: Node = self.volumes.folders.setdefault(one["name"], Folder())
            if path := _below(one, told):
                files = Files(self.volumes.folders[one["name"]])
                if not files.exists(f"/{path}"):
                    files.make_folders(f"/{path}")
                node = files.find(f"/{path}")
            volume = volumes.get(one["name"], {})
            read_only = bool(one.get("readOnly")) or comes_from_the_api(volume) or "image" in volume
            found.append(Mount(one["mountPath"], node, read_only))
        return found

    def _check_user(self, container: Obj) -> None:
        context = users.context(self.worker.pod, container)
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


def _below(mount: Obj, told: Mapping[str, str]) -> str:
    """The part of its volume that is mounted. Raises NotSet."""
    pattern, path = mount.get("subPathExpr") or "", mount.get("subPath") or ""
    if pattern:
        missing = sorted({name for name in re.findall(r"(?<!\$)\$\(([^)]*)\)", pattern) if not told.get(name)})
        if missing:
            raise NotSet(f"missing value for {', '.join(missing)}")
        path = variables.expanded(pattern, told)
    if path.startswith("/"):
        raise NotSet(f"error SubPath `{path}` must not be an absolute path")
    if ".." in path.split("/"):
        raise NotSet(f"unable to provision SubPath `{path}`: must not contain '..'")
    return path


def _log_path(container: Obj) -> str:
    return str(container.get("terminationMessagePath") or TERMINATION_LOG)
