"""An etcd client as an API server has them: a subchannel a member, and each request goes to the next READY one.

Invariant: a write is sent a second time only if it certainly never left, or if etcd says that its own deadline has
passed: so one that finds a member without a leader goes on until its own time is up. A read may be repeated freely.
What finds no READY subchannel waits for one until its own time is up, and then has certainly not happened.
What has left has an unknown fate until it is answered: a member that hangs has it in its kernel, and carries
it out when it goes on. A read is repeated while the answer is "unavailable", which a timeout of etcd is too;
after as many tries as make a majority of the members there is a short pause.
Models etcd client/v3 Client.unaryClientInterceptor, isSafeRetryImmutableRPC, Client.roundRobinQuorumBackoff;
google.golang.org/grpc pickerWrapper.pick, endpointsharding pickerWithChildStates.
Simplified: the pause has no jitter.

    client = EtcdClient(self, ["etcd-1", "etcd-2"], "pods")
    reply = yield from client.range("/registry/pods/", prefix_end("/registry/pods/"))
"""

from collections.abc import Sequence
from typing import Any

import simpy

from kubemini.etcd.channel import Channel
from kubemini.etcd.errors import NOT_FOR_LEARNERS, EtcdError
from kubemini.host import Component
from kubemini.sim import Steps
from kubemini.sim.units import NEVER
from kubemini.wire import Reply, Unreachable
from kubemini.wire.connections import Connection
from kubemini.wire.rpc import DEADLINE

TRIES = 100  # defaultUnaryMaxRetries
NEVER_SENT = Unreachable("deadline exceeded while waiting for connections to become ready", definite=True)


def prefix_end(prefix: str) -> str:
    """The ``range_end`` that makes a range of every key with *prefix*."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1) if prefix else "\0"


def again(method: str, error: Any, endpoints: int) -> bool:
    """Whether clientv3 sends a request once more after *error*, on the same or another of its *endpoints*."""
    if isinstance(error, Unreachable) and error != DEADLINE and error.definite:
        return True  # nothing went onto the wire: gRPC itself tries again
    if error == NOT_FOR_LEARNERS:
        return endpoints > 1
    if isinstance(error, EtcdError) and error.code == "DEADLINE_EXCEEDED":
        return True  # "callCtx deadline", as isContextError takes it
    if method != "range" or error == DEADLINE:
        return False
    return isinstance(error, Unreachable) or (isinstance(error, EtcdError) and error.code == "UNAVAILABLE")


class EtcdClient:
    """Use it from a component's tasks: ``reply = yield from client.put(...)``; *name* tells its luck from others'."""

    def __init__(self, component: Component, endpoints: list[str], name: str):
        assert endpoints, "an etcd client needs at least one endpoint"
        self.component, self.endpoints = component, endpoints
        self._draws = component.sim.draws(f"picker/{component.name}/{component.incarnation}/{name}")
        self._pickers = self._next = 0
        self._ready: list[Connection] = []
        self._waiting: list[simpy.Event] = []
        self.channels = [Channel(component, one, name, self._changed) for one in endpoints]

    # -- requests --------------------------------------------------------------------------------------
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
        payload = {"compare": compare, "success": success, "failure": list(failure)}
        return self.request("txn", payload, timeout)

    def request(self, method: str, payload: dict[str, Any], timeout: int | None = None) -> Steps:
        """Any method of etcd; *timeout* (µs; None: as long as it takes) is for all attempts together."""
        sim, majority = self.component.sim, len(self.endpoints) // 2 + 1
        deadline, late = sim.now + timeout if timeout else NEVER, NEVER_SENT
        for attempt in range(1, TRIES + 1):
            connection = yield from self.ready(deadline)
            if connection is None:
                return Reply(False, None, late)
            left = None if deadline == NEVER else max(1, deadline - sim.now)
            asked = connection.call(method, payload, left)
            try:
                reply = yield asked
            finally:  # also where whoever waits is given up: the member is told
                connection.cancel(asked)
            if reply.ok or not again(method, reply.error, len(self.endpoints)):
                break
            if not reply.error.definite:
                late = DEADLINE
            if attempt % majority == 0:
                yield self.component.timeout(self.component.net.params.etcd_client_retry_pause)
        return reply

    # -- subchannels -----------------------------------------------------------------------------------
    @property
    def connected(self) -> bool:
        """Whether there has ever been a READY subchannel."""
        return self._pickers > 0

    @property
    def well(self) -> bool:
        """Whether every member would answer."""
        return all(one.well for one in self.channels)

    def ready(self, deadline: int = NEVER) -> Steps:
        """The READY connection whose turn it is; None if there is none until *deadline*."""
        while not self._ready:
            if self.component.sim.now >= deadline:
                return None
            yield from self._change(deadline)
        self._next = (self._next + 1) % len(self._ready)
        return self._ready[self._next]

    def _change(self, deadline: int) -> Steps:
        """Until a subchannel becomes READY, or *deadline*."""
        component, event = self.component, simpy.Event(self.component.sim)
        self._waiting.append(event)
        timer = component.after(deadline - component.sim.now, event.succeed) if deadline != NEVER else None
        try:
            yield event
        finally:  # also where whoever waits is given up
            if timer is not None:
                timer.cancel()
            if event in self._waiting:
                self._waiting.remove(event)

    def _changed(self) -> None:
        """There is a new picker: its turn begins anywhere. Whoever waits goes on."""
        self._ready = [one.connection for one in self.channels if one.ready and one.connection]
        if self._ready:
            self._next = self._draws.u(self._pickers) % len(self._ready)
            self._pickers += 1
            waiting, self._waiting = self._waiting, []
            for event in waiting:
                event.succeed()
