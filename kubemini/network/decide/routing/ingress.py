"""Ingress as its text reads: which rule of which object takes a request. Pure.

Invariant: first the host, then the path: the most specific host that some rule names for the request; of its paths the
longest that matches, Exact before Prefix; nothing found: the default back end, or 404.
Where the text leaves it open we do as ingress-nginx does: a host whose paths do not match does not fall back to a
wildcard or to rules without host, ImplementationSpecific is a prefix, and of two equal rules the older object's wins.
Models k/k staging/src/k8s.io/api/networking/v1 IngressSpec, IngressRule, HTTPIngressPath, IngressClassSpec
kubernetes.io "Ingress", its tables of path matching and host wildcards.
Simplified: resource back ends are answered 503; parameters of a class are not read.
"""

from collections.abc import Iterable
from typing import NamedTuple

from kubemini.api.objects import Obj, get
from kubemini.network.decide.routing.exchange import (
    ANSWERED,
    FORWARDED,
    Backend,
    Request,
    Verdict,
    has_prefix,
    most_specific,
)

ONE_LABEL = 1  # what a * in the host of an Ingress stands for
LEGACY_CLASS = "kubernetes.io/ingress.class"


class Path(NamedTuple):
    """A path of a rule, with all that decides; *where* names it."""

    host: str
    path: str
    type: str
    backend: Obj
    ingress: Obj
    where: str


def age(obj: Obj) -> tuple[str, str, str]:
    """To sort by: the oldest first, then by namespace and name."""
    meta = obj["metadata"]
    return (
        str(meta.get("creationTimestamp") or ""),
        meta.get("namespace", "default"),
        meta["name"],
    )


def served(ingress: Obj, classes: Iterable[Obj], controller: str) -> tuple[bool, str]:
    """Whether the *controller* takes *ingress*, and why; *classes* are all the IngressClasses.

    An Ingress without a class was created when no class was the default: nobody takes it.
    """
    legacy = get(ingress, "metadata", "annotations", LEGACY_CLASS)
    name = get(ingress, "spec", "ingressClassName") or legacy
    if not name:
        return False, "no ingressClassName, and no IngressClass is the default"
    found = next((c for c in classes if c["metadata"]["name"] == name), None)
    if found is None:
        return False, f"there is no IngressClass {name}"
    whose = get(found, "spec", "controller")
    return whose == controller, f"IngressClass {name} is for the controller {whose}"


def paths(ingresses: Iterable[Obj]) -> list[Path]:
    """Every path of every rule, those of the oldest object first."""
    return [
        Path(
            rule.get("host") or "",
            path.get("path") or "/",
            path.get("pathType") or "ImplementationSpecific",
            path["backend"],
            ingress,
            f"{_name(ingress)} rules[{number}].paths[{place}]",
        )
        for ingress in sorted(ingresses, key=age)
        for number, rule in enumerate(get(ingress, "spec", "rules") or ())
        for place, path in enumerate(get(rule, "http", "paths") or ())
    ]


def _name(ingress: Obj) -> str:
    meta = ingress["metadata"]
    return f"ingress {meta.get('namespace', 'default')}/{meta['name']}"


def matches(path: Path, request: str) -> bool:
    """Whether a path of a rule matches the path of a request."""
    if path.type == "Exact":
        return path.path == request
    return has_prefix(request, path.path)


def route(ingresses: Iterable[Obj], request: Request) -> Verdict:
    """Where *request* goes, among the *ingresses* that one controller serves."""
    ingresses = list(ingresses)
    known = paths(ingresses)
    host = most_specific({p.host: None for p in known}, request.hostname, ONE_LABEL)
    fitting = [p for p in known if p.host == host and matches(p, request.path)]
    if fitting:
        best = max(fitting, key=lambda p: (len(p.path), p.type == "Exact"))  # the first of equals
        says = f"{best.where} {best.type} {best.path} of host {best.host or '*'}"
        return _to(best.backend, best.ingress, says, request)
    for ingress in sorted(ingresses, key=age):
        if backend := get(ingress, "spec", "defaultBackend"):
            says = f"{_name(ingress)} defaultBackend: no rule matches"
            return _to(backend, ingress, says, request)
    return Verdict(ANSWERED, "no rule matches, and there is no default back end", status=404)


def named(backend: Obj, ingress: Obj) -> Backend:
    """The Service that a back end of *ingress* names: in its own namespace, a port by number or name."""
    service = backend["service"]
    port = get(service, "port", "number") or get(service, "port", "name") or 0
    return Backend(ingress["metadata"].get("namespace", "default"), service["name"], port)


def _to(backend: Obj, ingress: Obj, rule: str, request: Request) -> Verdict:
    if backend.get("service") is None:
        return Verdict(ANSWERED, f"{rule}: a resource back end", status=503)
    return Verdict(FORWARDED, rule, backends=(named(backend, ingress),), request=request)
