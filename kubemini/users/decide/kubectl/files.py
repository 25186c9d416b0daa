"""Objects out of files: ``-f web.yaml``, ``-f -``; several documents, and lists, are several objects.

Models k/cli-runtime pkg/resource StreamVisitor FileVisitor ExpandPathsToFileVisitors.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from kubemini.apiserver.decide.forms import yamltext
from kubemini.users.decide.kubectl.asking import NO_YAML, Failed, ReadFile, Steps, fail, together
from kubemini.users.decide.kubectl.line import Line
from kubemini.users.decide.kubectl.targets import Info

_PARTS = re.compile(r"^---.*$", re.MULTILINE)
MUST = "must specify one of -f and -k"
NO_KUSTOMIZE = "kustomize is not simulated: write the manifests out, and name them with -f"


def named(line: Line, must: bool = True) -> list[str]:
    """The files that a line names. Raises Failed if it *must* and does not."""
    given = line.given
    if given.values.get("kustomize"):
        raise fail(NO_KUSTOMIZE)
    names = list(given.values.get("filename") or [])
    if must and not names:
        raise fail(MUST)
    return names


def read_all(line: Line, names: list[str]) -> Steps:
    """An `Info` for each object in the files, in order. Raises Failed of all that cannot be read."""
    found, errors = yield from tried(line, names)
    together(errors)
    return found


def tried(line: Line, names: list[str]) -> Steps:
    """What could be read, and the errors of what could not."""
    found: list[Info] = []
    errors: list[Failed] = []
    for name in names:
        text = yield ReadFile(name)
        source = "STDIN" if name == "-" else name
        for obj in _objects(text, source):
            try:
                found.append((yield from _info(line, obj, source)))
            except Failed as problem:
                errors.append(problem)
    return found, errors


def _objects(text: str, source: str) -> list[Any]:
    found: list[Any] = []
    for value in _documents(text, source):
        items = value.get("items") if isinstance(value, dict) else None
        if isinstance(items, list) and str(value.get("kind", "")).endswith("List"):
            found += items
        else:
            found.append(value)
    return found


def _documents(text: str, source: str) -> Iterator[Any]:
    if text.lstrip().startswith("{"):
        try:
            yield json.loads(text)
        except ValueError:
            pass  # YAML may begin so too
        else:
            return
    for part in _PARTS.split(text):
        try:
            value = yamltext.read(part)
        except ImportError:
            raise fail(NO_YAML) from None
        except yamltext.Unreadable as wrong:
            raise fail(f"error parsing {source}: error converting YAML to JSON: {wrong}") from None
        if value != {}:
            yield value


def _info(line: Line, obj: Any, source: str) -> Steps:
    wrong = _misses(obj)
    if wrong:
        raise fail(f'error validating "{source}": error validating data: {wrong}; {IGNORE}')
    resource = yield from line.known.of_kind(str(obj["apiVersion"]), obj["kind"])
    meta = obj.get("metadata") or {}
    unreadable = _unreadable(meta)
    if unreadable:
        raise fail(f'unable to decode "{source}": json: cannot unmarshal {unreadable}')
    if resource is None:
        raise fail(_no_match(obj, meta, source))
    namespace = ""
    if resource.namespaced:
        namespace = meta.get("namespace") or line.namespace
        if line.given["namespace"] and namespace != line.given["namespace"]:
            raise fail(
                f'the namespace from the provided object "{namespace}" does not match the namespace '
                f"\"{line.given['namespace']}\". You must pass '--namespace={namespace}' to perform this operation."
            )
        obj = {**obj, "metadata": {**meta, "namespace": namespace}}
    return Info(resource, namespace, str(meta.get("name") or ""), obj, source)


def _unreadable(meta: Any) -> str:
    """What of an object's head Go cannot read, or nothing."""
    if not isinstance(meta, dict):
        return f"{_json_type(meta)} into Go struct field metadataOnlyObject.metadata of type v1.ObjectMeta"
    for key in ("name", "namespace"):
        if meta.get(key) is not None and not isinstance(meta[key], str):
            return f"{_json_type(meta[key])} into Go struct field ObjectMeta.metadata.{key} of type string"
    for key in ("labels", "annotations"):
        if meta.get(key) is not None and not isinstance(meta[key], dict):
            return f"{_json_type(meta[key])} into Go struct field ObjectMeta.metadata.{key} of type map[string]string"
    return ""


def _json_type(value: Any) -> str:
    names = {bool: "bool", int: "number", float: "number", str: "string", list: "array", dict: "object"}
    return names[type(value)]


def _misses(obj: Any) -> str:
    if not isinstance(obj, dict):
        return "invalid object to validate"
    missing = [
        f"{key} not set" if not obj.get(key) else f"{key} isn't string type"
        for key in ("apiVersion", "kind")
        if not (obj.get(key) and isinstance(obj[key], str))
    ]
    return f"[{', '.join(missing)}]" if len(missing) > 1 else "".join(missing)


IGNORE = "if you choose to ignore these errors, turn validation off with --validate=false"


def _no_match(obj: Any, meta: Any, source: str) -> str:
    return (
        f'resource mapping not found for name: "{meta.get("name", "")}" namespace: "{meta.get("namespace", "")}" '
        f'from "{source}": no matches for kind "{obj["kind"]}" in version "{obj["apiVersion"]}"\n'
        "ensure CRDs are installed first"
    )
