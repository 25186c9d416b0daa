"""PEM blocks, and as much of what is in them as the rules of the kinds need: the outermost shape of X.509.

    blocks(text)          [Block("CERTIFICATE", has_headers=False, data=b"0\\x82…"), …]
    is_request(data)      whether it is a PKCS #10 request, by its outermost parts
    organizations(data)   the organizations that a request is made for
    authority(data)       whether a certificate is one of an authority; None: it is no certificate

Models go encoding/pem Decode; go crypto/x509 ParseCertificateRequest, ParseCertificate.
Simplified: no signature is checked, nothing within keys and algorithms is read.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import NamedTuple

INTEGER, BITS, OCTETS, OBJECT, BOOLEAN, SEQUENCE = 0x02, 0x03, 0x04, 0x06, 0x01, 0x30
SET, BMP_STRING, BMP = 0x31, 0x1E, "utf-16-be"
EXTENSIONS = 0xA3
ORGANIZATION = bytes.fromhex("55040a")
BASIC_CONSTRAINTS = bytes.fromhex("551d13")
_BLOCK = re.compile(r"-----BEGIN ([^\n]*?)-----[ \t]*\r?\n(.*?)-----END \1-----[ \t]*(?:\r?\n|$)", re.DOTALL)


class Block(NamedTuple):
    """One block: its type, whether headers stand in it, its bytes."""

    type: str
    has_headers: bool
    data: bytes


def blocks(text: str) -> list[Block]:
    """The blocks of *text*, in order; what is no block is passed over."""
    found = []
    for type, body in _BLOCK.findall(text):
        headers, _, rest = body.rpartition("\n\n") if ":" in body else ("", "", body)
        try:
            data = base64.b64decode("".join(rest.split()), validate=True)
        except binascii.Error:
            continue
        found.append(Block(type, bool(headers), data))
    return found


def of_base64(encoded: str) -> list[Block]:
    """The blocks of a text that stands in an object as base64."""
    return blocks(base64.b64decode(encoded).decode("utf-8", "replace"))


class Malformed(ValueError):
    """What is no DER."""


def _parts(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each element, one after the other. Raises Malformed."""
    at = 0
    while at < len(data):
        if len(data) < at + 2:
            raise Malformed
        tag, size, at = data[at], data[at + 1], at + 2
        if size & 0x80:
            count = size & 0x7F
            if not 0 < count <= 4 or len(data) < at + count:
                raise Malformed
            size, at = int.from_bytes(data[at : at + count], "big"), at + count
        if len(data) < at + size:
            raise Malformed
        yield tag, data[at : at + size]
        at += size


def _inside(data: bytes) -> list[tuple[int, bytes]]:
    """The parts of the one sequence that *data* is. Raises Malformed."""
    [*found] = _parts(data)
    if len(found) != 1 or found[0][0] != SEQUENCE:
        raise Malformed
    return [*_parts(found[0][1])]


def _signed(data: bytes) -> list[tuple[int, bytes]] | None:
    """The parts of what is signed; None if *data* is not something, how it is signed, and a signature."""
    try:
        whole = _inside(data)
        if [tag for tag, _ in whole] != [SEQUENCE, SEQUENCE, BITS]:
            return None
        return [*_parts(whole[0][1])]
    except Malformed:
        return None


def is_request(data: bytes) -> bool:
    """A version, a subject, a key."""
    found = _signed(data)
    return found is not None and [tag for tag, _ in found[:3]] == [INTEGER, SEQUENCE, SEQUENCE]


def organizations(data: bytes) -> list[str]:
    """The organizations (groups, to Kubernetes) in the subject of a request; none if it is none."""
    found = _signed(data)
    if found is None or not is_request(data):
        return []
    try:
        sets = [content for tag, content in _parts(found[1][1]) if tag == SET]
        named = [[*_parts(content)] for each in sets for _, content in _parts(each)]
    except Malformed:
        return []
    told = [parts[1] for parts in named if len(parts) == 2 and parts[0] == (OBJECT, ORGANIZATION)]
    return [text.decode(BMP if tag == BMP_STRING else "utf-8", "replace") for tag, text in told]


def authority(data: bytes) -> bool | None:
    """Whether the basic constraints of a certificate say that it may sign others; None: it is no certificate."""
    found = _signed(data)
    if found is None or len(found) < 6:
        return None
    try:
        lists = [content for tag, content in found if tag == EXTENSIONS]
        extensions = [item for content in lists for _, item in _inside(content)]
        known = [[*_parts(extension)] for extension in extensions]
        told = [parts[-1][1] for parts in known if parts and parts[0] == (OBJECT, BASIC_CONSTRAINTS)]
        return any((BOOLEAN, b"\xff") in _inside(content) for content in told)
    except Malformed:
        return None
