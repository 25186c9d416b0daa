"""What a pod's volumes are made of.

Models k/k pkg/apis/core/validation ValidateVolumes, validateVolumeSource, validateProjectionSources,
validateDownwardAPIVolumeFile; defaults: k/k pkg/apis/core/v1 SetDefaults_Volume, SetDefaults_SecretVolumeSource and its
like.
Simplified: bundles of trust and certificates of pods are not judged.
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
    invalid,
    required,
    supported,
)
from kubemini.apiserver.rules.filling import filled
from kubemini.apiserver.rules.metadata import annotations, label_pairs
from kubemini.apiserver.rules.pods.containers import pull_policy
from kubemini.apiserver.rules.pods.environment import OF_A_FILE, container_amount, divisor_of, pod_field
from kubemini.apiserver.rules.volumes import claims
from kubemini.apiserver.rules.volumes.persistent import filled_in
from kubemini.apiserver.rules.volumes.sources import (
    ONLY_ONE,
    descending,
    driver_name,
    host_path,
    needed,
    nfs,
    unreserved,
)

MODE = "must be a number between 0 and 0777 (octal), both inclusive"
SHORTEST_TOKEN, LONGEST_TOKEN = 600, 2**32  # seconds
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
    yield from _mode(source, "defaultMode", path)
    yield from indexed(source.get("items"), f"{path}.items", _key)


def _mode(source: Obj, field: str, path: str) -> Wrong:
    mode = source.get(field)
    if mode is not None and not 0 <= mode <= 0o777:
        yield invalid(f"{path}.{field}", mode, MODE)


def _key(item: Obj, path: str) -> Wrong:
    """A key as a file. Models k/k pkg/apis/core/validation validateKeyToPath"""
    for field in ("key", "path"):
        if not item.get(field):
            yield required(f"{path}.{field}")
    yield from unreserved(item.get("path", ""), f"{path}.path")
    yield from _mode(item, "mode", path)


def _claim(source: Obj, path: str) -> Wrong:
    if not source.get("claimName"):
        yield required(f"{path}.claimName")


def _downward(source: Obj, path: str) -> Wrong:
    """Fields of the pod as files; Kubernetes' texts do not say which file."""
    yield from _mode(source, "defaultMode", path)
    for file in source.get("items") or ():
        yield from _pod_file(file, path)


def _pod_file(file: Obj, path: str) -> Wrong:
    if not file.get("path"):
        yield required(f"{path}.path")
    yield from unreserved(file.get("path", ""), f"{path}.path")
    if file.get("fieldRef") is not None:
        yield from pod_field(file["fieldRef"], f"{path}.fieldRef", OF_A_FILE)
        if file.get("resourceFieldRef") is not None:
            text = "fieldRef and resourceFieldRef can not be specified simultaneously"
            yield invalid(path, "resource", text)
    elif file.get("resourceFieldRef") is not None:
        yield from container_amount(file["resourceFieldRef"], f"{path}.resourceFieldRef", in_a_file=True)
    else:
        yield required(path, "one of fieldRef and resourceFieldRef is required")
    yield from _mode(file, "mode", path)


def _projected(source: Obj, path: str) -> Wrong:
    """Files of several origins in one folder; no two have the same path."""
    yield from _mode(source, "defaultMode", path)
    paths: list[str] = []
    for number, part in enumerate(source.get("sources") or ()):
        where, given = f"{path}.sources[{number}]", 0
        for kind in ("secret", "configMap", "downwardAPI", "serviceAccountToken"):
            if part.get(kind) is not None:
                given += 1
                yield from _part(kind, part[kind], path, f"{where}.{kind}", paths)
        if given > 1:
            yield forbidden(where, "may not specify more than 1 volume type per source")


def _part(kind: str, part: Obj, path: str, where: str, paths: list[str]) -> Wrong:
    if kind == "serviceAccountToken":
        yield from _token(part, path, where)
        return
    if kind != "downwardAPI" and not part.get("name"):
        yield required(f"{where}.name")
    for number, item in enumerate(part.get("items") or ()):
        yield from _pod_file(item, where) if kind == "downwardAPI" else _key(item, f"{where}.items[{number}]")
        taken = item.get("path", "")
        if taken and taken in paths:
            yield invalid(path, taken if kind == "downwardAPI" else part.get("name", ""), "conflicting duplicate paths")
        paths += [taken] if taken else []


def _token(part: Obj, path: str, where: str) -> Wrong:
    seconds = part.get("expirationSeconds")
    if seconds is None:
        yield required(f"{where}.expirationSeconds")
    else:
        if seconds < SHORTEST_TOKEN:
            yield invalid(f"{where}.expirationSeconds", seconds, "may not specify a duration less than 10 minutes")
        if seconds > LONGEST_TOKEN:
            text = "may not specify a duration larger than 2^32 seconds"
            yield invalid(f"{where}.expirationSeconds", seconds, text)
    if not part.get("path"):
        yield required(f"{path}.path")
    else:
        yield from unreserved(part["path"], f"{path}.path")


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
    "projected": _projected,
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
