"""The API server as the client of kubelets and pods: whom an address leads to, and a request there.

Theory of operation.

A kubelet is dialled at the address that its Node names, with the server's own certificate; the connection lasts as
long as the request. The answer comes as a stream of the wire: a head first, then bytes, then its end (`Talk`). Bytes
for the other side go as calls on the same connection, so that they come in order and end with it.

What fails is said in the words of Go's net package, since that is what users read: refused at once where a machine
has no such program, a timeout after `CONNECT` where nothing is heard, EOF where the program dies.
Invariant: who asked and goes away takes the connection along; whoever is asked learns it.
Models k/client-go transport tlsTransportCache.get; go net Dialer.DialContext, net/http Transport.roundTrip.
Simplified: addresses that no machine of the simulation has are silent, as behind a router; a connection a request,
where the real one keeps those that can carry several.
"""

from collections.abc import Callable
from typing import Any

import simpy

from kubemini.apiserver.core import Core, Request
from kubemini.apiserver.decide.access.users import AUTHENTICATED, MASTERS
from kubemini.apiserver.decide.parts.connections import is_routable, refused
from kubemini.apiserver.decide.parts.locations import Location
from kubemini.host import Component
from kubemini.host.linux.podnetwork import knows_way, own_addresses, stack_at
from kubemini.sim import Steps
from kubemini.sim.units import HOUR, SECOND
from kubemini.wire import Unreachable
from kubemini.wire.calls import DEADLINE, HANDSHAKE, NO_ANSWER, REFUSED, RESET
from kubemini.wire.connections import Connection, Limits
from kubemini.wire.rpc import happen

CLIENT = {"name": "kube-apiserver-kubelet-client", "groups": [MASTERS, AUTHENTICATED]}  # --kubelet-client-certificate
CONNECT, HANDSHAKE_TIME = 30 * SECOND, 10 * SECOND  # client-go's dialer, Go's TLSHandshakeTimeout
FOR_EVER = 24 * HOUR  # nobody limits the handshake of a connection that is upgraded


class Talk:
    """One request at a kubelet, and its answer as it comes."""

    def __init__(self, core: Core, connection: Connection, payload: dict[str, Any]):
        self.core, self.connection, self.number = core, connection, payload["number"]
        self.status, self.headers = 0, ()
        self.parts: list[bytes] = []
        self.over = False
        self.error: Any = None  # of an answer that was cut off
        self.on_bytes: Callable[[bytes], None] | None = None
        self.on_end: Callable[[], None] = lambda: None
        self._waits: simpy.Event | None = None
        connection.open_stream("http", payload, self._item, self._ended)

    def head(self) -> Steps:
        """Wait for the head; whether one has come."""
        while not self.status and not self.over:
            yield from self._news()
        return bool(self.status)

    def rest(self) -> Steps:
        """Wait for the end; all bytes of the answer."""
        while not self.over:
            yield from self._news()
        return b"".join(self.parts)

    def pass_on(self, on_bytes: Callable[[bytes], None], on_end: Callable[[], None]) -> None:
        """From now on *on_bytes* gets what comes, and what has come already; *on_end* is called at its end."""
        self.on_bytes, self.on_end = on_bytes, on_end
        parts, self.parts = self.parts, []
        for part in parts:
            on_bytes(part)
        if self.over:
            on_end()

    def send(self, data: bytes) -> None:
        """Bytes for whoever is there."""
        if not self.over:
            self.connection.call("input", {"number": self.number, "data": data}, None)

    def close(self) -> None:
        """No more of it."""
        self.over = True
        self.connection.close()

    def _news(self) -> Steps:
        self._waits = simpy.Event(self.core.sim)
        yield self._waits

    def _tell(self) -> None:
        if self._waits is not None:
            waits, self._waits = self._waits, None
            happen(waits, None)

    def _item(self, item: Any) -> None:
        if not self.status:
            self.status, self.headers = item.status, item.headers
        elif self.on_bytes is not None:
            self.on_bytes(item)
        else:
            self.parts.append(item)
        self._tell()

    def _ended(self, error: Any) -> None:
        if self.over:
            return
        self.over, self.error = True, error
        self.connection.close()
        self._tell()
        self.on_end()


def ask(core: Core, location: Location, asked: Request, upgrades: bool = False) -> Steps:
    """A `Talk` with the kubelet at *location*, whose head has come; or text: why there is none."""
    found = _listener(core, location.address)
    if found is None:
        return (yield from _nobody(core, location.address))
    time = FOR_EVER if upgrades else HANDSHAKE_TIME
    params = core.params
    limits = Limits(time, params.http2_read_idle_timeout, params.http2_ping_timeout, None, CONNECT)
    connection = core.component.connection(found.name, limits, kept=False)
    asked.call.on_cancel(connection.close)
    reply = yield connection.dial()
    if not reply.ok:
        return words(location.address, reply.error)
    payload = {
        "number": connection.number,
        "method": asked.method or "GET",
        "path": location.path,
        "query": location.values,
        "headers": dict(asked.headers),
        "user": CLIENT,
    }
    talk = Talk(core, connection, payload)
    if not (yield from talk.head()):
        return words(location.address, talk.error)
    return talk


def page(core: Core, address: str, path: str, patience: int = CONNECT, **asked: Any) -> Steps:
    """What a program at *address* in the pod network answers: a dict; or text: why nobody does.

    *asked*: method, headers, body.
    """
    host, _, port = address.rpartition(":")
    ip, here = host.strip("[]"), core.component.host
    there = stack_at(core.component.net.components, ip)
    if there is None or not knows_way(here, ip):
        yield core.component.timeout(min(patience, CONNECT))
        return words(address, NO_ANSWER)
    source = own_addresses(here)[0]
    payload = {"source": source, "ip": ip, "port": int(port), "method": "GET", "path": path, **asked}
    reply = yield core.component.call(there.name, "page", payload, timeout=patience)
    return reply.value if reply.ok else words(address, reply.error)


def words(address: str, error: Any) -> str:
    """*error* as Go's net package says it."""
    if error == REFUSED:
        return refused(address)
    if error in (NO_ANSWER, DEADLINE):
        return f"dial tcp {address}: i/o timeout"
    if error == RESET:
        return f"read tcp {address}: read: connection reset by peer"
    if error == HANDSHAKE:
        return HANDSHAKE.reason
    return error.reason if isinstance(error, Unreachable) else "EOF"


def _nobody(core: Core, address: str) -> Steps:
    """Why nobody of the simulation is at *address*: text."""
    if why := unknown(core, address):
        return f"dial tcp: {why}"
    if not is_routable(address.rpartition(":")[0].strip("[]")):
        return words(address, REFUSED)  # this machine itself, where nobody listens
    yield core.component.timeout(CONNECT)
    return words(address, NO_ANSWER)


def unknown(core: Core, address: str) -> str:
    """Why the host of *address* is not known: it is a name that no machine has; "" if it is."""
    host = address.rpartition(":")[0].strip("[]")
    named = not (host[:1].isdigit() or ":" in host)
    programs = core.component.net.components.values()
    return f"lookup {host}: no such host" if named and not any(one.host.name == host for one in programs) else ""


def _listener(core: Core, address: str) -> Component | None:
    """The program that listens at *address*, a name or an IP and a port, while it runs or not."""
    host, _, port = address.rpartition(":")
    for found in core.component.net.components.values():
        if isinstance(found, Component) and found.port == int(port):
            if host.strip("[]") in (found.host.name, *own_addresses(found.host)):
                return found
    return None
