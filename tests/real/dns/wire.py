"""DNS on the wire: a client that asks one question, and the name server outside, as bytes (RFC 1035)."""

import ipaddress
import itertools
import socket
import struct
import threading
from contextlib import suppress

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33, "OPT": 41}
TYPES |= {"HTTPS": 65, "ANY": 255}
CLASSES = {"IN": 1, "CH": 3}
NAMES = {number: name for name, number in TYPES.items()}
RCODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}
NUMBERS = itertools.count(1)
LARGE = b"\x00" + struct.pack("!HHIH", TYPES["OPT"], 4096, 0, 0)  # EDNS: answers of up to 4,096 bytes


def packed(name):
    """A name as bytes."""
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label) + b"\x00"


def ask(server, name, kind, patience=5.0, klass="IN"):
    """The answer of *server* (address, port): {rcode, aa, ra, answer, authority, additional}; None if none comes."""
    number = next(NUMBERS) % 65536
    head = struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(patience)
        try:
            client.connect(server)
            client.send(head + packed(name) + struct.pack("!HH", TYPES[kind], CLASSES[klass]) + LARGE)
            return read(client.recv(8192))
        except OSError:
            return None


def read(packet):
    """An answer, its records as lines."""
    _, flags, questions, *counts = struct.unpack("!HHHHHH", packet[:12])
    at = 12
    for _ in range(questions):
        at = unpacked(packet, at)[1] + 4
    found = {"rcode": RCODES[flags & 15], "aa": bool(flags & 0x0400), "ra": bool(flags & 0x0080)}
    for part, many in zip(("answer", "authority", "additional"), counts, strict=True):
        found[part] = []
        for _ in range(many):
            line, at = record(packet, at)
            found[part] += [line] if line else []
    return found


def unpacked(packet, at):
    """(the name at that place, the place behind it)."""
    labels, end = [], None
    while size := packet[at]:
        if size >= 0xC0:
            end = end or at + 2
            at = struct.unpack("!H", packet[at : at + 2])[0] & 0x3FFF
            continue
        labels.append(packet[at + 1 : at + 1 + size].decode())
        at += 1 + size
    return "".join(label + "." for label in labels) or ".", end or at + 1


def record(packet, at):
    """(the record at that place as "name ttl type data", the place behind it); "" for OPT."""
    name, at = unpacked(packet, at)
    kind, _, ttl, size = struct.unpack("!HHIH", packet[at : at + 10])
    at += 10
    end, body = at + size, packet[at : at + size]
    match NAMES.get(kind, kind):
        case "OPT":
            return "", end
        case "A" | "AAAA":
            data = str(ipaddress.ip_address(body))
        case "CNAME" | "PTR" | "NS":
            data = unpacked(packet, at)[0]
        case "SRV":
            priority, weight, port = struct.unpack("!HHH", body[:6])
            data = f"{priority} {weight} {port} {unpacked(packet, at + 6)[0]}"
        case "TXT":
            data = f'"{body[1:].decode()}"'
        case "SOA":
            host, after = unpacked(packet, at)
            mail, after = unpacked(packet, after)
            _, *numbers = struct.unpack("!IIIII", packet[after : after + 20])
            data = " ".join([host, mail, "<serial>", *map(str, numbers)])
        case _:
            data = body.hex()
    return f"{name} {ttl} {NAMES.get(kind, kind)} {data}", end


class Outside:
    """The name server outside: an address for every name of a zone, no other types, and nothing else.

    *mood*: well, or what it says to everything: SERVFAIL, NXDOMAIN or REFUSED. *ip* may change. *asked*: how often it
    was asked.
    """

    def __init__(self, address, zone, ip, ttl):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.listener = socket.create_server(self.socket.getsockname())
        self.zone, self.ip, self.ttl, self.mood, self.asked = zone, ip, ttl, "well", 0
        for serve in (self._serve, self._accept):
            threading.Thread(target=serve, daemon=True).start()

    def _serve(self):
        while True:
            packet, client = self.socket.recvfrom(4096)
            self.socket.sendto(self.answer(packet), client)

    def _accept(self):
        while True:
            threading.Thread(target=self._converse, args=self.listener.accept()[:1], daemon=True).start()

    def _converse(self, client):
        """Questions by TCP, on one connection; whoever asks may be ended at any time."""
        with suppress(ConnectionError), client, client.makefile("rb") as stream:
            while size := stream.read(2):
                said = self.answer(stream.read(*struct.unpack("!H", size)))
                client.sendall(struct.pack("!H", len(said)) + said)

    def answer(self, packet):
        """The bytes of an answer."""
        name, end = unpacked(packet, 12)
        question, kind = packet[12 : end + 4], struct.unpack("!H", packet[end : end + 2])[0]
        self.asked += 1
        if self.mood in ("SERVFAIL", "REFUSED"):
            code = next(number for number, name in RCODES.items() if name == self.mood)
            return packet[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, 0, 0, 0) + question
        known = self.mood == "well" and f".{name.lower()}".endswith(f".{self.zone}")
        found = known and kind == TYPES["A"]
        head = packet[:2] + struct.pack("!HHHHH", 0x8180 | (0 if known else 3), 1, int(found), int(not found), 0)
        if found:
            return head + question + b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, self.ttl, 4) + socket.inet_aton(self.ip)
        soa = b"\x00\x00" + struct.pack("!IIIII", 1, 2, 3, 4, 60)
        return head + question + b"\x00" + struct.pack("!HHIH", TYPES["SOA"], 1, self.ttl, len(soa)) + soa
