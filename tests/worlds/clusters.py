"""What the nemesis of a whole cluster draws by chance: plots over every program and host, all mended before the end.

A seed is a plot: a topology, single requests of somebody with kubectl, and faults of the three ways to be gone: the
process is (crash, stop), it hangs (pause), it is silent (power off, cut). While nothing is safe ConfigMaps are made and
a Deployment is scaled; in the end each ConfigMap is looked for, and the Deployment scaled once more.
`duties.py` says what must hold.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from kubemini.sim.units import MS, SECOND
from tests.worlds.duties import CONFIG, DEPLOYMENT, GRACE
from tests.worlds.plots import Entry, Plot, in_order
from tests.worlds.shrinking import Shrinker

QUIET, TROUBLE = 15 * SECOND, 40 * SECOND
LENGTHS = (SECOND, 5 * SECOND, 12 * SECOND, 20 * SECOND, TROUBLE)
LAST = 12 * SECOND  # what is asked for in the end has so long
TOPOLOGIES: tuple[dict[str, Any], ...] = (
    {"kind": "stacked", "members": 3, "workers": 2},
    {"kind": "external", "api_servers": 3, "etcd_members": 3, "workers": 2},
)
SCALES = range(1, 7)
BACK = ("restart", "resume", "power_on", "heal")
MANIFEST = f"""apiVersion: apps/v1
kind: Deployment
metadata: {{name: {DEPLOYMENT}}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec: {{containers: [{{name: web, image: shop/web}}]}}
"""


@dataclass(frozen=True)
class ClusterPlot(Plot):
    """A plot of a whole cluster: *topology* as a scenario file has it, and what is applied first."""

    topology: tuple[tuple[str, Any], ...] = ()

    def data(self) -> dict[str, Any]:
        return {**Plot.data(self), "topology": dict(self.topology), "manifests": MANIFEST}


class ClusterAuthor:
    """Writes the plot of one seed."""

    def __init__(self, seed: int):
        self.seed, self.rng = seed, Random(f"cluster {seed}")
        self.topology = self.rng.choice(TOPOLOGIES)
        stacked = self.topology["kind"] == "stacked"
        self.planes = [f"cp-{n}" for n in (1, 2, 3)]
        self.workers = [f"worker-{n}" for n in (1, 2)]
        self.members = [f"etcd-{n}" for n in (1, 2, 3)]
        self.hosts = [*self.planes, *self.workers, "lb-1", *([] if stacked else [f"etcd-host-{n}" for n in (1, 2, 3)])]
        managers = [f"{kind}-{n}" for kind in ("scheduler", "controller-manager") for n in (1, 2, 3)]
        kubelets = [f"{kind}@{worker}" for kind in ("kubelet", "kube-proxy") for worker in self.workers]
        servers = [f"apiserver-{n}" for n in (1, 2, 3)]
        self.programs = [*self.members, *servers, *self.members, *servers, *managers, *kubelets, "haproxy-1"]
        self.healed = QUIET + TROUBLE
        self.asked = self.healed + GRACE
        self.until = self.asked + LAST

    def plot(self) -> ClusterPlot:
        entries: list[Entry] = []
        for _ in range(self.rng.randint(1, 6)):
            entries += self.rng.choice(EPISODES)(self, *self.span())
        entries = [(min(at, self.healed), what) for at, what in entries]
        begun = [at for at, what in entries if what[0] not in BACK]
        entries += [*self.requests(begun), *self.ending()]
        topology = tuple(self.topology.items())
        return ClusterPlot(3, {}, {}, in_order(entries), self.seed, self.until, topology)

    def span(self) -> tuple[int, int]:
        """From when to when something is broken."""
        begin = QUIET + self.instant(TROUBLE - SECOND)
        return begin, min(begin + self.rng.choice(LENGTHS), self.healed)

    def instant(self, limit: int) -> int:
        return self.rng.randrange(limit) // (100 * MS) * (100 * MS)

    def requests(self, begun: list[int]) -> Iterator[Entry]:
        """ConfigMaps at any time, and some that are under way when a fault begins; a Deployment grows and shrinks."""
        times = [QUIET + self.instant(TROUBLE) for _ in range(self.rng.randint(4, 10))]
        times += [self.rng.choice(begun) - number * MS for number in range(1, 7)]
        self.made = len(times)
        for number, at in enumerate(times):
            yield at, ("apply", config(f"c-{number}"))
        for _ in range(self.rng.randint(0, 3)):
            yield QUIET + self.instant(TROUBLE), ("scale", DEPLOYMENT, str(self.rng.choice(SCALES)))

    def ending(self) -> Iterator[Entry]:
        """When all is well again: is what was made still there, and does what is asked for happen?"""
        yield self.asked, ("apply", config("end"))
        yield self.asked, ("scale", DEPLOYMENT, str(self.rng.choice(SCALES)))
        for number in range(self.made):
            yield self.until - 3 * SECOND, ("get", f"{CONFIG}c-{number}", self.rng.choice(self.members))

    # -- what may happen between two instants ------------------------------------------------------------------------
    def down(self, begin: int, end: int) -> list[Entry]:
        how = self.rng.choice(("crash", "crash", "stop"))
        return [e for name in self.some(self.programs) for e in ((begin, (how, name)), (end, ("restart", name)))]

    def hang(self, begin: int, end: int) -> list[Entry]:
        return [e for name in self.some(self.programs) for e in ((begin, ("pause", name)), (end, ("resume", name)))]

    def power(self, begin: int, end: int) -> list[Entry]:
        return [e for h in self.some(self.hosts) for e in ((begin, ("power_off", h)), (end, ("power_on", h)))]

    def cut(self, begin: int, end: int) -> list[Entry]:
        alone = self.some(self.hosts)
        others = [h for h in self.hosts if h not in alone]
        sides = (",".join(alone), ",".join(others)) if others and self.rng.random() < 0.5 else (",".join(alone),)
        return [(begin, ("cut", *sides)), (end, ("heal",))]

    def quorum(self, begin: int, end: int) -> list[Entry]:
        """Two of three members, or all, are gone in one way or another."""
        gone = self.rng.sample(self.members, self.rng.randint(2, 3))
        how, back = self.rng.choice((("crash", "restart"), ("pause", "resume")))
        return [e for name in gone for e in ((begin, (how, name)), (end, (back, name)))]

    def some(self, names: list[str]) -> list[str]:
        """Mostly one of *names*, sometimes more."""
        unique = list(dict.fromkeys(names))
        first = self.rng.choice(names)
        more = self.rng.sample(unique, self.rng.choice((0, 0, 0, 1, 2)))
        return list(dict.fromkeys([first, *more]))


EPISODES = (
    ClusterAuthor.down,
    ClusterAuthor.down,
    ClusterAuthor.hang,
    ClusterAuthor.hang,
    ClusterAuthor.power,
    ClusterAuthor.cut,
    ClusterAuthor.quorum,
)


def config(name: str) -> str:
    """The manifest of a ConfigMap."""
    return f"{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}}}}}"


class ClusterShrinker(Shrinker):
    """Leaves out what a whole cluster needs not; who goes by what name stays as it is."""

    def fewer_members(self) -> None:
        """There are three."""

    def quick_returns(self) -> None:
        """Who is gone for long shows more than who is back at once."""

    def simpler_entries(self) -> None:
        """A deed is as simple as it can be."""
