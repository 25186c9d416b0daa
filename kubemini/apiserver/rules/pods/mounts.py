"""Where a container finds its volumes: as folders, or as devices.

Models k/k pkg/apis/core/validation ValidateVolumeMounts, ValidateVolumeDevices, validateMountPropagation,
validateMountRecursiveReadOnly.
"""

from collections.abc import Mapping, Sequence

from kubemini.api.objects import Obj, get
from kubemini.apiserver.rules.causes import Wrong, forbidden, invalid, not_found, required, supported
from kubemini.apiserver.rules.volumes.sources import descending

PROPAGATIONS = ("Bidirectional", "HostToContainer", "None")
CLAIMS = ("persistentVolumeClaim", "ephemeral")
NOT_A_CLAIM = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"
READ_ONLY = "may only be specified when readOnly is true"
NOT_SHARED = "may only be specified when mountPropagation is None or not specified"
ONLY_PRIVILEGED = "Bidirectional mount propagation is available only to privileged containers"


def mounts(container: Obj, volumes: Mapping[str, Obj], path: str) -> Wrong:
    """Volumes as folders; *volumes*: those of the pod that are in order, by name."""
    devices = container.get("volumeDevices") or ()
    taken, paths = [d.get("name", "") for d in devices], [d.get("devicePath", "") for d in devices]
    seen: list[str] = []
    for number, mount in enumerate(container.get("volumeMounts") or ()):
        where, name, at = f"{path}[{number}]", mount.get("name", ""), mount.get("mountPath", "")
        if not name:
            yield required(f"{where}.name")
        if name not in volumes:
            yield not_found(f"{where}.name", name)
        if not at:
            yield required(f"{where}.mountPath")
        if at in seen:
            yield invalid(f"{where}.mountPath", at, "must be unique")
        seen.append(at)
        if name in taken:
            yield invalid(f"{where}.name", name, "must not already exist in volumeDevices")
        if at in paths:
            yield invalid(f"{where}.mountPath", at, "must not already exist as a path in volumeDevices")
        yield from _below(mount, path, where)
        yield from _shared(mount, container, path)


def _below(mount: Obj, path: str, where: str) -> Wrong:
    """Only a folder in it; Kubernetes' texts name the list."""
    below, pattern = mount.get("subPath", ""), mount.get("subPathExpr", "")
    if below:
        yield from descending(below, f"{path}.subPath")
    if pattern:
        if below:
            yield invalid(f"{where}.subPathExpr", pattern, "subPathExpr and subPath are mutually exclusive")
        yield from descending(pattern, f"{path}.subPathExpr")


def _shared(mount: Obj, container: Obj, path: str) -> Wrong:
    """Whether mounts made later are seen on the other side."""
    how = mount.get("mountPropagation")
    if how is not None:
        yield from supported(f"{path}.mountPropagation", how, PROPAGATIONS)
        if how == "Bidirectional" and not get(container, "securityContext", "privileged"):
            yield forbidden(f"{path}.mountPropagation", ONLY_PRIVILEGED)
    recursive, where = mount.get("recursiveReadOnly"), f"{path}.recursiveReadOnly"
    if recursive in ("Enabled", "IfPossible"):
        if not mount.get("readOnly"):
            yield forbidden(where, READ_ONLY)
        if how not in (None, "None"):
            yield forbidden(where, NOT_SHARED)
    elif recursive is not None:
        yield from supported(where, recursive, ("Disabled", "Enabled", "IfPossible"))


def devices(container: Obj, volumes: Mapping[str, Obj], path: str) -> Wrong:
    """Volumes as devices."""
    mounted = container.get("volumeMounts") or ()
    taken, paths = [m.get("name", "") for m in mounted], [m.get("mountPath", "") for m in mounted]
    names: list[str] = []
    places: list[str] = []
    for number, device in enumerate(container.get("volumeDevices") or ()):
        where, name, at = f"{path}[{number}]", device.get("name", ""), device.get("devicePath", "")
        yield from _named(name, volumes, names, where)
        if not at:
            yield required(f"{where}.devicePath")
        if at in places:
            yield invalid(f"{where}.devicePath", at, "must be unique")
        if ".." in at.split("/"):
            yield invalid(f"{where}.devicePath", at, "can not contain backsteps ('..')")
        else:
            places.append(at)
        if name in taken:
            yield invalid(f"{where}.name", name, "must not already exist in volumeMounts")
        if at in paths:
            yield invalid(f"{where}.devicePath", at, "must not already exist as a path in volumeMounts")
        names += [name] if name else []


def _named(name: str, volumes: Mapping[str, Obj], seen: Sequence[str], where: str) -> Wrong:
    if not name:
        yield required(f"{where}.name")
    if name in seen:
        yield invalid(f"{where}.name", name, "must be unique")
    if name not in volumes:
        yield not_found(f"{where}.name", name)
    elif not any(volumes[name].get(source) is not None for source in CLAIMS):
        yield invalid(f"{where}.name", name, NOT_A_CLAIM)
