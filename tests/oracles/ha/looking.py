"""What is looked at from outside during a trial, and kept when it changes: `events` of a record.

Each API server is asked for /readyz and /livez in turn, with 8 s for the answer; members, the balancer's own page,
and processes are looked at several times a second; nodes and Leases as an API server shows them.
"""

import re
from functools import partial

from kubemini.host import Component
from kubemini.sim.units import MS, SECOND
from tests.oracles.ha.stage import MANAGERS, PLANES, program

PATIENCE, PAUSE = 8 * SECOND, 1200 * MS
SLOW = 2 * SECOND
FORGOTTEN, NO_ROUTE = 30 * SECOND, 3 * SECOND  # Linux: reachable_time and probes of a neighbour; then each question
LOOK = {"members": 250 * MS, "balancers": 200 * MS, "processes": 200 * MS}
ADDRESS_LOOK = 100 * MS
PYTHON = {  # words of the wire: of the poller, which is a Python program
    "connection refused": "ConnectionRefusedError: [Errno 111] Connection refused",
    "deadline exceeded": "TimeoutError: The read operation timed out",
    "connection reset by peer": "ConnectionResetError: [Errno 104] Connection reset by peer",
    "EOF": "RemoteDisconnected: Remote end closed connection without response",
}
NODES, LEASES = "/api/v1/nodes", "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/"
SLICE = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes"


class Poller(Component):
    """Looks, from the machine of the client, and keeps the changes."""

    def __init__(self, stage, strike, begun):
        super().__init__(stage.sim, stage.net, stage.cluster.hosts["client-1"], "trial-poller")
        self.stage, self.strike, self.begun = stage, strike, begun
        self.events, self.held, self._last = [], [], {}

    def boot(self):
        for n in (1, 2, 3):
            self.spawn(self._health(f"h{n}"))
        self.spawn(self._state())
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

    # -- what the API says ---------------------------------------------------------------------------------------------
    def _state(self):
        """Nodes and Leases, of the first server that has the nodes in its cache; what it does not say is not seen."""
        while True:
            for name in PLANES:
                nodes = yield from self._asked(name, NODES, {"resourceVersion": "0"})
                if nodes is not None:
                    yield from self._told(name, nodes)
                    break
            yield self.timeout(SECOND)

    def _told(self, name, nodes):
        for node in nodes["items"]:
            ready = [c["status"] for c in node["status"].get("conditions", ()) if c["type"] == "Ready"]
            self.note(f"node w{node['metadata']['name'][-1]}", f"Ready={ready[0] if ready else None}")
        for lease in MANAGERS.values():
            found = yield from self._asked(name, LEASES + lease)
            if found is not None:
                spec = found["spec"]
                holder = f"{spec['holderIdentity'][-8:]} transitions {spec.get('leaseTransitions', 0)}"
                self.note(f"lease {lease}", holder)
        found = yield from self._asked(name, SLICE)
        if found is not None:
            addresses = [at.rpartition(".")[2] for one in found["endpoints"] or () for at in one["addresses"]]
            self.note("kubernetes endpoints", sorted(addresses))

    def _asked(self, name, path, query=()):
        """An object or a list as the server on *name* has it; None if it does not answer within 2 s, or says no."""
        payload = {"verb": "GET", "path": path, "query": dict(query), "body": None, "user": "admin"}
        reply = yield self.call(program(f"api@{name}"), "request", payload, timeout=SLOW)
        return reply.value if reply.ok else None


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
