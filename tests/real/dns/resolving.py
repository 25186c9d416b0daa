"""The C library of this machine looks a name up, and a name server that plays a script answers it.

Run inside namespaces of its own (`unshare --net --mount`): there is nobody but the two, and /etc/resolv.conf is ours.
glibc is that of Python here, musl that of a few lines of C which musl-gcc links.
A script is a list of rules ``[part of the name, type, which time, what]``, the first that fits decides: ``ok``, an
rcode (NXDOMAIN, SERVFAIL, REFUSED), ``nodata``, ``alias`` (to a name without address), or ``lost``: no answer.
"""

import json
import socket
import struct
import subprocess
import sys
import tempfile
import threading

TYPES = {1: "A", 28: "AAAA"}
RCODES = {"ok": 0, "nodata": 0, "alias": 0, "SERVFAIL": 2, "NXDOMAIN": 3, "REFUSED": 5}
ADDRESS = {"A": "192.0.2.1", "AAAA": "2001:db8::1"}
LOOK_UP = """
import json, socket, sys
try:
    found = sorted({a[4][0] for a in socket.getaddrinfo(sys.argv[1], None, socket.AF_UNSPEC, socket.SOCK_STREAM)})
except OSError as error:
    found = {"error": error.args[1]}
print(json.dumps(found))
"""

MUSL = r"""
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
int main(int argc, char **argv) {
    struct addrinfo *found = 0, hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    int error = getaddrinfo(argv[1], 0, &hints, &found);
    if (error) { printf("{\"error\": \"%s\"}", gai_strerror(error)); return 0; }
    printf("[");
    for (struct addrinfo *one = found; one; one = one->ai_next) {
        char text[INET6_ADDRSTRLEN];
        void *address = one->ai_family == AF_INET ? (void *)&((struct sockaddr_in *)one->ai_addr)->sin_addr
                                                  : (void *)&((struct sockaddr_in6 *)one->ai_addr)->sin6_addr;
        printf("%s\"%s\"", one == found ? "" : ", ", inet_ntop(one->ai_family, address, text, sizeof text));
    }
    printf("]");
}
"""


def with_musl(folder):
    """The command that looks a name up with musl, built in *folder*."""
    (folder / "look_up.c").write_text(MUSL, encoding="utf-8")
    subprocess.run(["musl-gcc", "-static", "-o", folder / "look_up", folder / "look_up.c"], check=True)
    return [str(folder / "look_up")]


def decide(script, name, kind, time):
    """What the script says to the question for *kind* of *name*, asked for the *time*-th time (from 0)."""
    for part, of_type, which, what in script:
        if part in name and of_type in ("", kind) and which in (None, time):
            return what
    return "NXDOMAIN"


def look_up(name, resolv_conf, script, command=(sys.executable, "-c", LOOK_UP)):
    """(what getaddrinfo said to *command*, [[name, type]…] in the order in which they were asked)."""
    inside = ["unshare", "--net", "--mount", sys.executable, "-m", "tests.real.dns.resolving"]
    told = [name, resolv_conf, json.dumps(script), json.dumps(command)]
    run = subprocess.run([*inside, *told], capture_output=True, text=True, check=True)
    said = json.loads(run.stdout)
    return sorted(said["result"]) if isinstance(said["result"], list) else said["result"], said["asked"]


def _question(packet):
    at, labels = 12, []
    while packet[at]:
        labels.append(packet[at + 1 : at + 1 + packet[at]].decode())
        at += packet[at] + 1
    return ".".join(labels) + ".", TYPES[struct.unpack("!H", packet[at + 1 : at + 3])[0]], packet[12 : at + 5]


def _record(what, kind):
    if what == "alias":
        return struct.pack("!HHHIH", 0xC00C, 5, 1, 30, 3) + b"\x01x\x00"
    family = socket.AF_INET if kind == "A" else socket.AF_INET6
    data = socket.inet_pton(family, ADDRESS[kind])
    return struct.pack("!HHHIH", 0xC00C, 1 if kind == "A" else 28, 1, 30, len(data)) + data


def _serve(server, script, asked):
    while True:
        packet, client = server.recvfrom(2048)
        name, kind, question = _question(packet)
        what = decide(script, name, kind, asked.count([name, kind]))
        asked.append([name, kind])
        if what != "lost":
            records = [_record(what, kind)] if what in ("ok", "alias") else []
            head = packet[:2] + struct.pack("!HHHHH", 0x8180 | RCODES[what], 1, len(records), 0, 0)
            server.sendto(head + question + b"".join(records), client)


def main(name, resolv_conf, script, command):
    """The inside."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(resolv_conf)
        file.flush()
        subprocess.run(["mount", "--bind", file.name, "/etc/resolv.conf"], check=True)
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind(("127.0.0.1", 53))
        asked = []
        threading.Thread(target=_serve, args=(server, script, asked), daemon=True).start()
        run = subprocess.run([*command, name], capture_output=True, text=True, check=True)
        print(json.dumps({"result": json.loads(run.stdout), "asked": asked}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), json.loads(sys.argv[4]))
