"""Fourteen servers that misbehave, alone and beside a good one, behind real proxies: the client gets what ours says."""

import http.client
import shutil
import socket
import subprocess
import time
from dataclasses import replace

import pytest

from kubemini.network.decide.routing import proxies
from kubemini.network.decide.routing.backends import NAMED
from kubemini.sim.units import SECOND
from tests.conftest import SBIN
from tests.real.ingress.servers import Server
from tests.real.ingress.test_ingress import BOTH, WAIT, free

SETTINGS = {
    "nginx": replace(proxies.NGINX, connect_timeout=SECOND, server_timeout=SECOND),
    "haproxy": replace(proxies.HAPROXY, connect_timeout=SECOND, server_timeout=SECOND),
}


def haproxy(port, ports, folder):
    servers = "\n".join(f" server s{n} 127.0.0.1:{at}" for n, at in enumerate(ports))
    times = " timeout connect 1s\n timeout client 30s\n timeout server 1s"
    return f"defaults\n mode http\n{times}\nlisten web\n bind 127.0.0.1:{port}\n balance roundrobin\n{servers}\n"


def nginx(port, ports, folder):
    servers = " ".join(f"server 127.0.0.1:{at} max_fails=0;" for at in ports)
    paths = " ".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    times = "proxy_connect_timeout 1s; proxy_read_timeout 1s; proxy_http_version 1.1;"
    head = f"daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/errors; events {{}}"
    web = f"server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://up; {times} }} }}"
    return f"{head} http {{ {paths} access_log off; upstream up {{ {servers} }} {web} }}"


def start(program, port, ports, folder):
    """The proxy, once it listens."""
    file = folder / "configuration"
    file.write_text({"haproxy": haproxy, "nginx": nginx}[program](port, ports, folder))
    more = ["-db", "-f", file] if program == "haproxy" else ["-p", folder, "-e", folder / "errors", "-c", file]
    running = subprocess.Popen([shutil.which(program, path=SBIN), *map(str, more)], stderr=subprocess.DEVNULL)
    end = time.monotonic() + WAIT
    while running.poll() is None and time.monotonic() < end:
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return running
        time.sleep(0.05)
    raise AssertionError(f"{program} does not listen")


def asked(port, method):
    """(status, or what was wrong with it; seconds)."""
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT)
    try:
        connection.request(method, "/", b"body" if method == "POST" else None)
        answer = connection.getresponse()
        try:
            answer.read()
            told = answer.status
        except http.client.IncompleteRead:
            told = f"{answer.status}, body cut off"
    except http.client.BadStatusLine:
        told = proxies.NO_STATUS
    finally:
        connection.close()
    return told, time.monotonic() - began


def ours(program, names, method, first):
    outcome = proxies.serve(SETTINGS[program], [NAMED[name] for name in names], method, first)
    status = outcome.status if outcome.whole else f"{outcome.status}, body cut off"
    return status, outcome.took / SECOND, outcome.read


POOLS = [pool for name in NAMED for pool in ([name], *([[name, "ok"]] if name != "ok" else []))]


@pytest.mark.parametrize("program", BOTH)
@pytest.mark.parametrize("names", POOLS, ids=" + ".join)
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.some(12)
def test_a_client_gets_what_ours_says(program, names, method, tmp_path):
    """Up to five times until it does: whose FIN or RST comes first is a race."""
    wanted = sorted((ours(program, names, method, first) for first in range(len(names))), key=str)
    for _ in range(5):
        rows = measured(program, names, method, tmp_path)
        if [row[::2] for row in rows] == [row[::2] for row in wanted]:
            break
    assert [row[::2] for row in rows] == [row[::2] for row in wanted]
    for (_, took, _), (_, lasts, _) in zip(rows, wanted, strict=True):
        assert took >= lasts - 0.05, "it waited less than its time-outs say"


def measured(program, names, method, folder):
    """(status, seconds, requests that were read) of as many requests as there are servers, sorted."""
    servers, port = [Server(name) for name in names], free()
    running = start(program, port, [server.port for server in servers], folder)
    rows = []
    try:
        for _ in names:
            before = sum(server.read for server in servers)
            status, took = asked(port, method)
            rows.append((status, took, sum(server.read for server in servers) - before))
    finally:
        running.terminate()
        running.wait(WAIT)
        for server in servers:
            server.close()
    return sorted(rows, key=str)
