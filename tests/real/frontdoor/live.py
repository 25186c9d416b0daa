"""Real HAProxy in network namespaces: ``python -m tests.real.frontdoor.live FILE``, in a room.

Three HAProxies, each with a check of its own, before stand-ins for API servers, all in one go: one is killed, one hung,
one cut off, one answers 500, one stays well. Told is their log of the checks: why each failed, and what was made of it.
"""

import json
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.conftest import ROOT
from tests.oracles.ha.real import balancing, hosts, room
from tests.oracles.ha.real.room import DISK

PORT = 6443
LONG = 240  # s, for what will come for certain
FATES = {"h1": "killed", "h2": "hung", "h3": "cut off", "e1": "sick", "e2": "well"}
NOTICED = {
    "kubeadm": ("killed", "hung", "cut off", "sick"),
    "old": ("killed", "hung", "cut off"),
    "tcp": ("killed", "cut off"),
}
BALANCER_OF = {"kubeadm": "lb1", "old": "lb2", "tcp": "ctl"}  # a machine each
CHECKED = re.compile(
    r"Health check for server apiservers/(\w+) (\w+), reason: (.*?), (?:info:|check dur).*status: (.*)\."
)


def told():
    """What `checks` tells, run in a room of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "told.json"
        assert room.enter("tests.real.frontdoor.live", path) == 0, "it did not end well: see above"
        return json.loads(path.read_text())


def wait(condition, what):
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {LONG} s"
        time.sleep(0.05)


class Machines:
    """Some machines with programs on them."""

    def __init__(self, names):
        self.programs = {}
        hosts.plug(names)
        for name in names:
            (DISK / name).mkdir()

    def start(self, name, host, command):
        files = [(DISK / host / f"{name}.{which}").open("ab") for which in ("log", "errors")]
        self.programs[name, host] = subprocess.Popen(
            [*hosts.on(host), *command], stdout=files[0], stderr=files[1], cwd=DISK / host
        )
        for file in files:
            file.close()

    def kill(self, name, host):
        self.programs[name, host].kill()
        self.programs[name, host].wait()

    def log(self, name, host):
        return (DISK / host / f"{name}.log").read_text()

    def haproxy(self, host, check, servers):
        config = balancing.haproxy(check, PORT, servers, DISK / host / "stats.sock")
        with_log = config.replace("    option tcplog\n", "").replace(
            "defaults\n", "defaults\n    option log-health-checks\n"
        )
        (DISK / host / "haproxy.cfg").write_text(with_log)
        self.start("haproxy", host, ["haproxy", "-db", "-f", "haproxy.cfg"])

    def standin(self, host):
        command = [sys.executable, "-m", "tests.real.frontdoor.standin", str(DISK / host), str(PORT)]
        self.start("api", host, ["env", f"PYTHONPATH={ROOT}", *command])

    def certificate(self, host):
        (DISK / host / "code").write_text("200")
        names = ("-keyout", str(DISK / host / "key.pem"), "-out", str(DISK / host / "cert.pem"))
        hosts.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=api", *names)


# -- checks ------------------------------------------------------------------------------------------------------------
def checks():
    """Check → what it said while something was wrong, and what it said after that, of each fate."""
    machines = Machines([*FATES, *BALANCER_OF.values()])
    for host in FATES:
        machines.certificate(host)
        machines.standin(host)
    servers = {host: f"{hosts.ADDRESSES[host]}:{PORT}" for host in FATES}
    for check, host in BALANCER_OF.items():
        machines.haproxy(host, check, servers)
    wait(lambda: all(servers_that_are("UP", host) == set(FATES) for host in BALANCER_OF.values()), "all are up")
    logs = [logs_of(machines)]
    strike(machines)
    for check, host in BALANCER_OF.items():
        gone = {server for server, fate in FATES.items() if fate in NOTICED[check]}
        wait(lambda h=host, g=gone: servers_that_are("DOWN", h) == g, f"{check} notices who is {NOTICED[check]}")
    logs.append(logs_of(machines))
    mend(machines)
    wait(lambda: all(servers_that_are("UP", host) == set(FATES) for host in BALANCER_OF.values()), "all are up again")
    logs.append(logs_of(machines))
    before, between, after = logs
    return {
        check: {
            "during": said(between[check][len(before[check]) :]),
            "after": said(after[check][len(between[check]) :]),
        }
        for check in BALANCER_OF
    }


def logs_of(machines):
    """Check → all that its HAProxy has logged."""
    return {check: machines.log("haproxy", host) for check, host in BALANCER_OF.items()}


def servers_that_are(status, host):
    """The servers of which HAProxy on *host* says this, after a check."""
    rows = balancing.servers_of(DISK / host / "stats.sock") or {}
    return {name for name, row in rows.items() if row["status"] == status and row["check_status"] != "INI"}


def strike(machines):
    machines.kill("api", "h1")
    machines.programs["api", "h2"].send_signal(signal.SIGSTOP)
    hosts.cut("h3")
    (DISK / "e1" / "code").write_text("500")


def mend(machines):
    machines.standin("h1")
    machines.programs["api", "h2"].send_signal(signal.SIGCONT)
    hosts.heal("h3")
    (DISK / "e1" / "code").write_text("200")


def said(log):
    """Fate → [why, what HAProxy made of it] of each check, in its own words; of those that change nothing, none."""
    found = {fate: [] for fate in FATES.values()}
    for server, _, why, status in CHECKED.findall(log):
        found[FATES[server]].append([why, status])
    return found


def main(path):
    room.furnish()
    Path(path).write_text(json.dumps(checks()))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
