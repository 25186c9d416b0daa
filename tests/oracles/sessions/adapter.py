"""Until the API server answers HTTP itself: the shapes of `apiserver.http`, over a call as programs make it."""

import json
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

import yaml

from kubemini.api.objects import thaw
from kubemini.wire import Call

PATCHES = {
    "application/json-patch+json": "json",
    "application/merge-patch+json": "merge",
    "application/strategic-merge-patch+json": "strategic",
    "application/apply-patch+yaml": "apply",
}


@dataclass(frozen=True)
class HttpRequest:
    method: str
    target: str
    headers: tuple
    body: bytes
    certificate: object


@dataclass(frozen=True)
class HttpResponse:
    status: int
    headers: tuple
    body: object


class WatchStream:
    def __init__(self):
        self.pushed, self.closed = [], False


class Pushed:
    """The server's end of a watch."""

    def __init__(self, items, event, call):
        self.items, self.event, self.call = items, event, call

    def push(self, item):
        self.items.pushed.append(json.dumps(thaw(item)).encode() + b"\n")
        if not self.event.triggered:
            self.event.succeed(None)

    def close(self, error=None):
        self.call.fail(error) if error is not None else self.call.reply(None)


class Port:
    """Where the answer to a call goes."""

    def __init__(self, server, event, stream):
        self.server, self.component, self.net, self.event, self.items = server, server, server.net, event, stream

    def served(self, call):
        pass

    def answer(self, source, id, reply):
        if self.items is not None:
            self.items.closed = True
        if not self.event.triggered:
            self.event.succeed(reply)


def handle(server, asked):
    url, headers = urlsplit(asked.target), {key.lower(): value for key, value in asked.headers}
    query = dict(parse_qsl(url.query, keep_blank_values=True))
    body, verb = None, asked.method
    if asked.body:
        body = (yaml.safe_load if "yaml" in headers.get("content-type", "") else json.loads)(asked.body.decode())
    if verb == "PATCH":
        query["type"] = PATCHES.get(headers["content-type"], "")
    watches = verb == "GET" and query.get("watch") in ("1", "true")
    payload = {"verb": verb, "path": url.path, "query": query, "body": body, "user": headers.get("user-agent", "")}
    event, items = server.sim.event(), WatchStream() if watches else None
    call = Call(Port(server, event, items), "outside", 1, "watch" if watches else "request", payload, watches)
    if watches:
        call.stream = Pushed(items, event, call)
        server.handle(call)
        yield event | server.sim.timeout(50_000)
        if not event.triggered or event.value is None or event.value.ok:
            return HttpResponse(200, (), items)
    else:
        server.handle(call)
        yield event
    reply = event.value
    code = (201 if verb == "POST" else 200) if reply.ok else reply.error.code
    value = thaw(reply.value) if reply.ok else reply.error.status()
    return HttpResponse(code, (("Content-Type", "application/json"),), json.dumps(value).encode())
