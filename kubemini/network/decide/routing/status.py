"""What a controller writes into the status of Gateways, listeners and routes: conditions with their reasons. Pure.

Invariant: a condition says what the controller did with the object it has seen (``observedGeneration``); a route has a
status for **each parent** it names, and only for parents that this controller serves.
Models kubernetes-sigs/gateway-api apis/v1 GatewayConditionType, ListenerConditionType, RouteConditionType,
GatewayConditionReason, ListenerConditionReason, RouteConditionReason, RouteParentStatus
kubernetes.io "Ingress": an Ingress has an address only if a controller gave it one.
Simplified: certificates are looked for, not read; no conflicts between Gateways.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from kubemini.api.objects import Obj, get
from kubemini.network.decide.routing import references
from kubemini.network.decide.routing.gateway import ROUTES, Facts
from kubemini.network.decide.routing.listeners import (
    GROUP,
    KINDS,
    NO_HOSTNAME,
    NO_PARENT,
    NOT_ALLOWED,
    Listener,
    listeners,
    names_it,
    place,
    refused,
)

Condition = dict[str, Any]
TEXTS = {
    NO_PARENT: "no listener of the parent has that section and port",
    NOT_ALLOWED: "no listener allows routes of this kind and namespace",
    NO_HOSTNAME: "no hostname of the route intersects with one of the listener",
    references.NOT_FOUND: "a Service, or its port, does not exist",
    references.NOT_PERMITTED: "no ReferenceGrant in the other namespace allows it",
    references.WRONG_KIND: "only Services of the core group can be back ends",
}


def condition(kind: str, reason: str, ok: bool, generation: int, message: str = "") -> Condition:
    """One condition, without the time of its last change."""
    return {
        "type": kind,
        "status": "True" if ok else "False",
        "reason": reason,
        "message": message or TEXTS.get(reason, ""),
        "observedGeneration": generation,
    }


def _generation(obj: Obj) -> int:
    return get(obj, "metadata", "generation") or 1


def gateway_class(obj: Obj) -> list[Condition]:
    """Of a GatewayClass whose controller lives."""
    return [condition("Accepted", "Accepted", True, _generation(obj), "the class is served")]


def gateway(facts: Facts, obj: Obj, addresses: Sequence[str]) -> Obj:
    """The status of a Gateway at *addresses*, its listeners included."""
    own = [each for each in listeners(obj, facts.of("ListenerSet"), facts.namespaces) if each.parent[0] == "Gateway"]
    rows = [listener(facts, obj, one, own) for one in own]
    generation = _generation(obj)
    wrong = [row["name"] for row in rows if not _all_true(row["conditions"])]
    text = f"listeners not valid: {', '.join(wrong)}" if wrong else "accepted"
    reason = "ListenersNotValid" if wrong else "Accepted"
    accepted = condition("Accepted", reason, len(wrong) < len(rows) or not rows, generation, text)
    if addresses:
        programmed = condition("Programmed", "Programmed", True, generation, "the data plane is configured")
    else:
        programmed = condition("Programmed", "AddressNotAssigned", False, generation, "no address yet")
    return {
        "addresses": [{"type": "IPAddress", "value": address} for address in addresses],
        "conditions": [accepted, programmed],
        "listeners": rows,
    }


def _all_true(conditions: Iterable[Condition]) -> bool:
    return all((one["status"] == "True") != (one["type"] == "Conflicted") for one in conditions)


def listener(facts: Facts, owner: Obj, one: Listener, others: Sequence[Listener]) -> Obj:
    """The status of a listener among its Gateway's."""
    generation = _generation(owner)
    wanted = [kind["kind"] for kind in get(one.spec, "allowedRoutes", "kinds") or ()]
    possible = KINDS.get(one.protocol, ())
    supported = [kind for kind in wanted or possible if kind in possible]
    clash = _conflict(one, others)
    unknown = not possible
    bad = _reference(facts, owner, one, wanted, supported)
    ready = not clash and not unknown and not bad
    reason = "UnsupportedProtocol" if unknown else clash or "Accepted"
    attached = [r for r in facts.of(*ROUTES, "TLSRoute") if _attaches(facts, r, one)]
    return {
        "name": one.name,
        "supportedKinds": [{"group": GROUP, "kind": kind} for kind in supported],
        "attachedRoutes": len(attached),
        "conditions": [
            condition("Accepted", reason, not clash and not unknown, generation),
            condition("Conflicted", clash or "NoConflicts", bool(clash), generation),
            condition("ResolvedRefs", bad or "ResolvedRefs", not bad, generation),
            condition("Programmed", "Programmed" if ready else "Invalid", ready, generation),
        ],
    }


def _conflict(one: Listener, others: Sequence[Listener]) -> str:
    """An earlier listener of the port with another protocol, or with the same hostname; "" if there is none."""
    for other in others:
        if other is one:
            return ""
        if other.port == one.port and _told_apart_by(other) != _told_apart_by(one):
            return "ProtocolConflict"
        if other.port == one.port and other.hostname == one.hostname:
            return "HostnameConflict"
    return ""


def _told_apart_by(one: Listener) -> str:
    """What connections to a port are told apart by: HTTPS and TLS share one, by the name in the hello."""
    return "SNI" if one.protocol in ("HTTPS", "TLS") else one.protocol


def _reference(facts: Facts, owner: Obj, one: Listener, wanted: Sequence[str], supported: Sequence[str]) -> str:
    """What is wrong with what a listener refers to: route kinds, certificates; "" if nothing is."""
    if len(supported) < len(wanted):
        return "InvalidRouteKinds"
    secrets = {place(secret) for secret in facts.of("Secret")}
    home = place(owner)[0]
    for ref in get(one.spec, "tls", "certificateRefs") or ():
        namespace = ref.get("namespace") or home
        if (ref.get("group") or "", ref.get("kind") or "Secret") != ("", "Secret"):
            return "InvalidCertificateRef"
        grants = facts.of("ReferenceGrant")
        if namespace != home and not references.granted(grants, "Gateway", home, "Secret", namespace, ref["name"]):
            return references.NOT_PERMITTED
        if (namespace, ref["name"]) not in secrets:
            return "InvalidCertificateRef"
    return ""


def _attaches(facts: Facts, route: Obj, one: Listener) -> bool:
    refs = get(route, "spec", "parentRefs") or ()
    return any(names_it(route, ref, one) for ref in refs) and not refused(route, one, facts.namespaces)


def route(facts: Facts, obj: Obj, served: Iterable[Obj], controller: str) -> list[Obj]:
    """The ``parents`` of a route's status: one for each parentRef that names a Gateway in *served*."""
    known = {place(one): one for one in served}
    rows: list[Obj] = []
    for ref in get(obj, "spec", "parentRefs") or ():
        parent = known.get((ref.get("namespace") or place(obj)[0], ref["name"]))
        if parent is None or ref.get("kind", "Gateway") != "Gateway":
            continue
        conditions = [_accepted(facts, obj, ref, parent), _resolved(facts, obj)]
        rows.append({"parentRef": ref, "controllerName": controller, "conditions": conditions})
    return rows


def _accepted(facts: Facts, obj: Obj, ref: Obj, parent: Obj) -> Condition:
    named = [one for one in listeners(parent, facts.of("ListenerSet"), facts.namespaces) if names_it(obj, ref, one)]
    whys = [refused(obj, one, facts.namespaces) for one in named]
    if "" in whys:
        return condition("Accepted", "Accepted", True, _generation(obj), "the route is attached")
    reason = NO_PARENT if not whys else NO_HOSTNAME if NO_HOSTNAME in whys else NOT_ALLOWED
    return condition("Accepted", reason, False, _generation(obj))


def _resolved(facts: Facts, obj: Obj) -> Condition:
    """The first thing that is wrong with its back ends, those of mirrors included."""
    grants, services = facts.of("ReferenceGrant"), facts.services
    for rule in get(obj, "spec", "rules") or ():
        mirrors = [one["requestMirror"]["backendRef"] for one in rule.get("filters") or () if "requestMirror" in one]
        for ref in (*(rule.get("backendRefs") or ()), *mirrors):
            if wrong := references.backend(obj, ref, services, grants).wrong:
                return condition("ResolvedRefs", wrong, False, _generation(obj))
    return condition("ResolvedRefs", "ResolvedRefs", True, _generation(obj), "all references are resolved")


def ingress(addresses: Sequence[str]) -> Obj:
    """The status of an Ingress that a controller at *addresses* serves."""
    return {"loadBalancer": {"ingress": [{"ip": address} for address in addresses]}}
