"""Running a plot, judging it, and leaving out all that is not needed for it to break a rule of `verdicts.py`."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from kubemini.faults import FaultError
from kubemini.scenarios import Scenario
from kubemini.sim.units import SECOND, clock
from kubemini.simulate import run
from tests.worlds import duties, verdicts
from tests.worlds.plots import USUAL, Plot, in_order
from tests.worlds.verdicts import Breach

BUDGET = 40_000  # events; a plot needs some 6,000, seldom more than 20,000
CLUSTER_BUDGET = 1_000_000  # a plot of a whole cluster needs some 100,000
TRIES = 600  # runs that shrinking may take

# -- running it ------------------------------------------------------------------------------------------------------


def breaches(scenario: Scenario, budget: int = 0) -> list[Breach]:
    """What goes wrong; a member that cannot go on is the last that is told."""
    whole = bool(scenario.topology.api_servers)
    judge, budget = (duties.judge if whole else verdicts.judge), budget or (CLUSTER_BUDGET if whole else BUDGET)
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
            entries = in_order((at, named) for at, what in self.plot.entries if (named := _renamed(what, names)))
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
                self.takes(replace(self.plot, entries=in_order([*kept, (at, ("restart", _member(what[1])))])))

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
        return replace(self.plot, entries=in_order(entries))


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
