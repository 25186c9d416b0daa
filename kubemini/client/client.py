"""A client of the Kubernetes API: requests and watches over the connection of its program (transport.py).

Invariant: a write is sent a second time only if the first certainly did not happen; a read may be repeated freely.
It waits for an answer as long as it takes: the limits are those of the server, but for who sets its own.
Method names and paths follow client-go's typed clients.
With a `Throttle` it asks only so often (--kube-api-qps); a watch is free.
Simplified: a kubeconfig holds one address; where no load balancer stands in front of several API servers, we give a
client all of them, and it moves on when one cannot be reached. A server that is too busy (429) is an error like others.

    client = ApiClient(self, ["apiserver-1"], "system:kube-scheduler")
    reply = yield from client.get(POD, "web-1", "default")
"""

from collections.abc import Callable, Sequence
from copy import copy
from typing import Any

from kubemini.api.kinds import Kind, collection_path, object_path
from kubemini.api.objects import Obj
from kubemini.client.decide.throttle import Throttle
from kubemini.client.transport import Transport, Watch
from kubemini.host import Component
from kubemini.sim import Steps
from kubemini.wire import Reply


def code(reply: Reply) -> int:
    """The HTTP status code of a failed request; 0 if it worked or no server answered."""
    return 0 if reply.ok else getattr(reply.error, "code", 0)


class ApiClient:
    """Use it from a component's tasks: ``reply = yield from client.create(...)``."""

    def __init__(self, component: Component, servers: Sequence[str], user: str, timeout: int | None = None):
        assert servers, "a client of the API needs at least one server"
        self.component, self.user = component, user
        self.transport = Transport(component, servers)
        self.timeout = timeout  # of each attempt, µs
        self.deadline: int | None = None  # the instant at which all attempts end
        self.throttle: Throttle | None = None

    def limited(self, timeout: int) -> "ApiClient":
        """The same client, on the same connection, but each attempt lasts *timeout* µs at most."""
        other = copy(self)
        other.timeout = timeout
        return other

    def throttled(self, throttle: Throttle) -> "ApiClient":
        """The same client, on the same connection, but one that asks only so often."""
        other = copy(self)
        other.throttle = throttle
        return other

    @property
    def server(self) -> str:
        """The API server, or load balancer, that is dialled."""
        return self.transport.target

    # -- objects -------------------------------------------------------------------------------------------------
    def get(self, kind: Kind, name: str, namespace: str = "") -> Steps:
        """One object."""
        return self.request("GET", kind.path(namespace, name))

    def list(self, kind: Kind, namespace: str = "", **query: str) -> Steps:
        """A collection; no namespace means all of them. *query*: resourceVersion, labelSelector, fieldSelector."""
        return self.request("GET", kind.path(namespace), query=query)

    def create(self, obj: Obj) -> Steps:
        """POST a new object to its collection."""
        return self.request("POST", collection_path(obj), obj)

    def update(self, obj: Obj) -> Steps:
        """PUT the whole object; its resourceVersion guards against overwriting what others wrote meanwhile."""
        return self.request("PUT", object_path(obj), obj)

    def update_status(self, obj: Obj) -> Steps:
        """PUT the status alone."""
        return self.request("PUT", object_path(obj, "status"), obj)

    def patch(
        self, kind: Kind, name: str, namespace: str, body: Obj, subresource: str = "", type: str = "merge"
    ) -> Steps:
        """A patch; *type*: merge (JSON merge patch) or strategic."""
        return self.request("PATCH", kind.path(namespace, name, subresource), body, {"type": type})

    def delete(self, kind: Kind, name: str, namespace: str = "", **options: Any) -> Steps:
        """DELETE one object; *options*: gracePeriodSeconds, preconditions, propagationPolicy."""
        return self.request("DELETE", kind.path(namespace, name), options or None)

    def post(self, path: str, body: Obj) -> Steps:
        """POST to any path, such as ``…/pods/web-1/binding``."""
        return self.request("POST", path, body)

    # -- the wire ------------------------------------------------------------------------------------------------
    def request(
        self,
        verb: str,
        path: str,
        body: Any = None,
        query: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Steps:
        """Any request: the reply, an answer of the server or an error of the wire."""
        payload = {"verb": verb, "path": path, "query": query or {}, "body": body, "user": self.user}
        payload |= {"headers": headers} if headers else {}
        return self._request(payload)

    def _request(self, payload: Any) -> Steps:
        wait = self.throttle.reserve(self.component.sim.now) if self.throttle is not None else 0
        if wait:
            yield self.component.timeout(wait)
        return (yield from self.transport.request(payload, self.timeout, self.deadline))

    def watch(
        self,
        kind: Kind,
        on_item: Callable[[Any], None],
        on_close: Callable[[Any], None],
        namespace: str = "",
        **query: str,
    ) -> Watch:
        """Open a watch of a collection."""
        payload = {"path": kind.path(namespace), "query": query, "user": self.user}
        return self.transport.stream("watch", payload, on_item, on_close)
