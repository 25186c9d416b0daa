"""Trouble for a whole etcd, as scenarios: ``python -m tests.nemesis COUNT [FIRST SEED]`` runs and judges them.

A seed is a plot: members, parameters, steady and single requests, and faults in the form that scenario files have
(crash, stop, pause, power, cuts, loss, latency, slow disks, a new leader), all mended some time before the end. Of a
plot that breaks a rule of `nemesis_judge.py` all is left out that is not needed for it, and what is left becomes a
scenario file in ``_build/nemesis``, to be run and opened in the widget like any other; given a FILE, it is judged.
Here packets of a pair arrive in order and once, as on TCP, and clocks agree: `raft_world.py` duplicates, reorders and
lets clocks run at different rates, below the wire.
"""

import os
import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from kubemini.faults import FaultError
from kubemini.scenarios import Scenario, load
from kubemini.scenarios.loader import from_data
from kubemini.sim.units import MS, SECOND, clock, duration
from kubemini.simulate import EVENT_BUDGET, run
from tests import panics
from tests.nemesis_judge import GRACE, Breach, judge

FOLDER = Path(__file__).resolve().parent.parent / "_build" / "nemesis"
BUDGET = 40_000  # events; a plot needs some 6,000, seldom more than 20,000
TRIES = 600  # runs that shrinking may take
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
            "faults": [[_time(at), *what] for at, what in self.entries],
            "seed": self.seed,
            "until": _time(self.until),
        }

    def scenario(self) -> Scenario:
        return from_data(self.data(), "nemesis")


def _time(t: int) -> str:
    return f"{t / SECOND:g}s"


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
        self.seed, self.luck = seed, Random(seed)
        self.size = self.luck.choice((3, 3, 5))
        self.members = [f"etcd-{n}" for n in range(1, self.size + 1)]
        self.hosts = [f"etcd-host-{n}" for n in range(1, self.size + 1)]
        self.cluster = self.luck.choice(CLUSTERS)
        self.timeout = duration(self.cluster.get("etcd_election_timeout", "1s"))
        self.puts = 0
        self.healed = QUIET + TROUBLE
        self.until = self.healed + GRACE + 3 * SECOND

    def plot(self) -> Plot:
        entries: list[Entry] = []
        for _ in range(self.luck.randint(2, 8)):
            entries += self.luck.choice(EPISODES)(self, *self.span())
        entries = [(min(at, self.healed), what) for at, what in entries]
        entries += [*self.requests(), *self.ending()]
        return Plot(self.size, self.cluster, self.workload(), _sorted(entries), self.seed, self.until)

    def span(self) -> tuple[int, int]:
        """From when to when something is broken."""
        begin = QUIET + self.luck.randrange(TROUBLE - SECOND) // (10 * MS) * (10 * MS)
        length = self.luck.choice((50 * MS, 300 * MS, SECOND, 3 * SECOND, TROUBLE))
        return begin, min(begin + length, self.healed)

    def workload(self) -> dict[str, dict[str, Any]]:
        luck = self.luck
        reads = {"every": luck.choice(("100ms", "150ms", "400ms")), "member": luck.choice(self.members)}
        return {"etcd_writes": {"every": luck.choice(("50ms", "200ms", "500ms"))}, "etcd_reads": reads}

    def requests(self) -> Iterator[Entry]:
        """Single puts and gets in the midst of it, each through a member of its own."""
        for _ in range(self.luck.randint(10, 40)):
            at = QUIET + self.luck.randrange(TROUBLE) // (10 * MS) * (10 * MS)
            key, writes = self.luck.choice(KEYS), self.luck.random() < 0.5
            yield at, self.put(key, self.luck.choice(self.members)) if writes else self.get(key, self.members)

    def put(self, key: str, member: str) -> tuple[Any, ...]:
        """Every value is written once, so that who reads it says which write was seen."""
        self.puts += 1
        return ("put", key, f"{key}{self.puts}", member)

    def get(self, key: str, members: list[str]) -> tuple[Any, ...]:
        return _get(key, self.luck.choice(members), self.luck.random() < 0.7)

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
        how = self.luck.choice(("crash", "crash", "stop"))
        return [e for m in some for e in ((begin, (how, m)), (end, ("restart", m)))]

    def power(self, begin: int, end: int) -> list[Entry]:
        return [e for h in self.some(self.hosts) for e in ((begin, ("power_off", h)), (end, ("power_on", h)))]

    def pause(self, begin: int, end: int) -> list[Entry]:
        return [e for m in self.some(self.members) for e in ((begin, ("pause", m)), (end, ("resume", m)))]

    def restart(self, begin: int, end: int) -> list[Entry]:
        return [(begin, ("restart", m)) for m in self.some(self.members)]

    def cut(self, begin: int, end: int) -> list[Entry]:
        alone = self.luck.sample(self.members, self.luck.randint(1, self.size // 2))
        a, b = self.hosts_of(alone), self.hosts_of([m for m in self.members if m not in alone])
        sides = self.luck.choice(((a, b), (a, b), (a,), (a, b, "one-way"), (b, a, "one-way")))
        return [(begin, ("cut", *sides)), (end, ("heal",))]

    def loss(self, begin: int, end: int) -> list[Entry]:
        a, b = self.sides()
        return [(begin, ("loss", a, b, self.luck.choice((0.1, 0.3, 0.7)))), (end, ("loss", a, b, 0))]

    def latency(self, begin: int, end: int) -> list[Entry]:
        a, b = self.sides()
        slow = self.luck.choice((("50ms", "150ms"), ("200ms", "600ms"), ("1ms", "900ms")))
        return [(begin, ("latency", a, b, *slow)), (end, ("latency", a, b, *USUAL))]

    def slow_disk(self, begin: int, end: int) -> list[Entry]:
        extra = self.luck.choice(("20ms", "100ms", "400ms", "2s"))
        some = self.some(self.hosts)
        return [e for h in some for e in ((begin, ("slow_disk", h, extra)), (end, ("slow_disk", h, "0ms")))]

    def move_leader(self, begin: int, end: int) -> list[Entry]:
        return [(begin, ("move_leader", self.luck.choice(self.members)))]

    def split(self, begin: int, end: int) -> list[Entry]:
        """Clients reach both sides, which do not reach each other: who reads in one what was written in the other?"""
        alone = self.luck.sample(self.members, self.luck.randint(1, self.size // 2))
        others = [m for m in self.members if m not in alone]
        found: list[Entry] = [(begin - SECOND // 2, ("move_leader", alone[0]))]
        found += [(begin, ("cut", self.hosts_of(alone), self.hosts_of(others))), (end, ("heal",))]
        for tenth in range(10, 25):  # of an election timeout: the time in which the others find a leader
            at = begin + tenth * self.timeout // 10
            found.append((at, self.put("a", self.luck.choice(others)) if tenth % 4 == 0 else self.get("a", alone)))
        return found

    def blackout(self, begin: int, end: int) -> list[Entry]:
        """The power fails everywhere while disks are busy; for some it returns much later than for the others."""
        off = QUIET + self.luck.randint(5, 30) * 100 * MS
        busy = self.luck.sample(self.hosts, self.luck.randint(self.size // 2, self.size - 1))
        late = self.luck.sample(self.hosts, self.luck.randint(1, self.size // 2))
        found: list[Entry] = [(off - self.luck.choice((300, 900)) * MS, ("slow_disk", h, "2s")) for h in busy]
        for host in self.hosts:
            on = off + self.luck.randint(1, 5) * 100 * MS + (5 * SECOND if host in late else 0)
            found += [(off, ("power_off", host)), (on, ("power_on", host))]
        return [*found, *((off, ("slow_disk", h, "0ms")) for h in busy)]

    def relay(self, begin: int, end: int) -> list[Entry]:
        """Down and up again, one after the other and sometimes two at a time."""
        found: list[Entry] = []
        for _ in range(5):
            member, gone = self.luck.choice(self.members), self.luck.randint(1, 15) * 100 * MS
            found += [(begin, ("crash", member)), (begin + gone, ("restart", member))]
            begin += self.luck.randint(0, 15) * 100 * MS
        return found

    def hosts_of(self, members: list[str]) -> str:
        return ",".join(m.replace("etcd-", "etcd-host-") for m in members)

    def some(self, names: list[str]) -> list[str]:
        """Mostly one of *names*, sometimes many or all."""
        return self.luck.sample(names, self.luck.choice((1, 1, 1, self.size // 2, self.size - 1, self.size)))

    def sides(self) -> tuple[str, str]:
        a, b = self.luck.sample(self.hosts, 2)
        return self.luck.choice(((a, b), (a, ",".join(h for h in self.hosts if h != a))))


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


# -- running it ------------------------------------------------------------------------------------------------------


def breaches(scenario: Scenario, budget: int = BUDGET) -> list[Breach]:
    """What goes wrong; a member that cannot go on is the last that is told."""
    seconds = [0.0]
    try:
        return judge(run(scenario, progress=lambda share: seconds.append(share * scenario.until), budget=budget))
    except FaultError:
        raise
    except Exception as error:  # a machine with a fault in it may fail anywhere, or run away
        at = round(seconds[-1])
        before = breaches(replace(scenario, until=at), budget) if at else []
        what = f"after {clock(at)} one cannot: {str(error) or type(error).__name__}"
        return [*before, Breach("members that can go on", at, what)]


def breach_of(plot: Plot, rule: str) -> Breach | None:
    """How *plot* breaks *rule*, if it does."""
    return next((breach for breach in breaches(plot.scenario()) if breach.rule == rule), None)


# -- leaving out what is not needed ------------------------------------------------------------------------------------


class Shrinker:
    """Makes a plot shorter and simpler for as long as it breaks *rule*."""

    def __init__(self, plot: Plot, rule: str):
        self.plot, self.rule, self.left = plot, rule, TRIES

    def run(self) -> Plot:
        before = None
        while self.left > 0 and self.plot != before:
            before = self.plot
            self.shorter()
            self.fewer_kinds()
            self.fewer_members()
            self.fewer_entries()
            self.quick_returns()
            self.simpler_requests()
            self.simpler_params()
            self.simpler_entries()
            self.sooner()
            self.rounder_times()
        return self.plot

    def takes(self, plot: Plot) -> bool:
        """Go on with *plot*, if it still breaks the rule."""
        if plot == self.plot or self.left <= 0:
            return False
        self.left -= 1
        if breach_of(plot, self.rule) is None:
            return False
        self.plot = plot
        return True

    def shorter(self) -> None:
        """End soon after the breach."""
        breach = breach_of(self.plot, self.rule)
        assert breach, f"the plot of seed {self.plot.seed} does not break {self.rule}"
        for until in (breach.at + SECOND, breach.at + 3 * SECOND):
            until = -(-until // SECOND) * SECOND
            kept = tuple(entry for entry in self.plot.entries if entry[0] < until)
            if until < self.plot.until and self.takes(replace(self.plot, until=until, entries=kept)):
                return

    def fewer_kinds(self) -> None:
        """Leave out all that is done in one way."""
        for action in dict.fromkeys(what[0] for _, what in self.plot.entries):
            kept = tuple(entry for entry in self.plot.entries if entry[1][0] != action)
            self.takes(replace(self.plot, entries=kept))

    def fewer_members(self) -> None:
        """Three of five, whichever; what was done to the others is not done."""
        if self.plot.members == 3:
            return
        for gone in ((4, 5), (3, 5), (3, 4), (2, 5), (2, 4), (1, 5)):
            left = [n for n in range(1, 6) if n not in gone]
            names = {old: new for new, old in enumerate(left, start=1)}
            entries = _sorted((at, named) for at, what in self.plot.entries if (named := _renamed(what, names)))
            workload = {kind: _moved(options, names) for kind, options in self.plot.workload.items()}
            if self.takes(replace(self.plot, members=3, entries=entries, workload=workload)):
                return

    def fewer_entries(self) -> None:
        """Leave out pieces of the list, ever smaller ones."""
        size = max(1, len(self.plot.entries) // 2)
        while size:
            at = 0
            while at < len(self.plot.entries):
                kept = self.plot.entries[:at] + self.plot.entries[at + size :]
                if not self.takes(replace(self.plot, entries=kept)):
                    at += size
            size //= 2

    def quick_returns(self) -> None:
        """Who is down and up again may be restarted at once."""
        for at, what in self.plot.entries:
            if what[0] in ("crash", "stop", "power_off"):
                gone = ((at, what), *((t, back) for t, back in self.plot.entries if t >= at and back == _back(what)))
                kept = [entry for entry in self.plot.entries if entry not in gone[:2]]
                self.takes(replace(self.plot, entries=_sorted([*kept, (at, ("restart", _member(what[1])))])))

    def simpler_requests(self) -> None:
        """No steady requests, or fewer."""
        for kind, options in list(self.plot.workload.items()):
            without = {k: v for k, v in self.plot.workload.items() if k != kind}
            if self.takes(replace(self.plot, workload=without)):
                continue
            for change in ({"every": "1s"}, {"every": "500ms"}, {"every": "200ms"}):
                if change["every"] == options["every"]:
                    break
                if self.takes(replace(self.plot, workload={**self.plot.workload, kind: {**options, **change}})):
                    break

    def simpler_params(self) -> None:
        self.takes(replace(self.plot, params={}))
        for name in list(self.plot.params):
            self.takes(replace(self.plot, params={k: v for k, v in self.plot.params.items() if k != name}))

    def simpler_entries(self) -> None:
        for number in range(len(self.plot.entries)):
            for what in _simpler(self.plot.entries[number][1]):
                at = self.plot.entries[number][0]
                if self.takes(self._with(number, at, what)):
                    break

    def sooner(self) -> None:
        """Begin as soon as there is a leader."""
        first = min((at for at, _ in self.plot.entries), default=0)
        for begin in (SECOND, 2 * SECOND, 3 * SECOND):
            early = first // SECOND * SECOND - begin
            if early > 0:
                entries = tuple((at - early, what) for at, what in self.plot.entries)
                if self.takes(replace(self.plot, entries=entries, until=self.plot.until - early)):
                    return

    def rounder_times(self) -> None:
        for number in range(len(self.plot.entries)):
            at, what = self.plot.entries[number]
            for unit in (SECOND, SECOND // 2, SECOND // 10):
                if at % unit == 0 or self.takes(self._with(number, -(-at // unit) * unit, what)):
                    break
                if self.takes(self._with(number, at // unit * unit, what)):
                    break

    def _with(self, number: int, at: int, what: tuple[Any, ...]) -> Plot:
        entries = list(self.plot.entries)
        entries[number] = (at, what)
        return replace(self.plot, entries=_sorted(entries))


def _sorted(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    return tuple(sorted(entries, key=lambda entry: entry[0]))


def _member(name: str) -> str:
    """The member on a host, or of that name."""
    return name.replace("host-", "")


def _back(what: tuple[Any, ...]) -> tuple[Any, ...]:
    """What brings back who went down so."""
    return ("power_on" if what[0] == "power_off" else "restart", what[1])


def _renamed(what: tuple[Any, ...], names: dict[int, int]) -> tuple[Any, ...] | None:
    """*what* done to members by their new numbers; None if nothing is left to be done."""
    if what[0] == "put" and what[1] == "end":
        return None
    found = []
    for argument in what:
        numbers = re.findall(r"etcd-(?:host-)?(\d)", str(argument))
        if numbers:
            kept = [word for word in argument.split(",") if int(word[-1]) in names]
            argument = ",".join(word[:-1] + str(names[int(word[-1])]) for word in kept)
            if not argument:
                return None
        found.append(argument)
    return tuple(found)


def _moved(options: dict[str, Any], names: dict[int, int]) -> dict[str, Any]:
    """A steady load asks a member that is left."""
    if "member" not in options:
        return options
    return {**options, "member": f"etcd-{names.get(int(options['member'][-1]), 1)}"}


def _simpler(what: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """Simpler deeds that may do as well, the simplest first."""
    match what:
        case ("power_off", host):
            yield ("crash", _member(host))
        case ("stop", member):
            yield ("crash", member)
        case ("power_on", host):
            yield ("restart", _member(host))
        case ("cut", a, b, "one-way"):
            yield ("cut", a)
            yield ("cut", a, b)
        case ("cut", a, _):
            yield ("cut", a)
        case ("slow_disk", host, extra) if extra not in ("0ms", "1s"):
            yield ("slow_disk", host, "1s")
        case ("latency", a, b, low, high) if low != high and (low, high) != USUAL:
            yield ("latency", a, b, "500ms", "500ms")
        case ("loss", a, b, p) if 0 < p < 1:
            yield ("loss", a, b, 1)
        case ("put", key, value, _):
            yield ("put", key, value)
        case ("get", key, _):
            yield ("get", key)


# -- a file to read --------------------------------------------------------------------------------------------------

TITLES = {
    "election safety": "Two leaders in one term",
    "leader completeness": "A leader without what was committed",
    "state machine safety": "Members that do not agree on what is committed",
    "no acknowledged write lost": "An acknowledged write is lost",
    "linearizable reads": "A read that is not linearizable",
    "serializable reads": "A read of what was never committed",
    "agreement": "Members that do not agree in the end",
    "progress after healing": "No progress after healing",
    "members that can go on": "A member that cannot go on",
}


def written(plot: Plot, breach: Breach, name: str) -> Path:
    """The scenario file of *plot*, which shows *breach*."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.yaml"
    path.write_text(text(plot, breach), encoding="utf-8")
    return path


def text(plot: Plot, breach: Breach) -> str:
    """*plot* as a file that is pleasant to read."""
    data = plot.data()
    about = textwrap.wrap(str(breach), 116)
    lines = [
        f"# Seed {plot.seed} of the nemesis, without what was not needed.",
        f"title: {TITLES[breach.rule]}",
        "about: >",
        *(f"  {line}" for line in about),
        f"topology: {_flow(data['topology'])}",
    ]
    lines += [f"params: {_flow(plot.params)}"] if plot.params else []
    lines += ["workload:"] if plot.workload else []
    lines += [f"  {kind}: {_flow(options)}" for kind, options in plot.workload.items()]
    lines += ["faults:"] if plot.entries else []
    lines += [f"  - {_flow(entry)}" for entry in data["faults"]] if plot.entries else []
    return "\n".join([*lines, f"seed: {plot.seed}", f"until: {_time(plot.until)}", ""])


def _flow(value: Any) -> str:
    """*value* as YAML on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_flow(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if "," in str(value) else str(value)


# -- hunting ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Catch:
    """A breach, in the plot as it was drawn and as it became."""

    drawn: Plot
    plot: Plot
    breach: Breach


def hunt(seeds: Iterable[int], tell: Callable[[int], None] = lambda count: None) -> Catch | None:
    """Run the plots of *seeds*; the first that breaks a rule, shrunk."""
    for count, seed in enumerate(seeds, start=1):
        drawn = Author(seed).plot()
        found = breaches(drawn.scenario())
        if found:
            plot = Shrinker(drawn, found[0].rule).run()
            return Catch(drawn, plot, breach_of(plot, found[0].rule) or found[0])
        tell(count)
    return None


def verdict(file: str) -> int:
    """Judge the scenario in *file*, or called so."""
    try:
        found = breaches(load(file), EVENT_BUDGET)
    except ValueError as error:
        print(f"nemesis: {error}", file=sys.stderr)
        return 2
    print("\n".join(map(str, found)) or "every rule held")
    return 1 if found else 0


def main(arguments: list[str], name: str = "") -> int:
    """``COUNT [FIRST SEED]``, or a FILE to judge; a catch is written to the file called *name*, or after its seed."""
    if arguments and not arguments[0].isdigit():
        return verdict(arguments[0])
    count, first = ([int(a) for a in arguments] + [2000, 0][len(arguments) :])[:2]
    catch = hunt(range(first, first + count), lambda n: n % 500 or print(f"{n} scenarios", flush=True))
    if catch is None:
        print(f"{count} scenarios: every rule held")
        return 0
    path = written(catch.plot, catch.breach, name or f"seed-{catch.plot.seed}")
    path = Path(os.path.relpath(path))
    tried = catch.plot.seed - first + 1
    print(f"{catch.breach}")
    print(
        f"(scenario {tried} of {count}, {len(catch.drawn.entries)} lines of trouble, {len(catch.plot.entries)} needed)"
    )
    print(f"The file: {path}")
    print(f"  {Path(sys.executable).name} -m kubemini run {path}")
    print(f'  kubemini.show("{path}")')
    return 1


if __name__ == "__main__":
    panics.are_failures()
    sys.exit(main(sys.argv[1:]))
