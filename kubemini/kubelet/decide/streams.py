"""/exec and /attach: standard input, output and error over one upgraded connection, and how it ended. Pure.

    carrier = chosen(headers, options)             by WebSocket's channels or SPDY's streams; Refusal: by neither
    for stream, data in carrier.receive(bytes): …  (STDIN, b"ls\\n"), (STDIN, None): its end, (GONE, None): all of it
    carrier.write(STDOUT, b"bin\\n")                the bytes that go back

A WebSocket carries one channel a message: its first byte is the number of the channel (or its digit, if the rest is
base64). By v5, 255 and a number end a channel. By SPDY each is a stream of its own, named by a header `streamtype`.
Invariant: nothing is written before all streams are there that the request has asked for (`ready`).
Models k/streaming pkg/httpstream/wsstream Conn.handle websocketChannel.write; k/cri-streaming
pkg/streaming/remotecommand createWebSocketStreams v4ProtocolHandler.waitForStreams v4WriteStatusFunc v1WriteStatusFunc;
k/apiserver pkg/util/proxy codeExitToStatusError.
Simplified: a terminal has no size; SPDY is spoken by v4 alone, what kubectl up to 1.30 asks for first.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from kubemini.frames import websocket
from kubemini.frames.spdy import Data, Gone, Opened, Reset, Spdy
from kubemini.frames.websocket import BINARY, CLOSE, TEXT, Frames, frame

STDIN, STDOUT, STDERR, ERROR, RESIZE = range(5)  # numbers of the channels
GONE = -1
STREAM_TYPES = {"stdin": STDIN, "stdout": STDOUT, "stderr": STDERR, "error": ERROR, "resize": RESIZE}
V5, V4, V4_BASE64 = "v5.channel.k8s.io", "v4.channel.k8s.io", "v4.base64.channel.k8s.io"
CHANNELS = ("", "channel.k8s.io", "base64.channel.k8s.io", V4, V4_BASE64)
CLOSED = 255  # v5: "close the channel of the next byte"
SPDY = "SPDY/3.1"
PROTOCOL, ACCEPTED = "X-Stream-Protocol-Version", "X-Accepted-Stream-Protocol-Versions"
NOTHING_WANTED = "you must specify at least 1 of stdin, stdout, stderr"
Headers = tuple[tuple[str, str], ...]
Events = list[tuple[int, bytes | None]]


class Options(NamedTuple):
    """Which streams a request asks for."""

    stdin: bool
    stdout: bool
    stderr: bool
    tty: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """No stream begins: status and text."""

    status: int
    text: str
    headers: Headers = ()


def options(query: Mapping[str, Any]) -> "Options | str":
    """What *query* asks for, or what is wrong with it."""
    stdin, stdout, stderr, tty = (_one(query, name) for name in ("input", "output", "error", "tty"))
    if not (stdin or stdout or stderr):
        return NOTHING_WANTED
    return Options(stdin, stdout, stderr and not tty, tty)


def _one(query: Mapping[str, Any], name: str) -> bool:
    return list(query.get(name) or ())[:1] == ["1"]


def chosen(headers: Mapping[str, str], wanted: Options) -> "Channels | Streams | Refusal":
    """What carries the streams of a request with *headers* (lower-case names)."""
    if websocket.is_wanted(headers):
        asked = websocket.protocols(headers)
        known = (V5,) if V5 in asked else CHANNELS
        protocol = websocket.first_known(asked, known)
        why = websocket.refusal(headers)
        if why:
            return Refusal(400, why)
        if protocol is None:
            shown = f"[{' '.join(asked)}]; supports [{' '.join(known)}]"
            return Refusal(403, f"requested protocol(s) are not supported: {shown}")
        return Channels(protocol, wanted, websocket.greeting(headers, protocol))
    return by_spdy(headers, (V4,)) or Streams(wanted)


def by_spdy(headers: Mapping[str, str], known: tuple[str, ...]) -> Refusal | None:
    """Why SPDY does not begin with one of the *known* protocols, or None if it does.

    Models k/streaming pkg/httpstream Handshake
    """
    if headers.get("upgrade", "").lower() != SPDY.lower():
        return Refusal(400, "Upgrade request required")
    values = headers.get(PROTOCOL.lower())
    if values is None:
        count = len(headers)
        text = f"unable to upgrade: header {PROTOCOL} does not exist in request with {count} headers"
        return Refusal(400, text + "\n")
    asked = [word.strip() for word in values.split(",") if word.strip()]
    if any(one in known for one in asked):
        return None
    shown = f"client supports [{' '.join(asked)}], server accepts [{' '.join(known)}]"
    more = tuple((ACCEPTED, one) for one in known)
    return Refusal(403, f"unable to upgrade: unable to negotiate protocol: {shown}\n", more)


def spdy_greeting(protocol: str) -> Headers:
    """The headers of the answer 101."""
    return (("Connection", "Upgrade"), ("Upgrade", SPDY), (PROTOCOL, protocol))


def unpacked(data: bytes, as_text: bool) -> tuple[int, bytes | None]:
    """The channel of a message, and its bytes; None if they are no base64: such a message counts for nothing."""
    if not as_text:
        return data[0], data[1:]
    try:
        return data[0] - ord("0"), base64.b64decode(data[1:].translate(None, b"\r\n"), validate=True)
    except ValueError:
        return data[0] - ord("0"), None


class Channels:
    """Channels of a WebSocket."""

    def __init__(self, protocol: str, wanted: Options, greeting: Headers):
        self.protocol, self.greeting = protocol, greeting
        self.ready = True
        self._reads = wanted.stdin  # until the client ends its input
        self._frames, self._base64 = Frames(), "base64" in protocol
        self.out = self._frames.out
        first = STDOUT if wanted.stdout else STDERR if wanted.stderr else ERROR
        self.out += self.write(first, b"")  # tells the client that all is ready

    @property
    def closes(self) -> bool:
        """Whether a client can end its input."""
        return self.protocol == V5

    def receive(self, data: bytes) -> Events:
        """What has come with *data*. Raises frames.Broken."""
        found: Events = []
        for message in self._frames.receive(data):
            if message.opcode == CLOSE:
                found.append((GONE, None))
            elif message.data and message.opcode in (TEXT, BINARY):
                found += self._of(message.data)
        return found

    def _of(self, data: bytes) -> Events:
        if self.closes and data[0] == CLOSED:
            ends = self._reads and data[1:2] == bytes([STDIN])
            self._reads = self._reads and not ends
            return [(STDIN, None)] if ends else []
        channel, body = unpacked(data, self._base64)
        return [(channel, body)] if channel == STDIN and self._reads and body is not None else []

    def write(self, stream: int, data: bytes) -> bytes:
        """The bytes that carry *data* of a channel."""
        if self._base64:
            return frame(TEXT, str(stream).encode() + base64.b64encode(data))
        return frame(BINARY, bytes([stream]) + data)

    def finish(self) -> bytes:
        """The last bytes."""
        return websocket.closing()


class Streams:
    """Streams of SPDY."""

    closes = True
    protocol = V4

    def __init__(self, wanted: Options):
        self.greeting = spdy_greeting(V4)
        self._spdy, self._numbers = Spdy(), dict[int, int]()  # which stream is which
        self._missing = {ERROR}
        for stream, asked in enumerate((wanted.stdin, wanted.stdout, wanted.stderr)):
            self._missing |= {stream} if asked else set()
        self._missing |= {RESIZE} if wanted.tty else set()

    @property
    def ready(self) -> bool:
        """Whether all streams are there."""
        return not self._missing

    @property
    def out(self) -> bytearray:
        """What is to be sent at once; its owner empties it."""
        return self._spdy.out

    def receive(self, data: bytes) -> Events:
        """What has come with *data*. Raises frames.Broken."""
        found: Events = []
        for event in self._spdy.receive(data):
            match event:
                case Opened():
                    self._begin(event)
                case Data() if self._numbers.get(event.stream) == STDIN:
                    found += [(STDIN, event.data)] if event.data else []
                    found += [(STDIN, None)] if event.last else []
                case Reset() if self._numbers.get(event.stream) == STDIN:
                    found.append((STDIN, None))
                case Gone():
                    found.append((GONE, None))
        return found

    def _begin(self, event: Opened) -> None:
        kind = STREAM_TYPES.get(event.headers.get("streamtype", ""))
        if kind is not None:
            self._numbers[event.stream] = kind
            self._missing.discard(kind)
        self.out.extend(self._spdy.reply(event.stream))

    def write(self, stream: int, data: bytes) -> bytes:
        """The bytes that carry *data* of a stream; none, if the client has not opened it."""
        return b"".join(self._spdy.data(number, data) for number, kind in self._numbers.items() if kind == stream)

    def finish(self) -> bytes:
        """The last bytes: every stream ends."""
        return b"".join(self._spdy.data(number, b"", last=True) for number in self._numbers)


# -- how it ended ------------------------------------------------------------------------------------------------------


def succeeded(protocol: str) -> bytes:
    """What goes over `ERROR` in the end."""
    return _told(protocol, {"status": "Success"})


def exited(protocol: str, words: list[str], code: int) -> bytes:
    """… if the command ends with *code*; the runtime's words, or what the translator to v5 makes of them."""
    said = f"error executing command [{' '.join(words)}], exit code {code}"
    said = f"command terminated with exit code {code}" if protocol == V5 else said
    cause = {"reason": "ExitCode", "message": str(code)}
    body = {
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: {said}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [cause]},
    }
    return _told(protocol, body)


def failed(protocol: str, why: str) -> bytes:
    """… if it could not be begun. By v5 the text goes through one more pair of hands, which says so again."""
    text = f"Internal error occurred: {why}"
    text = f"Internal error occurred: {text}" if protocol == V5 else text
    return _told(protocol, {"status": "Failure", "message": text, "reason": "InternalError"}, code=500)


def _told(protocol: str, body: dict[str, Any], code: int = 0) -> bytes:
    if protocol in CHANNELS[:3]:
        return b"" if body["status"] == "Success" else body["message"].encode()
    if protocol == V5:
        body = {"metadata": {}, **body}
        if code:
            body["details"] = {"causes": [{"message": body["message"].partition(": ")[2]}]}
    return json.dumps(body | ({"code": code} if code else {}), separators=(",", ":")).encode()
