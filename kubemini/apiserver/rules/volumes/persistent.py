"""What a PersistentVolume is made of: exactly one kind of storage.

Models k/k pkg/apis/core/validation ValidatePersistentVolumeSpec, validateCSIPersistentVolumeSource.
"""

from typing import Any

from kubemini.api import names
from kubemini.api.objects import Obj
from kubemini.apiserver.rules.causes import Wrong, each, forbidden, required
from kubemini.apiserver.rules.filling import filled
from kubemini.apiserver.rules.volumes.sources import ONLY_ONE, driver_name, host_path, needed, nfs, no_backsteps

SECRETS = ("controllerPublishSecretRef", "controllerExpandSecretRef", "nodePublishSecretRef", "nodeExpandSecretRef")
# fmt: off
IN_TURN = (  # as the server looks
    "hostPath", "gcePersistentDisk", "awsElasticBlockStore", "glusterfs", "flocker", "nfs", "rbd", "quobyte", "cephfs",
    "iscsi", "cinder", "fc", "flexVolume", "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume",
    "azureDisk", "scaleIO", "local", "storageos", "csi",
)
# fmt: on
SPELLED = {"cephfs": "cephFS"}


def source(spec: Obj) -> dict[str, Any]:
    """That of *spec* which says what the volume is made of."""
    return {plugin: spec[plugin] for plugin in IN_TURN if spec.get(plugin) is not None}


def one_source(spec: Obj, path: str) -> Wrong:
    """One kind of storage, and what it needs."""
    given = list(source(spec))
    if not given:
        yield required(path, "must specify a volume type")
        return
    yield from _judged(spec, given[0], path)
    for plugin in given[1:]:
        yield forbidden(f"{path}.{SPELLED.get(plugin, plugin)}", ONLY_ONE)


def _judged(spec: Obj, plugin: str, path: str) -> Wrong:
    found, where = spec[plugin], f"{path}.{plugin}"
    if plugin == "hostPath":
        yield from host_path(found, where)
    elif plugin == "nfs":
        yield from nfs(found, where)
    elif plugin == "csi":
        yield from _csi(found, where)
    elif plugin == "local":
        if not found.get("path"):
            yield required(f"{where}.path")
        else:
            yield from no_backsteps(found["path"], f"{where}.path")
        if spec.get("nodeAffinity") is None:
            yield required(f"{path}.nodeAffinity", "Local volume requires node affinity")
    else:
        yield from needed(found, plugin, path)


def _csi(found: Obj, path: str) -> Wrong:
    yield from driver_name(found.get("driver", ""), f"{path}.driver")
    if not found.get("volumeHandle"):
        yield required(f"{path}.volumeHandle")
    for field in SECRETS:
        if found.get(field) is not None:
            yield from _secret(found[field], f"{path}.{field}")


def _secret(ref: Obj, path: str) -> Wrong:
    """Models k/k pkg/apis/core/validation validatePVSecretReference"""
    for field, rule in (("name", names.dns_subdomain), ("namespace", names.dns_label)):
        value = ref.get(field, "")
        yield from each(rule(value), f"{path}.{field}", value) if value else [required(f"{path}.{field}")]


DEFAULTS: dict[str, dict[str, Any]] = {  # defaults: k/k pkg/apis/core/v1 SetDefaults_HostPathVolumeSource and its like
    "hostPath": {"type": ""},
    "iscsi": {"iscsiInterface": "default"},
    "rbd": {"pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"},
    "azureDisk": {"cachingMode": "ReadWrite", "kind": "Shared", "fsType": "ext4", "readOnly": False},
    "scaleIO": {"storageMode": "ThinProvisioned", "fsType": "xfs"},
}


def filled_in(spec: Obj) -> dict[str, Any]:
    """*spec*, a volume's or a PersistentVolume's, with the defaults of what it is made of."""
    lacking = {plugin: filled(spec[plugin], **DEFAULTS[plugin]) for plugin in DEFAULTS if spec.get(plugin) is not None}
    return {**spec, **lacking}
