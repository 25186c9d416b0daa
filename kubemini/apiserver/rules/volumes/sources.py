"""What volumes of pods and PersistentVolumes have in common: paths, names of drivers, fields that must be there.

Models k/k pkg/apis/core/validation validateHostPathVolumeSource, validateNFSVolumeSource, ValidateCSIDriverName,
validateLocalDescendingPath, ValidateLocalNonReservedPath.
Simplified: of the plugins that Kubernetes carried itself only the fields that must be there are judged.
"""

from kubemini.api import names
from kubemini.api.objects import Obj
from kubemini.apiserver.rules.causes import Wrong, each, invalid, required, supported, too_long

HOST_TYPES = ("", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket")
LONGEST_DRIVER = 63  # bytes
ONLY_ONE = "may not specify more than 1 volume type"
NEEDED = {  # the plugins that Kubernetes carried itself: (field as texts spell it, what must be there)
    "gcePersistentDisk": ("persistentDisk", ("pdName",)),
    "awsElasticBlockStore": ("awsElasticBlockStore", ("volumeID",)),
    "glusterfs": ("glusterfs", ("endpoints", "path")),
    "rbd": ("rbd", ("monitors", "image")),
    "cephfs": ("cephfs", ("monitors",)),
    "iscsi": ("iscsi", ("targetPortal", "iqn")),
    "cinder": ("cinder", ("volumeID",)),
    "flexVolume": ("flexVolume", ("driver",)),
    "azureFile": ("azureFile", ("secretName", "shareName")),
    "vsphereVolume": ("vsphereVolume", ("volumePath",)),
    "quobyte": ("quobyte", ("registry", "volume")),
    "azureDisk": ("azureDisk", ("diskName", "diskURI")),
    "photonPersistentDisk": ("photonPersistentDisk", ("pdID",)),
    "portworxVolume": ("portworxVolume", ("volumeID",)),
    "scaleIO": ("scaleIO", ("gateway", "system", "volumeName")),
}


def needed(source: Obj, plugin: str, path: str) -> Wrong:
    """The fields of an old *plugin* that must be there."""
    name, fields = NEEDED.get(plugin, (plugin, ()))
    for field in fields:
        if not source.get(field):
            yield required(f"{path}.{name}.{field}")


def host_path(source: Obj, path: str) -> Wrong:
    """A file or folder of the machine."""
    if not source.get("path"):
        yield required(f"{path}.path")
        return
    yield from no_backsteps(source["path"], f"{path}.path")
    if source.get("type") is not None:
        yield from supported(f"{path}.type", source["type"], HOST_TYPES)


def nfs(source: Obj, path: str) -> Wrong:
    """A folder that another machine shares."""
    for field in ("server", "path"):
        if not source.get(field):
            yield required(f"{path}.{field}")
    if not source.get("path", "").startswith("/"):
        yield invalid(f"{path}.path", source.get("path", ""), "must be an absolute path")


def driver_name(name: str, path: str) -> Wrong:
    """What a driver is called: small letters or not, at most 63 bytes."""
    if not name:
        yield required(path)
        return
    if len(name) > LONGEST_DRIVER:
        yield too_long(path, LONGEST_DRIVER)
    yield from each(names.dns_subdomain(name.lower()), path, name)


def no_backsteps(value: str, path: str) -> Wrong:
    """A path that does not climb."""
    if ".." in value.split("/"):
        yield invalid(path, value, "must not contain '..'")


def descending(value: str, path: str) -> Wrong:
    """A path below where one stands."""
    if value.startswith("/"):
        yield invalid(path, value, "must be a relative path")
    yield from no_backsteps(value, path)


def unreserved(value: str, path: str) -> Wrong:
    """A path below where one stands, that the kubelet does not use itself."""
    yield from descending(value, path)
    if value.startswith("..") and not value.startswith("../"):
        yield invalid(path, value, "must not start with '..'")
