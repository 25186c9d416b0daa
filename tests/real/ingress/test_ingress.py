"""HAProxy and nginx send every request of the tables, and of random Ingresses, where ours sends it.

Beyond their power, and not asked: escaped and doubled slashes (nginx merges and decodes, HAProxy does neither).
"""

import contextlib
import http.client
import json
import random
import shutil
import socket
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from kubemini.network.decide.routing import ingress
from kubemini.network.decide.routing.exchange import FORWARDED, Request
from tests.conftest import ROOT, SBIN
from tests.real.ingress import configuration

TABLE = json.loads((ROOT / "tests/oracles/network/ingress.json").read_text())
OBJECTS = json.loads((ROOT / "tests/oracles/network/ingress/traefik.json").read_text())
HOSTS = ("a.io", "b.io", "x.a.io", "*.a.io", "*.b.io", "")
ASKED = ("a.io", "A.io", "x.a.io", "y.a.io", "z.y.a.io", "q.b.io", "c.io", "a.io:8080")
PATHS = ("/", "/foo", "/foo/", "/foo/bar", "/foobar", "/bar/", "/FOO")
URLS = ("/", "/foo", "/foo/", "/foo/bar", "/foo/bar/x", "/foobar", "/bar", "/bar/", "/barx", "/FOO", "/foo?a=b")
SERVICES = tuple(f"s{number}" for number in range(1, 9))
WAIT = 20  # s


class Named(BaseHTTPRequestHandler):
    """A server that tells its name."""

    def do_GET(self):
        name = self.server.called.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(name)))
        self.end_headers()
        self.wfile.write(name)

    def log_message(self, *_):
        """Nobody reads it."""


def free():
    """A port that nobody uses, of those that the kernel never gives away by itself: so nobody takes it meanwhile."""
    for port in random.SystemRandom().sample(range(10_000, 32_000), 1_000):
        with contextlib.suppress(OSError), socket.socket() as found:
            found.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


@contextlib.contextmanager
def services(names):
    """{name: port} of servers that tell their names."""
    running = {}
    for name in names:
        running[name] = ThreadingHTTPServer(("127.0.0.1", 0), Named)
        running[name].called = name
        threading.Thread(target=running[name].serve_forever, daemon=True).start()
    try:
        yield {name: server.server_port for name, server in running.items()}
    finally:
        for server in running.values():
            server.shutdown()
            server.server_close()


@contextlib.contextmanager
def proxy(program, ingresses, ports, folder):
    """The port of a real proxy that serves *ingresses*."""
    port, file = free(), folder / "configuration"
    if program == "haproxy":
        file.write_text(configuration.haproxy(ingresses, port, ports))
        command = ["-db", "-f", str(file)]
    else:
        file.write_text(configuration.nginx(ingresses, port, ports, folder))
        command = ["-p", str(folder), "-e", str(folder / "errors"), "-c", str(file)]
    log = folder / "log"
    with log.open("wb") as out:
        running = subprocess.Popen([shutil.which(program, path=SBIN), *command], stdout=out, stderr=out)
    try:
        end = time.monotonic() + WAIT
        while running.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.05)
        assert running.poll() is None, log.read_text()
        yield port
    finally:
        running.terminate()
        running.wait(WAIT)


def real(port, host, path):
    """Who answers: the name of a Service, or the status."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT)
    try:
        connection.putrequest("GET", path, skip_host=True)
        connection.putheader("Host", host)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.read().decode() if answer.status == 200 else str(answer.status)
    finally:
        connection.close()


def ours(ingresses, host, path):
    verdict = ingress.route(ingresses, Request(host, path))
    return verdict.backends[0].name if verdict.fate == FORWARDED else str(verdict.status)


def differences(program, ingresses, asked, folder):
    """The requests that a real proxy sends elsewhere."""
    names = {p.backend["service"]["name"] for p in ingress.paths(ingresses)} | {
        configuration.default(ingresses) or "s1"
    }
    with services(sorted(names)) as ports, proxy(program, ingresses, ports, folder) as port:
        told = [(host, path, real(port, host, path), ours(ingresses, host, path)) for host, path in asked]
    return [row for row in told if row[2] != row[3]]


def make(name, host, paths, created, default=None):
    """An Ingress; *paths*: (path, type, Service)."""
    to = lambda service: {"service": {"name": service, "port": {"number": 80}}}  # noqa: E731
    rows = [{"path": path, "pathType": kind, "backend": to(service)} for path, kind, service in paths]
    spec = {"rules": [{"host": host, "http": {"paths": rows}}]} | ({"defaultBackend": to(default)} if default else {})
    return {"metadata": {"name": name, "namespace": "n", "creationTimestamp": f"{created:04}"}, "spec": spec}


BOTH = [pytest.param(program, marks=pytest.mark.needs(program)) for program in ("haproxy", "nginx")]


@pytest.mark.parametrize("program", BOTH)
@pytest.mark.parametrize("feature", ["host_rules", "path_rules"])
def test_the_conformance_suite_is_served_alike(program, feature, tmp_path):
    row = next(row for row in TABLE["conformance"] if row["feature"] == feature)
    urls = [scenario["url"].split("://")[1] for scenario in row["scenarios"]]
    asked = [(url.partition("/")[0], "/" + url.partition("/")[2]) for url in urls]
    assert len(asked) > 5 and differences(program, [row["ingress"]], asked, tmp_path) == []


@pytest.mark.parametrize("program", BOTH)
@pytest.mark.parametrize("number", range(len(TABLE["path_examples"])))
def test_the_examples_of_the_documentation_are_served_alike(program, number, tmp_path):
    row = TABLE["path_examples"][number]
    paths = [(p["path"], p["pathType"], f"s{place + 1}") for place, p in enumerate(row["paths"])]
    assert differences(program, [make("one", "a.io", paths, 1)], [("a.io", row["request"])], tmp_path) == []


@pytest.mark.parametrize("program", BOTH)
def test_the_objects_of_the_recording_are_served_alike(program, tmp_path):
    found = [obj for obj in OBJECTS["objects"] if obj["kind"] == "Ingress"]
    dated = [{**obj, "metadata": {**obj["metadata"], "creationTimestamp": f"{n:02}"}} for n, obj in enumerate(found)]
    asked = [(r["host"], r["path"]) for r in OBJECTS["requests"] if r["method"] == "GET" and "%" not in r["path"]]
    asked = [(host, path) for host, path in asked if "//" not in path]
    assert len(asked) > 50 and differences(program, dated, asked, tmp_path) == []


@pytest.mark.parametrize("program", BOTH)
@pytest.mark.parametrize("run", range(5))
@pytest.mark.some(4)
def test_random_ingresses_are_served_alike(program, run, tmp_path):
    seed = random.SystemRandom().randrange(10**9)
    print(f"seed {seed}")
    rng = random.Random(seed)
    ingresses = []
    for number in range(rng.randint(1, 5)):
        some = rng.sample(PATHS, rng.randint(1, 5))
        paths = [(path, rng.choice(("Exact", "Prefix")), rng.choice(SERVICES)) for path in some]
        default = rng.choice(SERVICES) if rng.random() < 0.3 else None
        ingresses.append(make(f"i{number}", rng.choice(HOSTS), paths, number, default))
    asked = [(host, path) for host in ASKED for path in URLS]
    assert differences(program, ingresses, asked, Path(tmp_path)) == [], f"seed {seed}"
