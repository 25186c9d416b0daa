"""A CustomResourceDefinition → the kinds that are served by it, one a version. Pure.

    kinds_of(crd)        CustomKinds, each with its names, its schema and all that is special about it
    lines_of(crds)       what discovery tells of them
    described(kind)      what OpenAPI tells of one of the kinds

Models k/apiextensions-apiserver pkg/apiserver crdHandler.getOrCreateServingInfoFor, DiscoveryController.sync,
pkg/registry/customresource customResourceStrategy statusStrategy.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from kubemini.api.kinds import CustomKind, Kind
from kubemini.api.objects import Obj, evolve, freeze, get, without
from kubemini.api.schema import custom
from kubemini.apiserver.columns.custom import columns_of
from kubemini.apiserver.decide.customs.conversion import Ask, converted
from kubemini.apiserver.decide.discovery import storage_version_hash
from kubemini.apiserver.decide.openapi.schemas import Described
from kubemini.apiserver.rules.conditions import is_true
from kubemini.apiserver.rules.customs import naming, objects
from kubemini.apiserver.rules.customs.expressions import Rules
from kubemini.apiserver.rules.customs.objects import Scaling
from kubemini.apiserver.served import ServedKind, all_wanted

NAME = "metadata.name"  # by which everything can be selected
_VERSION = re.compile(r"v(\d+)(?:(alpha|beta)(\d+))?")
VERBS = "delete,deletecollection,get,list,patch,create,update,watch"
LAST_VERBS = "delete,deletecollection,get,list,watch"
CLOSED = "create not allowed while custom resource definition is terminating"
OF_STATUS = ("labels", "annotations", "finalizers", "ownerReferences", "generateName")


def kinds_of(crd: Obj, ask: Ask | None = None) -> list[CustomKind]:
    """The kinds that are served by *crd*; *ask*: the webhook that turns a version into another, if there is one."""
    if not naming.is_served(crd):
        return []
    return [_kind(crd, version, ask) for version in crd["spec"]["versions"] if version.get("served")]


def _kind(crd: Obj, version: Obj, ask: Ask | None) -> CustomKind:
    spec, names = crd["spec"], crd["status"]["acceptedNames"]
    group, plural = spec["group"], spec["names"]["plural"]
    schema = get(version, "schema", "openAPIV3Schema") or {}
    bare = Kind(
        group,
        version["name"],
        names["kind"],
        plural,
        names.get("singular") or "",
        tuple(names.get("shortNames") or ()),
        spec["scope"] == "Namespaced",
        f"/registry/{group}/{plural}",
        tuple(names.get("categories") or ()),
    )
    known = (bare.group, bare.version, bare.kind, bare.plural, bare.singular, bare.short_names, bare.namespaced)
    listed = names.get("listKind") or f"{bare.kind}List"
    rules = _rules(crd, version, bare, schema, ask)
    return CustomKind(*known, bare.prefix, bare.categories, None, listed, schema, rules)


def _rules(crd: Obj, version: Obj, kind: Kind, schema: Mapping[str, Any], ask: Ask | None) -> ServedKind:
    """All that is special about one version."""
    parts = version.get("subresources") or {}
    has_status = parts.get("status") is not None
    stored, schemas = f"{kind.group}/{_stored(crd)}", _schemas(crd)
    scaling = _scaling(parts.get("scale"))
    limits = objects.Limits(schema, Rules(schema), scaling)
    return ServedKind(
        kind,
        subresources=tuple(name for name in ("status", "scale") if parts.get(name) is not None),
        counted=True,
        versioned=True,
        counts=all_wanted if has_status else _all_but_metadata,
        defaults=partial(_filled, schema),
        prepare=_with_no_status_of_its_own if has_status else _as_meant,
        first_status=_none if has_status else None,
        plain_status=not has_status,
        status_keeps=OF_STATUS,
        scaling=scaling,
        fields=_selectable(version),
        unsupported="field label not supported: {}",
        create_rules=partial(objects.wrong_as_new, limits),
        changes=partial(objects.wrong_changes, limits),
        status_rules=partial(objects.wrong_status, limits),
        to_store=partial(_as, stored, schemas, ask),
        from_store=partial(_read, kind.api_version, schemas, ask),
        columns=columns_of(version.get("additionalPrinterColumns") or ()),
        deprecated=_deprecated(crd, version, kind),
        any_finalizer=True,
        warnings=objects.finalizer_warnings,
        schemas=schemas,
        closed=CLOSED if "deletionTimestamp" in crd["metadata"] or is_true(crd, naming.TERMINATING) else "",
        said=False,
    )


def _deprecated(crd: Obj, version: Obj, kind: Kind) -> str:
    """The warning on every request, if there is to be one."""
    if not version.get("deprecated"):
        return ""
    said: str | None = version.get("deprecationWarning")
    if said is not None:
        return said
    others = [one["name"] for one in crd["spec"]["versions"] if one.get("served") and not one.get("deprecated")]
    newer = max((name for name in others if priority(name) > priority(kind.version)), key=priority, default="")
    instead = f"; use {kind.group}/{newer} {kind.kind}" if newer else ""
    return f"{kind.api_version} {kind.kind} is deprecated{instead}"


def _stored(crd: Obj) -> str:
    return next(one["name"] for one in crd["spec"]["versions"] if one.get("storage"))


def _all_but_metadata(obj: Obj) -> Any:
    return {key: value for key, value in obj.items() if key != "metadata"}


def _none(obj: Obj) -> None:
    return None


def _as_meant(new: Obj, old: Obj) -> Obj:
    return new


def _with_no_status_of_its_own(new: Obj, old: Obj) -> Obj:
    return new if "status" in old else without(new, ("status",))


def _filled(schema: Mapping[str, Any], obj: Obj) -> Obj:
    found: Obj = custom.filled(obj, schema)
    return found


def _schemas(crd: Obj) -> dict[str, Mapping[str, Any]]:
    """apiVersion → the schema of that version."""
    spec = crd["spec"]
    return {f"{spec['group']}/{one['name']}": get(one, "schema", "openAPIV3Schema") or {} for one in spec["versions"]}


def _as(api_version: str, schemas: Mapping[str, Mapping[str, Any]], ask: Ask | None, obj: Obj) -> Obj:
    """*obj* in another version, without what that does not know; without a webhook nothing else of it changes."""
    if obj["apiVersion"] == api_version:
        return obj
    other = evolve(obj, ("apiVersion",), api_version) if ask is None else converted(obj, api_version, ask)
    known, _ = custom.pruned(other, schemas[api_version])
    return freeze(known)


def _read(api_version: str, schemas: Mapping[str, Mapping[str, Any]], ask: Ask | None, obj: Obj) -> Obj:
    """What the store holds, which is filled by the version that it was stored in, as this version knows it."""
    schema = schemas.get(obj["apiVersion"], {})
    known, _ = custom.pruned(obj, schema)
    return _as(api_version, schemas, ask, freeze(custom.filled(known, schema)))


def _selectable(version: Obj) -> tuple[str, ...]:
    return (NAME, *(one["jsonPath"].lstrip(".") for one in version.get("selectableFields") or ()))


def _scaling(said: Obj | None) -> Scaling | None:
    if said is None:
        return None
    paths = [said.get(name) for name in ("specReplicasPath", "statusReplicasPath", "labelSelectorPath")]
    wanted, there, selector = (tuple(path.lstrip(".").split(".")) if path else () for path in paths)
    return Scaling(wanted, there, selector)


# -- discovery ---------------------------------------------------------------------------------------------------------


def lines_of(crds: Iterable[Obj]) -> tuple[tuple[str, ...], ...]:
    """What discovery tells of all *crds*: the words of a line each, the newest version of a group first."""
    found = [
        (version["name"], _line(crd, version))
        for crd in crds
        if is_true(crd, naming.ESTABLISHED)
        for version in crd["spec"]["versions"]
        if version.get("served")
    ]
    return tuple(line for _, line in sorted(found, key=lambda one: priority(one[0]), reverse=True))


def described(kind: CustomKind) -> Described:
    """What OpenAPI tells of *kind*."""
    paths = tuple(path for path in kind.rules.fields if path != NAME)
    text = json.dumps(kind.schema, sort_keys=True, separators=(",", ":"))
    return Described(kind.api_version, kind.kind, kind.plural, kind.list_kind, text, paths)


def _line(crd: Obj, version: Obj) -> tuple[str, ...]:
    spec, names, parts = crd["spec"], crd["status"]["acceptedNames"], version.get("subresources") or {}
    facts = {
        "singular": names.get("singular") or "",
        "verbs": LAST_VERBS if is_true(crd, naming.TERMINATING) else VERBS,
        "short": _list(names.get("shortNames") or ()),
        "categories": _list(names.get("categories") or ()),
        "sub": _list([name for name in ("status", "scale") if parts.get(name) is not None]),
        "hash": storage_version_hash(f"{spec['group']}/{_stored(crd)}", spec["names"]["kind"]),
    }
    words = [f"{name}={value}" for name, value in facts.items() if value]
    scope = "namespaced" if spec["scope"] == "Namespaced" else "cluster"
    return f"{spec['group']}/{version['name']}", names["plural"], names["kind"], scope, *words, "defined=here"


def _list(words: Sequence[str]) -> str:
    return ",".join(words)


def priority(version: str) -> tuple[Any, ...]:
    """How new a version is: v2, v1, v1beta2, v1alpha1; then all others, which begin with a the first.

    Models k/apimachinery pkg/version CompareKubeAwareVersionStrings
    """
    found = _VERSION.fullmatch(version)
    if not found:
        return (0, [-ord(character) for character in version])
    stage = {None: 2, "beta": 1, "alpha": 0}[found[2]]
    return (1, stage, int(found[1]), int(found[3] or 0))
