"""Copies of a program that stand for one Lease, for the cells of *Leases*: a holder that dies or sleeps, a slow etcd.

A copy that holds the Lease does its work once a second, as long as it believes that it holds it: what it does is in
the trace (the word "log"), so it can be seen who acts, and when two do.
"""

from dataclasses import replace
from typing import Any, NamedTuple

from kubemini.client import ApiClient, Elector
from kubemini.cluster import Cluster
from kubemini.host import Component
from kubemini.params import Params, changed
from kubemini.sim import Steps
from kubemini.sim.units import SECOND

LEASE, HOST, USER = "worker", "cp-1", "system:kube-controller-manager"
READY = 12  # seconds: by then one holds it
FAULTS = ("crash", "terminate", "pause")


class Counted(ApiClient):
    """A client of a candidate, which counts its requests."""

    def request(self, *arguments: Any, **options: Any) -> Steps:
        """As any client's."""
        assert isinstance(self.component, Candidate)
        self.component.asked += 1
        return super().request(*arguments, **options)


class Candidate(Component):
    """One copy. *releases*: told to stop, it gives the Lease back."""

    releases = False
    asked = 0  # requests so far

    def __init__(self, sim: Any, net: Any, host: Any, name: str, servers: list[str]):
        super().__init__(sim, net, host, name)
        self.servers = servers

    @classmethod
    def join(cls, cluster: Cluster, name: str) -> "Candidate":
        """One more copy in *cluster*."""
        made = cluster.add(name, HOST, cls)
        assert isinstance(made, cls)
        return made

    def boot(self) -> None:
        """Stand for election."""
        self.elector = Elector(Counted(self, self.servers, USER), LEASE, self.lead, releases=self.releases)
        self.elector.start()

    def on_sigterm(self) -> None:
        """Told to stop."""
        self.elector.resign()

    def lead(self) -> None:
        """It has won: it works until it dies."""
        self.spawn(self._work())

    def _work(self) -> Steps:
        while True:
            self.sim.record(self.name, "log", text="works")
            yield self.timeout(SECOND)


class Releasing(Candidate):
    """One that gives the Lease back, as the scheduler does."""

    releases = True


class Race:
    """*copies* of the program on one control plane; by `READY` one of them holds the Lease."""

    def __init__(self, copies: int = 2, seed: int = 1, params: Params | None = None, make: type[Candidate] = Candidate):
        quiet = replace(params or Params(), restart_policy="Never")
        self.cluster = Cluster.single(workers=0, seed=seed, params=quiet)
        self.copies = [make.join(self.cluster, f"copy-{n}") for n in range(1, copies + 1)]
        self.cluster.run(READY + seed % 16 / 8)  # the fault falls anywhere between two renewals

    @property
    def holder(self) -> Candidate:
        """Who has won last."""
        name = self.wins(0)[-1][1]
        return next(copy for copy in self.copies if copy.name == name)

    def wins(self, since: int) -> list[tuple[float, str]]:
        """(seconds after the instant *since*, who won the Lease)."""
        won = [r for r in self.cluster.trace.of("holder") if r.detail["lease"] == LEASE and r.at > since]
        return [((r.at - since) / SECOND, r.actor) for r in won]


class Gap(NamedTuple):
    """*next* is the one who acts after the fault, *after* so many seconds ("" and infinity: nobody)."""

    next: str
    after: float


def takeover(
    fault: str = "crash", seed: int = 1, copies: int = 2, releases: bool = False, within: int = 60, **params: Any
) -> Gap:
    """*fault* (of `FAULTS`) befalls the holder among so many *copies*; who acts next, if *within* so many seconds.

    *params*: settings by their names, such as ``leader_elect_retry_period="1s"``. Raises ValueError for another fault
    or for settings that do not fit together.
    """
    if fault not in FAULTS:
        raise ValueError(f"takeover: {fault!r} is none of {', '.join(FAULTS)}")
    race = Race(copies, seed, changed(Params(), params), Releasing if releases else Candidate)
    struck = race.cluster.sim.now
    getattr(race.holder, fault)()
    race.cluster.run(within)
    wins = race.wins(struck)
    return Gap(wins[0][1], wins[0][0]) if wins else Gap("", float("inf"))


class Both(NamedTuple):
    """What was seen of a holder that slept: the other acts *after* so many seconds; then both do, for *both* seconds.

    *ends*: how many seconds after it woke the sleeper has ended itself; None if it has not.
    """

    after: float
    both: float
    ends: float | None


def asleep(seconds: float, seed: int = 1, **params: Any) -> Both:
    """The holder stands still for so many *seconds*, as in a long garbage collection, and goes on where it was."""
    race = Race(2, seed, changed(Params(), params))
    sleeper, struck = race.holder, race.cluster.sim.now
    sleeper.pause()
    race.cluster.run(seconds)
    sleeper.resume()
    woke = race.cluster.sim.now
    race.cluster.run(40)
    wins = race.wins(struck)
    after = wins[0][0] if wins else float("inf")
    late = [r.at for r in race.cluster.trace.of("log", sleeper.name) if r.at >= max(woke, struck + after * SECOND)]
    ended = [r.at for r in race.cluster.trace.of("note", sleeper.name) if r.at >= woke]
    both = (late[-1] - woke) / SECOND if late and wins else 0.0
    return Both(after, both, (ended[0] - woke) / SECOND if ended else None)


def stalled(seconds: float, seed: int = 1, **params: Any) -> bool:
    """etcd answers nobody for so many *seconds*; whether the holder has ended itself."""
    race = Race(1, seed, changed(Params(), params))
    etcd = race.cluster.components["etcd-1"]
    etcd.pause()
    race.cluster.run(seconds)
    etcd.resume()
    race.cluster.run(12)
    return any(r.actor == race.copies[0].name for r in race.cluster.trace.of("note"))


def requests(copies: int, seed: int = 1) -> float:
    """How many requests a second so many *copies* cost the API server, while nothing happens."""
    race = Race(copies, seed)
    before = sum(copy.asked for copy in race.copies)
    race.cluster.run(60)
    return (sum(copy.asked for copy in race.copies) - before) / 60
