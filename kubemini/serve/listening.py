"""Sockets, TLS and HTTP/1.1, by Tornado: bytes of real connections ↔ `HttpRequest` and `HttpResponse`.

Theory of operation.

A `Port` listens for one server of the simulation, or for its balancer, while that program runs and takes connections;
else its socket is closed, and the kernel of this machine refuses, as the simulated one does. Each accepted connection
is one `Client`: TLS first, then requests, one after the other. A request that has come whole goes down the client's
`Line`; the answer comes back in a later event, at once or as a stream.

What a bad client can cost: `HANDSHAKE` seconds of a socket; a header of `HEADERS` bytes; a body of which `BODY` bytes
are kept and the rest is thrown away; a watch that is not read, until `UNREAD` bytes wait. Then it is cut. Nothing it
sends can raise in the simulation.
Simplified: HTTP/1.1 alone. The real server offers HTTP/2 by ALPN, and a client takes what there is: kubectl, client
libraries and the conformance tests ask the same by either, over a few connections more. What only HTTP/2 has, a GOAWAY
among requests, is said here as `Connection: close`.
"""

import asyncio
import hashlib
import ssl
from collections.abc import Awaitable, Callable
from datetime import UTC, timedelta
from http.client import responses
from typing import Any

from tornado import http1connection, httputil, iostream, netutil, tcpserver

from kubemini.api.timestamps import START
from kubemini.apiserver.decide.access.users import CREDENTIAL, UserInfo
from kubemini.apiserver.http import HttpRequest, HttpResponse, WatchStream
from kubemini.serve.door import Clients, Line
from kubemini.serve.pacing import Pace
from kubemini.wire import Unreachable

LOOPBACK = "127.0.0.1"
HANDSHAKE = 32.0  # seconds, ReadHeaderTimeout of k/apiserver pkg/server/secure_serving.go; IDLE: its IdleTimeout
IDLE, BODY_TIME = 90.0, 60.0  # seconds
HEADERS = 1 << 20  # bytes; its MaxHeaderBytes
BODY = 3 * 1024 * 1024 + 1  # bytes that are kept of a body: one more than the chain will take
LONGEST = 64 * 1024 * 1024  # bytes of a body that is read to its end before it is refused
UNREAD = 32 * 1024 * 1024  # bytes that may wait for a client that does not read
SWITCHING = 101
CHUNK = 65536  # bytes that are read at once of an upgraded connection
MOST = 4_000  # connections to one port


class Gate(tcpserver.TCPServer):
    """An open socket of a `Port`: it lets in those who finish TLS."""

    def __init__(self, context: ssl.SSLContext, let_in: Callable[[iostream.SSLIOStream], None]):
        super().__init__(ssl_options=context, max_buffer_size=HEADERS + 65536)
        self._let_in = let_in

    async def handle_stream(self, stream: iostream.IOStream, address: tuple) -> None:
        """Somebody has connected."""
        assert isinstance(stream, iostream.SSLIOStream)
        try:
            await asyncio.wait_for(stream.wait_for_handshake(), HANDSHAKE)
        except (TimeoutError, OSError):  # StreamClosedError is one
            stream.close()
            return
        self._let_in(stream)


class Port:
    """One address; behind it *target*, a program of the simulation."""

    def __init__(self, clients: Clients, pace: Pace, target: str, context: ssl.SSLContext, number: int = 0):
        self.clients, self.pace, self.target, self.context = clients, pace, target, context
        self.open: set[Client] = set()
        self._gate: Gate | None = None
        self.number = number
        pace.looks.append(self.look)
        self.look()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"https://{LOOPBACK}:{self.number}"

    def look(self) -> None:
        """Something may have happened to somebody: listen while the program behind does."""
        program = self.clients.net.components[self.target]
        if program.up and program.listens:
            if self._gate is None:
                sockets = netutil.bind_sockets(self.number, LOOPBACK)
                self.number = sockets[0].getsockname()[1]
                self._gate = Gate(self.context, self._let_in)
                self._gate.add_sockets(sockets)
        elif self._gate is not None:
            self._gate.stop()
            self._gate = None

    def _let_in(self, stream: iostream.SSLIOStream) -> None:
        if len(self.open) < MOST and self._gate is not None:
            stream.max_write_buffer_size = UNREAD
            self.open.add(Client(self, stream))
        else:
            stream.close()

    def close(self) -> None:
        """No more: the socket, and all who are connected."""
        self.pace.looks.remove(self.look)
        if self._gate is not None:
            self._gate.stop()
        for client in list(self.open):
            client.leave()


class Client(httputil.HTTPServerConnectionDelegate):
    """One connection: its requests come one after the other."""

    def __init__(self, port: Port, stream: iostream.SSLIOStream):
        self.port, self.stream = port, stream
        self.asked: Asked | None = None
        self.tunnel: Tunnel | None = None  # if the connection has been upgraded
        self.certificate = user_of(stream.socket.getpeercert(), stream.socket.getpeercert(True))
        port.pace.now()
        self.line = Line(port.clients, port.target, self.lost)
        port.pace.wake()
        params = http1connection.HTTP1ConnectionParameters(
            max_header_size=HEADERS, header_timeout=IDLE, max_body_size=LONGEST, body_timeout=BODY_TIME
        )
        http1connection.HTTP1ServerConnection(stream, params).start_serving(self)

    def start_request(self, server_conn: object, request_conn: httputil.HTTPConnection) -> "Asked":
        """The next request is about to come."""
        self.asked = Asked(self, request_conn)
        return self.asked

    def on_close(self, server_conn: object) -> None:
        """There will be no more requests; a connection that has been upgraded goes on."""
        if self.tunnel is None:
            self.end()

    def end(self) -> None:
        """There will be no more."""
        self.port.open.discard(self)
        self.line.close()
        self.port.pace.wake()

    def lost(self) -> None:
        """Its server is gone: whoever dials anew at once shall find the door shut."""
        self.port.look()
        self.cut()

    def leave(self) -> None:
        """The door closes: a watch ends as one does whose time is over."""
        if self.asked is not None:
            self.asked.end()
        if self.tunnel is not None:
            self.tunnel.leave()
        self.cut()

    def cut(self) -> None:
        """Close the connection: its server is gone, or its time is over."""
        self.stream.close()


class Asked(httputil.HTTPMessageDelegate):
    """One request as it comes in, and then the way of its answer."""

    def __init__(self, client: Client, connection: httputil.HTTPConnection):
        self.client, self.connection = client, connection
        self.line, self.pace = client.line, client.port.pace
        self.method = self.target = ""
        self.headers: tuple[tuple[str, str], ...] = ()
        self.body = bytearray()
        self.waits = self.gone = False
        self.stream: WatchStream | None = None

    # -- what comes in ---------------------------------------------------------------------------------------------
    def headers_received(self, start_line: Any, headers: httputil.HTTPHeaders) -> Awaitable[None] | None:
        """The head has come."""
        self.method, self.target = start_line.method, start_line.path
        self.headers = tuple(headers.get_all())
        return None

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """A piece of the body has come."""
        self.body += chunk[: BODY - len(self.body)]
        return None

    def finish(self) -> None:
        """All of it has come: ask."""
        self.waits = True
        self.pace.now()
        self.pace.wait()
        asked = HttpRequest(self.method, self.target, self.headers, bytes(self.body), self.client.certificate)
        self.body.clear()
        self.line.ask(asked, self._answered)

    def on_connection_close(self) -> None:
        """The client has gone before the end."""
        self.gone = True
        if self.waits:
            self.line.give_up()
        self._waits_no_more()
        if self.stream is not None:
            self.stream.close()
        self.pace.wake()

    def _waits_no_more(self) -> None:
        if self.waits:
            self.waits = False
            self.pace.answered()

    # -- what goes back --------------------------------------------------------------------------------------------
    def _answered(self, answer: HttpResponse | Unreachable) -> None:
        self._waits_no_more()
        if isinstance(answer, Unreachable):
            self.client.lost()
        elif not self.gone:
            self._begin(answer)

    def _begin(self, answer: HttpResponse) -> None:
        """Write the head, and the body if there is one."""
        if answer.status == SWITCHING:
            self.gone = True  # it is no request any more
            self.client.tunnel = Tunnel(self.client, self.connection, answer)
            return
        headers = httputil.HTTPHeaders()
        for name, value in answer.headers:
            headers.add(name, value)
        headers["Date"] = httputil.format_timestamp(
            START.replace(tzinfo=UTC) + timedelta(microseconds=self.pace.sim.now)
        )
        if self.line.draining:
            headers["Connection"] = "close"
        body = answer.body if isinstance(answer.body, bytes) else None
        if body is not None and answer.status != 204:
            headers["Content-Length"] = str(len(body))
        start = httputil.ResponseStartLine("HTTP/1.1", answer.status, responses.get(answer.status, "Unknown"))
        self._write(self.connection.write_headers(start, headers, None if self.method == "HEAD" else body))
        if body is not None:
            self._finish(headers.get("Connection") == "close")
            return
        assert isinstance(answer.body, WatchStream)
        self.stream = answer.body
        self.stream.on_news = self._pass_on
        self._pass_on()

    def _pass_on(self) -> None:
        """Events of a watch have come, or its end."""
        stream = self.stream
        while stream is not None and not self.gone and (event := stream.read()) is not None:
            try:
                self._write(self.connection.write(event))
            except iostream.StreamBufferFullError:  # it does not read
                self.client.cut()
        if stream is not None and stream.ended and not self.gone:
            self.stream = None
            if stream.broken:
                self.client.lost()
            else:
                self._finish(False)

    def end(self) -> None:
        """No more events."""
        if self.stream is not None:
            self.stream.close()
            self.stream = None
            self._finish(False)

    def _write(self, done: Any) -> None:
        """What cannot be written any more is nobody's loss: `on_connection_close` tells of it."""
        done.add_done_callback(lambda future: future.exception())

    def _finish(self, closes: bool) -> None:
        self.gone = True  # whatever comes now is not for this request
        self.connection.finish()
        if closes:
            self.client.stream.close()


class Tunnel:
    """A connection that has been upgraded: bytes both ways, until one side ends it."""

    def __init__(self, client: Client, connection: Any, answer: HttpResponse):
        assert isinstance(answer.body, WatchStream), "what is upgraded goes on"
        self.client, self.pace, self.answer = client, client.port.pace, answer.body
        self.stream: iostream.IOStream = connection.detach()
        self.stream.set_close_callback(self._closed)
        head = "".join(f"{name}: {value}\r\n" for name, value in answer.headers)
        self._write(f"HTTP/1.1 {SWITCHING} {responses[SWITCHING]}\r\n{head}\r\n".encode())
        self.answer.on_news = self._pass_on
        self._pass_on()
        self.reading = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        """What the client says."""
        while not self.stream.closed():
            try:
                data = await self.stream.read_bytes(CHUNK, partial=True)
            except iostream.StreamClosedError:
                return
            self.pace.now()
            self.answer.feed(data)
            self.pace.linger()
            self.pace.wake()

    def _pass_on(self) -> None:
        """What is said to it, and the end."""
        self.pace.linger()
        while not self.stream.closed() and (data := self.answer.read()) is not None:
            try:
                self._write(data)
            except iostream.StreamBufferFullError:  # it does not read
                self.client.cut()
        if self.answer.ended:
            self.stream.close()

    def _write(self, data: bytes) -> None:
        self.stream.write(data).add_done_callback(lambda future: future.exception())

    def leave(self) -> None:
        """The door closes."""
        self.answer.close()
        self.stream.close()

    def _closed(self) -> None:
        self.answer.on_news = None
        self.answer.close()
        self.client.end()


def user_of(certificate: Any, raw: bytes | None) -> UserInfo | None:
    """The user whom TLS has verified: the common name, in the groups that are its organisations.

    Models k/apiserver pkg/authentication/request/x509 CommonNameUserConversion
    """
    subject = [pair for part in (certificate or {}).get("subject", ()) for pair in part]
    names = [value for key, value in subject if key == "commonName"]
    if not names:
        return None
    groups = tuple(value for key, value in subject if key == "organizationName")
    extra = {CREDENTIAL: (f"X509SHA256={hashlib.sha256(raw or b'').hexdigest()}",)}
    return UserInfo(names[0], groups, extra=extra)
