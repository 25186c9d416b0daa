"""Protobuf's wire format, outwards: a message is a row of fields, each a number, a kind of wire and a value. Pure.

Models nothing upstream: the format is as protobuf.dev, "Encoding", tells it.
"""

import struct

VARINT, EIGHT, BYTES, FOUR = 0, 1, 2, 5


def key(number: int, wire_type: int) -> bytes:
    """What stands before a value."""
    return varint(number << 3 | wire_type)


def varint(value: int) -> bytes:
    """A whole number, seven bits a byte; a negative one as two's complement of 64 bits."""
    value &= (1 << 64) - 1
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def held(number: int, inner: bytes) -> bytes:
    """A field of bytes, which may be a message."""
    return key(number, BYTES) + varint(len(inner)) + inner


def text(number: int, value: str) -> bytes:
    """A field of text."""
    return held(number, value.encode("utf-8", "surrogatepass"))


def whole(number: int, value: int) -> bytes:
    """A field of a whole number, or of a switch."""
    return key(number, VARINT) + varint(value)


def double(number: int, value: float) -> bytes:
    """A field of a number."""
    return key(number, EIGHT) + struct.pack("<d", value)
