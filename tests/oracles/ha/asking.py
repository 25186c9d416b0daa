"""The client of a trial: requests at a steady rate through the balancer, each on its own, and what became of each.

*fresh* opens a connection for each request, as kubectl does; *sticky0..2* keep one each, as a kubelet does; an informer
keeps a watch. A read is a GET of one object, a list a LIST without a resourceVersion, rv0 one with resourceVersion 0, a
write a POST. All limits are the server's: the client's own is 65 s.
Those of one instant come in some order. On a calm machine it mostly stays as it is: that of the tickers, or the last
one first (Go's runnext); and the balancer, which takes its servers in turn, gives one kind the same server again and
again. On a busy one it changes. So half of the seeds are calm; of the rest every other is busy, and in the others some
order holds but now and then.
"""

import re
from dataclasses import dataclass
from itertools import permutations

from kubemini.api.kinds import CONFIG_MAP
from kubemini.api.objects import freeze
from kubemini.client import ApiClient, Informer
from kubemini.client.transport import Transport
from kubemini.host import Component
from kubemini.sim.units import MS, SECOND

LIMIT = 65 * SECOND
SPREAD = 9 * MS
APART, UNEVEN = 2 * MS, 3 * MS
TICKERS = ("read", "write", "list", "rv0")
ORDERS = tuple(permutations(TICKERS))
NOW_AND_THEN = (1 / 8, 1 / 3)
USER = "admin"
WHERE = CONFIG_MAP.path("default")
SEED = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "seed", "labels": {"seed": "yes"}}}
LABELLED = {"labelSelector": "seed=yes"}
ASKED = {  # operation: verb, path, query, and the query as a URL has it
    "read": ("GET", f"{WHERE}/seed", {}, "/seed"),
    "list": ("GET", WHERE, LABELLED, "?labelSelector=seed%3Dyes"),
    "rv0": ("GET", WHERE, LABELLED | {"resourceVersion": "0"}, "?labelSelector=seed%3Dyes&resourceVersion=0"),
    "write": ("POST", WHERE, {}, ""),
}
WORDS = {  # of the wire here: in Go
    "connection refused": "dial tcp BALANCER: connect: connection refused",
    "connection reset by peer": "read tcp CLIENT->BALANCER: read: connection reset by peer",
    "deadline exceeded": "context deadline exceeded",
}


@dataclass(frozen=True)
class Fate:
    """One request: when it was begun (s after the fault), how long it took (s), and how it ended."""

    begun: float
    took: float
    error: str  # nothing: it worked
    code: int
    reason: str
    name: str  # of the object that a write makes


class Client(Component):
    """Sends what it is told to; *kind* is fresh, sticky0, …, or informer."""

    def __init__(self, stage, kind):
        host = stage.cluster.hosts["client-1"]
        super().__init__(stage.sim, stage.net, host, f"trial-{kind}")
        self.kind, self.door = kind, stage.cluster.topology.front_door
        self.order, self.astray = in_which_order(stage)
        self.fates = {}

    def boot(self):
        self.client = ApiClient(self, self.door, USER)
        if self.kind == "informer":
            Informer(self.client, CONFIG_MAP, namespace="default").start()

    def work(self, operation, every, begun, window):
        """Requests of one *operation*, *every* µs within *window*, which are seconds after *begun*."""
        first, last = (begun + round(at * SECOND) for at in window)
        draws = self.sim.draws(f"trial/{self.kind}/{operation}")
        astray = self.sim.draws(f"trial/{self.kind}/{operation}/astray")
        place = self.order.index(operation)
        for number, tick in enumerate(range(first + every, last, every)):
            anyhow = astray.happens(number, self.astray)
            at = tick + (0 if anyhow else place * APART) + draws.between(number, 0, SPREAD if anyhow else UNEVEN)
            self.after(at - self.sim.now, self.spawn_request, operation, number, begun)

    def spawn_request(self, operation, number, begun):
        self.spawn(self._one(operation, number, begun))

    def _one(self, operation, number, begun):
        verb, path, query, _ = ASKED[operation]
        name = f"w-{self.kind}-{number}" if operation == "write" else ""
        since, fates = self.sim.now, self.fates.setdefault(operation, {})
        fates[number] = None
        reply = yield from self._asked(verb, path, _config_map(name) if name else None, query)
        told = ("", 0, "") if reply.ok else say(operation, reply.error)
        fates[number] = Fate((since - begun) / SECOND, (self.sim.now - since) / SECOND, *told, name)

    def _asked(self, verb, path, body, query):
        """One request, on the kept connection or on one of its own."""
        payload = {"verb": verb, "path": path, "query": query, "body": body, "user": USER}
        way = Transport(self, self.door, kept=False) if self.kind == "fresh" else self.client.transport
        reply = yield from way.request(payload, None, self.sim.now + LIMIT)
        if self.kind == "fresh":
            way.close()
        return reply

    @property
    def waits(self):
        """Whether a request is still open."""
        return any(fate is None for fates in self.fates.values() for fate in fates.values())


def in_which_order(stage):
    """The order of those of one instant, and how many come out of it."""
    draws = stage.sim.draws("trial/order")
    if stage.seed % 2 == 0:
        turn = stage.seed // 2 % 2
        return (*TICKERS[len(TICKERS) - turn :], *TICKERS[: len(TICKERS) - turn]), 0
    if stage.seed % 4 == 1:
        return TICKERS, 1
    return ORDERS[draws.between(0, 0, len(ORDERS) - 1)], NOW_AND_THEN[draws.between(1, 0, len(NOW_AND_THEN) - 1)]


def _config_map(name):
    metadata = {"name": name, "labels": {"w": "1"}}
    return freeze({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})


def say(operation, error):
    """(text, code, reason) of an *error*, as client-go says it."""
    if getattr(error, "code", 0):
        return error.message, error.code, error.reason
    verb = "Post" if operation == "write" else "Get"
    url = f"https://BALANCER/api/v1/namespaces/NS/configmaps{ASKED[operation][3]}"
    return f'{verb} "{url}": {WORDS.get(str(error), str(error))}', 0, ""


def as_written_there(text, runs):
    """*text* as the recorded *runs* have it: in some, everything that looked like a path became DIR."""
    kinds = [kind for run in runs for kind in run["client"].values() if isinstance(kind, dict)]
    known = {error["text"] for kind in kinds for error in kind.get("errors", ())}
    short = re.sub(r"[\w.-]+/(?!/)", "DIR/", text)
    return short if short in known and text not in known else text
