"""A balancer before three servers, and a client that knocks twenty times a second and keeps one connection too."""

from dataclasses import replace

from kubemini.api.errors import ApiError
from kubemini.client.transport import Transport
from kubemini.host import Component, Host
from kubemini.loadbalancer.haproxy import HAProxy
from kubemini.params import Params
from kubemini.sim import Sim
from kubemini.sim.units import MS, SECOND
from kubemini.wire import Network

SERVERS = ["apiserver-1", "apiserver-2", "apiserver-3"]
FAULT = 20 * SECOND


class Server(Component):
    """The measurements' back end: 50 ms of work, and a /healthz that can be told to fail or to say nothing."""

    code = 200

    def boot(self):
        self.served, self.watch, self.given_up = 0, None, []

    @property
    def calm(self):
        return self.code == 200

    def say(self, code):
        """From now on /healthz is answered so; 0: not at all."""
        self.code = code
        self.net.changed()

    def handle(self, call):
        if call.payload["path"] == "/healthz":
            if self.code:
                call.reply("ok") if self.code == 200 else call.fail(ApiError(self.code, "", "not well"))
        elif call.stream is not None:
            self.watch = call.stream
        elif call.payload["path"] == "/wait":
            call.on_cancel(lambda: self.given_up.append(self.sim.now))
            yield self.timeout(50 * SECOND)
            call.reply(self.name)
        else:
            yield self.timeout(50 * MS)
            self.served += 1
            call.reply(self.name)


class Client(Component):
    """Open loop, 20 requests a second, each on a fresh connection; keeps (asked, took, reply). One is sticky."""

    def boot(self):
        self.replies, self.items, self.ends, self.kept = [], [], [], []
        self.sticky = Transport(self, ["haproxy-1"])
        self.ask()

    def ask(self):
        self.spawn(self._ask(Transport(self, ["haproxy-1"], kept=False), "POST", "/", self.replies))
        self.after(50 * MS, self.ask)

    def ask_sticky(self, path="/"):
        self.spawn(self._ask(self.sticky, "POST", path, self.kept))

    def _ask(self, transport, verb, path, replies):
        asked = self.sim.now
        reply = yield from transport.request({"verb": verb, "path": path}, 60 * SECOND)
        replies.append((asked, self.sim.now - asked, reply))
        if transport is not self.sticky:
            transport.close()

    def watch(self):
        return self.sticky.stream("watch", {"path": "/w"}, self.items.append, self.ends.append)

    def failed(self, since=0):
        return [(asked, took) for asked, took, reply in self.replies if not reply.ok and asked >= since]

    def errors(self):
        return {str(reply.error) for _, _, reply in self.replies if not reply.ok}


class World:
    def __init__(self, seed=1, **params):
        self.sim = Sim(seed)
        self.net = Network(self.sim, replace(Params(), **params))
        self.hosts = [Host(self.sim, f"cp-{i}") for i in (1, 2, 3)]
        self.servers = [Server(self.sim, self.net, h, n) for h, n in zip(self.hosts, SERVERS, strict=True)]
        self.lb = HAProxy(self.sim, self.net, Host(self.sim, "lb-1"), "haproxy-1", SERVERS)
        self.client = Client(self.sim, self.net, Host(self.sim, "client-1"), "client")
        for component in (*self.servers, self.lb, self.client):
            component.start()
        # the fault comes at a random moment of the check cycle, as in the recordings
        self.fault = FAULT + self.sim.rng("fault").randrange(2 * SECOND)
        self.sim.run_until(self.fault)

    def run(self, seconds):
        self.sim.run_until(self.sim.now + round(seconds * SECOND))

    def marked(self, up, server="apiserver-2"):
        """Seconds after the fault at which the balancer changed its mind, and why."""
        found = [
            r
            for r in self.sim.trace.of("backend")
            if r.at > self.fault and r.detail["server"] == server and r.detail["up"] is up
        ]
        return ((found[0].at - self.fault) / SECOND, found[0].detail["why"]) if found else None

    def stick_to(self, place):
        """A kept connection of the client with this server."""
        self.lb.turn = place
        self.client.ask_sticky()
        self.run(1)
        assert self.client.sticky.connection.server == SERVERS[place]
