"""StorageClasses: which kinds of volumes there are to ask for.

Models k/k pkg/registry/storage/storageclass strategy; k/k pkg/apis/storage/validation ValidateStorageClass,
ValidateStorageClassUpdate; k/k pkg/apis/core/validation ValidateTopologySelectorTerm; defaults:
k/k pkg/apis/storage/v1 SetDefaults_StorageClass.
"""

from collections.abc import Sequence

from kubemini.api import names
from kubemini.api.kinds import KNOWN
from kubemini.api.objects import Obj
from kubemini.apiserver.columns import AGE, NAME, Column, at
from kubemini.apiserver.kinds.storage.common import parameters, provisioner
from kubemini.apiserver.rules.causes import IMMUTABLE, Wrong, duplicate, each, invalid, required, supported
from kubemini.apiserver.rules.filling import unset
from kubemini.apiserver.rules.nodelabels import DEPRECATED
from kubemini.apiserver.served import ServedKind, serve

FIXED = ("parameters", "reclaimPolicy", "volumeBindingMode")


def defaults(obj: Obj) -> Obj:
    """*obj* with what becomes of its volumes, and when they are bound."""
    return unset(obj, reclaimPolicy="Delete", volumeBindingMode="Immediate")


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    yield from provisioner(obj.get("provisioner", ""), "provisioner")
    yield from parameters(obj.get("parameters"), "parameters", may_be_empty=True)
    if obj["reclaimPolicy"]:
        yield from supported("reclaimPolicy", obj["reclaimPolicy"], ("Delete", "Retain"))
    yield from supported("volumeBindingMode", obj["volumeBindingMode"], ("Immediate", "WaitForFirstConsumer"))
    yield from _topologies(obj.get("allowedTopologies") or (), "allowedTopologies")


def _topologies(terms: Sequence[Obj], path: str) -> Wrong:
    seen: list[dict[str, list[str]]] = []
    for number, term in enumerate(terms):
        where = f"{path}[{number}].matchLabelExpressions"
        yield from _expressions(term.get("matchLabelExpressions") or (), where)
        said = {one["key"]: sorted(one.get("values") or ()) for one in term.get("matchLabelExpressions") or ()}
        for known in seen:
            if known == said:
                yield duplicate(where, "")
        seen.append(said)


def _expressions(found: Sequence[Obj], path: str) -> Wrong:
    keys: list[str] = []
    for number, one in enumerate(found):
        where, values, key = f"{path}[{number}]", one.get("values") or [], one.get("key", "")
        if not values:
            yield required(f"{where}.values")
        for at_, value in enumerate(values):
            if value in values[:at_]:
                yield duplicate(f"{where}.values[{at_}]", value)
        yield from each(names.qualified_name(key), f"{where}.key", key)
        if key in keys:
            yield duplicate(f"{where}.key", key)
        keys.append(key)


def declared(obj: Obj, old: Obj | None) -> Wrong:
    """There is somebody who makes its volumes; that, and how they do it, stays."""
    said = obj.get("provisioner", "")
    if old is None or said != old.get("provisioner", ""):
        if not said:
            yield required("provisioner")
        if old is not None:
            yield invalid("provisioner", None, IMMUTABLE)
    for field in FIXED:
        if old is not None and (obj.get(field) or None) != (old.get(field) or None):
            yield invalid(field, None, IMMUTABLE)


def warnings(obj: Obj, old: Obj | None) -> list[str]:
    """Labels of nodes that are on their way out."""
    return [
        f"allowedTopologies[{number}].matchLabelExpressions[{place}].key: {DEPRECATED[one['key']]}"
        for number, term in enumerate(obj.get("allowedTopologies") or ())
        for place, one in enumerate(term.get("matchLabelExpressions") or ())
        if one.get("key") in DEPRECATED
    ]


COLUMNS = (
    NAME,
    Column("Provisioner", at("provisioner")),
    Column("ReclaimPolicy", at("reclaimPolicy", default="Delete")),
    Column("VolumeBindingMode", at("volumeBindingMode", default="Immediate")),
    Column("AllowVolumeExpansion", at("allowVolumeExpansion", default=False)),
    AGE,
)
serve(
    ServedKind(
        KNOWN["storage.k8s.io/v1", "StorageClass"],
        returned=True,
        defaults=defaults,
        rules=rules,
        declared=declared,
        warnings=warnings,
        columns=COLUMNS,
    )
)
