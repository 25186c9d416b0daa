"""A small world for tests of clients: one etcd member, API servers over it, and programs that talk to them."""

from kubemini.apiserver.server import ApiServer
from kubemini.client import ApiClient
from kubemini.etcd.member import Member
from kubemini.host import Component, Host
from kubemini.net import Network
from kubemini.sim import Sim
from kubemini.sim.units import SECOND


class Program(Component):
    """A component that does what a test tells it to; *begin* is called at each boot."""

    def __init__(self, sim, net, host, name, servers, begin=None):
        super().__init__(sim, net, host, name)
        self.servers, self.begin = servers, begin

    def boot(self):
        self.client = ApiClient(self, self.servers, f"test:{self.name}")
        self.replies = []
        if self.begin:
            self.begin(self)

    def do(self, *requests):
        """Carry out generators of the client in order; their replies are kept."""
        self.spawn(self._do(requests))

    def _do(self, requests):
        for request in requests:
            self.replies.append((yield from request))


class World:
    """etcd-1 on a host of its own, apiserver-1 … on others."""

    def __init__(self, servers=1, seed=1):
        self.sim = Sim(seed)
        self.net = Network(self.sim)
        self.etcd = Member(self.sim, self.net, Host(self.sim, "etcd"), "etcd-1", ["etcd-1"])
        self.hosts = [Host(self.sim, f"cp-{i + 1}") for i in range(servers)]
        self.names = [f"apiserver-{i + 1}" for i in range(servers)]
        self.servers = [
            ApiServer(self.sim, self.net, host, name, ["etcd-1"]) for host, name in zip(self.hosts, self.names)
        ]
        self.programs = {}
        self.etcd.start()
        for server in self.servers:
            server.start()
        self.run(3)

    def program(self, name, servers=None, begin=None, host=None):
        """A program on a host of its own."""
        made = Program(self.sim, self.net, host or Host(self.sim, f"host-{name}"), name, servers or self.names, begin)
        self.programs[name] = made
        made.start()
        return made

    def run(self, seconds):
        """Let time pass."""
        self.sim.run_until(self.sim.now + round(seconds * SECOND))

    def at(self, seconds, act, *args):
        """``act(*args)`` at an instant."""
        self.sim.command(round(seconds * SECOND), act, *args)

    def ask(self, request, by="asker"):
        """The reply to one request, after at most fifteen seconds."""
        program = self.programs.get(by) or self.program(by)
        program.do(request(program.client))
        before = len(program.replies)
        for _ in range(150):
            self.run(0.1)
            if len(program.replies) > before:
                return program.replies[-1]
        raise AssertionError("no reply")
