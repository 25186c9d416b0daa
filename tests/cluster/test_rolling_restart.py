"""Every API server is restarted in turn: connections do not come back by themselves (connections_r1, r2)."""

from functools import cache

from kubemini.api.kinds import CONFIG_MAP
from kubemini.cluster import Cluster
from kubemini.host import Host
from kubemini.params import changed
from tests.worlds.kube import Program

CLIENTS = 22  # with kubelet and kube-proxy of three workers: 28 connections, as recorded
SERVERS = ("apiserver-1", "apiserver-2", "apiserver-3")


def asks_every_second(program):
    def ask():
        program.do(program.client.list(CONFIG_MAP, "default"))
        program.after(1_000_000, ask)

    ask()


class Restarted:
    """The three restarted one after the other; what each held when it was back, in the end, and each 18 s later."""

    def __init__(self, goaway_chance):
        params = changed(Cluster.single().params, {"goaway_chance": goaway_chance})
        self.cluster = Cluster.stacked(members=3, workers=3, params=params)
        sim, net = self.cluster.sim, self.cluster.net
        self.cluster.start()
        self.clients = [
            Program(sim, net, Host(sim, f"host-{n}"), f"client-{n}", ["haproxy-1"], asks_every_second)
            for n in range(CLIENTS)
        ]
        self.cluster.run(8)
        for client in self.clients:
            client.start()
        self.cluster.run(8)
        self.before = self.connections()
        self.returned = {server: self.restart(server) for server in SERVERS}
        self.after = self.connections()
        self.later = [self.wait() for _ in range(5)]

    def restart(self, server):
        program, balancer = self.cluster.components[server], self.cluster.components["haproxy-1"]
        program.crash()
        self.cluster.run(8)
        assert not balancer.health[server].up
        program.start()
        while not balancer.health[server].up:
            self.cluster.run(1)
        held = self.connections()[server]
        self.cluster.run(5)
        return held

    def wait(self):
        self.cluster.run(18)
        return self.connections()

    def connections(self):
        """How many clients each server has through the balancer."""
        kept = dict.fromkeys(SERVERS, 0)
        for session in self.cluster.components["haproxy-1"].open.values():
            kept[session.server] += session.peer.source != "kubectl"
        return kept

    @property
    def failed(self):
        return [r for client in self.clients for r in client.replies if not r.ok]


restarted = cache(Restarted)


def test_a_server_that_returns_gets_none_of_its_connections_back_and_the_last_one_ends_with_none():
    told = restarted(0)
    assert sum(told.before.values()) == 28 and min(told.before.values()) > 5
    assert told.returned == dict.fromkeys(SERVERS, 0)
    assert sum(told.after.values()) == 28 and told.after["apiserver-3"] == 0
    assert told.after["apiserver-1"] > told.after["apiserver-2"] > 0
    assert told.later == [told.after] * 5


def test_no_read_of_a_kept_connection_fails_for_it():
    assert restarted(0).failed == []


def test_with_goaway_the_last_one_gets_its_share_slowly_and_nothing_fails():
    told = restarted(0.02)
    share = [connections["apiserver-3"] for connections in (told.after, *told.later)]
    assert share[0] <= 3 and share[-1] >= 4 and share[1] < share[-1]
    held = [sum(connections.values()) for connections in told.later]
    assert all(26 <= many <= 34 for many in held)  # some are between two; who watches keeps the old one for that
    assert told.failed == []
