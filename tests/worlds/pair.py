"""Two balancers that share an address, each with a keepalived, and a client beside them."""

from dataclasses import replace

from kubemini.host import Component, Host
from kubemini.loadbalancer.keepalived import Keepalived
from kubemini.params import Params
from kubemini.sim import Sim
from kubemini.sim.units import SECOND
from kubemini.wire import Network

VIP = "api-vip"


class Door(Component):
    """A balancer that answers, or says that it has no server."""

    well = True

    def boot(self):
        self.asked = 0

    def handle(self, call):
        self.asked += 1
        call.reply(self.name) if self.well else call.fail("EOF")


class World:
    def __init__(self, seed=1, kind=Keepalived, **params):
        self.sim = Sim(seed)
        self.net = Network(self.sim, replace(Params(), **params))
        self.hosts = [Host(self.sim, name) for name in ("lb-1", "lb-2", "client-1")]
        names = ["keepalived-1", "keepalived-2"]
        self.doors = [Door(self.sim, self.net, h, f"haproxy-{i}") for i, h in enumerate(self.hosts[:2], 1)]
        self.pair = [
            kind(self.sim, self.net, host, name, [VIP], names, [door.name], [])
            for host, name, door in zip(self.hosts, names, self.doors, strict=False)
        ]
        self.client = Door(self.sim, self.net, self.hosts[2], "client")
        for component in (*self.doors, *self.pair, self.client):
            component.start()
        self.run(20)
        # a fault comes at a random moment of the second and of the check's period
        self.run(self.sim.rng("fault").randrange(3_000_000) / SECOND)
        self.fault = self.sim.now

    def run(self, seconds):
        self.sim.run_until(self.sim.now + round(seconds * SECOND))

    @property
    def holders(self):
        return sorted(self.net.addresses.held[VIP])

    def moves(self):
        """(seconds after the fault, who, whether it has the address now)."""
        return [
            (round((r.at - self.fault) / SECOND, 2), r.actor, r.detail["held"])
            for r in self.sim.trace.of("address")
            if r.at >= self.fault
        ]

    def taken(self, who="keepalived-2"):
        """Seconds after the fault until *who* has the address."""
        return next(at for at, actor, held in self.moves() if actor == who and held)

    def door(self):
        """Whom the client reaches."""
        return self.net.at(self.hosts[2], VIP)
