"""Which rule takes a URL: every path of an Ingress, or every match of HTTPRoutes, with what became of it and why.

Theory of operation. `rows` makes a flat list of what could decide, in the order that breaks ties. `judged` puts one
request to each: it does not fit, it fits and another goes before it, or it decides; and says why in one line. The
deciders of `network.decide.routing` are the judges of this; the widget asks the same in JavaScript (static/urls), and
tests hold all three together.
Simplified: one Gateway with one listener without a hostname; no GRPCRoutes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from kubemini.api.objects import Obj, get
from kubemini.network.decide.routing import ingress
from kubemini.network.decide.routing.exchange import Request, host_rank, most_specific
from kubemini.network.decide.routing.ingress import age
from kubemini.network.decide.routing.listeners import place
from kubemini.network.decide.routing.matches import EVERYTHING, REGEX, fits, headers, parameters, path_fits

INGRESS, HTTP_ROUTE = "Ingress", "HTTPRoute"
DECIDES, LOST, NO = "decides", "lost", "no"
EXACT, PREFIX, DEFAULT = "Exact", "PathPrefix", "default"


@dataclass(frozen=True, slots=True)
class Row:
    """One path or match that could decide; *hosts* are patterns, "" for all; *kind*: of its path, or default."""

    where: str
    to: str
    hosts: tuple[str, ...] = ("",)
    kind: str = PREFIX
    path: str = "/"
    method: str = ""
    headers: tuple[Obj, ...] = ()
    query: tuple[Obj, ...] = ()


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a row: decides, lost or no; and why, in words."""

    fate: str
    why: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of a reader: a URL without its scheme, a method, headers."""

    url: str
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def request(self) -> Request:
        """As the deciders read it."""
        parts = urlsplit(f"//{self.url}")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return Request(parts.netloc, target, self.method, self.headers)


def rows(objects: Iterable[Obj], api: str) -> list[Row]:
    """What could decide among *objects* of one *api*, the first of equals first."""
    found = [obj for obj in objects if obj["kind"] == api]
    if api == INGRESS:
        return _of_ingresses(found)
    return [row for route in sorted(found, key=age) for row in _of_route(route)]


def _of_ingresses(found: list[Obj]) -> list[Row]:
    made = [
        Row(p.where, _service(p.backend), (p.host,), EXACT if p.type == EXACT else PREFIX, p.path)
        for p in ingress.paths(found)
    ]
    for obj in sorted(found, key=age):
        if backend := get(obj, "spec", "defaultBackend"):
            made.append(Row(f"ingress {'/'.join(place(obj))} defaultBackend", _service(backend), kind=DEFAULT))
    return made


def _service(backend: Obj) -> str:
    return get(backend, "service", "name") or "a resource"


def _of_route(route: Obj) -> Iterable[Row]:
    hosts = tuple(get(route, "spec", "hostnames") or ("",))
    for number, rule in enumerate(get(route, "spec", "rules") or ({},)):
        for which, match in enumerate(rule.get("matches") or ({},)):
            path = match.get("path") or EVERYTHING["path"]
            yield Row(
                f"httproute {'/'.join(place(route))} rules[{number}].matches[{which}]",
                _shares(rule),
                hosts,
                path.get("type") or PREFIX,
                path.get("value") or "/",
                match.get("method") or "",
                tuple(headers(match)),
                tuple(parameters(match)),
            )


def _shares(rule: Obj) -> str:
    refs = rule.get("backendRefs") or ()
    if any(one["type"] == "RequestRedirect" for one in rule.get("filters") or ()):
        return "a redirect"
    if len(refs) < 2:
        return refs[0]["name"] if refs else "nobody"
    return ", ".join(f"{ref['name']} {ref.get('weight', 1)}" for ref in refs)


def judged(found: Sequence[Row], api: str, asked: Asked) -> list[Fate]:
    """What becomes of each row, in order; none decides: 404."""
    request, labels = asked.request, ingress.ONE_LABEL if api == INGRESS else 0
    hosts = [most_specific(row.hosts, request.hostname, labels) for row in found]
    best_host = most_specific([host for host in hosts if host is not None], request.hostname, labels)
    fates = [_misfit(row, host, request, api, best_host) for row, host in zip(found, hosts, strict=True)]
    ranks = [_rank(row, host, api) for row, host in zip(found, hosts, strict=True)]
    fitting = [n for n, why in enumerate(fates) if not why]
    if not fitting:
        return [Fate(NO, why) for why in fates]
    winner = max(fitting, key=lambda n: tuple(value for value, _ in ranks[n]))  # the first of equals
    return [
        Fate(NO, why) if why else Fate(DECIDES, "") if n == winner else Fate(LOST, _lost(ranks[n], ranks[winner]))
        for n, why in enumerate(fates)
    ]


def _misfit(row: Row, host: str | None, request: Request, api: str, best: str | None) -> str:
    """Why *row* does not fit, or ""."""
    if row.kind == DEFAULT:
        return ""
    if host is None:
        return f"the host is not {' or '.join(row.hosts)}"
    if api == INGRESS and host != best:
        return f"rules for {best} are asked alone"
    if not path_fits({"type": row.kind, "value": row.path}, request.path):
        words = {EXACT: "is not", REGEX: "does not fit"}
        return f"the path {words.get(row.kind, 'is not below')} {row.path}"
    if row.method and row.method != request.method:
        return f"the method is not {row.method}"
    for want in row.headers:
        if not fits(want, request.header(want["name"])):
            return f"the header {want['name']} is not {want['value']}"
    for want in row.query:
        if not fits(want, request.query.get(want["name"])):
            return f"the parameter {want['name']} is not {want['value']}"
    return ""


Rank = tuple[tuple[Any, str], ...]


def _rank(row: Row, host: str | None, api: str) -> Rank:
    """What is compared, the first first, and in which words a lower one has lost."""
    of_host = (host_rank(host or ""), "its host is less specific")
    length = (len(row.path), "its path is shorter")
    if api == INGRESS:
        given = (row.kind != DEFAULT, "it is for what no rule takes")
        return given, of_host, length, (row.kind == EXACT, "Exact goes before Prefix")
    sort = ({EXACT: 2, REGEX: 1}.get(row.kind, 0), "Exact goes before regular expressions, and these before prefixes")
    return (
        of_host,
        sort,
        length,
        (bool(row.method), "the other names a method"),
        (len(row.headers), "the other names more headers"),
        (len(row.query), "the other names more parameters"),
    )


def _lost(rank: Rank, winner: Rank) -> str:
    why = next((words for (mine, words), (other, _) in zip(rank, winner, strict=True) if mine != other), "")
    return why or "it is the same, and comes later"


def told(found: Sequence[Row], api: str, asked: Asked) -> str:
    """A URL and what took it, as text."""
    fates = judged(found, api, asked)
    chosen = next((row for row, fate in zip(found, fates, strict=True) if fate.fate == DECIDES), None)
    sent = "".join(f" {name}: {value}" for name, value in asked.headers.items())
    what = f"{asked.method} {asked.url}{sent}"
    return f"{what}: {chosen.to}, {chosen.where}" if chosen else f"{what}: 404, no rule"
