"""TLS between a Gateway and a back end: which BackendTLSPolicy is for it, and whether its certificate will do. Pure.

Invariant: without a policy the proxy speaks plain text. With one it never does: the name of the policy goes into the
hello, and a certificate that its authority has not signed, or that has none of the wanted names, ends the request.
Of policies for the same Service and section the oldest counts; one for a port goes before one for the whole Service.
Models kubernetes-sigs/gateway-api apis/v1 BackendTLSPolicySpec, BackendTLSPolicyValidation, PolicyAncestorStatus,
PolicyReasonConflicted, BackendTLSPolicyReasonNoValidCACertificate, BackendTLSPolicyReasonInvalidCACertificateRef
Simplified: ours are not X.509: an authority is the text of its ``ca.crt``, a certificate its names and who signed it;
no system certificates, no client certificates.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from kubemini.api.objects import Obj, get
from kubemini.network.decide.routing.exchange import ANSWERED, Backend, Verdict, most_specific
from kubemini.network.decide.routing.gateway import Facts
from kubemini.network.decide.routing.ingress import ONE_LABEL, age
from kubemini.network.decide.routing.listeners import place
from kubemini.network.decide.routing.references import WRONG_KIND
from kubemini.network.decide.routing.status import Condition, condition

BAD_REFERENCE, NO_AUTHORITY, CONFLICTED = "InvalidCACertificateRef", "NoValidCACertificate", "Conflicted"
INVALID = "Invalid"
CANNOT, FAILED = 500, 502  # the policy cannot be used; the handshake fails


@dataclass(frozen=True, slots=True)
class Shown:
    """The certificate of a back end: its names (DNS, or URIs) and the text of the authority that signed it."""

    names: tuple[str, ...]
    signed_by: str


def _targets(policy: Obj) -> Iterator[tuple[tuple[str, str], str]]:
    """The Services, and ports by name ("" for all), that a policy is for."""
    namespace = place(policy)[0]
    for ref in get(policy, "spec", "targetRefs") or ():
        if (ref.get("group") or "", ref["kind"]) == ("", "Service"):
            yield (namespace, ref["name"]), ref.get("sectionName") or ""


def _claims(facts: Facts) -> dict[tuple[tuple[str, str], str], Obj]:
    """Which policy has each Service and section: the oldest, then the first by name."""
    found: dict[tuple[tuple[str, str], str], Obj] = {}
    for policy in sorted(facts.of("BackendTLSPolicy"), key=age):
        for target in _targets(policy):
            found.setdefault(target, policy)
    return found


def policy_for(facts: Facts, backend: Backend) -> Obj | None:
    """The policy for *backend*: that of its port, else that of the whole Service."""
    service, claims = (backend.namespace, backend.name), _claims(facts)
    ports = get(facts.services.get(service), "spec", "ports") or ()
    name = next((port.get("name") or "" for port in ports if port["port"] == backend.port), "")
    return claims.get((service, name)) or claims.get((service, ""))


def _authorities(facts: Facts, policy: Obj) -> tuple[list[str], str]:
    """The texts of the authorities that a policy trusts, and the first thing that is wrong with them, or ""."""
    maps = {place(obj): obj for obj in facts.of("ConfigMap")}
    texts, wrong = [], ""
    for ref in get(policy, "spec", "validation", "caCertificateRefs") or ():
        text = get(maps.get((place(policy)[0], ref["name"])), "data", "ca.crt") or ""
        if (ref.get("group") or "", ref["kind"]) != ("", "ConfigMap"):
            wrong = wrong or WRONG_KIND
        elif not text:
            wrong = wrong or BAD_REFERENCE
        else:
            texts.append(text)
    return texts, wrong


def conditions(facts: Facts, policy: Obj) -> list[Condition]:
    """What a Gateway's controller says of *policy*: Accepted and ResolvedRefs."""
    generation = get(policy, "metadata", "generation") or 1
    texts, wrong = _authorities(facts, policy)
    lost = [target for target in _targets(policy) if _claims(facts)[target] is not policy]
    if lost:
        accepted = condition("Accepted", CONFLICTED, False, generation, "an older policy is for the same Service")
    elif get(policy, "spec", "validation", "wellKnownCACertificates"):
        accepted = condition("Accepted", INVALID, False, generation, "system certificates are not supported")
    elif not texts:
        accepted = condition("Accepted", NO_AUTHORITY, False, generation, "no caCertificateRef can be used")
    else:
        accepted = condition("Accepted", "Accepted", True, generation, "the policy is in force")
    says = {WRONG_KIND: "only ConfigMaps of the core group", BAD_REFERENCE: "no such ConfigMap, or no ca.crt in it"}
    resolved = condition("ResolvedRefs", wrong or "ResolvedRefs", not wrong, generation, says.get(wrong, "all found"))
    return [accepted, resolved]


def ancestors(facts: Facts, policy: Obj, gateways: list[Obj], controller: str) -> list[Obj]:
    """The ``ancestors`` of a policy's status: each Gateway through which a route leads to its Services."""
    wanted = {service for service, _ in _targets(policy)}
    rows: list[Obj] = []
    for gateway in gateways:
        if any(_leads(route, gateway, wanted) for route in facts.of("HTTPRoute", "GRPCRoute", "TLSRoute")):
            namespace, name = place(gateway)
            ref = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "namespace": namespace, "name": name}
            row = {"ancestorRef": ref, "controllerName": controller, "conditions": conditions(facts, policy)}
            rows.append(row)
    return rows


def _leads(route: Obj, gateway: Obj, services: set[tuple[str, str]]) -> bool:
    home = place(route)[0]
    parents = {(ref.get("namespace") or home, ref["name"]) for ref in get(route, "spec", "parentRefs") or ()}
    refs = [ref for rule in get(route, "spec", "rules") or () for ref in rule.get("backendRefs") or ()]
    return place(gateway) in parents and any((r.get("namespace") or home, r["name"]) in services for r in refs)


def secured(facts: Facts, verdict: Verdict, backend: Backend, shown: Shown | None) -> Verdict:
    """*verdict*, forwarded to *backend*, once the connection to it is made; *shown*: its certificate, None: plain text.

    With a policy ``request.sni`` is the name in the hello to the back end.
    """
    policy = policy_for(facts, backend)
    if policy is None:
        return verdict
    where = f"backendtlspolicy {'/'.join(place(policy))}"
    wanted = policy["spec"]["validation"]
    texts, wrong = _authorities(facts, policy)
    if wrong or not texts:
        return _ended(verdict, CANNOT, f"{where}: {wrong or NO_AUTHORITY}")
    if shown is None:
        return _ended(verdict, FAILED, f"{where}: {backend.place} does not speak TLS")
    if shown.signed_by not in texts:
        return _ended(verdict, FAILED, f"{where}: certificate signed by unknown authority")
    names = get(wanted, "subjectAltNames") or ()
    fits = any(_has(shown, name) for name in names) if names else _covers(shown, wanted["hostname"])
    if not fits:
        asked = ", ".join(name.get("hostname") or name.get("uri") or "" for name in names) or wanted["hostname"]
        return _ended(verdict, FAILED, f"{where}: certificate is valid for {', '.join(shown.names)}, not {asked}")
    assert verdict.request is not None, "who is forwarded has a request"
    request = replace(verdict.request, sni=wanted["hostname"])
    return replace(verdict, rule=f"{verdict.rule}; {where}", request=request)


def _has(shown: Shown, name: Obj) -> bool:
    return name["uri"] in shown.names if name["type"] == "URI" else _covers(shown, name["hostname"])


def _covers(shown: Shown, host: str) -> bool:
    return most_specific(shown.names, host.lower(), ONE_LABEL) is not None


def _ended(verdict: Verdict, status: int, why: str) -> Verdict:
    return replace(verdict, fate=ANSWERED, status=status, rule=f"{verdict.rule}; {why}", backends=(), request=None)
