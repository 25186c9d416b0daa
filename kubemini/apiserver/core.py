"""What the handlers of one API server share, and the request that they hand on.

`Core` is one incarnation's memory: it is made at boot and forgotten with the program. It stands below the handlers, so
that they need not know the program, nor it them.
Models k/apiserver pkg/server GenericAPIServer, pkg/endpoints/handlers RequestScope.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kubemini.api.kinds import Kind
from kubemini.api.objects import Obj
from kubemini.apiserver.caching import ADDED, DELETED, MODIFIED, WatchCache
from kubemini.apiserver.customs.definitions import DEFINITION, Definitions
from kubemini.apiserver.decide.access.users import NOBODY, UserInfo
from kubemini.apiserver.decide.attributes import Witness, unseen
from kubemini.apiserver.decide.forms.media import JSON, PLAIN, Accepted
from kubemini.apiserver.decide.options import Options
from kubemini.apiserver.decide.request import RequestInfo
from kubemini.apiserver.flags import Flags
from kubemini.apiserver.gate.access import Access
from kubemini.apiserver.gate.counted import Counted
from kubemini.apiserver.gate.fairness import Fairness
from kubemini.apiserver.health import Health
from kubemini.apiserver.served import notable, of
from kubemini.apiserver.storage import Storage, Written
from kubemini.etcd.client import EtcdClient
from kubemini.host import Component
from kubemini.sim import Sim
from kubemini.wire import Call


@dataclass(slots=True)
class Request:
    """One request on its way down the chain; *info*, *options* and *warnings* are filled in by handlers.

    *taken*: etcd keys of addresses that its writes have found to be others'; *unserved*: by what is known, a Service
    cannot have what it needs.
    """

    call: Call
    verb: str
    path: str
    query: Mapping[str, Any]
    body: Any
    user: UserInfo = NOBODY
    method: str = ""  # of HTTP; a program of the simulation may leave it out
    headers: Mapping[str, str] = field(default_factory=dict)  # lower-case names
    certificate: UserInfo | None = None  # the user that TLS has verified
    uri: str = ""  # path and query, as they came
    media: str = JSON  # what the body is
    late: Callable[[], None] = lambda: None  # what is to be done when its time is over
    closing: list[Callable[[], None]] = field(default_factory=list)  # to be done when it is over
    created: bool = False  # something new is there: 201
    accepted: Accepted = PLAIN  # the form of the answer
    answer_headers: list[tuple[str, str]] = field(default_factory=list)
    info: RequestInfo = field(default_factory=lambda: RequestInfo("", ""))
    options: Options = field(default_factory=Options)
    warnings: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    unserved: bool = False
    answers: dict[Any, tuple[Any, list[str]]] = field(default_factory=dict)  # of webhooks (admitting.Unasked.key)
    claimed: Obj | None = None  # the Service as it would be, with all that it would hold
    witness: Witness = unseen  # told of every step
    audit: Any = None  # what is told of it (audit.log.Audited), if anybody wants to hear

    @property
    def kind(self) -> Kind:
        """What it speaks of; whoever asks for no kind has been refused before."""
        assert self.info.kind is not None, "a request without a kind has been refused before"
        return self.info.kind


class Core:
    """The parts of one incarnation of an API server that reads and writes etcd through *etcd_endpoints*."""

    def __init__(self, component: Component, etcd_endpoints: list[str], flags: Flags):
        self.flags = flags
        self.component, self.params = component, component.net.params
        self.caches: dict[tuple[str, str], WatchCache] = {}
        self.etcd_endpoints = etcd_endpoints
        self.clients: dict[str, EtcdClient] = {}
        self.health = Health(component, etcd_endpoints)
        self.storage = Storage(component, self.etcd)
        self.definitions = Definitions(component, self.storage, self.cache, self.forget, flags.webhooks)
        self.access = Access(component, flags, self.cache)
        self.fairness = Fairness(component, self.begun, self.cache)
        self.counted = Counted()
        self.goaways = self.sim.rng(f"goaways/{component.name}/{component.incarnation}")
        self.audits = self.sim.rng(f"audits/{component.name}/{component.incarnation}")
        self.rng = self.sim.rng(f"names/{component.name}/{component.incarnation}")

    @property
    def sim(self) -> Sim:
        """The simulation, by the clock of this server."""
        return self.component.sim

    def etcd(self, kind: Kind) -> EtcdClient:
        """The client of etcd that reads and writes *kind*."""
        found = self.clients.get(kind.kind)
        if found is None:
            found = self.clients[kind.kind] = EtcdClient(self.component, self.etcd_endpoints, kind.plural)
        return found

    def cache(self, kind: Kind) -> WatchCache:
        """The watch cache of *kind*, begun if need be."""
        if self.begun(kind) is None:
            made = WatchCache(self.component, self.etcd(kind), self.storage, kind)
            self.caches[kind.api_version, kind.kind] = made
            made.on_news = self.definitions.heard if kind == DEFINITION else None
        return self.caches[kind.api_version, kind.kind]

    def begun(self, kind: Kind) -> WatchCache | None:
        """The watch cache of *kind*, if somebody has begun it."""
        return self.caches.get((kind.api_version, kind.kind))

    def forget(self, kind: Kind) -> None:
        """There is no such kind any more, or it is another: its watches end."""
        cache = self.caches.pop((kind.api_version, kind.kind), None)
        if cache is not None:
            cache.stop()

    def tell(self, kind: Kind, done: Written) -> None:
        """Into the trace: what was written, unless it is only a sign of life."""
        if not done.changed or not (done.removed or notable(kind, done.old, done.new)):
            return
        meta = done.new["metadata"]
        self.sim.record(
            self.component.name,
            "object",
            verb=DELETED if done.removed else MODIFIED if done.old else ADDED,
            kind=kind.kind,
            namespace=meta.get("namespace", ""),
            name=meta["name"],
            revision=int(meta["resourceVersion"]),
            summary=of(kind).summary(done.new),
        )
