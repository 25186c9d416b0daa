"""What the nemesis of a whole etcd draws by chance: plots, which are scenarios in parts.

A seed is a plot: members, parameters, steady and single requests, and faults in the form that scenario files have
(crash, stop, pause, power, cuts, loss, latency, slow disks, a new leader), all mended some time before the end.
Here packets of a pair arrive in order and once, as on TCP, and clocks agree: `raft.py` duplicates, reorders and lets
clocks run at different rates, below the wire.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from kubemini.scenarios import Scenario
from kubemini.scenarios.loader import from_data
from kubemini.sim.units import MS, SECOND, duration
from tests.worlds.verdicts import GRACE

QUIET, TROUBLE = 3 * SECOND, 9 * SECOND  # a leader is there; then this long nothing is safe
USUAL = ("150us", "450us")  # params.network_latency
KEYS = ("a", "b")  # of single requests; the steady ones have a counter

Entry = tuple[int, tuple[Any, ...]]  # an instant (µs), and an action with its arguments


@dataclass(frozen=True)
class Plot:
    """A scenario, in the parts that chance draws and shrinking leaves out."""

    members: int
    params: dict[str, Any]
    workload: dict[str, dict[str, Any]]
    entries: tuple[Entry, ...]
    seed: int
    until: int

    def data(self) -> dict[str, Any]:
        """As a scenario file has it."""
        return {
            "title": "Nemesis",
            "topology": {"kind": "etcd", "members": self.members},
            **({"params": self.params} if self.params else {}),
            **({"workload": self.workload} if self.workload else {}),
            "faults": [[instant(at), *what] for at, what in self.entries],
            "seed": self.seed,
            "until": instant(self.until),
        }

    def scenario(self) -> Scenario:
        return from_data(self.data(), "nemesis")


def instant(t: int) -> str:
    return f"{t / SECOND:g}s"


def in_order(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    return tuple(sorted(entries, key=lambda entry: entry[0]))


# -- what chance draws -----------------------------------------------------------------------------------------------

CLUSTERS: tuple[dict[str, Any], ...] = (
    {},
    {"etcd_pre_vote": False},
    {"etcd_pre_vote": False, "etcd_check_quorum": False},
    {"etcd_heartbeat_interval": "50ms", "etcd_election_timeout": "250ms"},
    {"etcd_heartbeat_interval": "50ms", "etcd_election_timeout": "250ms", "etcd_pre_vote": False},
    {"disk_fsync": ["5ms", "50ms"]},
    {"disk_fsync": ["20ms", "300ms"]},
    {"network_latency": ["1ms", "40ms"]},
    {"etcd_snapshot_count": 20, "etcd_snapshot_catchup_entries": 5},
)


class Author:
    """Writes the plot of one seed."""

    def __init__(self, seed: int):
        self.seed, self.rng = seed, Random(seed)
        self.size = self.rng.choice((3, 3, 5))
        self.members = [f"etcd-{n}" for n in range(1, self.size + 1)]
        self.hosts = [f"etcd-host-{n}" for n in range(1, self.size + 1)]
        self.cluster = self.rng.choice(CLUSTERS)
        self.timeout = duration(self.cluster.get("etcd_election_timeout", "1s"))
        self.puts = 0
        self.healed = QUIET + TROUBLE
        self.until = self.healed + GRACE + 3 * SECOND

    def plot(self) -> Plot:
        entries: list[Entry] = []
        for _ in range(self.rng.randint(2, 8)):
            entries += self.rng.choice(EPISODES)(self, *self.span())
        entries = [(min(at, self.healed), what) for at, what in entries]
        entries += [*self.requests(), *self.ending()]
        return Plot(self.size, self.cluster, self.workload(), in_order(entries), self.seed, self.until)

    def span(self) -> tuple[int, int]:
        """From when to when something is broken."""
        begin = QUIET + self.rng.randrange(TROUBLE - SECOND) // (10 * MS) * (10 * MS)
        length = self.rng.choice((50 * MS, 300 * MS, SECOND, 3 * SECOND, TROUBLE))
        return begin, min(begin + length, self.healed)

    def workload(self) -> dict[str, dict[str, Any]]:
        rng = self.rng
        reads = {"every": rng.choice(("100ms", "150ms", "400ms")), "member": rng.choice(self.members)}
        return {"etcd_writes": {"every": rng.choice(("50ms", "200ms", "500ms"))}, "etcd_reads": reads}

    def requests(self) -> Iterator[Entry]:
        """Single puts and gets in the midst of it, each through a member of its own."""
        for _ in range(self.rng.randint(10, 40)):
            at = QUIET + self.rng.randrange(TROUBLE) // (10 * MS) * (10 * MS)
            key, writes = self.rng.choice(KEYS), self.rng.random() < 0.5
            yield at, self.put(key, self.rng.choice(self.members)) if writes else self.get(key, self.members)

    def put(self, key: str, member: str) -> tuple[Any, ...]:
        """Every value is written once, so that who reads it says which write was seen."""
        self.puts += 1
        return ("put", key, f"{key}{self.puts}", member)

    def get(self, key: str, members: list[str]) -> tuple[Any, ...]:
        return _get(key, self.rng.choice(members), self.rng.random() < 0.7)

    def ending(self) -> Iterator[Entry]:
        """When all is well again: does everybody know what was written?"""
        at = self.until - 2 * SECOND
        for member in self.members:
            yield at, ("put", "end", member, member)
            for key in KEYS:
                yield at, _get(key, member, False)
                yield at, _get(key, member, True)

    # what may happen between two instants

    def down(self, begin: int, end: int) -> list[Entry]:
        some = self.some(self.members)
        how = self.rng.choice(("crash", "crash", "stop"))
        return [e for m in some for e in ((begin, (how, m)), (end, ("restart", m)))]

    def power(self, begin: int, end: int) -> list[Entry]:
        return [e for h in self.some(self.hosts) for e in ((begin, ("power_off", h)), (end, ("power_on", h)))]

    def pause(self, begin: int, end: int) -> list[Entry]:
        return [e for m in self.some(self.members) for e in ((begin, ("pause", m)), (end, ("resume", m)))]

    def restart(self, begin: int, end: int) -> list[Entry]:
        return [(begin, ("restart", m)) for m in self.some(self.members)]

    def cut(self, begin: int, end: int) -> list[Entry]:
        alone = self.rng.sample(self.members, self.rng.randint(1, self.size // 2))
        a, b = self.hosts_of(alone), self.hosts_of([m for m in self.members if m not in alone])
        sides = self.rng.choice(((a, b), (a, b), (a,), (a, b, "one-way"), (b, a, "one-way")))
        return [(begin, ("cut", *sides)), (end, ("heal",))]

    def loss(self, begin: int, end: int) -> list[Entry]:
        a, b = self.sides()
        return [(begin, ("loss", a, b, self.rng.choice((0.1, 0.3, 0.7)))), (end, ("loss", a, b, 0))]

    def latency(self, begin: int, end: int) -> list[Entry]:
        a, b = self.sides()
        slow = self.rng.choice((("50ms", "150ms"), ("200ms", "600ms"), ("1ms", "900ms")))
        return [(begin, ("latency", a, b, *slow)), (end, ("latency", a, b, *USUAL))]

    def slow_disk(self, begin: int, end: int) -> list[Entry]:
        extra = self.rng.choice(("20ms", "100ms", "400ms", "2s"))
        some = self.some(self.hosts)
        return [e for h in some for e in ((begin, ("slow_disk", h, extra)), (end, ("slow_disk", h, "0ms")))]

    def move_leader(self, begin: int, end: int) -> list[Entry]:
        return [(begin, ("move_leader", self.rng.choice(self.members)))]

    def split(self, begin: int, end: int) -> list[Entry]:
        """Clients reach both sides, which do not reach each other: who reads in one what was written in the other?"""
        alone = self.rng.sample(self.members, self.rng.randint(1, self.size // 2))
        others = [m for m in self.members if m not in alone]
        found: list[Entry] = [(begin - SECOND // 2, ("move_leader", alone[0]))]
        found += [(begin, ("cut", self.hosts_of(alone), self.hosts_of(others))), (end, ("heal",))]
        for tenth in range(10, 25):  # of an election timeout: the time in which the others find a leader
            at = begin + tenth * self.timeout // 10
            found.append((at, self.put("a", self.rng.choice(others)) if tenth % 4 == 0 else self.get("a", alone)))
        return found

    def blackout(self, begin: int, end: int) -> list[Entry]:
        """The power fails everywhere while disks are busy; for some it returns much later than for the others."""
        off = QUIET + self.rng.randint(5, 30) * 100 * MS
        busy = self.rng.sample(self.hosts, self.rng.randint(self.size // 2, self.size - 1))
        late = self.rng.sample(self.hosts, self.rng.randint(1, self.size // 2))
        found: list[Entry] = [(off - self.rng.choice((300, 900)) * MS, ("slow_disk", h, "2s")) for h in busy]
        for host in self.hosts:
            on = off + self.rng.randint(1, 5) * 100 * MS + (5 * SECOND if host in late else 0)
            found += [(off, ("power_off", host)), (on, ("power_on", host))]
        return [*found, *((off, ("slow_disk", h, "0ms")) for h in busy)]

    def relay(self, begin: int, end: int) -> list[Entry]:
        """Down and up again, one after the other and sometimes two at a time."""
        found: list[Entry] = []
        for _ in range(5):
            member, gone = self.rng.choice(self.members), self.rng.randint(1, 15) * 100 * MS
            found += [(begin, ("crash", member)), (begin + gone, ("restart", member))]
            begin += self.rng.randint(0, 15) * 100 * MS
        return found

    def hosts_of(self, members: list[str]) -> str:
        return ",".join(m.replace("etcd-", "etcd-host-") for m in members)

    def some(self, names: list[str]) -> list[str]:
        """Mostly one of *names*, sometimes many or all."""
        return self.rng.sample(names, self.rng.choice((1, 1, 1, self.size // 2, self.size - 1, self.size)))

    def sides(self) -> tuple[str, str]:
        a, b = self.rng.sample(self.hosts, 2)
        return self.rng.choice(((a, b), (a, ",".join(h for h in self.hosts if h != a))))


EPISODES = (
    Author.down,
    Author.power,
    Author.pause,
    Author.restart,
    Author.cut,
    Author.split,
    Author.split,
    Author.blackout,
    Author.relay,
    Author.loss,
    Author.latency,
    Author.slow_disk,
    Author.move_leader,
)


def _get(key: str, member: str, linearizable: bool) -> tuple[Any, ...]:
    return ("get", key, member) if linearizable else ("get", key, member, "serializable")
