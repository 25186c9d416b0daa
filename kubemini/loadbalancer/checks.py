"""HAProxy's health checks: each server is asked for ever, each on its own, and what is wrong has a name.

Invariant: the next check begins *inter* after a bad one ended, so a server that lets the balancer wait is checked less
often and found out later. Checks that cannot but pass are left out: a server that is well is asked again when something
has changed (`Network.watchers`), at the instant of the check that would have come next.
`inter` bounds connect and TLS; ``timeout check`` bounds the answer alone.
What a check comes to is said as HAProxy's statistics do: L4CON (refused), L4TOUT (nobody answers TCP), L6TOUT (no TLS,
though accepted: the program hangs), L7STS and a code (another answer than 200), L7TOUT (no answer), L7RSP (broken off),
or L4OK, L6OK, L7OK. The check ("http") is kubeadm's, HTTPS GET /healthz; "ssl-hello" that of its older sample, a TLS
greeting, which any living program returns; "tcp" a bare connect, which even a hung one's kernel accepts.
A greeting is sent in earnest only if it would not be answered at once, so a check of a server that is well costs what a
request costs. HAProxy 2.6 management guide, "show stat", check_status; kubeadm docs/ha-considerations.md.
Simplified: the next check begins *inter* after a good one began, not after it ended.
"""

from collections.abc import Generator
from typing import Any, Protocol

from kubemini.host import Host
from kubemini.loadbalancer.decide.health import ServerHealth
from kubemini.params import Params
from kubemini.sim import Sim, Steps
from kubemini.sim.chance import Draws
from kubemini.wire import Network
from kubemini.wire.calls import DEADLINE, HANDSHAKE, NO_ANSWER, REFUSED
from kubemini.wire.connections import Connection, Limits

HEALTHZ: dict[str, Any] = {
    "verb": "GET",
    "path": "/healthz",
    "query": {},
    "body": None,
    "user": "system:anonymous",
}
GOOD = {"http": "L7OK", "ssl-hello": "L6OK", "tcp": "L4OK"}
TROUBLE = {REFUSED: "L4CON", NO_ANSWER: "L4TOUT", HANDSHAKE: "L6TOUT"}  # in the greeting


class Balancer(Protocol):
    """Whose checks they are."""

    sim: Sim
    net: Network
    name: str
    incarnation: int
    servers: list[str]
    params: Params
    phases: Draws

    @property
    def host(self) -> Host:
        """Where it runs."""

    def spawn(self, generator: Steps) -> Any:
        """Run a task."""

    def after(self, delay: int, act: Any, *args: Any) -> Any:
        """A timer."""

    def call(self, target: str, method: str, payload: Any, timeout: int | None) -> Any:
        """A request on a connection of its own."""

    def connection(self, target: str, limits: Limits, on_break: None = None, kept: bool = True) -> Connection:
        """A connection to be dialled."""


class Checks:
    """The opinions that one incarnation of a balancer has of its servers."""

    def __init__(self, balancer: Balancer):
        self.balancer, self.params = balancer, balancer.params
        rise, fall = self.params.haproxy_rise, self.params.haproxy_fall
        self.health = {server: ServerHealth(rise, fall) for server in balancer.servers}
        self._resting: dict[str, int] = {}  # server → when its next check would begin
        self.last = dict.fromkeys(balancer.servers, "INI")  # what the last check of each came to

    def start(self) -> None:
        """Begin, the servers spread over one *inter*."""
        balancer, inter = self.balancer, self.params.haproxy_inter
        first = balancer.phases.between(balancer.incarnation, 1, inter)
        for number, server in enumerate(balancer.servers):
            self._record(server, "not checked yet")
            spread = (first + number * inter // len(balancer.servers)) % inter
            balancer.after(spread, self._begin, server)

    def wake(self) -> None:
        """Something may have changed: who rests is checked again, when its turn would have come."""
        resting, self._resting = self._resting, {}
        now, inter = self.balancer.sim.now, self.params.haproxy_inter
        for server, due in resting.items():
            self.balancer.after((due - now) % inter if due < now else due - now, self._begin, server)

    def _begin(self, server: str) -> None:
        self.balancer.spawn(self._once(server))

    def _once(self, server: str) -> Steps:
        """One check, and the next one: *inter* after a good one began, or a bad one ended."""
        begun = self.balancer.sim.now
        trouble = yield from self.check(server)
        health, self.last[server] = self.health[server], trouble or GOOD[self.params.haproxy_check]
        if health.failed() if trouble else health.passed():
            self._record(server, self.last[server])
        now, inter = self.balancer.sim.now, self.params.haproxy_inter
        due = now + inter if trouble else max(now, begun + inter)
        if not trouble and health.full and self._can_tell(server):
            self._resting[server] = due
        else:
            self.balancer.after(due - now, self._begin, server)

    def _can_tell(self, server: str) -> bool:
        """Whether all checks of *server* pass until `wake` is called: nothing is amiss, here or behind it."""
        net = self.balancer.net
        return net.untouched and self._greets(server) and all(station.calm for station in net.components.values())

    def _record(self, server: str, why: str) -> None:
        up = self.health[server].up
        self.balancer.sim.record(self.balancer.name, "backend", server=server, up=up, why=why)

    def check(self, server: str) -> Generator[Any, Any, str]:
        """One check: what is wrong with *server*, or nothing."""
        if not self._greets(server):
            inter = Limits(self.params.haproxy_inter, 0, 0, None)
            connection = self.balancer.connection(server, inter, kept=False)
            reply = yield connection.dial()
            connection.close()
            if not reply.ok:
                return TROUBLE.get(reply.error, "L6RSP")
        if self.params.haproxy_check != "http":
            return ""
        limit = self.params.haproxy_check_timeout
        reply = yield self.balancer.call(server, "request", HEALTHZ, limit)
        if reply.ok:
            return ""
        code = getattr(reply.error, "code", 0)
        if code:
            return f"L7STS {code}"
        return "L7TOUT" if reply.error == DEADLINE else TROUBLE.get(reply.error, "L7RSP")

    def _greets(self, server: str) -> bool:
        """Whether a greeting would be answered now; a bare connect even a hung program's kernel answers."""
        net = self.balancer.net
        target = net.components[server]
        here, there = self.balancer.host.name, target.host
        if not (net.reachable(here, there.name) and net.reachable(there.name, here)):
            return False
        return target.up and target.listens and (self.params.haproxy_check == "tcp" or not target.paused)
