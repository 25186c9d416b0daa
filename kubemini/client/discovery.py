"""Discovery: which kinds an API server has that this program was not built with, and when to ask again.

Theory of operation. A program knows the kinds of Kubernetes. Others are defined while it runs; it finds them by asking
every 30 s. An answer is worth something only if it differs from the last one, and it can differ only
after an API server has heard of a definition: so the question is asked at the first instant of that grid after such
news (`Network.watchers`), and none is asked where nothing was ever defined.
Invariant: whoever listens hears each kind come once and go once, at the same instant as all others.
Models k/client-go discovery ServerPreferredResources, k/k pkg/controller/garbagecollector GarbageCollector.Sync,
k/k pkg/controller/resourcequota Controller.Sync.
Simplified: the collector, the quotas and the mapping of kinds to URLs share one look; each has its own upstream.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from kubemini.api.kinds import KNOWN, Kind, by_resource
from kubemini.client.client import ApiClient
from kubemini.sim import Steps
from kubemini.sim.units import SECOND

DEFINITION = KNOWN["apiextensions.k8s.io/v1", "CustomResourceDefinition"]
FORM = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
NEEDED = {"delete", "list", "watch"}
PERIOD = 30 * SECOND  # fixed: startGarbageCollectorController, startResourceQuotaController


class Found(NamedTuple):
    """``preferred``: one version of each kind that can be listed, watched and deleted; ``all``: each version."""

    preferred: tuple[Kind, ...] = ()
    all: tuple[Kind, ...] = ()


def kinds_of(told: Mapping[str, Any]) -> Found:
    """The kinds in an APIGroupDiscoveryList that no program knows of itself; the first version told is preferred."""
    preferred: dict[tuple[str, str], Kind] = {}
    every: list[Kind] = []
    for group in told["items"]:
        name = group["metadata"].get("name", "")
        for version in group["versions"]:
            for one in version.get("resources") or ():
                kind = _kind(name, version["version"], one)
                if by_resource(name, kind.version, kind.plural) is None:
                    every.append(kind)
                    if set(one["verbs"]) >= NEEDED:
                        preferred.setdefault((name, kind.plural), kind)
    return Found(tuple(preferred.values()), tuple(every))


def _kind(group: str, version: str, one: Mapping[str, Any]) -> Kind:
    """A resource of discovery as a kind; where etcd keeps it is nobody's business here."""
    return Kind(
        group,
        version,
        one["responseKind"]["kind"],
        one["resource"],
        one.get("singularResource", ""),
        tuple(one.get("shortNames") or ()),
        one["scope"] == "Namespaced",
        "",
        tuple(one.get("categories") or ()),
    )


def discover(client: ApiClient) -> Steps:
    """Ask now: (Found, None) or (nothing, error). Where nothing was ever defined, nobody is asked."""
    if DEFINITION.kind not in client.component.sim.ever:
        return Found(), None
    reply = yield from client.request("GET", "/apis", headers={"accept": FORM})
    return (kinds_of(reply.value), None) if reply.ok else (Found(), reply.error)


Listener = Callable[[Iterable[Kind], Iterable[Kind]], None]


class Discovery:
    """What is defined, as far as this program knows; *listeners* hear (kinds that came, kinds that went)."""

    def __init__(self, client: ApiClient):
        self.client, self.component = client, client.component
        self.found = Found()
        self.listeners: list[Listener] = []
        self._begun: int | None = None  # the first look
        self._armed = False

    def start(self) -> None:
        """Look for the first time."""
        self._begun = self.component.sim.now
        self._look()

    def news(self) -> None:
        """Something may be there that was not before: look when it is time to."""
        if self._begun is None or self._armed or DEFINITION.kind not in self.component.sim.ever:
            return
        self._armed = True
        self.component.after(PERIOD - (self.component.sim.now - self._begun) % PERIOD, self._look)

    def find(self, api_version: str, kind: str) -> Kind | None:
        """The kind that objects of that apiVersion and kind are of, if it is defined."""
        return next((one for one in self.found.all if (one.api_version, one.kind) == (api_version, kind)), None)

    def _look(self) -> None:
        self._armed = False
        self.component.spawn(self._ask())

    def _ask(self) -> Steps:
        found, error = yield from discover(self.client)
        if error is not None:
            self.news()
            return
        before, self.found = self.found, found
        came = [kind for kind in found.preferred if kind not in before.preferred]
        went = [kind for kind in before.preferred if kind not in found.preferred]
        if found != before:
            for listener in self.listeners:
                listener(came, went)
