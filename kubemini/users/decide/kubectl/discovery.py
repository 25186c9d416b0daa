"""Which resources a server has, and which of them a word means: ``deploy``, ``pods.v1.``, ``Node``.

Invariant: what is known is asked for once; a word that fits nothing makes it be asked for again.
Models k/client-go restmapper DeferredDiscoveryRESTMapper shortcutExpander; k/apimachinery pkg/api/meta
DefaultRESTMapper.ResourcesFor; k/cli-runtime pkg/resource Builder.mappingFor.
"""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from kubemini.users.decide.kubectl.asking import Ask, Steps, fail, fetched

AGGREGATED = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"
)


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of one version, and how it is asked for."""

    group: str
    version: str
    name: str
    kind: str
    singular: str
    namespaced: bool
    short: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def called(self) -> str:
        """``deployments.apps``."""
        return f"{self.name}.{self.group}" if self.group else self.name

    @property
    def titled(self) -> str:
        """``deployment.apps``: what stands before the names of its objects."""
        return f"{self.kind.lower()}.{self.group}" if self.group else self.kind.lower()

    def path(self, namespace: str = "", name: str = "", part: str = "") -> str:
        """The path of the URL."""
        words = ["/apis", self.group, self.version] if self.group else ["/api", self.version]
        words += ["namespaces", namespace] if self.namespaced and namespace else []
        words += [self.name, *(quote(one, safe=":") for one in (name, part) if one)]
        return "/".join(words)


@dataclass(slots=True)
class Known:
    """What one user knows of a server."""

    resources: list[Resource] = field(default_factory=list)
    preferred: list[Resource] = field(default_factory=list)
    told: list[str] = field(default_factory=list)  # what one line has to say of a word that it was given

    def load(self, anew: bool = False) -> Steps:
        """Ask, unless that has been done; what was known stands until all is answered."""
        if self.resources and not anew:
            return
        groups: list[Any] = []
        for path in ("/api", "/apis"):
            found = yield from fetched(Ask("GET", path, accept=AGGREGATED))
            groups += found.get("items") or []
        self.resources, self.preferred = [], []
        for group in groups:
            self._add(group)

    def _add(self, group: Any) -> None:
        name = group.get("metadata", {}).get("name", "")
        seen: set[str] = set()
        for version in group.get("versions") or []:
            for one in version.get("resources") or []:
                made = _resource(name, version["version"], one)
                self.resources.append(made)
                if made.name not in seen:
                    self.preferred.append(made)
                seen.add(made.name)

    def find(self, word: str) -> Steps:
        """The `Resource` that *word* means. Raises Failed."""
        yield from self.load()
        found = self._find(word)
        if found is None:
            yield from self.load(anew=True)
            found = self._find(word)
        if found is None:
            raise _unknown(word)
        return found

    def of_kind(self, api_version: str, kind: str) -> Steps:
        """The `Resource` of objects that say so of themselves, or None."""
        yield from self.load()
        found = self._of_kind(api_version, kind)
        if found is None:
            yield from self.load(anew=True)
            found = self._of_kind(api_version, kind)
        return found

    def in_category(self, word: str) -> list[Resource]:
        """The resources of a category such as ``all``."""
        return [one for one in self.preferred if word in one.categories]

    def _of_kind(self, api_version: str, kind: str) -> Resource | None:
        return next((one for one in self.resources if (one.api_version, one.kind) == (api_version, kind)), None)

    def _find(self, word: str) -> Resource | None:
        parts = word.lower().split(".", 2)
        if len(parts) == 3:
            found = self._fitting(parts[0], parts[2], parts[1], exactly=True)
            if found:
                return found
        name, _, group = word.lower().partition(".")
        return self._fitting(name, group, "") or self._by_kind(word)

    def _fitting(self, word: str, group: str, version: str, exactly: bool = False) -> Resource | None:
        there = self.resources if version else self.preferred
        named = [one for one in there if word in (one.name, one.singular)]
        shortened = [one for one in there if word in one.short]
        for other in {one.called: one for one in shortened}.values() if not named and not group else ():
            if other.called != shortened[0].called:
                self._tell(f'short name "{word}" could also match lower priority resource {other.called}')
        named += shortened
        if version:
            named = [one for one in named if one.version == version]
        if not group and not exactly:
            return next(iter(named), None)
        whole = [one for one in named if one.group == group]
        near = [] if exactly else [one for one in named if one.group.startswith(group)]
        return next(iter(whole or near), None)

    def _tell(self, text: str) -> None:
        if text not in self.told:
            self.told.append(text)

    def _by_kind(self, word: str) -> Resource | None:
        kind, _, group = word.partition(".")
        there = (one for one in self.preferred if one.kind == kind and one.group == group)
        return next(there, None)


def _resource(group: str, version: str, one: Any) -> Resource:
    return Resource(
        group,
        version,
        one["resource"],
        (one.get("responseKind") or {}).get("kind", ""),
        one.get("singularResource") or "",
        one.get("scope") == "Namespaced",
        tuple(one.get("shortNames") or ()),
        tuple(one.get("verbs") or ()),
        tuple(one.get("categories") or ()),
        tuple(part["subresource"] for part in one.get("subresources") or ()),
    )


def _unknown(word: str) -> Exception:
    name, _, group = word.partition(".")
    where = f' in group "{group}"' if group else ""
    return fail(f'the server doesn\'t have a resource type "{name}"{where}')
