"""traefik.json, answered by ours: the API's reading, and Traefik's two tables.

The recording leaves out what its lab consists of besides the objects: the Gateway infra/gw with the listeners web (all
hosts), wild (*.wild.example.com) and same (its own namespace only); namespaces app and other; Services s1..s4 in both
and one without endpoints; a grant for other/s2. Addresses as its `reading` says.
"""

from functools import partial

from kubemini.network.decide.routing import gateway, ingress, traefik
from kubemini.network.decide.routing.exchange import ANSWERED, REDIRECTED, Request

GROUP = "gateway.networking.k8s.io"
NAMESPACE = "app"
LISTENERS = [
    {"name": "web", "port": 80, "protocol": "HTTP", "allowedRoutes": {"namespaces": {"from": "All"}}},
    {"name": "same", "port": 80, "protocol": "HTTP", "hostname": "same.example.com"},
    {
        "name": "wild",
        "port": 80,
        "protocol": "HTTP",
        "hostname": "*.wild.example.com",
        "allowedRoutes": {"namespaces": {"from": "All"}},
    },
]
GATEWAY = {"kind": "Gateway", "metadata": {"name": "gw", "namespace": "infra"}, "spec": {"listeners": LISTENERS}}
GRANT = {
    "kind": "ReferenceGrant",
    "metadata": {"name": "g", "namespace": "other"},
    "spec": {
        "from": [{"group": GROUP, "kind": "HTTPRoute", "namespace": NAMESPACE}],
        "to": [{"group": "", "kind": "Service", "name": "s2"}],
    },
}
ADDRESSES = {
    (namespace, f"s{number}"): f"http://10.244.7.{first + number}:8080"
    for namespace, first in ((NAMESPACE, 0), ("other", 4))
    for number in (1, 2, 3, 4)
}
EMPTY = (NAMESPACE, "empty")


def answers(data):
    """What ours says to each request."""
    objects = [_placed(obj, number) for number, obj in enumerate(data["objects"])]
    services = [
        {"kind": "Service", "metadata": {"namespace": where, "name": name}, "spec": {"ports": [{"port": 80}]}}
        for where, name in [*ADDRESSES, EMPTY]
    ]
    facts = gateway.Facts((GATEWAY, GRANT, *services, *objects), frozenset([EMPTY]))
    ingresses = facts.of("Ingress")
    both = traefik.gateway_table(facts, GATEWAY), traefik.ingress_table(ingresses)
    first = _first_for_ingress(ingresses, data["requests"])
    return {
        _name(row): partial(_answer, facts, ingresses, both, number >= first, _request(row))
        for number, row in enumerate(data["requests"])
    }


def _placed(obj, number):
    """In the order of the file is in the order of age."""
    meta = obj["metadata"] | {"namespace": NAMESPACE, "creationTimestamp": f"2026-01-01T00:00:{number:02}Z"}
    return obj | {"metadata": meta}


def _name(row):
    headers = [f"{key}: {value}" for key, value in (row.get("headers") or {}).items()]
    return " ".join([row["method"], row["host"] + row["path"], *headers])


def _request(row):
    return Request(row["host"], row["path"], row["method"], row.get("headers") or {})


def _answer(facts, ingresses, both, for_ingress, request):
    meant = ingress.route(ingresses, request) if for_ingress else gateway.route(facts, GATEWAY, request)
    return {
        "api": _api(meant, request),
        "gateway": _reached(both[0], request, weighted=True),
        "ingress": _reached(both[1], request, weighted=False),
    }


def _first_for_ingress(ingresses, rows):
    """The number of the first request that is meant for an Ingress: the file asks the Gateway first."""
    hosts = {path.host for path in ingress.paths(ingresses)} - {""}
    named = (n for n, row in enumerate(rows) if ingress.most_specific(hosts, _request(row).hostname, 1) is not None)
    return next(named, len(rows))


def _api(verdict, request):
    if verdict.fate == REDIRECTED:
        return f"redirect {verdict.status} {_elsewhere(verdict.location, request)}"
    if verdict.fate == ANSWERED:
        return str(verdict.status)
    to = verdict.usable[0]
    name = to.name if to.namespace == NAMESPACE else f"{to.namespace}/{to.name}"
    if any(backend.wrong for backend in verdict.backends):
        return f"{name}, or 500 for its share"
    if len(verdict.backends) > 1:
        return f"{name} or by weight"
    host = "" if verdict.request.host == request.host else verdict.request.host
    changed = verdict.request.target != request.target or host
    return f"{name} as {host}{verdict.request.target}" if changed else name


def _elsewhere(location, request):
    """The part of a redirect that is new."""
    scheme, _, rest = location.partition("://")
    host, slash, path = rest.partition("/")
    if scheme != request.scheme:
        return scheme
    return host if host != request.host else slash + path


def _reached(table, request, weighted):
    """The servers of the router that takes the request; of several the first (nobody can say)."""
    taking = traefik.route(table, request)
    if not taking:
        return "404"
    found = [[_servers(b), b.weight] for b in taking[0].backends]
    return found if weighted else found[0][0]


def _servers(backend):
    where = (backend.namespace, backend.name)
    return "no server" if backend.wrong or where not in ADDRESSES else [ADDRESSES[where]]
