"""What a pod's volumes are made of.

Models k/k pkg/apis/core/validation ValidateVolumes, validateVolumeSource;
defaults: k/k pkg/apis/core/v1 SetDefaults_Volume, SetDefaults_SecretVolumeSource,
SetDefaults_ConfigMapVolumeSource.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kubemini.api import names, quantity
from kubemini.api.objects import Obj
from kubemini.apiserver.rules.causes import (
    FieldError,
    Wrong,
    duplicate,
    each,
    forbidden,
    indexed,
    required,
    supported,
)
from kubemini.apiserver.rules.filling import filled
from kubemini.apiserver.rules.metadata import annotations, label_pairs
from kubemini.apiserver.rules.pods.containers import pull_policy
from kubemini.apiserver.rules.pods.environment import divisor_of
from kubemini.apiserver.rules.pods.files import key_as_file, mode, pod_file
from kubemini.apiserver.rules.pods.projected import projected
from kubemini.apiserver.rules.volumes import claims
from kubemini.apiserver.rules.volumes.persistent import filled_in
from kubemini.apiserver.rules.volumes.sources import (
    ONLY_ONE,
    descending,
    driver_name,
    host_path,
    needed,
    nfs,
)

HOUR = 3600  # seconds
ORDINARY = 0o644
# fmt: off
IN_TURN = (  # as the server looks
    "emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs", "iscsi",
    "glusterfs", "flocker", "persistentVolumeClaim", "rbd", "cinder", "cephfs", "quobyte", "downwardAPI", "fc",
    "flexVolume", "configMap", "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk",
    "storageos", "projected", "scaleIO", "csi", "ephemeral", "image",
)
# fmt: on


def volumes(items: Sequence[Obj] | None, path: str) -> tuple[dict[str, Obj], list[FieldError]]:
    """(the volumes that are in order, by name; what is wrong with the others)."""
    good: dict[str, Obj] = {}
    found: list[FieldError] = []
    for number, volume in enumerate(items or ()):
        where, name = f"{path}[{number}]", volume.get("name", "")
        wrong = [*_source(volume, where)]
        wrong += each(names.dns_label(name), f"{where}.name", name) if name else [required(f"{where}.name")]
        wrong += [duplicate(f"{where}.name", name)] if name in good else []
        if not wrong:
            good[name] = volume
        found += wrong
    return good, found


def _source(volume: Obj, path: str) -> Wrong:
    given = [source for source in IN_TURN if volume.get(source) is not None]
    if not given:
        yield required(path, "must specify a volume type")
        return
    first = given[0]
    if first in _JUDGED:
        yield from _JUDGED[first](volume[first], f"{path}.{first}")
    else:
        yield from needed(volume[first], first, path)
    for other in given[1:]:
        yield forbidden(f"{path}.{other}", ONLY_ONE)


def _empty_dir(source: Obj, path: str) -> Wrong:
    limit = source.get("sizeLimit")
    if limit is not None and quantity.parse(quantity.text(limit)).amount < 0:
        yield forbidden(f"{path}.sizeLimit", "SizeLimit field must be a valid resource quantity")


def _git(source: Obj, path: str) -> Wrong:
    if not source.get("repository"):
        yield required(f"{path}.repository")
    yield from descending(source.get("directory", ""), f"{path}.directory")


def _secret(source: Obj, path: str) -> Wrong:
    if not source.get("secretName"):
        yield required(f"{path}.secretName")
    yield from _files(source, path)


def _config_map(source: Obj, path: str) -> Wrong:
    if not source.get("name"):
        yield required(f"{path}.name")
    yield from _files(source, path)


def _files(source: Obj, path: str) -> Wrong:
    yield from mode(source, "defaultMode", path)
    yield from indexed(source.get("items"), f"{path}.items", key_as_file)


def _claim(source: Obj, path: str) -> Wrong:
    if not source.get("claimName"):
        yield required(f"{path}.claimName")


def _downward(source: Obj, path: str) -> Wrong:
    """Fields of the pod as files; Kubernetes' texts do not say which file."""
    yield from mode(source, "defaultMode", path)
    for file in source.get("items") or ():
        yield from pod_file(file, path)


def _csi(source: Obj, path: str) -> Wrong:
    yield from driver_name(source.get("driver", ""), f"{path}.driver")
    if source.get("nodePublishSecretRef") is not None:
        name = source["nodePublishSecretRef"].get("name", "")
        if not name:
            yield required(f"{path}.nodePublishSecretRef.name")
        else:
            yield from each(names.dns_subdomain(name), f"{path}.name", name)


def _ephemeral(source: Obj, path: str) -> Wrong:
    template = source.get("volumeClaimTemplate")
    if template is None:
        yield required(f"{path}.volumeClaimTemplate")
        return
    meta = template.get("metadata") or {}
    yield from label_pairs(meta.get("labels"), f"{path}.volumeClaimTemplate.metadata.labels")
    yield from annotations(meta.get("annotations"), f"{path}.volumeClaimTemplate.metadata.annotations")
    yield from claims.claim_spec(template.get("spec") or {}, f"{path}.volumeClaimTemplate.spec")


def _image(source: Obj, path: str) -> Wrong:
    if not source.get("reference"):
        yield required(f"{path}.reference")
    yield from supported(f"{path}.pullPolicy", source.get("pullPolicy", ""), ("Always", "IfNotPresent", "Never"))


_JUDGED: dict[str, Callable[[Obj, str], Wrong]] = {
    "emptyDir": _empty_dir,
    "hostPath": host_path,
    "gitRepo": _git,
    "secret": _secret,
    "configMap": _config_map,
    "nfs": nfs,
    "persistentVolumeClaim": _claim,
    "downwardAPI": _downward,
    "projected": projected,
    "csi": _csi,
    "ephemeral": _ephemeral,
    "image": _image,
}


# -- defaults ------------------------------------------------------------------------------------------


def volume_defaults(volume: Obj) -> dict[str, Any]:
    """*volume* with every default: one that says nothing is an empty folder."""
    full = filled_in(volume)
    if not any(full.get(source) is not None for source in IN_TURN):
        return {**full, "emptyDir": {}}
    for kind in ("secret", "configMap", "downwardAPI", "projected"):
        if full.get(kind) is not None:
            full[kind] = filled(full[kind], defaultMode=ORDINARY)
    if full.get("downwardAPI") is not None:
        full["downwardAPI"] = _pod_files(full["downwardAPI"])
    if full.get("projected") is not None:
        parts = [_part_defaults(part) for part in full["projected"].get("sources") or ()]
        full["projected"] = {**full["projected"], "sources": parts or None}
    if full.get("image") is not None:
        policy = pull_policy(full["image"].get("reference") or "")
        full["image"] = filled(full["image"], pullPolicy=policy)
    if full.get("ephemeral") is not None:
        full["ephemeral"] = _template(full["ephemeral"])
    return full


def _part_defaults(part: Obj) -> Obj:
    if part.get("serviceAccountToken") is not None:
        return {**part, "serviceAccountToken": filled(part["serviceAccountToken"], expirationSeconds=HOUR)}
    if part.get("downwardAPI") is not None:
        return {**part, "downwardAPI": _pod_files(part["downwardAPI"])}
    return part


def _pod_files(source: Obj) -> Obj:
    return (
        {**source, "items": [_pod_file_defaults(file) for file in source["items"]]} if source.get("items") else source
    )


def _pod_file_defaults(file: Mapping[str, Any]) -> Obj:
    if file.get("fieldRef") is not None:
        return {**file, "fieldRef": filled(file["fieldRef"], apiVersion="v1")}
    if file.get("resourceFieldRef") is not None:
        ref = file["resourceFieldRef"]
        return {**file, "resourceFieldRef": {**ref, "divisor": divisor_of(ref)}}
    return file


def _template(source: Obj) -> Obj:
    template = source.get("volumeClaimTemplate")
    if template is None:
        return source
    spec = claims.claim_defaults(template.get("spec"))
    inner = {**template, "metadata": template.get("metadata") or {}, "spec": spec}
    return {**source, "volumeClaimTemplate": inner}
