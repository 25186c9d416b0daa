"""What the metadata of an object may be, and what of it may change.

Models k/apimachinery pkg/api/validation ValidateObjectMeta, ValidateObjectMetaUpdate; k/k pkg/apis/core/validation
ValidateObjectMeta (finalizers).
"""

import json
from collections.abc import Callable, Mapping, Sequence

from kubemini.api import labels, names
from kubemini.api.kinds import Kind
from kubemini.api.objects import Obj
from kubemini.apiserver.rules.causes import (
    IMMUTABLE,
    InOrder,
    Wrong,
    each,
    forbidden,
    invalid,
    not_negative,
    required,
    too_long,
)

LARGEST_ANNOTATIONS = 256 * 1024  # bytes
STANDARD_FINALIZERS = ("kubernetes", "orphan", "foregroundDeletion")
NOT_QUALIFIED = "name is neither a standard finalizer name nor is it fully qualified"
NO_NEW_FINALIZERS = "no new finalizers can be added if the object is being deleted, found new finalizers "
NameRule = Callable[[str], list[str]]


def metadata(kind: Kind, meta: Obj, rule: NameRule) -> Wrong:
    """Every complaint about *meta*, whose name must keep *rule*, but what `finalizers` says."""
    if meta.get("generateName"):
        base = meta["generateName"]
        yield from each(rule(base[:-1] + "a" if base.endswith("-") else base), "metadata.generateName", base)
    if not meta.get("name"):
        yield required("metadata.name", "name or generateName is required")
    else:
        yield from each(rule(meta["name"]), "metadata.name", meta["name"])
    yield from _namespace(kind, meta)
    yield from not_negative(meta, "metadata", "generation")
    yield from label_pairs(meta.get("labels"), "metadata.labels")
    yield from annotations(meta.get("annotations"), "metadata.annotations")
    yield from _owners(meta.get("ownerReferences") or (), "metadata.ownerReferences")
    yield from _finalizers(meta.get("finalizers") or (), "metadata.finalizers")


def _namespace(kind: Kind, meta: Obj) -> Wrong:
    if kind.namespaced and not meta.get("namespace"):
        yield required("metadata.namespace")
    elif not kind.namespaced and meta.get("namespace"):
        yield forbidden("metadata.namespace", "not allowed on this type")
    elif kind.namespaced:
        yield from each(names.dns_label(meta["namespace"]), "metadata.namespace", meta["namespace"])


def changes(meta: Obj, old: Obj) -> Wrong:
    """What of the metadata must stay."""
    for field in ("name", "namespace", "uid", "creationTimestamp"):
        if meta.get(field, "") != old.get(field, "") and meta.get(field):
            yield invalid(f"metadata.{field}", meta[field], IMMUTABLE)
    if old.get("deletionTimestamp"):
        new = [f for f in meta.get("finalizers") or [] if f not in (old.get("finalizers") or [])]
        if new:
            listed = "[]string{" + ", ".join(json.dumps(f, ensure_ascii=False) for f in sorted(new)) + "}"
            yield forbidden("metadata.finalizers", NO_NEW_FINALIZERS + listed)


def label_pairs(pairs: Mapping[str, str] | None, path: str) -> Wrong:
    """Models k/apimachinery pkg/apis/meta/v1/validation ValidateLabels"""
    for key, value in (pairs or {}).items():
        yield from each(names.qualified_name(key), path, key)
        yield from each(names.label_value(value), path, value)


def annotations(pairs: Mapping[str, str] | None, path: str) -> Wrong:
    """Models k/apimachinery pkg/api/validation ValidateAnnotations"""
    size = 0
    for key, value in (pairs or {}).items():
        yield from each(names.qualified_name(key.lower()), path, key)
        size += len(key.encode()) + len(value.encode())
    if size > LARGEST_ANNOTATIONS:
        yield too_long(path, LARGEST_ANNOTATIONS)


def _owners(owners: Sequence[Obj], path: str) -> Wrong:
    """Models k/apimachinery pkg/api/validation ValidateOwnerReferences"""
    controllers: list[Obj] = []
    for number, owner in enumerate(owners):
        where = f"{path}[{number}]"
        for field in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(field):
                yield required(f"{where}.{field}", "must not be empty")
        if owner.get("kind") == "Event" and owner.get("apiVersion") in ("v1", "events.k8s.io/v1"):
            group, _, version = owner["apiVersion"].rpartition("/")
            yield invalid(where, _in_order(owner), f"{group}/{version}, Kind=Event is disallowed from being an owner")
        if owner.get("controller"):
            controllers.append(owner)
            if len(controllers) == 2:
                first, second = (f"{o['kind']}/{o['name']}" for o in controllers)
                text = f'Only one reference can have Controller set to true. Found "true" in references for {first}'
                yield invalid(path, [_in_order(o) for o in owners], f"{text} and {second}")


def _in_order(owner: Obj) -> InOrder:
    """An owner reference as Go prints it."""
    fields = ("apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion")
    return InOrder((field, owner[field]) for field in fields if field in owner)


def _finalizers(finalizers: Sequence[str], path: str) -> Wrong:
    """Models k/apimachinery pkg/api/validation ValidateFinalizers"""
    for name in finalizers:
        yield from each(names.qualified_name(name), path, name)
    if {"orphan", "foregroundDeletion"} <= set(finalizers):
        yield invalid(path, finalizers, "orphan and foregroundDeletion cannot be both set")


def finalizers(meta: Obj) -> Wrong:
    """Those without a domain that nobody knows. Models k/k pkg/apis/core/validation validateKubeFinalizerName"""
    for number, name in enumerate(meta.get("finalizers") or ()):
        if "/" not in name and name not in STANDARD_FINALIZERS:
            yield invalid(f"metadata.finalizers[{number}]", name, NOT_QUALIFIED)


def label_selector(selector: Obj | None, path: str) -> Wrong:
    """A selector object. Models k/apimachinery pkg/apis/meta/v1/validation ValidateLabelSelector"""
    if selector is None:
        return
    yield from label_pairs(selector.get("matchLabels"), f"{path}.matchLabels")
    for number, term in enumerate(selector.get("matchExpressions") or ()):
        where, values = f"{path}.matchExpressions[{number}]", term.get("values") or ()
        yield from operands(term.get("operator", ""), values, where)
        yield from each(names.qualified_name(term.get("key", "")), f"{where}.key", term.get("key", ""))
        for at, value in enumerate(values):
            yield from each(names.label_value(value), f"{where}.values[{at}]", value)


def operands(operator: str, values: Sequence[str], path: str, compares: bool = False) -> Wrong:
    """Whether *operator* is known and gets as many values as it wants; *compares*: Gt and Lt are known too."""
    if operator in ("In", "NotIn"):
        if not values:
            yield required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            yield forbidden(f"{path}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
    elif compares and operator in ("Gt", "Lt"):
        if len(values) != 1:
            text = "must be specified single value when `operator` is 'Lt' or 'Gt'"
            yield required(f"{path}.values", text)
    else:
        yield invalid(f"{path}.operator", operator, "not a valid selector operator")


def readable(selector: Obj | None) -> bool:
    """Whether it can be asked whom *selector* picks: its keys, operators and values are what such may be.

    Models k/apimachinery pkg/apis/meta/v1 LabelSelectorAsSelector, pkg/labels NewRequirement
    """
    pairs = ((selector or {}).get("matchLabels") or {}).items()
    terms = [(key, "In", [value]) for key, value in pairs]
    for term in (selector or {}).get("matchExpressions") or ():
        terms.append((term.get("key", ""), term.get("operator"), list(term.get("values") or ())))
    return all(_is_term(*term) for term in terms)


def _is_term(key: str, operator: str | None, values: list[str]) -> bool:
    if operator not in labels.SPELLING or names.qualified_name(key) or any(map(names.label_value, values)):
        return False
    return bool(values) == (operator in ("In", "NotIn"))
