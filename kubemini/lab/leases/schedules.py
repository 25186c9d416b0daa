"""Three candidates, a Lease and a clock of its own for each: a small model in which something goes wrong.

What a candidate decides is its owner's code; when it is asked, how long a request takes, and what befalls whom is
drawn. Nobody sees anybody else's clock: they are hours apart, and go up to 5 % too fast or too slow.
Invariant: a write counts only if nobody has written since the writer's last look, as with a resourceVersion.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from heapq import heappop, heappush
from random import Random
from typing import Any

LENGTH, FAULT_AT = 75.0, 20.0  # seconds
RETRY, JITTER, PATIENCE = 2.0, 1.2, 10.0
TROUBLES = ("nothing", "crash", "sleep", "cut off", "slow")


@dataclass(slots=True)
class Candidate:
    """One copy, its clock, and what has befallen it until when."""

    name: str
    elector: Any
    offset: float
    rate: float
    asleep: float = 0.0
    cut: float = 0.0
    slow: float = 0.0
    dead: bool = False
    late: list[Callable[[], None]] = field(default_factory=list)

    def clock(self, now: float) -> float:
        """What its own clock says."""
        return self.offset + self.rate * now


class Schedule:
    """One schedule by its *number*: *make* makes what decides for a name, *ask* calls a method of it."""

    def __init__(self, number: int, make: Callable[[str], Any], ask: Callable[..., Any]):
        self.dice, self.ask, self.now = Random(number), ask, 0.0
        self.trouble = TROUBLES[number % len(TROUBLES)]
        self.lasts = self.dice.uniform(3, 40)
        self.lease = {"holder": "", "renewed": 0.0, "version": 0}
        self.events: list[tuple[float, int, Callable[[], None]]] = []
        self.count = self.writes = 0
        draw = self.dice.uniform
        self.all = [Candidate(name, make(name), draw(10_000, 30_000), draw(0.95, 1.05)) for name in "abc"]
        self.struck = ""
        self.seen: list[tuple[float, tuple[str, ...]]] = []  # (time, who acts)

    def play(self) -> list[tuple[float, tuple[str, ...]]]:
        """(time, names of those who act), second by second."""
        for one in self.all:
            self._at(self.dice.uniform(0, RETRY), one, partial(self._look, one))
        self._later(FAULT_AT + self.dice.uniform(0, RETRY), self._strike)
        for second in range(1, int(LENGTH)):
            self._later(second, self._see)
        while self.events and self.events[0][0] < LENGTH:
            self.now, _, act = heappop(self.events)
            act()
        return self.seen

    def _see(self) -> None:
        self.seen.append((self.now, tuple(one.name for one in self.all if self._acts(one))))

    # -- time ---------------------------------------------------------------------------------------------------
    def _later(self, at: float, act: Callable[[], None]) -> None:
        self.count += 1
        heappush(self.events, (at, self.count, act))

    def _at(self, delay: float, one: Candidate, act: Callable[[], None]) -> None:
        """*one* does something after *delay*; if it sleeps then, when it wakes."""

        def due() -> None:
            if one.dead:
                return
            if one.asleep > self.now:
                self._later(one.asleep, due)
                return
            act()

        self._later(self.now + delay, due)

    def _way(self, one: Candidate) -> float | None:
        """How long one way of a request takes; None: it is lost."""
        if one.cut > self.now:
            return None
        return self.dice.uniform(1, 8) if one.slow > self.now else self.dice.uniform(0.005, 0.05)

    # -- what a candidate does ----------------------------------------------------------------------------------
    def _look(self, one: Candidate) -> None:
        there, back = self._way(one), self._way(one)
        if there is None or back is None or there + back > PATIENCE:
            self._at(PATIENCE, one, lambda: self._rest(one))
            return
        self._later(self.now + there, lambda: self._at(back, one, self._told(one, dict(self.lease))))

    def _told(self, one: Candidate, lease: dict[str, Any]) -> Callable[[], None]:
        def act() -> None:
            if self.ask(one.elector.look, lease, one.clock(self.now)) is True:
                self._write(one, lease["version"])
            else:
                self._rest(one)

        return act

    def _write(self, one: Candidate, version: int) -> None:
        sent, stamp = self.now, one.clock(self.now)
        there, back = self._way(one), self._way(one)

        def answer(good: bool) -> Callable[[], None]:
            def act() -> None:
                self.ask(one.elector.wrote, stamp, good, one.clock(self.now))
                self._rest(one)

            return act

        def arrive() -> None:
            good = self.lease["version"] == version
            if good:
                self.writes += 1
                self.lease = {"holder": one.name, "renewed": stamp, "version": version + 1}
            if back is not None and there is not None and there + back <= PATIENCE:
                self._at(back, one, answer(good))

        if there is not None:
            self._later(sent + there, arrive)
        if there is None or back is None or there + back > PATIENCE:
            self._at(PATIENCE, one, answer(False))

    def _rest(self, one: Candidate) -> None:
        more = 0 if self._acts(one) else self.dice.uniform(0, JITTER)
        self._at(RETRY * (1 + more), one, lambda: self._look(one))

    def _acts(self, one: Candidate) -> bool:
        if one.dead or one.asleep > self.now:
            return False
        return self.ask(one.elector.acts, one.clock(self.now)) is True

    # -- what goes wrong ----------------------------------------------------------------------------------------
    def _strike(self) -> None:
        """It befalls whoever acts."""
        victim = next((one for one in self.all if self._acts(one)), self.all[0])
        self.struck, until = victim.name, self.now + self.lasts
        match self.trouble:
            case "crash":
                victim.dead = True
            case "sleep":
                victim.asleep = until
            case "cut off":
                victim.cut = until
            case "slow":
                victim.slow = until
