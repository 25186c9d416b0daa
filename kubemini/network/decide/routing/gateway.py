"""A request through a Gateway: which listener, which route, which rule; then filters and back ends. Pure.

Invariant: every verdict names listener, route, rule and match, or says at which of these it ended: no listener for the
host (404), no rule (404), a rule whose back ends cannot be used (500), a Service without endpoints (503).
Models kubernetes-sigs/gateway-api apis/v1 HTTPRouteRule, HTTPBackendRef, HTTPRouteTimeouts, HTTPRouteRetry, Listener
In a mesh the parent is a Service instead: the routes of the client's namespace for it (consumer routes), or, if there
are none, those of the Service's own (producer routes).
TLS to a back end, and connections that nobody reads as HTTP: the folder `tls`.
Simplified: session persistence and client certificates are not read.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from kubemini.api.objects import Obj, get
from kubemini.network.decide.routing import filters, references
from kubemini.network.decide.routing.exchange import ANSWERED, FORWARDED, Backend, Request, Retry, Verdict
from kubemini.network.decide.routing.listeners import (
    Listener,
    attached,
    listeners,
    most_fitting,
    place,
)
from kubemini.network.decide.routing.matches import Match, best

ROUTES = ("HTTPRoute", "GRPCRoute")
UNITS = {"h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
DURATION = re.compile(r"(\d+)(h|ms|m|s)")


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a Gateway's controller has read; *empty*: the Services known to have no endpoint."""

    objects: tuple[Obj, ...] = ()
    empty: frozenset[tuple[str, str]] = frozenset()

    def of(self, *kinds: str) -> list[Obj]:
        """The objects of *kinds*, in order."""
        return [obj for obj in self.objects if obj["kind"] in kinds]

    @property
    def services(self) -> dict[tuple[str, str], Obj]:
        """By namespace and name."""
        return {place(obj): obj for obj in self.of("Service")}

    @property
    def namespaces(self) -> dict[str, Obj]:
        """By name."""
        return {obj["metadata"]["name"]: obj for obj in self.of("Namespace")}


def milliseconds(text: str) -> int:
    """A duration of Gateway API (``1h2m3s4ms``) in ms."""
    return sum(int(number) * UNITS[unit] for number, unit in DURATION.findall(text))


def route(facts: Facts, gateway: Obj, request: Request) -> Verdict:
    """Where *request*, which came to its ``port`` of *gateway*, goes."""
    known = [
        listener
        for listener in listeners(gateway, facts.of("ListenerSet"), facts.namespaces)
        if listener.port == request.port and listener.protocol in ("HTTP", "HTTPS")
    ]
    listener = most_fitting(known, request.hostname)
    by_name = most_fitting(known, request.sni.lower()) if request.sni else listener
    if listener is None:
        says = f"gateway {'/'.join(place(gateway))}: no listener on port {request.port} for {request.hostname}"
        return Verdict(ANSWERED, says, status=404)
    if listener != by_name and listener.protocol == "HTTPS":
        return Verdict(ANSWERED, f"{listener.where}: the connection was made to another", status=421)
    those = [r for r in facts.of(*ROUTES) if attached(r, listener, facts.namespaces)]
    found = best(those, listener, request)
    if found is None:
        return Verdict(ANSWERED, f"{listener.where}: no rule of a route matches", status=404)
    return _decided(facts, found, request, f"{listener.where}, {found.where}", listener.port)


def mesh(facts: Facts, service: tuple[str, str], port: int, client: str, request: Request) -> Verdict:
    """Where a mesh sends a *request* to *port* of a *service* (namespace, name) of a client in namespace *client*."""
    those = [r for r in facts.of(*ROUTES) if _parent(r, service, port)]
    those = [r for r in those if place(r)[0] == client] or [r for r in those if place(r)[0] == service[0]]
    everything = Listener(("Service", *service), {"name": str(port), "port": port, "protocol": "HTTP"})
    itself = f"service {'/'.join(service)} port {port}"
    if not those:
        return Verdict(FORWARDED, f"{itself}: no route", backends=(Backend(*service, port),), request=request)
    found = best(those, everything, request)
    if found is None:
        return Verdict(ANSWERED, f"{itself}: no rule of a route matches", status=404)
    return _decided(facts, found, request, f"{itself}, {found.where}", port, service)


def _parent(route: Obj, service: tuple[str, str], port: int) -> bool:
    return any(
        (ref.get("group"), ref.get("kind")) == ("", "Service")
        and (ref.get("namespace") or place(route)[0], ref["name"]) == service
        and ref.get("port") in (None, port)
        for ref in get(route, "spec", "parentRefs") or ()
    )


def _decided(
    facts: Facts, found: Match, request: Request, says: str, port: int, parent: tuple[str, str] | None = None
) -> Verdict:
    rule, grants, services = found.rule, facts.of("ReferenceGrant"), facts.services
    backends = tuple(
        references.backend(found.route, ref, services, grants, parent) for ref in rule.get("backendRefs") or ()
    )
    asked = rule.get("filters") or ()
    mirrors = tuple(
        replace(references.backend(found.route, one["requestMirror"]["backendRef"], services, grants), weight=1)
        for one in asked
        if one["type"] == "RequestMirror"
    )
    verdict = Verdict(
        FORWARDED,
        says,
        backends=backends,
        request=request,
        mirrors=mirrors,
        prefix=found.prefix,
        timeout_ms=_timeout(rule.get("timeouts") or {}),
        retry=_retry(rule.get("retry")),
    )
    verdict = filters.applied(verdict, asked, port)
    return _usable(verdict, facts) if verdict.fate == FORWARDED else verdict


def _usable(verdict: Verdict, facts: Facts) -> Verdict:
    """*verdict*, or what the proxy itself says if there is nobody to forward to."""
    shares = [backend for backend in verdict.backends if backend.weight]
    if not verdict.backends:
        return _own(verdict, 500, "no backendRefs")
    if not shares:
        return _own(verdict, 500, "all weights are zero")
    if not verdict.usable:
        return _own(verdict, 500, ", ".join(f"{b.place} {b.wrong}" for b in shares))
    if all((b.namespace, b.name) in facts.empty for b in verdict.usable):
        return _own(verdict, 503, f"{verdict.usable[0].place} has no endpoints")
    return verdict


def _own(verdict: Verdict, status: int, why: str) -> Verdict:
    return replace(verdict, fate=ANSWERED, status=status, rule=f"{verdict.rule}: {why}", request=None)


def settled(verdict: Verdict, backend: Backend, port: int) -> Verdict:
    """*verdict* once *backend* is picked: its own filters are applied, its share is answered 500 if it is none."""
    if backend.wrong:
        return _own(replace(verdict, backends=()), 500, f"{backend.place} {backend.wrong}")
    return filters.applied(replace(verdict, backends=(backend,)), backend.filters, port)


def _timeout(timeouts: Obj) -> int:
    """The shorter of the two that are not zero, in ms: without retries both end the request."""
    said = [milliseconds(timeouts[key]) for key in ("request", "backendRequest") if key in timeouts]
    return min(filter(None, said), default=0)


def _retry(rule: Obj | None) -> Retry | None:
    if rule is None:
        return None
    attempts = rule.get("attempts")
    wait = milliseconds(rule.get("backoff") or "0s")
    return Retry(tuple(rule.get("codes") or ()), 1 if attempts is None else attempts, wait)


def gateways(facts: Facts, controller: str) -> Iterable[Obj]:
    """The Gateways whose class belongs to *controller*."""
    mine = {c["metadata"]["name"] for c in facts.of("GatewayClass") if get(c, "spec", "controllerName") == controller}
    return [g for g in facts.of("Gateway") if get(g, "spec", "gatewayClassName") in mine]
