"""Thousands of requests that make no sense: the door answers each or cuts it off, and nothing of them stays."""

import contextlib
import http.client
import random
import re
from pathlib import Path

from tests.serve.doors import CONFIG_MAPS, Served

ROUNDS = 1_000
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "FROB", "get", "")
PARTS = (
    "api",
    "apis",
    "v1",
    "v9",
    "namespaces",
    "default",
    "pods",
    "%00",
    "..",
    "a" * 3000,
    "",
    "%zz",
    "é",
    "status",
    "*",
)
QUERIES = (
    "",
    "?",
    "?watch=maybe",
    "?limit=x",
    "?resourceVersion=zz",
    "?labelSelector=,,(",
    "?%00=%ff",
    "?dryRun=Some",
)
TYPES = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf", "text/html", "é", "")
BODIES = (
    b"",
    b"{",
    b"[]",
    b"null",
    b'{"kind":1}',
    b'{"kind":"ConfigMap","apiVersion":"v1","metadata":[]}',
    b"k8s\x00\x0a\xff\xff\xff",
    b"\xff\xfe\x00",
    b"a: &a [*a]",
    b"{" * 20000,
    b"- " * 9000,
    b'{"metadata":{"name":"' + b"x" * 70000 + b'"}}',
)


def memory(served):
    """What the process holds, in kB."""
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{served.process.pid}/status").read_text())[1])


def request(dice):
    """One that nobody should send."""
    path = "/" + "/".join(dice.choice(PARTS) for _ in range(dice.randrange(7))) + dice.choice(QUERIES)
    body = dice.choice(BODIES)
    headers = [f"Content-Length: {len(body)}", f"Content-Type: {dice.choice(TYPES)}", f"Accept: {dice.choice(TYPES)}"]
    if dice.random() < 0.2:
        headers.append(dice.choice(("Transfer-Encoding: gzip", "Content-Length: -1", "Impersonate-User: ", ": x", "X")))
    head = "\r\n".join((f"{dice.choice(METHODS)} {path} HTTP/1.1", "Host: x", *headers))
    return head.encode("utf-8", "replace") + b"\r\n\r\n" + body


def send(served, connection, data):
    """Send *data* on a connection; whether it is still of use."""
    connection.sock.sendall(data)
    response = http.client.HTTPResponse(connection.sock, method=data.partition(b" ")[0].decode())
    response.begin()
    assert response.status != 500 or b"caused apiserver to panic" not in response.read(), data[:300]
    response.read()
    return not response.will_close


def test_nothing_that_makes_no_sense_ends_it_or_fills_it(tmp_path):
    dice = random.Random(1)
    with Served(tmp_path, "--api-only") as served:
        sizes, connection = [], None
        for number in range(ROUNDS):
            if connection is None:
                connection = served.connect()
                connection.connect()
            keeps = False
            with contextlib.suppress(OSError, http.client.HTTPException):
                keeps = send(served, connection, request(dice))
            if not keeps:
                connection.close()
                connection = None
            if number in (ROUNDS // 2, ROUNDS - 1):
                sizes.append(memory(served))
        assert served.process.poll() is None and served.ask(CONFIG_MAPS).code == 200
        assert sizes[1] < 1.2 * sizes[0]
