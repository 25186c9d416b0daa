"""SPDY/3.1, the server's end: streams with headers over one connection. Bytes in, events out; no sockets.

    spdy = Spdy()
    for event in spdy.receive(data): ...       Opened, Data, Reset, Gone
    spdy.data(1, b"hello", last=True)          the bytes that carry it back

Theory of operation. A frame is a control frame (its first bit is set: type, flags, length) or data of a stream. A
client opens streams with odd numbers (SYN_STREAM), the server answers each with SYN_REPLY. Blocks of headers are
compressed by zlib with the dictionary of the protocol, and each direction is *one* compressed stream: a block can only
be read after all that came before it. Either side ends its half of a stream by the flag FIN, or all of it by
RST_STREAM; GOAWAY announces the end of the connection. Pings of the client are answered with the same number.
Kubernetes sends no WINDOW_UPDATE and waits for none (moby/spdystream), so neither do we.

Invariant: what breaks the protocol raises `Broken`, and nothing is read after that.
SPDY Protocol, draft 3.1: section 2.2 (framing), 2.6 (control frames), 2.6.10.1 (the dictionary).
"""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kubemini.frames import Broken

VERSION = 3
SYN_STREAM, SYN_REPLY, RST_STREAM, SETTINGS, PING, GOAWAY, HEADERS, WINDOW_UPDATE = 1, 2, 3, 4, 6, 7, 8, 9
FIN = 1
REFUSED, CANCEL = 3, 5  # status codes of RST_STREAM
LARGEST = (1 << 24) - 1  # bytes of a frame
_WORDS = """options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age
 allow authorization cache-control connection content-base content-encoding content-language content-length
 content-location content-md5 content-range content-type date etag expect expires from host if-match
 if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma
 proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade
 user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie
 keep-alive origin"""
_REST = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden"
    "404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable"
    "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT"
    "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,"
    "publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)


def _counted(text: str) -> bytes:
    return len(text).to_bytes(4, "big") + text.encode()


DICTIONARY = b"".join(_counted(word.replace("_", " ")) for word in _WORDS.split()) + _REST.encode()


@dataclass(frozen=True, slots=True)
class Opened:
    """The client has opened a stream; *last*: it will send nothing on it."""

    stream: int
    headers: Mapping[str, str]
    last: bool = False


@dataclass(frozen=True, slots=True)
class Data:
    """Bytes of a stream; *last*: the client will send no more on it."""

    stream: int
    data: bytes
    last: bool = False


@dataclass(frozen=True, slots=True)
class Reset:
    """The client has given a stream up."""

    stream: int


@dataclass(frozen=True, slots=True)
class Gone:
    """The client is about to close the connection."""


Event = Opened | Data | Reset | Gone


class Spdy:
    """One connection; what is to be answered without asking anybody (pings) is in *out*, which its owner empties."""

    def __init__(self) -> None:
        self.out = bytearray()
        self._raw = bytearray()
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)
        self._deflate = zlib.compressobj(zdict=DICTIONARY)

    # -- what comes in ---------------------------------------------------------------------------------------------
    def receive(self, data: bytes) -> list[Event]:
        """What has happened with *data*. Raises Broken."""
        self._raw += data
        found: list[Event] = []
        while len(self._raw) >= 8:
            size = int.from_bytes(self._raw[5:8], "big")
            if len(self._raw) < 8 + size:
                break
            head, payload = bytes(self._raw[:8]), bytes(self._raw[8 : 8 + size])
            del self._raw[: 8 + size]
            if head[0] & 0x80:
                found += self._control(head, payload)
            else:
                found.append(Data(_stream(head), payload, bool(head[4] & FIN)))
        return found

    def _control(self, head: bytes, payload: bytes) -> Iterable[Event]:
        version, kind, last = int.from_bytes(head[:2], "big") & 0x7FFF, int.from_bytes(head[2:4], "big"), head[4] & FIN
        if version != VERSION:
            raise Broken(f"SPDY/{VERSION} is spoken here, not SPDY/{version}")
        if kind == SYN_STREAM:
            return [Opened(_stream(payload), self._headers(payload[10:]), bool(last))]
        if kind in (SYN_REPLY, HEADERS):
            self._headers(payload[4:])  # of no use, but part of the one compressed stream
        elif kind == RST_STREAM:
            return [Reset(_stream(payload))]
        elif kind == PING:
            self.out += _frame(PING, 0, payload)
        elif kind == GOAWAY:
            return [Gone()]
        return []

    def _headers(self, block: bytes) -> dict[str, str]:
        try:
            plain = self._inflate.decompress(block, LARGEST)
        except zlib.error as wrong:
            raise Broken(f"a block of headers cannot be read: {wrong}") from None
        words, at = [], 4
        for _ in range(2 * int.from_bytes(plain[:4], "big")):
            size = int.from_bytes(plain[at : at + 4], "big")
            if at + 4 + size > len(plain):
                raise Broken("a block of headers ends before its last word")
            words.append(plain[at + 4 : at + 4 + size].decode("utf-8", "replace"))
            at += 4 + size
        return dict(zip(words[::2], words[1::2], strict=True))

    # -- what goes out ---------------------------------------------------------------------------------------------
    def reply(self, stream: int) -> bytes:
        """SYN_REPLY: the stream is open."""
        block = self._deflate.compress(bytes(4)) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        return _frame(SYN_REPLY, 0, stream.to_bytes(4, "big") + block)

    def data(self, stream: int, data: bytes, last: bool = False) -> bytes:
        """Bytes of a stream; *last*: there will be no more."""
        parts = [data[at : at + LARGEST] for at in range(0, len(data), LARGEST)] or [b""]
        flags = [FIN * (last and number == len(parts)) for number in range(1, len(parts) + 1)]
        heads = (
            stream.to_bytes(4, "big") + bytes([flag]) + len(part).to_bytes(3, "big")
            for part, flag in zip(parts, flags, strict=True)
        )
        return b"".join(head + part for head, part in zip(heads, parts, strict=True))

    def reset(self, stream: int, status: int = CANCEL) -> bytes:
        """RST_STREAM: the stream ends at once."""
        return _frame(RST_STREAM, 0, stream.to_bytes(4, "big") + status.to_bytes(4, "big"))


def _stream(data: bytes) -> int:
    return int.from_bytes(data[:4], "big") & 0x7FFFFFFF


def _frame(kind: int, flags: int, payload: bytes) -> bytes:
    head = (0x8000 | VERSION).to_bytes(2, "big") + kind.to_bytes(2, "big") + bytes([flags])
    return head + len(payload).to_bytes(3, "big") + payload
