"""A whole etcd with a client, and nothing else: elected, idle, and asked one thing after the other."""

from kubemini.etcd.server.member import Member, members
from kubemini.host import Component, Host
from kubemini.sim import Sim
from kubemini.sim.units import SECOND
from kubemini.wire import Network


class Client(Component):
    """Keeps what it was told: (method, when asked, how long it took, reply)."""

    def boot(self):
        self.replies = []

    def ask(self, target, method, payload, timeout=40 * SECOND):
        asked = self.sim.now
        event = self.call(target, method, payload, timeout)
        event.callbacks.append(lambda e: self.replies.append((method, asked, self.sim.now - asked, e.value)))

    def put(self, target, value, key="k", **more):
        self.ask(target, "put", {"key": key, "value": value, **more})

    def get(self, target, key="k", **more):
        self.ask(target, "range", {"key": key, **more})


class World:
    """*n* members and a client, elected and idle at 4 s."""

    def __init__(self, n=3, seed=1, params=None):
        self.sim = Sim(seed)
        self.net = Network(self.sim, params)
        self.hosts = [Host(self.sim, f"etcd-host-{i}") for i in range(1, n + 1)]
        self.members = members(self.sim, self.net, self.hosts)
        self.client = Client(self.sim, self.net, Host(self.sim, "client-1"), "client")
        for component in (*self.members, self.client):
            component.start()
        self.run(4)

    def run(self, seconds):
        self.sim.run_until(self.sim.now + round(seconds * SECOND))

    def wait(self):
        """Until the last request is answered: its reply and the seconds it took."""
        wanted = len(self.client.replies) + 1
        while len(self.client.replies) < wanted:
            self.sim.step()
        _, _, took, reply = self.client.replies[-1]
        return reply, took / SECOND

    def put(self, target, value, **more):
        self.client.put(target, value, **more)
        return self.wait()[0]

    def get(self, target, **more):
        self.client.get(target, **more)
        reply, _ = self.wait()
        return reply.value["kvs"][0]["value"] if reply.ok and reply.value["kvs"] else reply.error

    @property
    def leaders(self) -> list[Member]:
        return [m for m in self.members if m.up and m.raft.role == "leader"]

    @property
    def leader(self) -> Member:
        return self.leaders[-1]

    @property
    def followers(self) -> list[Member]:
        return [m for m in self.members if m.up and m.raft.role != "leader"]


class Growing(World):
    """A world with spare machines etcd-4 and etcd-5, old enough that its members' connections count."""

    def __init__(self, n=3, seed=1, params=None, settle=2):
        super().__init__(n, seed, params)
        names = [m.name for m in self.members]
        self.spares = {}
        for number in (n + 1, n + 2):
            host = Host(self.sim, f"etcd-host-{number}")
            self.spares[f"etcd-{number}"] = Member(self.sim, self.net, host, f"etcd-{number}", names)
        self.run(settle)

    def ask(self, method, target=None, **payload):
        """(answer, text of the error)"""
        self.client.ask(target or self.leader.name, method, payload)
        reply, _ = self.wait()
        return reply.value, reply.error and reply.error.message

    def add(self, address, learner=False, target=None):
        return self.ask("member_add", target, peerURLs=[f"http://{address}:2380"], isLearner=learner)

    def join(self, address, learner=False):
        """Add it, start it, and give it a moment."""
        answer, error = self.add(address, learner)
        assert error is None
        spare = self.spares[address]
        self.members.append(spare)
        spare.join([m["peerURLs"][0][7:-5] for m in answer["members"]])
        self.run(1)
        return answer["member"]["ID"]

    def listed(self):
        return {m["ID"]: (m["name"], m["isLearner"]) for m in self.ask("member_list")[0]["members"]}


class YoungWorld(World):
    ask, add = Growing.ask, Growing.add


def bare(value):
    """Without fields at their default and without what no two clusters share (ids, terms)."""
    if isinstance(value, (list, tuple)):
        return [bare(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {}
    for name, item in value.items():
        if name == "header":
            kept[name] = {"revision": item["revision"]} if item.get("revision") else {}
        elif bare(item) not in ("", 0, False, [], None) and (name, item) != ("type", "PUT"):
            kept[name] = bare(item)
    return kept
