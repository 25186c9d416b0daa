"""The URLs of a group and version, what can be done at each, and with which options. Pure.

Models k/apiserver pkg/endpoints APIInstaller.registerResourceHandlers, pkg/endpoints/openapi
GetOperationIDAndTags.
"""

from typing import Any

from kubemini.apiserver.decide.discovery import ALL, Lines, part_of
from kubemini.apiserver.decide.forms.media import JSON, PATCHES, PROTOBUF, SUPPORTED
from kubemini.apiserver.decide.openapi.schemas import META, of_kind, ref

WRITING = ("dryRun", "fieldManager", "fieldValidation")
DELETING = (
    "dryRun",
    "gracePeriodSeconds",
    "ignoreStoreReadErrorWithClusterBreakingPotential",
    "orphanDependents",
    "propagationPolicy",
)
SELECTING = (
    "continue",
    "fieldSelector",
    "labelSelector",
    "limit",
    "resourceVersion",
    "resourceVersionMatch",
    "sendInitialEvents",
    "shardSelector",
    "timeoutSeconds",
)
LISTING = tuple(sorted(("allowWatchBookmarks", "watch", *SELECTING)))
OPTIONS = {  # verb → (method, word in the operation's name, its options, codes of success)
    "list": ("get", "list", LISTING, ("200",)),
    "create": ("post", "create", WRITING, ("200", "201", "202")),
    "deletecollection": ("delete", "deleteCollection", tuple(sorted({*DELETING, *SELECTING})), ("200",)),
    "get": ("get", "read", (), ("200",)),
    "update": ("put", "replace", WRITING, ("200", "201")),
    "delete": ("delete", "delete", DELETING, ("200", "202")),
    "patch": ("patch", "patch", (*WRITING, "force"), ("200", "201")),
}
ACTIONS = {"create": "post", "update": "put"}
OF_A_COLLECTION, OF_AN_OBJECT = ("list", "create", "deletecollection"), ("get", "update", "delete", "patch")
NUMBERS = ("limit", "timeoutSeconds", "gracePeriodSeconds")
SWITCHES = (
    "allowWatchBookmarks",
    "watch",
    "sendInitialEvents",
    "orphanDependents",
    "force",
    "ignoreStoreReadErrorWithClusterBreakingPotential",
)
DELETED_OBJECTS = (  # a DELETE answers the object itself
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Pod",
    "PodTemplate",
    "ResourceQuota",
    "Service",
    "ServiceAccount",
    "StorageClass",
)


def of(api_version: str, lines: Lines) -> dict[str, Any]:
    """Path → what can be done there."""
    root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
    found: dict[str, Any] = {}
    for words in lines:
        if words[0] == api_version:
            found |= _of_resource(root, words)
    return {path: found[path] for path in sorted(found)}


def _of_resource(root: str, words: tuple[str, ...]) -> dict[str, Any]:
    api_version, plural, kind, scope, *_ = words
    facts = dict(word.split("=", 1) for word in words[4:])
    verbs = facts.get("verbs", ALL).split(",")
    spaced = scope == "namespaced"
    collection = f"{root}/namespaces/{{namespace}}/{plural}" if spaced else f"{root}/{plural}"
    found = {}
    if spaced and "list" in verbs:
        found[f"{root}/{plural}"] = _path((), api_version, kind, ["list"], f"{kind}ForAllNamespaces", kind)
    inside = ("namespace",) if spaced else ()
    called = f"Namespaced{kind}" if spaced else kind
    for path, names, can in (
        (collection, inside, OF_A_COLLECTION),
        (f"{collection}/{{name}}", ("name", *inside), OF_AN_OBJECT),
    ):
        there = [verb for verb in can if verb in verbs]
        if there:
            found[path] = _path(names, api_version, kind, there, called, kind)
    for part in facts.get("sub", "").split(","):
        group_version, of_part, doable = part_of(plural, kind, part) if part else ("", "", [])
        if doable and set(doable) <= {"get", "patch", "update"}:
            spoken = group_version or api_version
            name = f"{called}{part.capitalize()}"
            path = f"{collection}/{{name}}/{part}"
            there = [verb for verb in OF_AN_OBJECT if verb in doable]
            found[path] = _path(("name", *inside), api_version, of_part, there, name, of_part, spoken)
    return found


def _path(
    names: tuple[str, ...], api_version: str, kind: str, verbs: list[str], called: str, of: str, spoken: str = ""
) -> dict[str, Any]:
    """What *verbs* do at one path; *spoken*: the group/version of what is spoken of, if it is another."""
    group, _, version = (spoken or api_version).rpartition("/")
    told: dict[str, Any] = {}
    for verb in verbs:
        method, word, options, codes = OPTIONS[verb]
        operation = _operation_id(word, api_version, called)
        one: dict[str, Any] = {"tags": [_tag(api_version)], "operationId": operation}
        if options:
            one["parameters"] = [_option(name) for name in options]
        body = _body(verb, of_kind(spoken or api_version, kind))
        one |= {"requestBody": body} if body else {}
        one["responses"] = _responses(verb, of_kind(spoken or api_version, of), of, codes)
        one["x-kubernetes-action"] = ACTIONS.get(verb, verb)
        one["x-kubernetes-group-version-kind"] = {"group": group, "version": version, "kind": kind}
        told[method] = one
    return told | {"parameters": _common(told, [*(_place(name) for name in names), _option("pretty")])}


def _common(told: dict[str, Any], places: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What all operations take stands at the path, beside its *places*, and no more at each."""
    every = [one.get("parameters", []) for one in told.values()]
    common = [option for option in every[0] if all(option in options for options in every)]
    for one in told.values():
        left = [option for option in one.pop("parameters", []) if option not in common]
        one |= {"parameters": left} if left else {}
    return sorted([*common, *places], key=lambda option: option["name"])


def _operation_id(word: str, api_version: str, called: str) -> str:
    group, _, version = api_version.rpartition("/")
    short = "".join(part.capitalize() for part in (group.removesuffix(".k8s.io") or "core").split("."))
    collection = "Collection" if word == "deleteCollection" else ""
    return f"{word.removesuffix('Collection')}{short}{version.capitalize()}{collection}{called}"


def _tag(api_version: str) -> str:
    group, _, version = api_version.rpartition("/")
    first, *rest = (group.removesuffix(".k8s.io") or "core").split(".")
    return f"{first}{''.join(part.capitalize() for part in rest)}_{version}"


def _option(name: str) -> dict[str, Any]:
    type = "integer" if name in NUMBERS else "boolean" if name in SWITCHES else "string"
    return {"name": name, "in": "query", "schema": {"type": type, "uniqueItems": True}}


def _place(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "uniqueItems": True}}


def _body(verb: str, name: str) -> dict[str, Any] | None:
    if verb in ("create", "update"):
        return {"content": {"*/*": {"schema": ref(name)}}, "required": True}
    if verb in ("delete", "deletecollection"):
        return {"content": {"*/*": {"schema": ref(META + "DeleteOptions")}}}
    if verb == "patch":
        return {"content": {media: {"schema": ref(META + "Patch")} for media in sorted(PATCHES)}, "required": True}
    return None


def _responses(verb: str, name: str, kind: str, codes: tuple[str, ...]) -> dict[str, Any]:
    if verb == "list":
        name += "List"
    elif verb == "deletecollection" or (verb == "delete" and kind not in DELETED_OBJECTS):
        name = META + "Status"
    media = (*SUPPORTED, f"{JSON};stream=watch", f"{PROTOBUF};stream=watch") if verb == "list" else SUPPORTED
    content = {one: {"schema": ref(name)} for one in sorted(media)}
    said = {"200": "OK", "201": "Created", "202": "Accepted"}
    answers: dict[str, Any] = {code: {"description": said[code], "content": content} for code in codes}
    return answers | {"401": {"description": "Unauthorized"}}
