"""What a request asks for: verb and URL → verb, kind, namespace, name, sub-resource.

    GET  /api/v1/namespaces/shop/pods/web-1/status  → get pods/status web-1 in shop
    GET  /apis/apps/v1/deployments?watch=true       → watch deployments everywhere

Invariant: a path that names no resource (``/healthz``) is a request too, with ``is_resource`` False.
Models k/apiserver pkg/endpoints/request RequestInfoFactory.NewRequestInfo.
LIST and WATCH as methods are ours: what a client of the simulation sends for a GET that lists or watches.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from kubemini.api import errors, fields
from kubemini.api.errors import ApiError
from kubemini.api.kinds import Kind, by_resource, collection_path, object_path
from kubemini.api.kinds import served as served_kinds
from kubemini.apiserver import served

__all__ = ["RequestInfo", "collection_path", "first", "object_path", "parse", "truth"]

VERBS = {"POST": "create", "GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
SPECIAL_VERBS = ("proxy", "watch")
PASSED_ON = "proxy"  # a subresource whose requests are others' to judge
NAMESPACE_SUBRESOURCES = ("status", "finalize")
OF_A_COLLECTION = ("list", "watch", "create", "deletecollection")
OF_AN_OBJECT = ("get", "update", "patch", "delete")
OF_A_SUBRESOURCE = {
    "status": ("get", "update", "patch"),
    "scale": ("get", "update", "patch"),
    "binding": ("create",),
    "finalize": ("update",),
    "token": ("create",),
    "approval": ("get", "update", "patch"),
    "eviction": ("create",),
    "resize": ("get", "update", "patch"),
    "ephemeralcontainers": ("get", "update", "patch"),
    "log": ("get",),
    "exec": ("get", "create"),
    "attach": ("get", "create"),
    "portforward": ("get", "create"),
    "proxy": ("get", "create", "update", "patch", "delete"),
}
CONNECTS = ("log", "exec", "attach", "portforward", "proxy")  # they end at somebody else
ROOTS = ("api", "apis", "version")


@dataclass(frozen=True)
class RequestInfo:
    """What is asked for. An empty namespace means all of them, or that the kind has none."""

    verb: str
    path: str
    is_resource: bool = False
    prefix: str = ""
    group: str = ""
    version: str = ""
    namespace: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""
    parts: tuple[str, ...] = ()
    field_selector: str = ""
    label_selector: str = ""
    own: Kind | None = None  # the kind, if it is defined at this server only

    @cached_property
    def kind(self) -> Kind | None:
        """The row of the table of kinds, or None if there is no such kind (or no such sub-resource)."""
        found = self.own or by_resource(self.group, self.version, self.resource)
        if found and self.subresource and self.subresource not in served.of(found).subresources:
            return None
        return found


def parse(method: str, path: str, query: Mapping[str, Any] | None = None) -> RequestInfo:
    """The request behind an HTTP method, a path without its query, and the query."""
    query = query or {}
    parts = [part for part in path.strip("/").split("/") if part]
    found = _split(parts)
    if found is None:
        return RequestInfo(method.lower(), path)
    prefix, group, version, parts = found
    verb = VERBS.get("GET" if method in ("LIST", "WATCH") else method, "")
    special = parts[0] in SPECIAL_VERBS
    if special:
        if len(parts) < 2:
            return RequestInfo(method.lower(), path)
        verb, parts = parts[0], parts[1:]
    namespace, parts = _namespace(parts)
    name = parts[1] if len(parts) > 1 else ""
    subresource = parts[2] if len(parts) > 2 and verb != "proxy" else ""
    field_selector = label_selector = ""
    if not name and not special and verb in ("get", "delete"):
        field_selector, label_selector = first(query, "fieldSelector"), first(query, "labelSelector")
        watched = method == "WATCH" or truth(query.get("watch"))
        verb = "deletecollection" if verb == "delete" else "watch" if watched else "list"
        name = _only_name(field_selector)
    return RequestInfo(
        verb,
        path,
        True,
        prefix,
        group,
        version,
        namespace,
        parts[0],
        subresource,
        name,
        tuple(parts),
        field_selector,
        label_selector,
    )


def selecting(info: RequestInfo, query: Mapping[str, Any]) -> RequestInfo:
    """*info* with the selectors of a watch by its older path, which no authorizer has looked at."""
    if info.verb != "watch" or info.field_selector or info.label_selector:
        return info
    return replace(info, field_selector=first(query, "fieldSelector"), label_selector=first(query, "labelSelector"))


def refused(info: RequestInfo) -> ApiError | None:
    """Why nobody answers there: no such path (404), or not with this method (405)."""
    if not info.is_resource or "//" in info.path:
        return _refused_page(info)
    if info.own is not None:
        return _refused_custom(info, info.own)
    if info.kind is None:
        return errors.no_such_path() if _has_group(info) else errors.page_not_found()
    kind, wide = info.kind, not info.namespace
    if (len(info.parts) > 3 and info.subresource != "proxy") or (
        info.namespace and not kind.namespaced and kind.plural != "namespaces"
    ):
        return errors.no_such_path()
    named = len(info.parts) > 1
    if named and kind.namespaced and wide:
        return errors.no_such_path()
    of_one = (*OF_AN_OBJECT, "watch") if "watch" in info.path.split("/")[:5] else OF_AN_OBJECT
    verbs = OF_A_SUBRESOURCE.get(info.subresource, of_one if named else OF_A_COLLECTION)
    if wide and kind.namespaced:
        verbs = ("list", "watch")
    if kind.plural == "namespaces" and info.verb == "deletecollection":
        verbs = ("list", "watch", "create")
    if served.of(kind).answered:
        verbs = ("create",)
    elif served.of(kind).observed:
        if "watch" in info.path.split("/")[:5]:
            return errors.no_such_path()
        verbs = ("get", "list", "watch")
    passed_on = info.subresource == PASSED_ON and not info.verb  # OPTIONS, which no other path takes
    return None if passed_on or info.verb in verbs else errors.method_not_allowed()


def _refused_custom(info: RequestInfo, kind: Kind) -> ApiError | None:
    """Why nobody answers for a kind that is defined here: where it is not (404), or not with this method (405).

    Models k/apiextensions-apiserver pkg/apiserver crdHandler.ServeHTTP
    """
    wide = not info.namespace
    if kind.namespaced == wide and not (kind.namespaced and info.verb in ("list", "watch")):
        return errors.page_not_found()
    if info.kind is None:
        return errors.not_found(kind, info.name)
    if info.verb in ("update", "patch") and not info.name:
        return errors.bad_request("name must be provided")
    verbs = OF_A_SUBRESOURCE.get(info.subresource, (*OF_AN_OBJECT, *OF_A_COLLECTION))
    return None if info.verb in verbs else errors.method_not_supported(kind, info.verb)


def _refused_page(info: RequestInfo) -> ApiError:
    """Why there is no such page: roots of the API exist, for those who only read."""
    root = info.path.strip("/") in ROOTS
    if root and info.verb not in ("get", "head"):
        return errors.method_not_allowed()
    return errors.no_such_path() if _is_known(info.path) else errors.page_not_found()


def _is_known(path: str) -> bool:
    """Whether a path that names no resource lies under something that is there."""
    parts = [part for part in path.strip("/").split("/") if part]
    if parts[:1] == ["apis"] and len(parts) > 1:
        return any(row.group == parts[1] for row in served_kinds().values())
    return bool(parts) and parts[0] in ROOTS and "//" not in path


def _has_group(info: RequestInfo) -> bool:
    return info.prefix == "api" or any(row.group == info.group for row in served_kinds().values())


def truth(value: Any) -> bool:
    """A boolean of a query, as clients of several languages spell it: present, and neither 0 nor false."""
    text = _text(value)
    return text is not None and text.lower() not in ("false", "0", "f")


def _split(parts: list[str]) -> tuple[str, str, str, list[str]] | None:
    """Prefix, group, version and the rest; None if the path names no resource."""
    if len(parts) >= 3 and parts[0] == "api":
        return "api", "", parts[1], parts[2:]
    if len(parts) >= 4 and parts[0] == "apis":
        return "apis", parts[1], parts[2], parts[3:]
    return None


def _namespace(parts: list[str]) -> tuple[str, list[str]]:
    """The namespace, and what is asked for in it; a namespace is also an object of its own."""
    if parts[0] != "namespaces" or len(parts) < 2:
        return "", parts
    inside = len(parts) > 2 and parts[2] not in NAMESPACE_SUBRESOURCES
    return parts[1], parts[2:] if inside else parts


def first(query: Mapping[str, Any], key: str) -> str:
    """The first value of a parameter, as text; "" if there is none."""
    return _text(query.get(key)) or ""


def _text(value: Any) -> str | None:
    """A value of a query, or the first of several, as a URL would have it."""
    if isinstance(value, list | tuple):
        value = value[0] if value else None
    return None if value is None else str(value)


def _only_name(field_selector: str) -> str:
    """The name that a field selector asks for, so that RBAC can see it; "" if it cannot be read."""
    try:
        return fields.required(fields.parse(field_selector), "metadata.name") or ""
    except fields.FieldSelectorError:
        return ""
