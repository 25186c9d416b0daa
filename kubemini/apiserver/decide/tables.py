"""The same answer in the form that was asked for: a Table, or only the metadata. Pure.

    Accept: application/json;as=Table;v=v1;g=meta.k8s.io        →  shown(answer, Form("Table", "v1"), query, now)

Invariant: a Status stays a Status; a form never changes what was decided, only how it is shown.
Models k/apiserver pkg/endpoints/handlers doTransformObject, asTable, asPartialObjectMetadata,
asPartialObjectMetadataList; k/apiserver pkg/registry/rest NewDefaultTableConvertor.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kubemini.api import errors, kinds
from kubemini.api.errors import ApiError
from kubemini.api.kinds import Kind
from kubemini.api.objects import Obj, freeze, without
from kubemini.api.schema.written import written
from kubemini.apiserver import served
from kubemini.apiserver.columns import DEFAULT, SCALE, Column

TABLE, PARTIAL, PARTIAL_LIST = "Table", "PartialObjectMetadata", "PartialObjectMetadataList"
FORMS = (TABLE, PARTIAL, PARTIAL_LIST)
VERSIONS = ("v1", "v1beta1")
GROUP = "meta.k8s.io"
NO_INCLUDE = "must be 'Metadata', 'Object', 'None', or empty"
UNABLE = "Unable to convert to Table as requested: includeObject: Invalid value: "


@dataclass(frozen=True, slots=True)
class Form:
    """What ``as=``, ``v=`` of an Accept header ask for. ``headers``: whether a Table states its columns."""

    kind: str
    version: str = "v1"
    headers: bool = True

    @property
    def api_version(self) -> str:
        """As the answer spells it."""
        return f"{GROUP}/{self.version}"


def shown(answer: Any, form: Form, query: Mapping[str, Any], now: int, of: Kind | None = None) -> "Obj | ApiError":
    """*answer*, an object or a list, in *form* at the instant *now* (µs); 400 and 406 if that cannot be.

    *of*: the kind that was asked for; None: the answer says it.
    """
    if isinstance(answer, ApiError) or answer.get("kind") == "Status":
        return answer
    if form.kind == TABLE:
        said = query.get("includeObject") or ""
        include = str(said[0] if isinstance(said, list | tuple) else said)
        if include not in ("", "Metadata", "Object", "None"):
            return errors.bad_request(f'{UNABLE}"{include}": {NO_INCLUDE}')
        return table(answer, form, include, now, of)
    if (form.kind == PARTIAL_LIST) != _is_list(answer):
        wrong = "not a list" if form.kind == PARTIAL_LIST else "a list"
        text = f"you requested {form.kind}, but the requested object is {wrong} ({_go_type(answer)})"
        return ApiError(406, "NotAcceptable", text)
    if form.kind == PARTIAL:
        return _partial(answer, form, _unseen(answer, of))
    items = [_partial(item, form, _unseen(answer, of)) for item in answer["items"]]
    head = {"kind": PARTIAL_LIST, "apiVersion": form.api_version, "metadata": answer["metadata"]}
    return freeze({**head, "items": items})


def table(answer: Obj, form: Form, include: str, now: int, of: Kind | None = None) -> Obj:
    """The Table of an object, of a list, or of a watch event's object."""
    columns, marks = _shape(answer, of)
    objects = answer["items"] if _is_list(answer) else [answer]
    rows = []
    for obj in objects:
        marked = marks(obj) if marks else []
        row = {"cells": [column.cell(obj, now) for column in columns]} | ({"conditions": marked} if marked else {})
        rows.append({**row, "object": _included(obj, answer, form, include, of)})
    known = ("resourceVersion", "continue", "remainingItemCount")
    meta = {key: answer["metadata"][key] for key in known if key in answer["metadata"]}
    defined = [column.definition() for column in columns if column.headed] if form.headers else None
    head = {"kind": TABLE, "apiVersion": form.api_version, "metadata": meta}
    return freeze({**head, "columnDefinitions": defined, "rows": rows})


def _shape(answer: Obj, of: Kind | None) -> tuple[tuple[Column, ...], Callable[[Obj], list[dict[str, str]]] | None]:
    """The columns of the kind of *answer*, or those of any object; and what marks a row."""
    if answer.get("kind") == "Scale":
        return SCALE, None
    kind = of or _kind(answer)
    if kind is None:
        return DEFAULT, None
    return served.of(kind).columns or DEFAULT, served.of(kind).marks


def _included(obj: Obj, answer: Obj, form: Form, include: str, of: Kind | None) -> Any:
    if include == "None":
        return None
    if include != "Object":
        return _partial(obj, form, _unseen(answer, of))
    kind = answer["kind"].removesuffix("List") if _is_list(answer) else answer["kind"]
    return written({"kind": kind, "apiVersion": answer["apiVersion"], **obj})


def _partial(obj: Obj, form: Form, unseen: tuple[str, ...]) -> dict[str, Any]:
    """The metadata of *obj*, but for annotations that stand for a field."""
    for key in unseen:
        obj = without(obj, ("metadata", "annotations", key))
    if unseen and not obj["metadata"].get("annotations"):
        obj = without(obj, ("metadata", "annotations"))
    return {"kind": PARTIAL, "apiVersion": form.api_version, "metadata": obj["metadata"]}


def _unseen(answer: Obj, of: Kind | None) -> tuple[str, ...]:
    kind = of or _kind(answer)
    return served.of(kind).unseen if kind is not None else ()


def _kind(answer: Obj) -> Kind | None:
    """The kind of *answer*, or of what it lists."""
    name = str(answer.get("kind", "")).removesuffix("List") if _is_list(answer) else answer.get("kind", "")
    return kinds.by_gvk(answer.get("apiVersion", ""), name)


def _is_list(answer: Obj) -> bool:
    return "items" in answer and str(answer.get("kind", "")).endswith("List")


def _go_type(answer: Obj) -> str:
    """What Go calls the internal type: ``*core.PodList``, ``*networking.IngressList``."""
    group = str(answer.get("apiVersion", "")).rpartition("/")[0]
    return f"*{group.partition('.')[0] or 'core'}.{answer['kind']}"
