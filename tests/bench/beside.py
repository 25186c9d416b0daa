"""How fast ours is beside the real API server, in one run: a report, which fails nothing.

    python -m tests.bench.beside [--requests 200] [--watchers 1000]

Both are asked the same by one client over TLS, in turn; what counts are the ratios, not the seconds. Ready: from the
start of the programs to the first good answer. Memory: of all their processes. A rate is of the real one ÷ of ours.
"""

import argparse
import contextlib
import http.client
import json
import re
import socket
import ssl
import statistics
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from tests.oracles.build import Missing, program
from tests.oracles.ha.real.programs import Failed
from tests.real.api.realserver import RealServer
from tests.serve.doors import LONG, Served

PODS = "/api/v1/namespaces/default/pods"
MAPS = "/api/v1/namespaces/default/configmaps"
POD = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
LISTED = 1000
AIMS = {  # the rate of ours ÷ that of the real one
    "GET": 0.2,
    "CREATE": 0.2,
    "PATCH": 0.2,
    "LIST of 1,000 pods": 0.5,
    "one event to all watchers": 0.2,
}


class Client:
    """One connection to a server, which stays open."""

    def __init__(self, url):
        at, self.url = urlsplit(url), url
        self.at, self.context = (at.hostname, at.port), ssl._create_unverified_context()
        self.connection = http.client.HTTPSConnection(*self.at, timeout=LONG, context=self.context)

    def ask(self, method, path, body=None, type="application/json"):
        """The body of the answer."""
        headers = {"Authorization": "Bearer admintoken", "Content-Type": type}
        self.connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = self.connection.getresponse()
        text = answer.read()
        assert answer.status < 300, (method, path, answer.status, text[:300])
        return text

    def watch(self, path):
        """A watch that has begun: its socket."""
        plain = socket.create_connection(self.at, LONG)
        tls = self.context.wrap_socket(plain, server_hostname="localhost")
        lines = (f"GET {path}?watch=1 HTTP/1.1", "Host: x", "Authorization: Bearer admintoken", "", "")
        tls.sendall("\r\n".join(lines).encode())
        assert b" 200 " in tls.recv(65536)
        return tls


def filled(client):
    """A thousand pods, and a map to look at."""
    client.ask("POST", "/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "default"}})
    client.ask("POST", MAPS, {"metadata": {"name": "seen"}, "data": {"k": "v"}})
    for number in range(LISTED):
        client.ask("POST", PODS, {**POD, "metadata": {**POD["metadata"], "name": f"pod-{number}"}})


def deeds(client, requests):
    """What is measured → (how often in a round, what to do with the number of the round)."""
    patch = "application/merge-patch+json"

    def create(round, number):
        client.ask("POST", MAPS, {"metadata": {"name": f"made-{round}-{number}"}, "data": {"k": "v"}})

    return {
        "GET": (requests, lambda round, number: client.ask("GET", f"{MAPS}/seen")),
        "CREATE": (requests, create),
        "PATCH": (
            requests,
            lambda round, number: client.ask("PATCH", f"{MAPS}/seen", {"data": {"k": f"{round}-{number}"}}, patch),
        ),
        "LIST of 1,000 pods": (5, lambda round, number: client.ask("GET", PODS)),
    }


def seconds(often, deed, round):
    """How long it takes to do something so often."""
    began = time.perf_counter()
    for number in range(often):
        deed(round, number)
    return time.perf_counter() - began


def fanned_out(client, watchers):
    """Seconds from a change until all *watchers* have heard of it, the middle of five changes."""
    path, took = "/api/v1/namespaces/default/secrets", []
    with contextlib.ExitStack() as stack:
        open_ones = [stack.enter_context(client.watch(path)) for _ in range(watchers)]
        client = Client(client.url)  # the other has been still while all of them came
        for number in range(5):
            began = time.perf_counter()
            client.ask("POST", path, {"metadata": {"name": f"news-{number}"}})
            for one in open_ones:
                heard = b""
                while f"news-{number}".encode() not in heard:
                    heard += one.recv(65536)
            took.append(time.perf_counter() - began)
    return statistics.median(took)


def memory(*processes):
    """What they hold, in MB."""
    texts = [Path(f"/proc/{process.pid}/status").read_text() for process in processes]
    return sum(int(re.search(r"VmRSS:\s+(\d+)", text)[1]) for text in texts) / 1024


def started(stack, make):
    """What *make* gives, and how many seconds until it was ready."""
    began = time.perf_counter()
    return stack.enter_context(make()), time.perf_counter() - began


def main(arguments=None):
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.beside")
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--watchers", type=int, default=1000)
    said = parser.parse_args(arguments)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for name in ("real", "ours"):
            (folder / name).mkdir()
        real, slow = started(stack, lambda: RealServer(program("kubernetes"), folder / "real"))
        ours, fast = started(stack, lambda: Served(folder / "ours", "--api-only", tokens=real.tokens))
        clients = [Client(real.url), Client(ours.url)]
        print(f"ready: {fast:.2f} s, the real one {slow:.2f} s: {fast / slow:.2f} of its time (aim 1 or less)")
        for client in clients:
            filled(client)
        theirs, mine = memory(*real.running), memory(ours.process)
        print(f"memory with 1,000 pods: {mine:.0f} MB, {theirs:.0f} MB: {mine / theirs:.2f} of its (aim 0.2 or less)")
        tables = [deeds(client, said.requests) for client in clients]
        for what in tables[0]:
            rounds = [[seconds(*table[what], round) for table in tables] for round in range(5)]
            told(what, *map(statistics.median, zip(*rounds)))
        told("one event to all watchers", *(fanned_out(client, said.watchers) for client in clients))
    return 0


def told(what, theirs, mine):
    """A line of the report."""
    aim = AIMS[what]
    print(f"{what}: {theirs / mine:.2f} of its rate (aim {aim} or more{'' if theirs / mine >= aim else '; MISSED'})")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Missing, Failed) as error:
        sys.exit(str(error))
