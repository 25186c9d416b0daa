"""Listeners of Gateways and ListenerSets, and which routes attach to which. Pure.

Invariant: a route attaches to a listener only if both want it: the route names the parent (and, if it likes, section
and port), the listener allows the route's namespace and kind, and their hostnames intersect.
A request belongs to one listener of its port, the most specific by hostname (listener isolation): routes of the
others are not looked at, even if none of its own match.
Models kubernetes-sigs/gateway-api apis/v1 Listener, AllowedRoutes, ParentReference, RouteConditionReason, ListenerSet
Simplified: protocols HTTP, HTTPS and TLS; of two listeners that conflict the first wins.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from kubemini.api import labels
from kubemini.api.objects import Obj, get
from kubemini.network.decide.routing.exchange import host_covers, most_specific

GROUP = "gateway.networking.k8s.io"
HTTP_KINDS = ("HTTPRoute", "GRPCRoute")
KINDS = {"HTTP": HTTP_KINDS, "HTTPS": HTTP_KINDS, "TLS": ("TLSRoute",), "TCP": ("TCPRoute",), "UDP": ("UDPRoute",)}

NO_PARENT, NOT_ALLOWED, NO_HOSTNAME = (
    "NoMatchingParent",
    "NotAllowedByListeners",
    "NoMatchingListenerHostname",
)


class Listener(NamedTuple):
    """A listener, and whose it is: kind, namespace and name of a Gateway or ListenerSet."""

    parent: tuple[str, str, str]
    spec: Obj

    @property
    def name(self) -> str:
        """Its name within the parent."""
        return self.spec["name"]

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.spec["port"]

    @property
    def protocol(self) -> str:
        """HTTP, HTTPS, TLS, TCP or UDP."""
        return self.spec.get("protocol") or ""

    @property
    def hostname(self) -> str:
        """Which hosts; "" for all."""
        return self.spec.get("hostname") or ""

    @property
    def where(self) -> str:
        """As a verdict names it."""
        kind, namespace, name = self.parent
        return f"{kind.lower()} {namespace}/{name} listener {self.name}"


def place(obj: Obj) -> tuple[str, str]:
    """Namespace and name of an object."""
    return obj["metadata"].get("namespace", "default"), obj["metadata"]["name"]


def listeners(gateway: Obj, sets: Iterable[Obj], namespaces: Mapping[str, Obj]) -> list[Listener]:
    """The listeners of *gateway*: its own, then those of the ListenerSets that it admits, the oldest first."""
    namespace, name = place(gateway)
    own = [Listener(("Gateway", namespace, name), spec) for spec in get(gateway, "spec", "listeners") or ()]
    for added in sorted(sets, key=lambda s: (str(s["metadata"].get("creationTimestamp") or ""), place(s))):
        ref, home = added["spec"]["parentRef"], place(added)
        wanted = (ref.get("namespace") or home[0], ref["name"]) == (namespace, name)
        allowed = get(gateway, "spec", "allowedListeners", "namespaces") or {"from": "None"}
        if wanted and admits(allowed, namespace, home[0], namespaces):
            own += [Listener(("ListenerSet", *home), spec) for spec in added["spec"].get("listeners") or ()]
    return own


def admits(rule: Obj, home: str, namespace: str, namespaces: Mapping[str, Obj]) -> bool:
    """Whether a rule (All, Same, Selector, None) of somebody in *home* lets objects of *namespace* in."""
    match rule.get("from") or "Same":
        case "All":
            return True
        case "Same":
            return namespace == home
        case "Selector":
            worn = get(namespaces.get(namespace), "metadata", "labels") or {}
            return labels.matches(rule.get("selector") or {}, worn)
        case _:
            return False


def names_it(route: Obj, ref: Obj, listener: Listener) -> bool:
    """Whether a parentRef of *route* means *listener*."""
    kind, namespace, name = listener.parent
    return (
        (ref.get("group", GROUP), ref.get("kind") or "Gateway") == (GROUP, kind)
        and (ref.get("namespace") or place(route)[0], ref["name"]) == (namespace, name)
        and ref.get("sectionName") in (None, "", listener.name)
        and ref.get("port") in (None, listener.port)
    )


def refused(route: Obj, listener: Listener, namespaces: Mapping[str, Obj]) -> str:
    """Why *listener*, which the route names, does not take it; "" if it does."""
    allowed = listener.spec.get("allowedRoutes") or {}
    home, kinds = listener.parent[1], [k["kind"] for k in allowed.get("kinds") or ()]
    if not admits(allowed.get("namespaces") or {}, home, place(route)[0], namespaces):
        return NOT_ALLOWED
    if route["kind"] not in (kinds or KINDS.get(listener.protocol, ())):
        return NOT_ALLOWED
    return "" if hostnames(route, listener) else NO_HOSTNAME


def attached(route: Obj, listener: Listener, namespaces: Mapping[str, Obj]) -> bool:
    """Whether requests to *listener* may reach *route*."""
    refs = get(route, "spec", "parentRefs") or ()
    return any(names_it(route, ref, listener) for ref in refs) and not refused(route, listener, namespaces)


def hostnames(route: Obj, listener: Listener) -> list[str]:
    """The hostnames for which *route* answers at *listener*: what both say; [""] for all hosts."""
    theirs = get(route, "spec", "hostnames") or [""]
    both = [intersection(host.lower(), listener.hostname.lower()) for host in theirs]
    return [host for host in both if host is not None]


def intersection(one: str, other: str) -> str | None:
    """The hosts that both patterns cover, as a pattern; None if there is none."""
    if one == other or not other or host_covers(other, one):
        return one
    return other if not one or host_covers(one, other) else None


def most_fitting(those: Iterable[Listener], host: str) -> Listener | None:
    """The listener that takes a request for *host*; the first of equals; None if none does."""
    known: dict[str, Listener] = {}
    for listener in those:
        known.setdefault(listener.hostname.lower(), listener)
    best = most_specific(known, host)
    return None if best is None else known[best]
