"""Priority and fairness as the server runs it: a request finds its level, sits down, waits, or is sent away.

The queues are a pure machine (decide/fairness); here is who waits, and for how long. A server without it
(`Flags.fairness`) lets everybody in: stories have few clients.
Models k/apiserver pkg/server/filters priorityAndFairnessHandler.Handle; k/apiserver pkg/util/flowcontrol
configController.startRequest.
Simplified: objects are thought to be of one size; a level whose object changes begins anew.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import simpy

from kubemini.api.errors import ApiError
from kubemini.api.kinds import KNOWN, Kind
from kubemini.api.objects import Obj, freeze
from kubemini.apiserver import bootstrap
from kubemini.apiserver.caching import WatchCache
from kubemini.apiserver.decide.access.users import UserInfo
from kubemini.apiserver.decide.fairness import flows, levels, seats
from kubemini.apiserver.decide.fairness.levels import Dropped
from kubemini.apiserver.decide.fairness.queues import Level, Ticket
from kubemini.apiserver.decide.fairness.seats import Work
from kubemini.apiserver.decide.metrics import Labels, Series
from kubemini.apiserver.decide.request import RequestInfo, first
from kubemini.host import Component
from kubemini.sim import Steps
from kubemini.sim.units import SECOND
from kubemini.wire.rpc import happen

GROUP = "flowcontrol.apiserver.k8s.io"
SCHEMA, LEVEL = KNOWN[f"{GROUP}/v1", "FlowSchema"], KNOWN[f"{GROUP}/v1", "PriorityLevelConfiguration"]
TOO_MANY = "Too many requests, please try again later."
SEATS = 600  # --max-requests-inflight 400 and --max-mutating-requests-inflight 200
LONG_SUBRESOURCES = ("attach", "exec", "log", "portforward", "proxy")
MANDATORY = ("exempt", "catch-all")  # schemas and levels that work though nobody has made them yet, or any more
OBJECT = 1000  # bytes that an object has on average


class Fairness:
    """What one incarnation of an API server knows of flows."""

    def __init__(
        self, component: Component, begun: Callable[[Kind], WatchCache | None], cache: Callable[[Kind], WatchCache]
    ):
        self.component, self.begun, self.cache = component, begun, cache
        self.patience = component.net.params.request_timeout // 4
        self.levels: dict[str, Level] = {}
        self.rejected: Counter[Labels] = Counter()
        self._schemas: list[Obj] = []
        self._objects: dict[str, Obj] = {}
        self._dropped: dict[str, Dropped] = {}
        self._waiting: dict[Ticket, simpy.Event] = {}
        self._heard: Any = None

    def configure(self) -> None:
        """Read schemas and levels again if they have changed; before there are any, those that will be made."""
        caches = [self.cache(kind) for kind in (SCHEMA, LEVEL)]
        heard = tuple(cache.revision for cache in caches)
        if heard == self._heard:
            return
        self._heard = heard
        schemas, found = map(_known, caches)
        levels_there = {one["metadata"]["name"] for one in found}
        self._schemas = flows.in_order(
            one for one in schemas if one["spec"]["priorityLevelConfiguration"]["name"] in levels_there
        )
        known = {one["metadata"]["name"]: one for one in found}
        if {name: one["spec"] for name, one in known.items()} != {n: o["spec"] for n, o in self._objects.items()}:
            self.levels = levels.configured(found, SEATS)
        self._objects = known

    def enter(self, info: RequestInfo, user: UserInfo, query: Mapping[str, Any], visit: "Visit") -> Steps:
        """Sit down, perhaps after waiting, until *visit* is over: None, or 429 if there is no room."""
        self.configure()
        schema = flows.schema_of(self._schemas, info, user)
        assert schema is not None, "there is always a schema that catches all"
        name = schema["spec"]["priorityLevelConfiguration"]["name"]
        level = self.levels[name]
        visit.headers += _headers(schema, self._objects[name])
        flow = flows.hashed(schema["metadata"]["name"], flows.distinguisher(schema, info, user))
        ticket = level.arrive(self._work(info, query, name), flow, self.component.sim.now)
        if isinstance(ticket, str):
            return self._refused(name)
        visit.over.append(lambda: self._gone(level, ticket))
        self._seat(level)
        if not ticket.sits:
            event = self._waiting[ticket] = simpy.Event(self.component.sim)
            yield event | self.component.timeout(self.patience)
        return None if ticket.sits else self._refused(name)

    def _work(self, info: RequestInfo, query: Mapping[str, Any], name: str) -> Work:
        """What a request takes."""
        most = levels.most_seats(self._objects[name], self.levels[name].limit)
        cache = self.begun(info.kind) if info.kind is not None else None
        if info.verb in ("list", "watch"):
            asked = first(query, "limit")
            selects = bool(info.label_selector or info.field_selector)
            stored = len(cache.objects) if cache is not None else 0
            limit = int(asked) if asked.isdecimal() else 0
            return Work(seats.bounded(seats.of_list(stored, OBJECT, limit, True, selects, bool(info.name)), most))
        if info.verb in ("create", "update", "patch", "delete") and info.subresource != "token":
            told = cache.audience.interested(info.namespace, info.name) if cache is not None else 0
            return seats.of_write(told, most)
        return Work()

    def _seat(self, level: Level) -> None:
        for ticket in level.seated(self.component.sim.now):
            event = self._waiting.pop(ticket, None)
            if event is not None:
                happen(event, None)

    def _gone(self, level: Level, ticket: Ticket) -> None:
        """Who sat stands up, when all who must hear of his work have; who waited waits no more."""
        self._waiting.pop(ticket, None)
        if not ticket.sits:
            level.leave(ticket, self.component.sim.now)
            return
        level.ran(ticket, self.component.sim.now)
        if ticket.work.more:
            self.component.after(ticket.work.more, self._released, level, ticket)
        else:
            self._released(level, ticket)

    def _released(self, level: Level, ticket: Ticket) -> None:
        level.released(ticket, self.component.sim.now)
        self._seat(level)

    def series(self) -> list[Series]:
        """What /metrics tells of the levels."""
        named = {name: (("priority_level", name),) for name in self.levels}
        pairs = [(named[name], level) for name, level in self.levels.items()]
        prefix, per = "apiserver_flowcontrol_", "of each priority level."
        return [
            Series(f"{prefix}current_limit_seats", "gauge", f"Seats {per}", {key: one.limit for key, one in pairs}),
            Series(
                f"{prefix}current_executing_seats",
                "gauge",
                f"Seats taken {per}",
                {key: one.seats for key, one in pairs},
            ),
            Series(
                f"{prefix}current_inqueue_requests",
                "gauge",
                f"Requests waiting {per}",
                {k: one.waiting for k, one in pairs},
            ),
            Series(f"{prefix}rejected_requests_total", "counter", f"Requests sent away {per}", self.rejected),
        ]

    def _refused(self, name: str) -> ApiError:
        """429: too much of this level is under way."""
        self.rejected[("priority_level", name),] += 1
        again = self._dropped.setdefault(name, Dropped()).note(self.component.sim.now // SECOND)
        details = freeze({"retryAfterSeconds": again})
        return ApiError(429, "TooManyRequests", TOO_MANY, details, plain=True)


@dataclass(slots=True)
class Visit:
    """What comes of a request at its level: *headers* of the answer, and what is to be done when it is *over*."""

    headers: list[tuple[str, str]]
    over: list[Callable[[], None]]


def is_long(info: RequestInfo) -> bool:
    """Whether a request goes on for as long as its client likes, and so takes no seat. A watch sits as it begins."""
    return info.verb == "proxy" or info.subresource in LONG_SUBRESOURCES


def _known(cache: WatchCache) -> list[Obj]:
    """What *cache* holds, and of what will be made all if it holds nothing, else what must be there."""
    items, made = cache.items(), [obj for kind, obj in bootstrap.objects() if kind == cache.kind]
    there = {one["metadata"]["name"] for one in items}
    wanted = [obj["metadata"]["name"] for obj in made] if not items else MANDATORY
    return [
        *items,
        *(obj for obj in made if obj["metadata"]["name"] in wanted and obj["metadata"]["name"] not in there),
    ]


def _headers(schema: Obj, level: Obj) -> list[tuple[str, str]]:
    pairs = (("Flowschema", schema), ("Prioritylevel", level))
    return [(f"X-Kubernetes-Pf-{name}-Uid", obj["metadata"].get("uid", "")) for name, obj in pairs]
