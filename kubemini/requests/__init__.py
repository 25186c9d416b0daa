"""One request through the API server's chain, looked at: what each stage asks, what it did, where the request ended.

    print(trace_request(method="POST", path="/api/v1/namespaces/shop/pods", user="dev", body=pod))
    traced = trace_request(cluster, "GET", "/api/v1/nodes", user="dev")
    traced.status, traced.ended, traced.stage("authorize").why

Theory of operation. The request is a real one: it goes to an API server that runs in the simulation, down its one list
of handlers (apiserver/pipeline.py `HANDLERS`), and what it writes is written. A witness (observed.py) rides with it and
is told of every step by the server itself; nothing of the chain is written down a second time here. What was seen is
put into stages (stages.py), told in words (words.py) and handed out as data (traced.py).
Invariant: the same request at the same cluster gives the same data, in any process and in the browser; a request that
nobody traces costs nothing more, and says nothing else in the trace.
"""

import json
from collections.abc import Mapping
from typing import Any

from kubemini.apiserver.decide.access.users import UserInfo
from kubemini.apiserver.gate.fairness import LEVEL, SCHEMA
from kubemini.apiserver.http import Exchange, HttpRequest, HttpResponse
from kubemini.apiserver.server import ApiServer
from kubemini.cluster import Cluster
from kubemini.ranges import shown
from kubemini.requests import shop
from kubemini.requests.diffs import lines
from kubemini.requests.observed import Observed
from kubemini.requests.traced import Answer, TracedRequest, answered, traced
from kubemini.requests.words import About
from kubemini.sim.units import SECOND
from kubemini.wire import Unreachable

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PATIENCE = 90 * SECOND  # of simulated time: longer than any request may take
LARGEST = 100_000  # letters of a body or of a path
STRATEGIC = "application/strategic-merge-patch+json"

__all__ = ["METHODS", "TracedRequest", "trace_request"]


def trace_request(
    where: Cluster | None = None,
    method: str = "GET",
    path: str = "/version",
    *,
    user: str = "",
    groups: tuple[str, ...] = (),
    token: str = "",
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    by: str = "",
) -> TracedRequest:
    """Send one request to the API server of *where* and look at every stage; the result prints itself.

    *where* is a `Cluster` that runs, or is started now; None: a small one with rights, a quota and a webhook, whose
    users are dev, viewer and admin (requests/shop.py). *user* shows a client certificate, *token* a bearer token; with
    neither, nobody asks. *body* is an object, or a text as it is to be sent; *headers* are added to it. *by*: what
    the one who asks is called in what is shown, if it is to be another word.
    Raises ValueError: one sentence that says what to do.
    """
    who = by or user or ("whoever has this token" if token else shop.NOBODY)
    method = method.upper() if isinstance(method, str) else method
    if method not in METHODS:
        raise ValueError(f"method {shown(method)}: give one of {', '.join(METHODS)}")
    if not isinstance(path, str) or not path.startswith("/") or len(path) > LARGEST:
        raise ValueError(f"path {shown(path)}: a path begins with /, such as /api/v1/namespaces/shop/pods")
    if where is None:
        where = shop.opened()
        user, groups, token = shop.credentials(user, groups, token)
    sent = _sent(method, path, token, body, dict(headers or {}), UserInfo(user, tuple(groups)) if user else None)
    return _walk(_server(where), where, sent, _asked(sent, who))


def _sent(
    method: str, path: str, token: str, body: Any, headers: dict[str, str], certificate: UserInfo | None
) -> HttpRequest:
    """The request as bytes."""
    text = body if isinstance(body, str) else "" if body is None else json.dumps(body)
    if len(text) > LARGEST:
        raise ValueError(f"a body of {len(text):,} letters: {LARGEST:,} are the most that is traced here")
    known = {name.lower() for name in headers}
    if text and "content-type" not in known:
        is_json = text.lstrip()[:1] in ("{", "[")
        headers["Content-Type"] = (
            STRATEGIC if method == "PATCH" else "application/json" if is_json else "application/yaml"
        )
    if token and "authorization" not in known:
        headers["Authorization"] = f"Bearer {token}"
    return HttpRequest(method, path, tuple(headers.items()), text.encode(), certificate)


def _asked(sent: HttpRequest, who: str) -> dict[str, Any]:
    """What was asked, for those who show it."""
    return {"method": sent.method, "path": sent.target, "user": who, "body": _lines(sent.body.decode())}


def _lines(text: str) -> list[str]:
    """A body as lines: JSON as YAML would say it, anything else as it is."""
    try:
        return lines(json.loads(text)) if text else []
    except ValueError:
        return text.splitlines()


def _server(cluster: Cluster) -> ApiServer:
    """The API server that is asked: the first one that is up, else the first. Raises ValueError."""
    if not isinstance(cluster, Cluster):
        raise ValueError(f"where: expected a Cluster, such as Cluster.single(), got {shown(cluster)}")
    found = [one for one in cluster.components.values() if isinstance(one, ApiServer)]
    if not found:
        raise ValueError("this cluster has no API server; take another one, such as Cluster.single()")
    cluster.start()
    return next((one for one in found if one.up and one.listens), found[0])


def _walk(server: ApiServer, cluster: Cluster, sent: HttpRequest, asked: Mapping[str, Any]) -> TracedRequest:
    """Send it, let time pass until it is answered, and tell what was seen."""
    sim, answers = cluster.sim, list[HttpResponse | Unreachable]()
    began = sim.now
    seen = Observed(lambda: sim.now)
    exchange = Exchange(server, sent, answers.append, seen)
    while not answers and sim.next_instant() < began + PATIENCE:
        sim.step()
    answer = _answer(answers[0] if answers else None)
    if answers and isinstance(answers[0], HttpResponse) and not isinstance(answers[0].body, bytes):
        exchange.cancel()
    names = {}
    for kind in (SCHEMA, LEVEL):
        cache = server.core.begun(kind) if server.up else None
        names.update({one["metadata"]["uid"]: one["metadata"]["name"] for one in (cache.items() if cache else ())})
    headers = {name.lower(): value for name, value in sent.headers}
    credentials = "client certificate" if sent.certificate else "bearer token"
    limit = cluster.params.request_timeout
    about = About(credentials, headers.get("content-type", ""), len(sent.body), limit, names)
    return traced(asked, seen.steps, began, sim.now, about, answer)


def _answer(found: HttpResponse | Unreachable | None) -> Answer:
    if found is None:
        return Answer(0, "", "the server is silent")
    if isinstance(found, Unreachable):
        return Answer(0, "", str(found))
    return answered(found.status, found.headers, found.body if isinstance(found.body, bytes) else None)
