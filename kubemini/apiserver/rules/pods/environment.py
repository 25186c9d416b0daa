"""What a container's programs are told: variables, and the fields of their pod.

Models k/k pkg/apis/core/validation ValidateEnv, ValidateEnvFrom, validateObjectFieldSelector,
validateContainerResourceFieldSelector; defaults: k/k pkg/apis/core/v1 SetDefaults_ObjectFieldSelector.
"""

import re
from collections.abc import Sequence
from typing import Any

from kubemini.api import names, quantity
from kubemini.api.objects import Obj
from kubemini.apiserver.rules.causes import Wrong, each, invalid, required, unsupported

SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
NO_SOURCE = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
OF_A_VARIABLE = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)
OF_A_FILE = ("metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid")
KNOWN = (*OF_A_VARIABLE, *OF_A_FILE, "spec.restartPolicy", "spec.schedulerName", "status.phase")
AMOUNTS = (
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
)
HUGE = ("limits.hugepages-", "requests.hugepages-")
UNITS = ("1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei")
_SUBSCRIPT = re.compile(r"(?P<path>[^\[\]]*)\['(?P<key>.*)'\]")


def variables(items: Sequence[Obj] | None, path: str) -> Wrong:
    """Every complaint about variables."""
    for number, variable in enumerate(items or ()):
        where, name = f"{path}[{number}]", variable.get("name", "")
        yield from each(names.variable(name), f"{where}.name", name) if name else [required(f"{where}.name")]
        if variable.get("valueFrom") is not None:
            yield from _source(variable["valueFrom"], variable.get("value", ""), f"{where}.valueFrom")


def _source(source: Obj, value: str, path: str) -> Wrong:
    given = [word for word in SOURCES if source.get(word) is not None]
    for word in given:
        yield from _one_source(word, source[word], f"{path}.{word}")
    if not given:
        yield invalid(path, "", NO_SOURCE)
    elif value:
        yield invalid(path, "", "may not be specified when `value` is not empty")
    elif len(given) > 1:
        yield invalid(path, "", "may not have more than one field specified at a time")


def _one_source(word: str, source: Obj, path: str) -> Wrong:
    if word == "fieldRef":
        yield from pod_field(source, path, OF_A_VARIABLE)
    elif word == "resourceFieldRef":
        yield from container_amount(source, path)
    elif word in ("configMapKeyRef", "secretKeyRef"):
        name, key = source.get("name", ""), source.get("key", "")
        yield from each(names.dns_subdomain(name), f"{path}.name", name)
        yield from each(names.config_key(key), f"{path}.key", key) if key else [required(f"{path}.key")]
    else:
        for field in ("key", "volumeName", "path"):
            if not source.get(field):
                yield required(f"{path}.{field}")


def pod_field(ref: Obj, path: str, known: Sequence[str]) -> Wrong:
    """A field of the pod itself: one of *known*, or a label or annotation by its key."""
    named = ref.get("fieldPath", "")
    if not named:
        yield required(f"{path}.fieldPath")
        return
    subscript = _SUBSCRIPT.fullmatch(named)
    if ref.get("apiVersion", "v1") != "v1":
        wrong = f"unsupported pod version: {ref['apiVersion']}"
        yield invalid(f"{path}.fieldPath", named, f"error converting fieldPath: {wrong}")
    elif subscript and subscript["path"] in ("metadata.annotations", "metadata.labels"):
        key = subscript["key"].lower() if subscript["path"] == "metadata.annotations" else subscript["key"]
        yield from each(names.qualified_name(key), path, key)
    elif subscript:
        wrong = f'field label "{subscript["path"]}" does not support subscript'
        yield invalid(f"{path}.fieldPath", named, f"error converting fieldPath: {wrong}")
    elif named not in KNOWN:
        wrong = f"field label not supported: {named}"
        yield invalid(f"{path}.fieldPath", named, f"error converting fieldPath: {wrong}")
    elif named not in known:
        yield unsupported(f"{path}.fieldPath", named, known)


def container_amount(ref: Obj, path: str, in_a_file: bool = False) -> Wrong:
    """What a container asks for, or may have; *in_a_file*: of which container must be said."""
    resource = ref.get("resource", "")
    if in_a_file and not ref.get("containerName"):
        yield required(f"{path}.containerName")
    elif not resource:
        yield required(f"{path}.resource")
    elif resource not in AMOUNTS and not resource.startswith(HUGE):
        yield unsupported(f"{path}.resource", resource, AMOUNTS)
    yield from _divisor(resource, ref.get("divisor"), path)


def _divisor(resource: str, divisor: Any, path: str) -> Wrong:
    parsed = quantity.parse(quantity.text(divisor)) if divisor is not None else None
    if parsed is None or not parsed.amount:
        return
    what = resource.partition(".")[2]
    allowed, called = (("1m", "1"), "cpu") if what == "cpu" else (UNITS, what)
    called = {"ephemeral-storage": "local ephemeral storage"}.get(called, called)
    called = "hugepages" if resource.startswith(HUGE) else called
    if str(parsed) not in allowed and (resource in AMOUNTS or resource.startswith(HUGE)):
        values = "1m and 1" if what == "cpu" else ", ".join(UNITS)
        yield invalid(
            f"{path}.divisor", resource, f"only divisor's values {values} are supported with the {called} resource"
        )


def sources(items: Sequence[Obj] | None, path: str) -> Wrong:
    """Whole ConfigMaps and Secrets as variables; texts name the list, not the item."""
    for number, item in enumerate(items or ()):
        where, prefix = f"{path}[{number}]", item.get("prefix", "")
        if prefix:
            yield from each(names.variable(prefix), f"{where}.prefix", prefix)
        given = [word for word in ("configMapRef", "secretRef") if item.get(word) is not None]
        for word in given:
            name = item[word].get("name", "")
            wrong = names.dns_subdomain(name[:-1] + "a" if name.endswith("-") else name)
            yield from each(wrong, f"{where}.{word}.name", name) if name else [required(f"{where}.{word}.name")]
        if not given:
            yield invalid(path, "", "must specify one of: `configMapRef` or `secretRef`")
        elif len(given) > 1:
            yield invalid(path, "", "may not have more than one field specified at a time")


# -- defaults ------------------------------------------------------------------------------------------


def variables_filled(items: Sequence[Obj]) -> list[Obj]:
    """*items* with the version and the divisor of the fields that they name."""
    return [_filled(item) for item in items]


def _filled(variable: Obj) -> Obj:
    source = variable.get("valueFrom") or {}
    if source.get("fieldRef") is not None:
        ref = {**source["fieldRef"], "apiVersion": source["fieldRef"].get("apiVersion") or "v1"}
        return {**variable, "valueFrom": {**source, "fieldRef": ref}}
    if source.get("resourceFieldRef") is not None:
        ref = {**source["resourceFieldRef"], "divisor": divisor_of(source["resourceFieldRef"])}
        return {**variable, "valueFrom": {**source, "resourceFieldRef": ref}}
    return variable


def divisor_of(ref: Obj) -> str:
    """The divisor of *ref* as it is written."""
    return quantity.as_stored(quantity.text(ref["divisor"])) if ref.get("divisor") is not None else "0"
