"""What is looked at from outside during a trial, and kept when it changes: `events` of a record.

Each API server is asked for /readyz and /livez in turn, with 8 s for the answer; members, the balancer's own page,
processes and Leases are looked at several times a second.
"""

import re
from functools import partial

from kubemini.host import Component
from kubemini.sim.units import MS, SECOND
from tests.oracles.ha.stage import MANAGERS, host, program

PATIENCE, PAUSE = 8 * SECOND, 1200 * MS
SLOW = 2 * SECOND
FORGOTTEN, NO_ROUTE = 30 * SECOND, 3 * SECOND  # Linux: reachable_time and probes of a neighbour; then each question
LOOK = {"members": 250 * MS, "balancers": 200 * MS, "processes": 200 * MS, "leases": 1 * SECOND, "nodes": 1 * SECOND}
ADDRESS_LOOK = 100 * MS
PYTHON = {  # words of the wire: of the poller, which is a Python program
    "connection refused": "ConnectionRefusedError: [Errno 111] Connection refused",
    "deadline exceeded": "TimeoutError: The read operation timed out",
    "connection reset by peer": "ConnectionResetError: [Errno 104] Connection reset by peer",
    "EOF": "RemoteDisconnected: Remote end closed connection without response",
}
LEASES = "/registry/leases/kube-system/"


class Poller(Component):
    """Looks, from the machine of the client, and keeps the changes."""

    def __init__(self, stage, strike, begun):
        super().__init__(stage.sim, stage.net, stage.cluster.hosts["client-1"], "trial-poller")
        self.stage, self.strike, self.begun = stage, strike, begun
        self.events, self.held, self._last = [], [], {}

    def boot(self):
        for n in (1, 2, 3):
            self.spawn(self._health(f"h{n}"))
        for what, every in LOOK.items():
            self._again(getattr(self, f"_{what}"), every)
        for address in self.net.addresses.held:
            self.after(self.begun - self.sim.now - 1, self._again, partial(self._holders, address), ADDRESS_LOOK)

    def _again(self, look, every):
        look()
        self.after(every, self._again, look, every)

    def note(self, what, value, at=None):
        """Keep *value*, if it is news."""
        if self._last.get(what) != value:
            self._last[what] = value
            since = ((self.sim.now if at is None else at) - self.begun) / SECOND
            self.events.append([round(since, 2), what, value])

    # -- API servers ---------------------------------------------------------------------------------------------------
    def _health(self, name):
        heard = self.sim.now
        while True:
            for path in ("readyz", "livez", "healthz"):
                since, there = self.sim.now, self.stage.of(f"api@{name}").host
                payload = {"verb": "GET", "path": f"/{path}", "query": {"verbose": ""}, "body": None, "user": "admin"}
                reply = yield self.call(program(f"api@{name}"), "request", payload, timeout=self._patience(heard))
                heard = self.sim.now if there.powered and self._reaches(there.name) else heard
                slow = " (slow: over 2 s)" if self.sim.now - since > SLOW else ""
                if path != "healthz":
                    self.note(f"{path} {name}", said(reply) + slow, since)
            yield self.timeout(PAUSE)

    def _patience(self, heard):
        """Its own 8 s; Linux says "no route to host" sooner, when a neighbour has not been *heard* for a while."""
        return NO_ROUTE if self.sim.now - heard > FORGOTTEN else PATIENCE

    # -- the rest ------------------------------------------------------------------------------------------------------
    def _members(self):
        for name in self.stage.members:
            member = self.stage.of(f"etcd@{name}")
            if not (member.up and member.serving and not member.paused and self._reaches(member.host.name)):
                said_by = "no answer"
            else:
                leader = next((m for m in self.stage.members if program(f"etcd@{m}") == member.leader), "none")
                log = member.raft.log  # etcd tells the term of what it has applied last: server.go setTerm
                said_by = f"leader {leader} term {log.term(log.applied)}"
            self.note(f"etcd {name}", said_by)

    def _reaches(self, there):
        here = self.host.name
        return self.net.reachable(here, there) and self.net.reachable(there, here)

    def _balancers(self):
        for full in self.stage.programs:
            kind, _, name = full.partition("@")
            if kind == "haproxy":
                balancer = self.stage.of(full)
                if not balancer.up or balancer.paused:
                    self.note(name, "no answer")
                    continue
                for server in balancer.servers:
                    what, line = f"{name} h{server[-1]}", page(balancer, server)
                    if not (_down(line) and _down(self._last.get(what, ""))):  # records keep it once
                        self.note(what, line)

    def _holders(self, address):
        """Which hosts have the virtual address."""
        held = sorted(at.replace("-", "") for at in self.net.addresses.held[address])
        if not self.held or self.held[-1][1] != held:
            self.held.append([round((self.sim.now - self.begun) / SECOND, 2), held])

    def _processes(self):
        for full in self.stage.programs:
            component = self.stage.of(full)
            self.note(f"process {full}", "up" if component.up else f"exit {self._code(full)}")

    def _code(self, full):
        """With which code a program has ended: a panic of Go is 2, one that gives up by itself says 1."""
        if full in self.strike.ended and not self.stage.of(full).up:
            return self.strike.ended[full]
        return 2 if any(r.what == "panic" for r in self.sim.trace.of("panic", program(full))) else 1

    def _leases(self):
        """Through an API server that answers: nobody else shows them."""
        if not any(self.stage.of(f"api@h{n}").up for n in (1, 2, 3)):
            return
        for lease in MANAGERS.values():
            found = self._stored(LEASES + lease)
            if found:
                spec = found["spec"]
                self.note(
                    f"lease {lease}", f"{spec['holderIdentity'][-8:]} transitions {spec.get('leaseTransitions', 0)}"
                )

    def _stored(self, key):
        """The object under *key*, as the member has it that is furthest on."""
        members = [m for name in self.stage.members if (m := self.stage.of(f"etcd@{name}")).up and m.serving]
        newest = max(members, key=lambda m: m.data.store.revision, default=None)
        found = newest.data.store.get(key) if newest else None
        return found["value"] if found else None

    def _nodes(self):
        for n in (1, 2, 3):
            node = self._stored(f"/registry/minions/{host(f'w{n}')}")
            if node:
                ready = [c["status"] for c in node["status"].get("conditions", ()) if c["type"] == "Ready"]
                self.note(f"node w{n}", f"Ready={ready[0] if ready else None}")


def said(reply):
    """A page of health, as the record has it: the code and the checks that fail; or the poller's own words."""
    if reply.ok:
        return "200 "
    code = getattr(reply.error, "code", 0)
    if not code:
        return f"0 {PYTHON.get(str(reply.error), reply.error)}"
    failing = re.findall(r"^\[-\]\S+", reply.error.message, re.MULTILINE)
    return f"{code} " + " | ".join(line.replace("poststarthook/", "hook ") for line in failing)


def _down(line):
    return line.startswith("DOWN") and "/" not in line


def page(balancer, server):
    """One line of HAProxy's page: ``UP 2/3 L4CON`` is one failed check of three."""
    health, last = balancer.health[server], balancer.checks.last[server]
    failed = health.rise + health.fall - 1 - health.value
    if health.up:
        return f"UP {health.fall - failed}/{health.fall} {last}" if failed else f"UP {last}"
    return f"DOWN {health.value}/{health.rise} {last}" if health.value else f"DOWN {last}"
