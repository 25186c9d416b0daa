"""WebSocket, the server's end: the greeting in HTTP's headers, then frames. Bytes in, messages out; no sockets.

    frames = Frames()
    for message in frames.receive(data): ...        whole messages, and control frames as they come
    frames.out                                      what answers pings; its owner sends and empties it
    frame(BINARY, b"...")                           the bytes of one message of ours

Invariant: what breaks the protocol raises `Broken`, and nothing is read after that.
RFC 6455: section 4.2 (the greeting), 5.2 (frames), 5.4 (fragments), 5.5 (control frames).
Simplified: no extensions.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from kubemini.frames import Broken

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
NORMAL = 1000  # status code of a close, section 7.4.1
LARGEST = 32 << 20  # bytes of a message; x/net/websocket DefaultMaxPayloadBytes
VERSION = "13"
_MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # section 1.3


class Message(NamedTuple):
    """One message: TEXT, BINARY, CLOSE, PING or PONG."""

    opcode: int
    data: bytes


def is_wanted(headers: Mapping[str, str]) -> bool:
    """Whether a request asks for a WebSocket. *headers* have lower-case names."""
    words = [word.strip() for word in headers.get("connection", "").lower().split(",")]
    return "upgrade" in words and headers.get("upgrade", "").lower() == "websocket"


def protocols(headers: Mapping[str, str]) -> list[str]:
    """The subprotocols that a request names, in its order."""
    words = (word.strip() for word in headers.get("sec-websocket-protocol", "").split(","))
    return [word for word in words if word]


def refusal(headers: Mapping[str, str]) -> str:
    """Why no WebSocket begins, "" if one does."""
    if headers.get("sec-websocket-version") != VERSION:
        return "missing or bad WebSocket Version"
    try:
        key = base64.b64decode(headers.get("sec-websocket-key", ""), validate=True)
    except ValueError:
        key = b""
    return "" if len(key) == 16 else "challenge response error"


def greeting(headers: Mapping[str, str], chosen: str) -> tuple[tuple[str, str], ...]:
    """The headers of the answer 101 to a request with *headers*; *chosen*: the subprotocol, if one was."""
    digest = hashlib.sha1((headers["sec-websocket-key"] + _MAGIC).encode(), usedforsecurity=False).digest()
    found = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Accept", base64.b64encode(digest).decode()),
    ]
    return (*found, ("Sec-WebSocket-Protocol", chosen)) if chosen else tuple(found)


def first_known(wanted: Sequence[str], known: Sequence[str]) -> str | None:
    """The first of *wanted* that is *known*; None if there is none. Who wants nothing has ""."""
    return next((one for one in wanted if one in known), None) if wanted else ""


def frame(opcode: int, data: bytes) -> bytes:
    """The bytes of one whole message of the server."""
    head, size = bytearray([0x80 | opcode]), len(data)
    if size < 126:
        head.append(size)
    elif size < 1 << 16:
        head += b"\x7e" + size.to_bytes(2, "big")
    else:
        head += b"\x7f" + size.to_bytes(8, "big")
    return bytes(head) + data


def closing() -> bytes:
    """The bytes of the last frame."""
    return frame(CLOSE, NORMAL.to_bytes(2, "big"))


def from_client(opcode: int, data: bytes) -> bytes:
    """The bytes of one whole message of a client, which must mask it: with zeros, as nobody is on the way."""
    whole = bytearray(frame(opcode, data))
    more = {126: 2, 127: 8}.get(whole[1], 0)
    whole[1] |= 0x80
    whole[2 + more : 2 + more] = bytes(4)
    return bytes(whole)


class Frames:
    """What a client has sent so far; *masked* False: what a server has.

    What answers the pings of a client is in *out*, which its owner sends and empties.
    """

    def __init__(self, masked: bool = True) -> None:
        self.out = bytearray()
        self._masked = masked
        self._raw = bytearray()
        self._parts = bytearray()
        self._opcode = CONTINUATION  # of the message that has begun

    def receive(self, data: bytes) -> list[Message]:
        """The messages that are complete with *data*. Raises Broken."""
        self._raw += data
        found = []
        while (whole := self._next()) is not None:
            last, opcode, payload = whole
            found += self._joined(last, opcode, payload)
        return found

    def _next(self) -> tuple[bool, int, bytes] | None:
        """The next frame: (whether it is the last of its message, opcode, payload); None: not yet all of it."""
        raw = self._raw
        if len(raw) < 2:
            return None
        last, opcode, masked, size = bool(raw[0] & 0x80), raw[0] & 0x0F, raw[1] & 0x80, raw[1] & 0x7F
        if raw[0] & 0x70 or bool(masked) != self._masked:
            raise Broken("a client masks its frames, and uses no bit that nobody has agreed on")
        if opcode >= CLOSE and (size > 125 or not last):
            raise Broken("a control frame is short and whole")
        more = {126: 2, 127: 8}.get(size, 0)
        start = 2 + more + (4 if self._masked else 0)
        if len(raw) < start:
            return None
        size = int.from_bytes(raw[2 : 2 + more], "big") if more else size
        if size > LARGEST:
            raise Broken(f"a message has at most {LARGEST} bytes")
        if len(raw) < start + size:
            return None
        payload = bytes(raw[start : start + size])
        if self._masked:
            payload = _unmasked(raw[start : start + size], raw[start - 4 : start])
        del raw[: start + size]
        return last, opcode, payload

    def _joined(self, last: bool, opcode: int, payload: bytes) -> list[Message]:
        if opcode == PING:
            self.out += frame(PONG, payload)
        if opcode >= CLOSE:
            return [Message(opcode, payload)]
        if (opcode == CONTINUATION) == (self._opcode == CONTINUATION):
            raise Broken("a message is continued once it has begun, and not begun again")
        self._opcode = opcode or self._opcode
        self._parts += payload
        if len(self._parts) > LARGEST:
            raise Broken(f"a message has at most {LARGEST} bytes")
        if not last:
            return []
        done = Message(self._opcode, bytes(self._parts))
        self._parts.clear()
        self._opcode = CONTINUATION
        return [done]


def _unmasked(data: bytearray, mask: bytearray) -> bytes:
    size = len(data)
    key = int.from_bytes((bytes(mask) * (size // 4 + 1))[:size], "big")
    return (int.from_bytes(data, "big") ^ key).to_bytes(size, "big")
