"""An etcd client: requests to one of several members, moving on when that one cannot serve.

Invariant: a write is sent a second time only if the first certainly did not happen; a read may be repeated freely.
clientv3's retry policy, https://etcd.io/docs/v3.7/learning/design-client/
Models etcd client/v3 Client.unaryClientInterceptor, repeatable.
Simplified: sticks to one member until that fails, where clientv3 balances over all; a read that fails is repeated by
the same member after a change of leader only, where clientv3 repeats it while the error is "unavailable".

    client = EtcdClient(self, ["etcd-1", "etcd-2"])
    reply = yield from client.range("/registry/pods/", prefix_end("/registry/pods/"))
"""

from collections.abc import Callable, Sequence
from typing import Any

from kubemini.etcd.errors import LEADER_CHANGED
from kubemini.host import Component
from kubemini.sim import Steps
from kubemini.sim.units import NEVER
from kubemini.wire import Reply, Unreachable
from kubemini.wire.rpc import ClientStream

READ_ACROSS_ELECTION = LEADER_CHANGED.of_a_read()


def prefix_end(prefix: str) -> str:
    """The ``range_end`` that makes a range of every key with *prefix*."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1) if prefix else "\0"


class EtcdClient:
    """Use it from a component's tasks: ``reply = yield from client.put(...)``."""

    def __init__(self, component: Component, endpoints: list[str]):
        assert endpoints, "an etcd client needs at least one endpoint"
        self.component, self.endpoints = component, endpoints
        self._current = 0

    @property
    def endpoint(self) -> str:
        """The member in use."""
        return self.endpoints[self._current]

    def range(self, key: str, range_end: str = "", timeout: int | None = None, **fields: Any) -> Steps:
        """Read a key or a range; *fields* as in etcd's RangeRequest."""
        return self.request("range", {"key": key, "range_end": range_end, **fields}, timeout)

    def put(self, key: str, value: Any, timeout: int | None = None, **fields: Any) -> Steps:
        """Write a key."""
        return self.request("put", {"key": key, "value": value, **fields}, timeout)

    def txn(
        self, compare: list[dict], success: list[dict], failure: Sequence[dict] = (), timeout: int | None = None
    ) -> Steps:
        """If all of *compare* hold then *success* else *failure*."""
        return self.request("txn", {"compare": compare, "success": success, "failure": list(failure)}, timeout)

    def request(self, method: str, payload: dict[str, Any], timeout: int | None = None) -> Steps:
        """Any method of etcd; *timeout* (µs; None: as long as it takes) is for all attempts together."""
        params = self.component.net.params
        deadline, attempts = self.component.sim.now + (timeout or NEVER), len(self.endpoints)
        said: Reply | None = None  # what a member answered, when the next one does not even do that
        while True:
            left = deadline - self.component.sim.now
            reply = yield self.component.call(self.endpoint, method, payload, timeout=max(1, left))
            if reply.error == READ_ACROSS_ELECTION and left > params.etcd_client_retry_pause:
                yield self.component.timeout(params.etcd_client_retry_pause)
                continue
            attempts -= 1
            if said is None or not isinstance(reply.error, Unreachable):
                said = reply
            if reply.ok or not self._move_on(reply.error) or not attempts:
                break
            if not (reply.error.definite or method == "range") or self.component.sim.now >= deadline:
                break
        return said

    def watch(
        self, key: str, range_end: str, on_item: Callable[[Any], None], on_close: Callable[[Any], None], **fields: Any
    ) -> ClientStream:
        """Open a watch on the member in use; when it ends with an error, the next one goes to another member."""

        def closed(error: Any) -> None:
            if error is not None:
                self._move_on(error)
            on_close(error)

        payload = {"key": key, "range_end": range_end, **fields}
        return self.component.open_stream(self.endpoint, "watch", payload, on_item, closed)

    def _move_on(self, error: Any) -> bool:
        """Use the next member from now on, if *error* says that this one cannot serve."""
        cannot = isinstance(error, Unreachable) or error.code == "UNAVAILABLE"
        if cannot:
            self._current = (self._current + 1) % len(self.endpoints)
        return cannot
