"""One line as it is carried out: its flags, what it knows of the server, and what it prints.

Every verb is a function of a `Line`; what several of them need stands here.
Models k/cli-runtime pkg/resource Helper.Get Helper.List Helper.Patch.
"""

from dataclasses import dataclass, field
from typing import Any

from kubemini.users.decide.kubectl.asking import JSON, Ask, Screen, Steps, fetched
from kubemini.users.decide.kubectl.discovery import Known, Resource
from kubemini.users.decide.kubectl.flags import Given

CREATE, PATCH_MANAGER = "kubectl-create", "kubectl-patch"


@dataclass(slots=True)
class Line:
    """*server*: the URL that a kubeconfig would name; *given*: what was written behind the verb."""

    screen: Screen
    known: Known
    server: str
    given: Given = field(default_factory=Given)

    @property
    def namespace(self) -> str:
        """The one that is asked of, ``default`` if none is named."""
        return str(self.given["namespace"] or "default")

    @property
    def now(self) -> int:
        """The clock of whoever types (µs)."""
        return self.screen.now

    def find(self, word: str) -> Steps:
        """The resource that *word* means, and what is to be said of that word. Raises Failed."""
        known = self.known
        known.told.clear()
        found = yield from known.find(word)
        for text in known.told:
            self.screen.complain(f"Warning: {text}")
        return found

    def get(self, resource: Resource, name: str, namespace: str | None = None, part: str = "") -> Steps:
        """One object. Raises Refused."""
        where = self.namespace if namespace is None else namespace
        return (yield from fetched(Ask("GET", resource.path(where, name, part))))

    def list(self, resource: Resource, namespace: str, *query: tuple[str, str]) -> Steps:
        """The items of a list, each with its kind, in chunks. Raises Refused."""
        found = yield from fetched(Ask("GET", resource.path(namespace), (*query, ("limit", "500"))))
        items = with_kinds(found)
        while token := (found.get("metadata") or {}).get("continue"):
            more = (*query, ("limit", "500"), ("continue", token))
            found = yield from fetched(Ask("GET", resource.path(namespace), more))
            items += with_kinds(found)
        return items

    def send(self, method: str, path: str, body: Any = None, query: Any = (), type: str = "") -> Steps:
        """One write; the object that came back. Raises Refused."""
        return (yield from fetched(Ask(method, path, tuple(query), body, type or JSON)))


def with_kinds(found: Any) -> list[Any]:
    """The items of a list, which do not say what they are, as objects that do."""
    kind, version = str(found.get("kind", "")).removesuffix("List"), found.get("apiVersion", "")
    return [{"kind": kind, "apiVersion": version, **item} for item in found.get("items") or []]


def in_namespace(resource: Resource, namespace: str) -> str:
    """How a deletion names the place: `` from default namespace``."""
    return f" from {namespace} namespace" if resource.namespaced and namespace else ""
