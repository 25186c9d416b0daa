"""Which objects the words behind a verb mean: ``pods``, ``pod a b``, ``deploy/web svc/web``, ``-l app=web``, ``-f``.

Models k/cli-runtime pkg/resource Builder.
"""

from dataclasses import dataclass
from typing import Any

from kubemini.api import labels
from kubemini.users.decide.kubectl.asking import Ask, Failed, Refused, Steps, fail, fetched, together
from kubemini.users.decide.kubectl.discovery import Resource
from kubemini.users.decide.kubectl.flags import ARRAY, BOOL, INT, Flag
from kubemini.users.decide.kubectl.line import Line, with_kinds

FILES = (Flag("filename", "f", kind=ARRAY), Flag("kustomize", "k"), Flag("recursive", "R", BOOL))
SELECTOR = (Flag("selector", "l"),)
FIELDS = (Flag("field-selector"),)
EVERYWHERE = (Flag("all-namespaces", "A", BOOL),)
CHUNKS = (Flag("chunk-size", kind=INT, default=500),)
MISSING = (
    "You must provide one or more resources by argument or filename.\nExample resource specifications include:\n"
    "   '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   '<resource> <name>'\n   '<resource>'"
)
NO_SLASH = (
    "there is no need to specify a resource type as a separate argument when passing arguments in resource/name form "
    "(e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource resource/<resource_name>'"
)


@dataclass(frozen=True, slots=True)
class Info:
    """One object that is meant, or, without a *name*, all of one resource. *obj*: as it was read, or written."""

    resource: Resource
    namespace: str
    name: str = ""
    obj: Any = None
    source: str = ""

    @property
    def path(self) -> str:
        return self.resource.path(self.namespace, self.name)

    @property
    def called(self) -> str:
        """``deployment.apps/web``."""
        return f"{self.resource.titled}/{self.name}"


@dataclass(frozen=True, slots=True)
class Targets:
    """*bulk*: whole resources by selectors; *single*: just one object is meant."""

    infos: list[Info]
    bulk: bool = False
    single: bool = False
    query: tuple[tuple[str, str], ...] = ()


def meant(line: Line, words: list[str], all_if_none: bool = False, everything: bool = False) -> Steps:
    """The `Targets` of *words* and the selectors of *line*; *all_if_none*: a type alone means all of it."""
    given = line.given
    if not words:
        raise fail(MISSING)
    if not any("/" in word for word in words):
        yield from line.known.load()
        words = [_replaced(line, word) for word in words]
    words = _normalized(words)
    query = _query(given, everything)
    if _combined(words):
        if query is not None:
            raise fail("selectors and the all flag cannot be used when passing resource/name arguments")
        return (yield from _by_tuple(line, words))
    types = list(dict.fromkeys(words[0].split(",")))
    if len(words) > 1:
        if query is not None:
            raise fail("name cannot be provided when a selector is specified")
        resource = yield from line.find(types[0])
        infos = [_named(line, resource, name) for name in words[1:]]
        return Targets(infos, single=len(infos) == 1)
    if query is None and not all_if_none:
        for one in types:
            yield from line.known.find(one)
        raise fail("resource(s) were provided, but no name was specified")
    return (yield from _by_type(line, types, query or ()))


def _by_type(line: Line, types: list[str], query: tuple[tuple[str, str], ...]) -> Steps:
    everywhere = line.given.values.get("all-namespaces")
    found: dict[str, Info] = {}
    for one in types:
        resource = yield from line.find(one)
        namespace = "" if everywhere or not resource.namespaced else line.namespace
        found.setdefault(resource.called, Info(resource, namespace))
    return Targets(list(found.values()), bulk=True, query=query)


def _by_tuple(line: Line, words: list[str]) -> Steps:
    infos = []
    for word in words:
        parts = word.split("/")
        if len(parts) != 2:
            raise fail("arguments in resource/name form may not have more than one slash")
        if not all(parts) or "," in parts[0]:
            raise fail("arguments in resource/name form must have a single resource and name")
        resource = yield from line.find(parts[0])
        infos.append(_named(line, resource, parts[1]))
    return Targets(infos, single=len(infos) == 1)


def _named(line: Line, resource: Resource, name: str) -> Info:
    if not name:
        raise fail("resource name may not be empty")
    if resource.namespaced and line.given.values.get("all-namespaces"):
        raise fail("a resource cannot be retrieved by name across all namespaces")
    return Info(resource, line.namespace if resource.namespaced else "", name)


def _query(given: Any, everything: bool) -> tuple[tuple[str, str], ...] | None:
    chosen, fields = given.values.get("selector") or "", given.values.get("field-selector") or ""
    if not (chosen or fields or everything):
        return None
    return (*((("labelSelector", chosen),) if chosen else ()), *((("fieldSelector", fields),) if fields else ()))


def _replaced(line: Line, word: str) -> str:
    """Types with each category, such as ``all``, as the resources that are in it."""
    parts = [[one.called for one in line.known.in_category(part)] or [part] for part in word.split(",")]
    return ",".join(one for part in parts for one in part)


def _normalized(words: list[str]) -> list[str]:
    types = list(dict.fromkeys(words[0].split(",")))
    if len(words) < 2 or len(types) < 2:
        return words
    return [f"{type}/{name}" for type in types for name in words[1:]]


def _combined(words: list[str]) -> bool:
    slashes = sum("/" in word for word in words)
    if slashes and slashes != len(words):
        raise fail(NO_SLASH)
    return slashes > 0


def fetched_all(line: Line, targets: Targets) -> Steps:
    """Each object that is meant, as it is now. Raises Failed of those that could not be read, after all were tried."""
    found, errors = yield from tried(line, targets)
    together(errors)
    return found


def tried(line: Line, targets: Targets) -> Steps:
    """Each object that is meant, and the errors of those that could not be read."""
    found: list[Info] = []
    errors: list[Failed] = []
    for info in targets.infos:
        try:
            if targets.bulk:
                items = yield from listed(line, info, targets.query)
                found += [of_object(info.resource, item) for item in items]
            else:
                obj = yield from fetched(Ask("GET", info.path))
                found.append(Info(info.resource, info.namespace, info.name, obj))
        except Failed as problem:
            errors.append(problem)
            if not isinstance(problem, Refused):
                break
    return found, errors


def selector_of(selector: Any) -> str:
    """The selector of an object, as a query has it: ``app=web,tier in (a,b)``."""
    return str(labels.from_object(selector))


def of_object(resource: Resource, obj: Any) -> Info:
    """An object as something that is meant."""
    meta = obj.get("metadata") or {}
    return Info(resource, meta.get("namespace", ""), meta.get("name", ""), obj)


def listed(line: Line, info: Info, query: tuple[tuple[str, str], ...]) -> Steps:
    """All objects of one resource that the selectors mean, in chunks."""
    items: list[Any] = []
    limit = (("limit", str(line.given.values.get("chunk-size", 500) or 500)),)
    more: tuple[tuple[str, str], ...] = ()
    while True:
        try:
            found = yield from fetched(Ask("GET", info.path, (*query, *limit, *more)))
        except Refused as problem:
            raise of_selection(problem, info, query) from None
        items += with_kinds(found)
        token = (found.get("metadata") or {}).get("continue")
        if not token:
            return items
        more = (("continue", token),)


def of_selection(problem: Refused, info: Info, query: tuple[tuple[str, str], ...]) -> Refused:
    """A refused list says what was to be found."""
    if problem.reason not in ("BadRequest", "NotFound"):
        return problem
    one, said = info.resource, dict(query)
    where = f"{one.group}/{one.version}, Resource={one.name}"
    chosen, fields = said.get("labelSelector", ""), said.get("fieldSelector", "")
    what = f'Unable to list "{where}"'
    if chosen or fields:
        what = f'Unable to find "{where}" that match label selector "{chosen}", field selector "{fields}"'
    return Refused({**problem.said, "message": f"{what}: {problem.message}"})
