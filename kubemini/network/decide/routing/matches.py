"""Matches of HTTPRoutes and GRPCRoutes, and which of those that fit wins. Pure.

Invariant: the order is total: hostname, then path (Exact, then the longest), method, number of headers, number of
query parameters; then the oldest route, the first by namespace and name, the first rule of it.
Of header or query names that repeat in one match only the first counts.
Models kubernetes-sigs/gateway-api apis/v1 HTTPRouteRule, HTTPRouteMatch, HTTPHeaderMatch, GRPCRouteMatch
A regular expression must fit the whole text and stands between Exact and prefixes (both left to implementations).
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from kubemini.api.objects import Obj, get
from kubemini.network.decide.routing.exchange import Request, has_prefix, host_rank, most_specific
from kubemini.network.decide.routing.ingress import age
from kubemini.network.decide.routing.listeners import Listener, hostnames, place

REGEX = "RegularExpression"
EVERYTHING: Obj = {"path": {"type": "PathPrefix", "value": "/"}}


class Match(NamedTuple):
    """A match that fits a request: the route, its rule, and the rank that decides between several."""

    route: Obj
    number: int
    rule: Obj
    match: Obj
    where: str
    rank: tuple[Any, ...]

    @property
    def prefix(self) -> str:
        """What a rewrite of the prefix replaces."""
        path = self.match.get("path") or EVERYTHING["path"]
        return path.get("value") or "/" if _type(path, "PathPrefix") == "PathPrefix" else ""


def _type(match: Obj, default: str = "Exact") -> str:
    return match.get("type") or default


def best(routes: Iterable[Obj], listener: Listener, request: Request) -> Match | None:
    """The match that decides about *request* at *listener*; None if no route of *routes* has one."""
    found = fitting(routes, listener, request)
    return max(found, key=lambda m: m.rank, default=None)  # the first of equals: it is asked for in order


def fitting(routes: Iterable[Obj], listener: Listener, request: Request) -> Iterator[Match]:
    """Every match that fits, routes in order of age."""
    for route in sorted(routes, key=age):
        host = most_specific(hostnames(route, listener), request.hostname)
        if host is None:
            continue
        grpc = route["kind"] == "GRPCRoute"
        for number, rule in enumerate(get(route, "spec", "rules") or ({},)):
            for place_, match in enumerate(rule.get("matches") or ({},)):
                if _fits_grpc(match, request) if grpc else _fits(match, request):
                    kind, (namespace, name) = route["kind"].lower(), place(route)
                    where = f"{kind} {namespace}/{name} rules[{number}].matches[{place_}]"
                    if rule.get("name"):
                        where += f" ({rule['name']})"
                    rank = (host_rank(host), *(_grpc_rank(match) if grpc else _rank(match)))
                    yield Match(route, number, rule, match, where, rank)


def _fits(match: Obj, request: Request) -> bool:
    path = match.get("path") or EVERYTHING["path"]
    return (
        path_fits(path, request.path)
        and match.get("method") in (None, "", request.method)
        and all(fits(header, request.header(header["name"])) for header in headers(match))
        and all(fits(want, request.query.get(want["name"])) for want in parameters(match))
    )


def path_fits(path: Obj, request: str) -> bool:
    """Whether a path match fits."""
    value = path.get("value") or "/"
    match _type(path, "PathPrefix"):
        case "Exact":
            return request == value
        case "RegularExpression":
            return re.fullmatch(value, request) is not None
        case _:
            return has_prefix(request, value)


def fits(match: Obj, value: str | None) -> bool:
    """Whether a match of a header or a parameter fits what the request has; None: it has none."""
    if value is None:
        return False
    return re.fullmatch(match["value"], value) is not None if _type(match) == REGEX else value == match["value"]


def headers(match: Obj) -> list[Obj]:
    """The header matches that count: names know no case, the first of a name counts."""
    return list({h["name"].lower(): h for h in reversed(match.get("headers") or ())}.values())


def parameters(match: Obj) -> list[Obj]:
    """The query matches that count."""
    return list({q["name"]: q for q in reversed(match.get("queryParams") or ())}.values())


def _rank(match: Obj) -> tuple[Any, ...]:
    path = match.get("path") or EVERYTHING["path"]
    sort = {"Exact": 2, REGEX: 1}.get(_type(path, "PathPrefix"), 0)
    return (
        sort,
        len(path.get("value") or "/"),
        bool(match.get("method")),
        len(headers(match)),
        len(parameters(match)),
    )


def _fits_grpc(match: Obj, request: Request) -> bool:
    """A call is a POST to /package.Service/Method."""
    service, _, method = request.path.lstrip("/").partition("/")
    wanted = match.get("method") or {}
    return all(
        not wanted.get(key) or fits({"type": _type(wanted), "value": wanted[key]}, given)
        for key, given in (("service", service), ("method", method))
    ) and all(fits(header, request.header(header["name"])) for header in headers(match))


def _grpc_rank(match: Obj) -> tuple[Any, ...]:
    wanted = match.get("method") or {}
    return (len(wanted.get("service") or ""), len(wanted.get("method") or ""), len(headers(match)))
