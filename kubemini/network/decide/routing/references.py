"""Back ends of a route: do they exist, and may they be named from here? Pure.

Invariant: a reference into another namespace needs a ReferenceGrant **there** that names the route's kind and
namespace, and the Service's kind (and name, if it names one).
Models kubernetes-sigs/gateway-api apis/v1 BackendRef, ReferenceGrantSpec, RouteReasonRefNotPermitted,
RouteReasonBackendNotFound, RouteReasonInvalidKind
Simplified: back ends are Services.
"""

from collections.abc import Iterable, Mapping

from kubemini.api.objects import Obj, get
from kubemini.network.decide.routing.exchange import Backend
from kubemini.network.decide.routing.listeners import GROUP, place

NOT_PERMITTED, NOT_FOUND, WRONG_KIND = "RefNotPermitted", "BackendNotFound", "InvalidKind"


def backend(
    route: Obj,
    ref: Obj,
    services: Mapping[tuple[str, str], Obj],
    grants: Iterable[Obj],
    parent: tuple[str, str] | None = None,
) -> Backend:
    """What a backendRef of *route* means; its ``wrong`` says why it is none, in the word of the route's status.

    *parent* is the Service that a route of a mesh is for: the client called it itself, so no grant is needed.
    """
    home = place(route)[0]
    namespace, name, port = ref.get("namespace") or home, ref["name"], ref.get("port") or 0
    weight = ref.get("weight")
    foreign = namespace != home and (namespace, name) != parent
    wrong = ""
    if (ref.get("group") or "", ref.get("kind") or "Service") != ("", "Service"):
        wrong = WRONG_KIND
    elif foreign and not granted(grants, route["kind"], home, "Service", namespace, name):
        wrong = NOT_PERMITTED
    elif not _has_port(services.get((namespace, name)), port):
        wrong = NOT_FOUND
    filters = tuple(ref.get("filters") or ())
    return Backend(namespace, name, port, 1 if weight is None else weight, wrong, filters)


def granted(grants: Iterable[Obj], kind: str, home: str, to_kind: str, namespace: str, name: str) -> bool:
    """Whether a *kind* of Gateway API in *home* may name the *to_kind* (of the core group) *namespace*/*name*."""
    return any(
        place(grant)[0] == namespace
        and any((f.get("group"), f["kind"], f["namespace"]) == (GROUP, kind, home) for f in grant["spec"]["from"])
        and any(
            (t.get("group") or "", t["kind"]) == ("", to_kind) and t.get("name") in (None, "", name)
            for t in grant["spec"]["to"]
        )
        for grant in grants
    )


def _has_port(service: Obj | None, port: int) -> bool:
    return any(p["port"] == port for p in get(service, "spec", "ports") or ())
