"""Random requests that can be put to a real etcd and to ours, and our side of the pair.

The requests stay where both must agree to the letter: every key, value, revision and lease is the request's own.
"""

import random

from kubemini.etcd.server.member import members
from kubemini.host import Component, Host
from kubemini.sim import Sim
from kubemini.sim.units import SECOND
from kubemini.wire import Network
from kubemini.wire.rpc import Unreachable

KEYS = [f"k/{n}" for n in range(8)]
TARGETS = ("KEY", "VERSION", "CREATE", "MOD", "VALUE")


class Asker(Component):
    """Asks one thing at a time and waits for the answer."""

    def ask(self, target, method, request, timeout):
        event = self.call(target, method, request, timeout=round(timeout * SECOND))
        while event.callbacks is not None:
            self.sim.step()
        return event.value


class SimulatedCluster:
    """Ours, with the same face as `realetcd.RealCluster`: members by name, time in seconds."""

    def __init__(self, size=3, seed=1, params=None):
        self.sim = Sim(seed)
        net = Network(self.sim, params)
        self.members = members(self.sim, net, [Host(self.sim, f"host-{n}") for n in range(1, size + 1)])
        self.names = [member.name for member in self.members]
        self.client = Asker(self.sim, net, Host(self.sim, "client-1"), "client")
        for component in (*self.members, self.client):
            component.start()
        self.settle()

    def settle(self, among=None):
        """The member that leads, once everybody who is up, or *among*, follows it."""
        while True:
            self.rest(0.1)
            up = [m for m in (among or self.members) if m.up and not m.paused]
            if up and len({m.leader for m in up}) == 1 and up[0].leader in [m.name for m in up]:
                return next(m for m in up if m.name == up[0].leader)

    def member(self, name):
        return self.members[self.names.index(name)]

    def now(self):
        return self.sim.now / SECOND

    def rest(self, seconds):
        self.sim.run_until(self.sim.now + round(seconds * SECOND))

    def leader(self, among=None):
        """Who leads, once all of *among* (default: all that are up) agree."""
        return self.settle(among and [self.member(name) for name in among]).name

    def ask(self, target, method, request, timeout=40):
        return told(self.client.ask(target, method, request, timeout))

    def leads(self, name):
        """Whether it takes itself for the leader."""
        ok, status = self.ask(name, "status", {})
        return ok and status["leader"] == name

    def together(self, questions):
        """The answers to (after so many seconds, target, method, request), each with the seconds it took."""
        answers = {}

        def ask(number, target, method, request):
            since = self.now()
            event = self.client.call(target, method, request, timeout=40 * SECOND)
            event.callbacks.append(lambda e: answers.update({number: (*told(e.value), self.now() - since)}))

        for number, (after, *question) in enumerate(questions):
            self.client.after(round(after * SECOND), ask, number, *question)
        while len(answers) < len(questions):
            self.sim.step()
        return [answers[number] for number in range(len(questions))]

    def strike(self, name, how):
        """*how*: crash, pause or terminate."""
        getattr(self.member(name), how)()

    def mend(self, name):
        member = self.member(name)
        while member.up and member.stopping:  # a real one is waited for, too
            self.rest(0.1)
        member.resume() if member.paused else member.start()

    def lose_disk(self, name):
        self.member(name).crash()
        self.member(name).host.disk.files.clear()

    def begin(self, name, state):
        """Start it as a member of a cluster that is *state*; its last words if it ends soon, or None."""
        member = self.member(name)
        member.begin(self.names, exists=state == "existing")
        self.rest(6)
        return None if member.up else self.sim.trace.of("exit", name)[-1].detail["why"]

    def cut(self, names):
        """*names* reach each other, and no other member does."""
        hosts = {member.name: member.host.name for member in self.members}
        self.client.net.cut([hosts[n] for n in names], [host for name, host in hosts.items() if name not in names])

    def heal(self):
        self.client.net.heal()

    def watch(self, target, request):
        """What a watch of the past says within a moment."""
        items = []
        stream = self.client.open_stream(target, "watch", request, items.append, lambda error: None)
        self.rest(0.05)
        stream.close()
        return [event for item in items for event in item["events"]]

    def end_of_watch(self, name, request, meanwhile):
        """How a watch that requires a leader ends, and how long after *meanwhile* was done."""
        ends = []
        strict = request | {"require_leader": True}
        self.client.open_stream(name, "watch", strict, lambda item: None, lambda error: ends.append(error.message))
        self.rest(0.2)
        meanwhile()
        since = self.now()
        while not ends:
            self.sim.step()
        return ends[0], self.now() - since


def told(reply):
    """As the gateway tells it; "SILENT" as in `RealMember.ask`."""
    if reply.ok:
        return True, reply.value
    if isinstance(reply.error, Unreachable):
        return False, {"code": "SILENT", "message": reply.error.reason}
    return False, {"code": reply.error.code, "message": reply.error.message}


def requests(seed, count, odd=False):
    """*count* random (method, request) pairs. Revisions are guessed around where the store may be by then.

    *odd* ones too: what fails when it is applied. After a crash an etcd 3.4 may apply what came before that twice.
    """
    rng = random.Random(seed)
    makers = [put] * 8 + [delete] * 3 + [ranges] * 8 + [transaction] * 6 + [compaction, grant, revoke, leases]
    makers += [odd_transaction] * 6 + [odd_range, odd_member] if odd else []
    return [rng.choice(makers)(rng, number) for number in range(count)]


def key(rng):
    return rng.choice(KEYS)


def span(rng):
    """A range: one key, some, a prefix, or everything from a key on."""
    start = key(rng)
    return rng.choice([{"key": start}, {"key": start, "range_end": key(rng)}, {"key": "k/", "range_end": "k0"},
                        {"key": start, "range_end": "\0"}])  # fmt: skip


def put(rng, number):
    request = {"key": key(rng), "value": f"v{rng.randrange(9)}"}
    if rng.random() < 0.2:
        request["lease"] = 1 + rng.randrange(4)
    if rng.random() < 0.3:
        request["prev_kv"] = True
    if rng.random() < 0.05:
        request = {"key": request["key"], "ignore_value": True}
    return "put", request


def delete(rng, number):
    return "delete_range", span(rng) | ({"prev_kv": True} if rng.random() < 0.5 else {})


def ranges(rng, number):
    request = span(rng)
    extras = {
        "limit": rng.randrange(4),
        "revision": rng.randrange(max(1, number)),
        "keys_only": True,
        "count_only": True,
        "serializable": rng.random() < 0.3,
        "min_mod_revision": rng.randrange(number + 1),
        "max_create_revision": rng.randrange(number + 1),
    }
    for name in rng.sample(sorted(extras), rng.randrange(3)):
        request[name] = extras[name]
    if rng.random() < 0.3:
        request |= {"sort_target": rng.choice(TARGETS), "sort_order": rng.choice(["ASCEND", "DESCEND"])}
    return "range", request


def compare(rng, number):
    target = rng.choice(["VERSION", "CREATE", "MOD", "VALUE", "LEASE"])
    field = {"VERSION": "version", "CREATE": "create_revision", "MOD": "mod_revision"}.get(target, target.lower())
    value = f"v{rng.randrange(9)}" if target == "VALUE" else rng.randrange(1 + (number if "revision" in field else 3))
    result = rng.choice(["EQUAL", "GREATER", "LESS", "NOT_EQUAL"])
    return {"key": key(rng), "target": target, "result": result, field: value}


def operation(rng, number):
    kind = rng.randrange(4)
    if kind == 0:
        return {"request_range": span(rng)}
    if kind == 1:
        return {"request_delete_range": {"key": key(rng), "prev_kv": True}}
    return {"request_put": {"key": key(rng), "value": f"t{number}", "prev_kv": True}}


def odd_operation(rng, number, depth=1):
    """Keys are few, so that puts and deletions collide, and sometimes only seem to."""
    kind = rng.randrange(4)
    if kind == 0:
        return {"request_range": span(rng) | {"revision": rng.choice([0, -1, rng.randrange(1 + number)])}}
    if kind == 1:
        return {"request_delete_range": span(rng)}
    if kind == 2 and depth:
        halves = {half: [odd_operation(rng, number, depth - 1) for _ in range(2)] for half in ("success", "failure")}
        return {"request_txn": {"compare": [compare(rng, number)], **halves}}
    return operation(rng, number)


def odd_transaction(rng, number):
    return "txn", {half: [odd_operation(rng, number) for _ in range(3)] for half in ("success", "failure")}


def odd_range(rng, number):
    return "range", span(rng) | {"revision": -1, "limit": -2}


def odd_member(rng, number):
    urls = [
        "ftp://x:1",
        "http://x",
        "http://x:1/p",
        "http://x:abc",
        "x:1",
        "",
        "http://a b:1",
        "http://[::1",
        "http://",
    ]
    return "member_add", {"peerURLs": rng.sample(urls, rng.randrange(3))}


def transaction(rng, number):
    return "txn", {
        "compare": [compare(rng, number) for _ in range(rng.randrange(3))],
        "success": [operation(rng, number) for _ in range(rng.randrange(4))],
        "failure": [operation(rng, number) for _ in range(rng.randrange(3))],
    }


def compaction(rng, number):
    return "compact", {"revision": rng.randrange(1 + number // 2)}


def grant(rng, number):
    return "lease_grant", {"ID": 1 + rng.randrange(4), "TTL": 3600}


def revoke(rng, number):
    return "lease_revoke", {"ID": 1 + rng.randrange(4)}


def leases(rng, number):
    return "lease_leases", {}
