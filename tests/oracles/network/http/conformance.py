"""gateway_conformance.json, the requests of Gateway API's own tests, answered by ours.

The table has manifests, requests and what must come back; it does not say to which Gateway (or which port of it) a
request went, nor where a client of a mesh is: one of the possible ones must answer as wanted. Nor does it say what was
done in between: the same request again, with another answer, comes after the grants are gone. An echo server answers
every request that is forwarded; ``delay`` in the query makes it wait.
A mesh is asked for the Service that a route is for; paths at its back ends are not compared, as upstream does not.
"""

import itertools
from functools import partial
from urllib.parse import urlsplit

from kubemini.network.decide.routing import filters, gateway, listeners
from kubemini.network.decide.routing.exchange import FORWARDED, REDIRECTED, Request
from kubemini.network.decide.routing.tls import backendtls, passthrough

INFRA, MESH = "gateway-conformance-infra", "gateway-conformance-mesh"
NO_REASON = ""
UNKNOWN_KINDS = ("TCPRoute", "UDPRoute")
AUTHORITIES = ("tls-checks-ca-certificate", "mismatch-ca-certificate")  # the suite makes them
SHOWN = ("abc.example.com", "spiffe://abc.example.com/test-identity", "other.example.com")  # by every back end with TLS


def cases(data):
    """{case: what differs}; None for a request that is passed over."""
    found = {}
    for name, group, row in _rows(data):
        found[name] = None if _reason(group, row) else partial(_differences, data, group, row)
    return found


def passed_over(data):
    """{case: why it cannot be tried}."""
    return {name: reason for name, group, row in _rows(data) if (reason := _reason(group, row))}


def _rows(data):
    for group in data["groups"]:
        kind = "mesh " if group["mesh"] else ""
        for number, row in enumerate(group["requests"]):
            yield f"{kind}{group['test']} {number} {row['request'].get('Path', '')}", group, row


def _reason(group, row):
    if row.get("has_symbolic_values") or "$" in str(row["request"]):
        return "a Go symbol of it was not resolved"
    kinds = {obj["kind"] for obj in group["manifests"] or ()}
    if unknown := [kind for kind in UNKNOWN_KINDS if kind in kinds]:
        return f"{unknown[0]} is not simulated"
    if not row["request"]:
        return "the table lost the request"
    if "mismatch" in row["request"].get("Path", "") and row["expect"] == {"status": [200]}:
        return "the table lost that a failure is wanted"
    if group["manifests"] is None and set(row["expect"]) - {"status"}:
        return "the table lost the objects"
    return NO_REASON


def _objects(data, group, row):
    """The objects of a group when *row* is asked."""
    earlier = itertools.takewhile(lambda other: other is not row, group["requests"])
    again = any(other["request"] == row["request"] and other["expect"] != row["expect"] for other in earlier)
    objects = [*data["base_objects"], *(group["manifests"] or ())]
    return [obj for obj in objects if not (again and obj["kind"] == "ReferenceGrant")]


def _facts(objects):
    """*objects* with what the suite's own manifests add: Services of the mesh, namespaces, ages."""
    named = [
        obj | {"metadata": {"namespace": INFRA, "creationTimestamp": f"{number:04}"} | obj["metadata"]}
        for number, obj in enumerate(objects)
    ]
    labels = {"gateway-conformance-web-backend": "backend", "gateway-conformance-app-backend": "backend"}
    spaces = [
        {"kind": "Namespace", "metadata": {"name": name, "labels": {"gateway-conformance": labels.get(name, "infra")}}}
        for name in sorted({place[0] for place in map(listeners.place, named)})
    ]
    ports = [{"port": number} for number in (80, 8080, 7070)]
    echoes = [
        {"kind": "Service", "metadata": {"name": name, "namespace": MESH}, "spec": {"ports": ports}}
        for name in ("echo", "echo-v1", "echo-v2")
    ]
    maps = [
        {"kind": "ConfigMap", "metadata": {"name": name, "namespace": INFRA}, "data": {"ca.crt": name}}
        for name in AUTHORITIES
    ]
    return gateway.Facts((*spaces, *named, *echoes, *maps))


def _requests(row, ports, default="any.host"):
    """The request, as it may have been sent: to the port that its host names, or to any."""
    asked = row["request"]
    host = asked.get("Host") or default
    parts = urlsplit(f"//{host}")
    for port in [parts.port] if parts.port in ports else ports:
        scheme = "https" if port == 443 else "http"
        yield Request(
            host,
            asked.get("Path") or "/",
            asked.get("Method") or "GET",
            asked.get("Headers") or {},
            scheme,
            port,
            asked.get("SNI") or "",
        )


def _verdicts(data, group, row):
    facts = _facts(_objects(data, group, row))
    if group["mesh"]:
        routes = facts.of(*gateway.ROUTES)
        default = routes[0]["spec"]["parentRefs"][0]["name"] if routes else ""
        for request in _requests(row, [80, 8080], default):
            name, _, namespace = request.hostname.partition(".")
            spaces = {listeners.place(route)[0] for route in routes} | {"elsewhere"}
            for client in sorted(spaces):
                yield gateway.mesh(facts, (namespace or MESH, name), request.port, client, request), request
        return
    named = {
        (ref.get("namespace") or listeners.place(route)[0], ref["name"])
        for route in facts.of(*gateway.ROUTES, "TLSRoute")
        for ref in route["spec"]["parentRefs"]
    }
    sets = [obj for obj in facts.of("ListenerSet") if listeners.place(obj) in named]
    named |= {(s["spec"]["parentRef"]["namespace"], s["spec"]["parentRef"]["name"]) for s in sets}
    for one in facts.of("Gateway"):
        if listeners.place(one) in named:
            protocols = {spec["port"]: spec["protocol"] for spec in one["spec"]["listeners"]}
            for request in _requests(row, sorted(protocols)):
                if protocols[request.port] == "TLS":
                    yield passthrough.connect(facts, one, request.port, request.sni or request.hostname), request
                else:
                    yield gateway.route(facts, one, request), request


def _differences(data, group, row):
    """Nothing, if one of the Gateways answers as wanted; else what differs at the one that comes nearest."""
    found, facts = [], _facts(_objects(data, group, row))
    for verdict, request in _verdicts(data, group, row):
        for backend in verdict.usable or (None,):
            final = verdict if backend is None else _settled(facts, verdict, backend, request)
            found.append(list(_wrong(final, row, request, group["mesh"])))
    return min(found, key=len)


def _settled(facts, verdict, backend, request):
    """*verdict* at the back end that is picked, which shows a certificate if a policy is for it."""
    final = gateway.settled(verdict, backend, request.port)
    return backendtls.secured(facts, final, backend, backendtls.Shown(SHOWN, AUTHORITIES[0]))


def _wrong(verdict, row, request, mesh):
    wanted = row["expect"]
    status = verdict.status
    if verdict.fate == FORWARDED and verdict.timeout_ms:
        delay = _delay(request)
        status = 504 if delay > verdict.timeout_ms else status
    if status not in wanted["status"]:
        yield f"status: wanted {wanted['status']}, got {status} ({verdict.rule})"
    if "backend" in wanted and wanted["status"] == [200] and verdict.fate == FORWARDED:
        got, namespace = verdict.backends[0].name, verdict.backends[0].namespace
        if (got, namespace) != (wanted["backend"], wanted["namespace"] or namespace):
            yield f"back end: wanted {wanted['backend']}, got {namespace}/{got} ({verdict.rule})"
    elif "backend" in wanted and wanted["status"] == [200]:
        yield f"back end: wanted {wanted['backend']}, got none ({verdict.rule})"
    yield from itertools.chain(_redirect(verdict, wanted), _at_backend(verdict, wanted, mesh), _answer(verdict, wanted))
    if mirrors := wanted.get("mirrored_to"):
        names = [one["BackendRef"]["Name"] for one in mirrors]
        if names != [mirror.name for mirror in verdict.mirrors]:
            yield f"mirrors: wanted {names}, got {verdict.mirrors}"


def _delay(request):
    """How long the echo server was asked to wait, in ms."""
    return gateway.milliseconds(request.query.get("delay", "0s"))


def _redirect(verdict, wanted):
    if "redirect" not in wanted:
        return
    if verdict.fate != REDIRECTED:
        yield f"wanted a redirect, got {verdict.rule}"
        return
    to = urlsplit(verdict.location)
    got = {"Scheme": to.scheme, "Host": to.hostname, "Path": to.path, "Port": str(to.port or "")}
    for part, value in ({"Port": ""} | wanted["redirect"]).items():
        if got[part] != value:
            yield f"redirect {part}: wanted {value}, got {got[part]}"


def _at_backend(verdict, wanted, mesh):
    expected = (wanted.get("request_at_backend") or {}).get("Request") or {}
    if not expected.get("Path") or verdict.request is None:
        return
    seen = verdict.request
    path = seen.target.partition("?")[0]
    if path != expected["Path"] and not mesh:
        yield f"path at the back end: wanted {expected['Path']}, got {path}"
    if expected.get("SNI") and expected["SNI"] != seen.sni:
        yield f"name in the hello to the back end: wanted {expected['SNI']}, got {seen.sni}"
    if expected.get("Host") and expected["Host"] != seen.host:
        yield f"host at the back end: wanted {expected['Host']}, got {seen.host}"
    yield from _headers(seen.headers, expected.get("Headers") or {}, wanted["request_at_backend"].get("AbsentHeaders"))


def _answer(verdict, wanted):
    """Headers of the answer; an echo server gives back what it was told to, and `X-Header-Echo`."""
    given = dict(wanted.get("given_backend_response_headers") or {})
    if verdict.request is not None and (echo := verdict.request.header("X-Header-Echo")):
        given.setdefault("X-Header-Echo", echo)
    got = filters.answered(given, verdict.answer_headers)
    yield from _headers(got, wanted.get("response_headers") or {}, wanted.get("response_absent_headers"))


def _headers(got, wanted, absent):
    folded = {name.lower(): value for name, value in got.items()}
    for name, value in wanted.items():
        if folded.get(name.lower()) != value:
            yield f"header {name}: wanted {value}, got {folded.get(name.lower())}"
    for name in absent or ():
        if name.lower() in folded:
            yield f"header {name} should be gone, it is {folded[name.lower()]}"
