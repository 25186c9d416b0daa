"""``kubectl explain``: the fields of a kind, out of the server's OpenAPI v3.

Models k/kubectl pkg/explain/v2 PrintModelDescription; pkg/cmd/explain ExplainOptions.Run.
Simplified: plain text only.
"""

import re
from typing import Any

from kubemini.users.decide.kubectl.asking import Ask, Failed, Steps, fail, fetched
from kubemini.users.decide.kubectl.discovery import Resource
from kubemini.users.decide.kubectl.flags import BOOL, INT, Flag, Given
from kubemini.users.decide.kubectl.line import Line

FLAGS = (
    Flag("recursive", kind=BOOL),
    Flag("api-version"),
    Flag("output", "o", default="plaintext"),
    Flag("max-depth", kind=INT),
)
GVK = "x-kubernetes-group-version-kind"
SUGGEST = 'Use "kubectl api-resources" for a complete list of supported resources.'


def run(line: Line, given: Given) -> Steps:
    """Explain a kind, or one of its fields."""
    if not given.words:
        raise fail(f"You must specify the type of resource to explain. {SUGGEST}")
    if len(given.words) > 1:
        raise fail("We accept only this format: explain RESOURCE")
    if given["output"] not in ("plaintext", ""):
        raise fail(f"explain --output={given['output']} is not simulated: leave it out")
    resource, path = yield from _split(line, given)
    group = f"apis/{resource.group}/{resource.version}" if resource.group else f"api/{resource.version}"
    root = yield from fetched(Ask("GET", "/openapi/v3"))
    if group not in (root.get("paths") or {}):
        raise fail(f'couldn\'t find resource for "{resource.group}/{resource.version}, Kind={resource.kind}"')
    document = yield from fetched(Ask("GET", f"/openapi/v3/{group}"))
    book = _Book(document, given.on("recursive"), given["max-depth"])
    head = f"GROUP:      {resource.group}\n" if resource.group else ""
    line.screen.out(f"{head}KIND:       {resource.kind}\nVERSION:    {resource.version}\n\n")
    line.screen.out(book.page(resource, path) + "\n")


def _split(line: Line, given: Given) -> Steps:
    """The kind that is meant, and the path to a field: ``deployments.apps.spec`` names a group, too."""
    yield from line.known.load()
    parts = given.words[0].split(".")
    groups = {one.group for one in line.known.resources}
    for end in range(len(parts), 1, -1):
        if ".".join(parts[1:end]) in groups:
            return (yield from _resource(line, given, ".".join(parts[:end]))), parts[end:]
    return (yield from _resource(line, given, parts[0])), parts[1:]


def _resource(line: Line, given: Given, word: str) -> Steps:
    group, _, version = str(given["api-version"]).rpartition("/")
    try:
        return (yield from line.known.find(f"{word}.{version}.{group}" if version else word))
    except Failed as problem:
        raise Failed(str(problem).removeprefix("error: ")) from None


class _Book:
    """One document of OpenAPI, and how much of it is told."""

    def __init__(self, document: Any, recursive: bool, deepest: int):
        self.schemas = (document.get("components") or {}).get("schemas") or {}
        self.recursive, self.deepest = recursive, deepest

    def page(self, resource: Resource, path: list[str]) -> str:
        """What is said of a kind, or of the field at *path*. Raises Failed."""
        wanted = {"group": resource.group, "version": resource.version, "kind": resource.kind}
        found = (one for one in self.schemas.values() if wanted in (one.get(GVK) or []))
        schema = next(found, None)
        if schema is None:
            raise fail(
                f"GVK map[{' '.join(f'{key}:{wanted[key]}' for key in sorted(wanted))}] not found in OpenAPI schema"
            )
        text = self._at(schema, path, {})
        if not text:
            raise fail(f'field "{path[-1]}" does not exist')
        return text

    def _resolved(self, schema: Any) -> Any:
        name = str(schema.get("$ref", "")).rpartition("/")[2]
        return self.schemas.get(name, schema) if name else schema

    def _at(self, schema: Any, path: list[str], seen: dict[str, int]) -> str:
        """The page at *path* below *schema*, "" if there is none."""
        ref, found = str(schema.get("$ref", "")), self._resolved(schema)
        if not path:
            told = self._described(found) or "<empty>"
            text = f"DESCRIPTION:\n{_indented(_wrapped(told, 76), 4)}\n"
            fields = self._fields(found, 1, {})
            return text + (f"FIELDS:\n{fields}" if fields else "")
        if ref and ref in seen:
            return ""
        inside = {**seen, ref: 1}
        properties = found.get("properties") or {}
        if path[0] in properties:
            inner = properties[path[0]]
            head = ""
            if len(path) == 1:
                enum = _enum(inner, -1)
                head = f"FIELD: {path[0]} <{self._type(inner)}>\n{enum}\n\n"
            return head + self._at(inner, path[1:], {})
        if found.get("items"):
            return self._at(found["items"], path, inside)
        if isinstance(found.get("additionalProperties"), dict):
            return self._at(found["additionalProperties"], path, inside)
        return next(filter(None, (self._at(one, path, inside) for one in found.get("allOf") or [])), "")

    def _described(self, schema: Any) -> str:
        """What is said of a schema, and of those that it consists of."""
        found = self._resolved(schema)
        told = f"{found['description']}\n" if found.get("description") else ""
        parts = [*(found.get("allOf") or []), *([found["items"]] if found.get("items") else [])]
        more = found.get("additionalProperties")
        parts += [more] if isinstance(more, dict) else []
        return told + "".join(self._described(one) for one in parts)

    def _fields(self, schema: Any, level: int, seen: dict[str, int]) -> str:
        ref, found = str(schema.get("$ref", "")), self._resolved(schema)
        if ref and ref in seen:
            return ""
        inside = {**seen, ref: 1} if ref else seen
        text = ""
        for name in sorted(found.get("properties") or {}):
            text += self._field(found, name, level)
            if self.recursive and (not self.deepest or level < self.deepest):
                text += self._fields(found["properties"][name], level + 1, inside)
        for one in found.get("allOf") or []:
            text += self._fields(one, level, inside)
        if found.get("items"):
            text += self._fields(found["items"], level, inside)
        if isinstance(found.get("additionalProperties"), dict):
            text += self._fields(found["additionalProperties"], level, inside)
        return text

    def _field(self, schema: Any, name: str, level: int) -> str:
        inner, indent = schema["properties"][name], level * 2
        must = " -required-" if name in (schema.get("required") or []) else ""
        head = f"{' ' * indent}{name}\t<{self._type(inner)}>{must}{_enum(inner, 4, indent)}\n"
        if self.recursive:
            return head
        told = inner.get("description") or "<no description>"
        return f"{head}{_indented(_wrapped(told, 78 - indent), indent + 2)}\n\n"

    def _type(self, schema: Any) -> str:
        """What a person calls its type: ``[]Container``, ``map[string]string``."""
        if schema.get("items"):
            return f"[]{self._type(schema['items'])}"
        if isinstance(schema.get("additionalProperties"), dict):
            return f"map[string]{self._type(schema['additionalProperties'])}"
        if len(schema.get("allOf") or []) == 1 and not schema.get("properties"):
            return self._type(schema["allOf"][0])
        if schema.get("$ref"):
            found = self.schemas.get(str(schema["$ref"]).rpartition("/")[2])
            if found is None or found.get("type", "object") == "object":
                return str(schema["$ref"]).rpartition("/")[2].rpartition(".")[2] or "Object"
            return str(found["type"])
        return "Object" if schema.get("type", "object") == "object" else str(schema["type"])


def _enum(schema: Any, limit: int, indent: int = 0) -> str:
    values = ['""' if one == "" else str(one) for one in schema.get("enum") or []]
    if not values:
        return ""
    if limit < 0:
        return "ENUM:" + "".join(f"\n    {one}" for one in values)
    shown = ", ".join(values[:limit]) + (", ...." if len(values) > limit else "")
    return f"\n{' ' * indent}enum: {shown}"


def _wrapped(text: str, width: int) -> str:
    """Lines of at most *width*, words whole. Models k/kubectl pkg/util/term wrapString"""
    return "\n".join(wrapped for line in text.split("\n") for wrapped in _lines(line, width))


def _lines(text: str, width: int) -> list[str]:
    """*text* in lines; spaces within them stay as they are."""
    found, now = [], ""
    for space, word in re.findall(r"(\s*)(\S+)", text):
        if now and len(now) + len(space) + len(word) > width:
            found.append(now)
            now = word  # the spaces where a line is broken go
        else:
            now = f"{now}{space}{word}"
    return [*found, now]


def _indented(text: str, amount: int) -> str:
    return "\n".join(" " * amount + line for line in text.split("\n"))
