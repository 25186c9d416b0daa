"""A client's end of WebSocket and of SPDY, written from their specifications, for tests of the server's."""

import zlib

from kubemini.frames.spdy import DICTIONARY, FIN, GOAWAY, PING, RST_STREAM, SYN_STREAM

MASK = b"\x01\x02\x03\x04"
KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455, section 1.3
HELLO = {"connection": "Upgrade", "upgrade": "websocket", "sec-websocket-version": "13", "sec-websocket-key": KEY}


def sent(opcode, data, last=True):
    """A frame of a client: masked."""
    size = len(data)
    sizes = (
        bytes([0x80 | size])
        if size < 126
        else b"\xfe" + size.to_bytes(2, "big")
        if size < 65536
        else b"\xff" + size.to_bytes(8, "big")
    )
    body = bytes(byte ^ MASK[place % 4] for place, byte in enumerate(data))
    return bytes([0x80 * last | opcode]) + sizes + MASK + body


def heard(data):
    """The frames of a server: [(opcode, payload)]."""
    found = []
    while data:
        size, start = data[1] & 0x7F, 2
        assert not data[1] & 0x80, "a server masks nothing"
        if size > 125:
            more = 2 if size == 126 else 8
            size, start = int.from_bytes(data[2 : 2 + more], "big"), 2 + more
        found.append((data[0] & 0x0F, data[start : start + size]))
        data = data[start + size :]
    return found


class SpdyClient:
    """Frames of one connection's client."""

    def __init__(self):
        self._deflate, self._inflate = zlib.compressobj(zdict=DICTIONARY), zlib.decompressobj(zdict=DICTIONARY)

    def open(self, stream, last=False, **headers):
        block = len(headers).to_bytes(4, "big")
        for word in (word for pair in headers.items() for word in pair):
            block += len(word).to_bytes(4, "big") + word.encode()
        packed = self._deflate.compress(block) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        return self._control(SYN_STREAM, stream.to_bytes(4, "big") + bytes(6) + packed, FIN * last)

    def data(self, stream, data, last=False):
        return stream.to_bytes(4, "big") + bytes([FIN * last]) + len(data).to_bytes(3, "big") + data

    def reset(self, stream):
        return self._control(RST_STREAM, stream.to_bytes(4, "big") + (5).to_bytes(4, "big"))

    def ping(self, number):
        return self._control(PING, number.to_bytes(4, "big"))

    def leave(self):
        return self._control(GOAWAY, bytes(8))

    def _control(self, kind, payload, flags=0):
        return b"\x80\x03" + kind.to_bytes(2, "big") + bytes([flags]) + len(payload).to_bytes(3, "big") + payload

    def read(self, data):
        """What a server says: [(kind or "data", stream, payload, last)]; the headers of a reply are taken apart."""
        found = []
        while data:
            size = int.from_bytes(data[5:8], "big")
            payload, last = data[8 : 8 + size], bool(data[4] & FIN)
            if data[0] & 0x80:
                kind, stream = int.from_bytes(data[2:4], "big"), int.from_bytes(payload[:4], "big")
                if kind == 2:
                    assert self._inflate.decompress(payload[4:]) == bytes(4), "a reply without headers"
                found.append((kind, stream, payload[4:], last))
            else:
                found.append(("data", int.from_bytes(data[:4], "big"), payload, last))
            data = data[8 + size :]
        return found
