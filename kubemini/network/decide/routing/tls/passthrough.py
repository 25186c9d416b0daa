"""A TLS connection to a Gateway, before anybody reads HTTP: which listener and which TLSRoute take it. Pure.

Invariant: all that is known of the connection is the name in the TLS hello (SNI). A listener of mode Passthrough hands
the bytes on as they are, so the back end's certificate is what the client sees; one of mode Terminate shows the
certificate of its own Secret, and the back end gets plain text. Nobody can answer in HTTP, so what leads nowhere is
closed.
Models kubernetes-sigs/gateway-api apis/v1 TLSRouteSpec, TLSRouteRule, ListenerTLSConfig, TLSModePassthrough
"""

from kubemini.api.objects import Obj, get
from kubemini.network.decide.routing import references
from kubemini.network.decide.routing.exchange import CLOSED, FORWARDED, Request, Verdict, host_rank, most_specific
from kubemini.network.decide.routing.gateway import Facts
from kubemini.network.decide.routing.ingress import age
from kubemini.network.decide.routing.listeners import (
    Listener,
    attached,
    hostnames,
    listeners,
    most_fitting,
    place,
)

PASSTHROUGH, TERMINATE = "Passthrough", "Terminate"


def mode(listener: Listener) -> str:
    """What a listener does with TLS: Terminate unless it says otherwise."""
    return get(listener.spec, "tls", "mode") or TERMINATE


def connect(facts: Facts, gateway: Obj, port: int, sni: str) -> Verdict:
    """Where a TLS connection to *port* of *gateway* goes whose hello names *sni*.

    Forwarded to one of ``backends``; ``request.sni`` is what the back end sees of the hello: nothing after Terminate.
    """
    known = listeners(gateway, facts.of("ListenerSet"), facts.namespaces)
    listener = most_fitting([one for one in known if one.port == port and one.protocol == "TLS"], sni.lower())
    if listener is None:
        return _closed(f"gateway {'/'.join(place(gateway))}: no listener on port {port} for {sni or 'no name'}")
    route = _best(facts, listener, sni.lower())
    if route is None:
        return _closed(f"{listener.where}: no TLSRoute for {sni or 'no name'}")
    where = f"{listener.where}, tlsroute {'/'.join(place(route))} rules[0]"
    services, grants = facts.services, facts.of("ReferenceGrant")
    refs = get(route, "spec", "rules", 0, "backendRefs") or ()
    backends = tuple(references.backend(route, ref, services, grants) for ref in refs)
    seen = sni if mode(listener) == PASSTHROUGH else ""
    request = Request(sni, scheme="tls" if seen else "tcp", port=port, sni=seen)
    verdict = Verdict(FORWARDED, f"{where} ({mode(listener)})", backends=backends, request=request)
    if not verdict.usable:
        why = ", ".join(f"{b.place} {b.wrong or 'has no share'}" for b in backends) or "no backendRefs"
        return _closed(f"{where}: {why}")
    return verdict


def _closed(why: str) -> Verdict:
    return Verdict(CLOSED, why, status=0)


def _best(facts: Facts, listener: Listener, sni: str) -> Obj | None:
    """The route with the most specific hostname; of equals the oldest."""
    found: Obj | None = None
    rank = (-1, -1)
    for route in sorted(facts.of("TLSRoute"), key=age):
        if attached(route, listener, facts.namespaces):
            host = most_specific(hostnames(route, listener), sni)
            if host is not None and host_rank(host) > rank:
                found, rank = route, host_rank(host)
    return found
