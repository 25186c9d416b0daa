"""/portForward: many connections to ports of a pod over one upgraded connection. Pure.

    carrier = chosen(headers, query)               by SPDY, by SPDY inside of a WebSocket, or by WebSocket's channels
    for event in carrier.receive(data): …           Wanted(number, port), Sent(number, bytes), Left(number), Over()
    carrier.data(number, b"HTTP/1.1 200 OK …")      the bytes that go back

By SPDY a client opens two streams for each connection, `error` and `data`, with its number in the header `requestid`.
kubectl 1.37 sends these frames as messages of a WebSocket ("SPDY/3.1+portforward.k8s.io"), since balancers understand
that. An older way names the ports in the URL and gives each two channels of a WebSocket.
Models k/cri-streaming pkg/streaming/portforward httpStreamReceived httpStreamHandler.requestID
httpStreamHandler.portForward handleWebSocketStreams NewV4Options; k/apiserver pkg/util/proxy
spdyProtocolsFromWebsocketProtocols; k/client-go tools/portforward TunnelingConnection.
Simplified: nobody waits in vain for the second of two streams.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kubemini.frames import spdy, websocket
from kubemini.frames.spdy import Data, Gone, Opened, Reset, Spdy
from kubemini.frames.websocket import BINARY, CLOSE, TEXT, Frames, frame
from kubemini.kubelet.decide.streams import V4, V4_BASE64, Headers, Refusal, by_spdy, spdy_greeting, unpacked

PROTOCOL = "portforward.k8s.io"
TUNNEL = "SPDY/3.1+"
NO_TUNNEL = "unable to upgrade: no tunneling spdy protocols provided"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A connection to *port* is wanted; *number* is its name from here on."""

    number: int
    port: int


@dataclass(frozen=True, slots=True)
class Sent:
    """The client has sent *data* on it."""

    number: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Left:
    """The client will send no more on it."""

    number: int


@dataclass(frozen=True, slots=True)
class Over:
    """The client closes the whole."""


Event = Wanted | Sent | Left | Over


def chosen(headers: Mapping[str, str], query: Mapping[str, Any]) -> "Pairs | Ports | Refusal":
    """What carries the connections of a request with *headers* (lower-case names)."""
    if not websocket.is_wanted(headers):
        return by_spdy(headers, (PROTOCOL,)) or Pairs(spdy_greeting(PROTOCOL), tunnels=False)
    asked = websocket.protocols(headers)
    tunnels = [one for one in asked if one.startswith(TUNNEL) and one.endswith(".k8s.io")]
    why = websocket.refusal(headers)
    if why:
        return Refusal(400, why)
    if tunnels:
        if TUNNEL + PROTOCOL not in tunnels:
            return by_spdy(_inside(tunnels), (PROTOCOL,)) or Refusal(400, NO_TUNNEL)
        return Pairs(websocket.greeting(headers, TUNNEL + PROTOCOL), tunnels=True)
    ports = _ports(query)
    if isinstance(ports, str):
        return Refusal(400, ports)
    protocol = websocket.first_known(asked, ("", V4, V4_BASE64))
    if protocol is None:
        return Refusal(403, f"requested protocol(s) are not supported: [{' '.join(asked)}]")
    return Ports(websocket.greeting(headers, protocol), ports, "base64" in protocol)


def _inside(tunnels: list[str]) -> dict[str, str]:
    """The headers of the request inside of a tunnel."""
    names = ", ".join(one.removeprefix(TUNNEL) for one in tunnels)
    return {"upgrade": "SPDY/3.1", "x-stream-protocol-version": names}


def _ports(query: Mapping[str, Any]) -> "list[int] | str":
    """The ports that a URL names, or what is wrong."""
    texts = list(query.get("port") or ())
    if not texts:
        return 'query parameter "port" is required'
    if "" in texts:
        return 'query parameter "port" cannot be empty'
    found = []
    for text in texts:
        for word in text.split(","):
            if not (re.fullmatch(r"[0-9]{1,20}", word) and int(word) < 65536):
                return f'unable to parse "{text}" as a port: strconv.ParseUint: parsing "{word}": invalid syntax'
            found.append(int(word))
    return 'port "0" must be > 0' if 0 in found else found


@dataclass(slots=True)
class Pair:
    """The two streams of one connection, as far as they are there."""

    port: int
    streams: dict[str, int] = field(default_factory=dict)  # error, data → stream


class Pairs:
    """Pairs of SPDY's streams, perhaps inside of a WebSocket."""

    def __init__(self, greeting: Headers, tunnels: bool):
        self.greeting = greeting
        self._spdy, self._frames = Spdy(), Frames() if tunnels else None
        self.out = self._spdy.out if self._frames is None else self._frames.out
        self._pairs: dict[int, Pair] = {}
        self._of: dict[int, int] = {}  # data stream → number

    def begin(self) -> list[Event]:
        """Nothing is wanted before the client says so."""
        return []

    def receive(self, data: bytes) -> list[Event]:
        """What has come with *data*. Raises frames.Broken."""
        if self._frames is None:
            return self._inner(data)
        found: list[Event] = []
        for message in self._frames.receive(data):
            if message.opcode == CLOSE:
                found.append(Over())
            elif message.opcode == BINARY:
                found += self._inner(message.data)
        return found

    def _inner(self, data: bytes) -> list[Event]:
        found: list[Event] = []
        for event in self._spdy.receive(data):
            match event:
                case Opened():
                    found += self._begin(event)
                case Data():
                    found += self._data(event)
                case Reset():
                    found += [Left(self._of[event.stream])] if event.stream in self._of else []
                case Gone():
                    found.append(Over())
        if self._frames is not None and self._spdy.out:
            self.out += self._framed(bytes(self._spdy.out))
            self._spdy.out.clear()
        return found

    def _begin(self, event: Opened) -> list[Event]:
        kind, text = event.headers.get("streamtype", ""), event.headers.get("port", "")
        port = int(text) if re.fullmatch(r"[0-9]{1,5}", text) else 0
        if kind not in ("error", "data") or not 0 < port < 65536:
            self._spdy.out += self._spdy.reset(event.stream, spdy.REFUSED)
            return []
        own = event.stream if kind == "error" else event.stream - 2  # of a client that says no number
        said = event.headers.get("requestid", "")
        number = int(said) if re.fullmatch(r"[0-9]{1,20}", said) else own
        self._spdy.out += self._spdy.reply(event.stream)
        pair = self._pairs.setdefault(number, Pair(port))
        if kind in pair.streams:
            if "error" in pair.streams:
                self._spdy.out += self._spdy.data(pair.streams["error"], _twice(number, kind).encode())
            return []
        pair.streams[kind] = event.stream
        if kind == "data":
            self._of[event.stream] = number
        return [Wanted(number, port)] if len(pair.streams) == 2 else []

    def _data(self, event: Data) -> list[Event]:
        number = self._of.get(event.stream)
        if number is None:
            return []
        found: list[Event] = [Sent(number, event.data)] if event.data else []
        return [*found, Left(number)] if event.last else found

    def data(self, number: int, data: bytes) -> bytes:
        """The bytes that carry *data* back."""
        return self._framed(self._spdy.data(self._pairs[number].streams["data"], data))

    def end(self, number: int, error: str = "") -> bytes:
        """The connection is over, perhaps with an *error*: both its streams end."""
        streams = self._pairs.pop(number).streams
        self._of.pop(streams["data"], None)
        said = self._spdy.data(streams["error"], error.encode(), last=True)
        if error:
            return self._framed(said + self._spdy.reset(streams["data"]))
        return self._framed(said + self._spdy.data(streams["data"], b"", last=True))

    def finish(self) -> bytes:
        """The last bytes of all."""
        return websocket.closing() if self._frames is not None else b""

    def _framed(self, data: bytes) -> bytes:
        return data if self._frames is None else frame(BINARY, data)


def _twice(number: int, kind: str) -> str:
    """What is said of a second stream of one *kind*."""
    return f"error processing stream for request {number}: {kind} stream already assigned"


class Ports:
    """Two channels of a WebSocket for each port that the URL names: 2n for data, 2n + 1 for an error."""

    def __init__(self, greeting: Headers, ports: list[int], base64: bool):
        self.greeting, self.ports = greeting, ports
        self._frames, self._base64, self._left = Frames(), base64, len(ports)
        self.out = self._frames.out

    def begin(self) -> list[Event]:
        """All that the URL names is wanted; each channel begins with the number of its port."""
        for number, port in enumerate(self.ports):
            for channel in (2 * number, 2 * number + 1):
                self.out += self._written(channel, port.to_bytes(2, "little"))
        return [Wanted(number, port) for number, port in enumerate(self.ports)]

    def receive(self, data: bytes) -> list[Event]:
        """What has come with *data*. Raises frames.Broken."""
        found: list[Event] = []
        for message in self._frames.receive(data):
            if message.opcode == CLOSE:
                found.append(Over())
            elif message.opcode in (TEXT, BINARY) and message.data:
                channel, body = unpacked(message.data, self._base64)
                if body is not None and not channel % 2 and channel // 2 < len(self.ports):
                    found.append(Sent(channel // 2, body))
        return found

    def data(self, number: int, data: bytes) -> bytes:
        """The bytes that carry *data* back."""
        return self._written(2 * number, data)

    def end(self, number: int, error: str = "") -> bytes:
        """The connection is over, perhaps with an *error*; with the last of them all is."""
        self._left -= 1
        said = self._written(2 * number + 1, error.encode()) if error else b""
        return said if self._left else said + self.finish()

    def finish(self) -> bytes:
        """The last bytes of all."""
        return websocket.closing()

    def _written(self, channel: int, data: bytes) -> bytes:
        if self._base64:
            return frame(TEXT, str(channel).encode() + base64.b64encode(data))
        return frame(BINARY, bytes([channel]) + data)
