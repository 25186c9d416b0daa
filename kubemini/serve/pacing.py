"""Simulated time goes with the clock on the wall, *speed* times as fast, and a little ahead while somebody waits.

Theory of operation.

One task of the event loop drives the simulation. It lets happen what is due, a few milliseconds of work at a time, so
that sockets get their turn; then it sleeps until the next event is due, or until somebody asks for something.

A client that waits for an answer shall not wait for the simulated disk and wires as well: while anybody waits, time
runs ahead of the wall, by `AHEAD` at most; when nobody does, it stands until the wall has caught up. A request of
three simulated seconds still takes three seconds, nearly. A simulation that cannot keep up falls behind, and what
it missed is never made up for: it goes on from where it is.

With speed 0 time stands but for those who wait, and `go_on` lets some pass. Of a tunnel nobody knows whether its client
waits: each thing that it says or hears lets `AHEAD` pass.
"""

import asyncio
from collections.abc import Callable

from kubemini.api.objects import Obj
from kubemini.apiserver.pipeline import PANICKED
from kubemini.sim import Sim
from kubemini.sim.engine import EVENT_BUDGET
from kubemini.sim.trace import Record
from kubemini.sim.units import MS, SECOND

AHEAD = 200 * MS  # of simulated time, at speed 1
SLICE = 0.004  # seconds of work between two looks at the sockets
BEHIND = 1.0  # seconds of the wall that a simulation may be late before it is forgiven
OFTEN = 64  # events between two looks at the clock
KEPT = 20_000  # records of the trace


class Pace:
    """The clock of one run; *speed* is simulated seconds a second of *wall*, 0: only when told."""

    def __init__(self, sim: Sim, speed: float, wall: Callable[[], float]):
        self.sim, self.speed, self.wall = sim, speed, wall
        self.waiting = 0  # requests that are not answered yet
        self.looks: list[Callable[[], None]] = []  # called after each slice of work
        self.on_event: Callable[[Obj], None] = lambda event: None  # an API server's audit log has a line more
        self.on_defect: Callable[[Record], None] = lambda record: None  # a program of the cluster has failed
        self._read = len(sim.trace.records)
        self._from = wall(), sim.now  # an instant of the wall, and which simulated one it is
        self._woken = asyncio.Event()
        self.ended = False

    def due(self) -> int:
        """The simulated instant (µs) that the wall is at."""
        begun, first = self._from
        return first + int((self.wall() - begun) * self.speed * SECOND)

    def now(self) -> None:
        """Somebody is about to do something: let the simulation's clock say what the wall's does."""
        due = self.due()
        if self.sim.now < due < self.sim.next_instant():
            self.sim.run_until(due)

    def wait(self) -> None:
        """Somebody waits for an answer."""
        self.waiting += 1
        self._woken.set()

    def answered(self) -> None:
        """… and has it, or has gone."""
        self.waiting -= 1

    def wake(self) -> None:
        """Something has been scheduled: look again."""
        self._woken.set()

    def linger(self) -> None:
        """Something has come by a tunnel, and what answers it may be under way: where time stands, a moment passes."""
        if not self.speed:
            self.go_on(AHEAD)

    def go_on(self, duration: int) -> None:
        """Let *duration* (µs) pass, where time stands."""
        self._from = self.wall(), max(self.due(), self.sim.now) + duration
        self._woken.set()

    def end(self) -> None:
        """No more."""
        self.ended = True
        self._woken.set()

    async def run(self) -> None:
        """Drive the simulation until `end`. Raises what a defect of the simulation raises."""
        while not self.ended:
            self._woken.clear()
            if self.turn():
                await asyncio.sleep(0)  # the sockets' turn
            else:
                await self._sleep()

    def turn(self) -> bool:
        """A slice of work, and all who look at what has come of it; whether there is more to do at once."""
        busy = self._work()
        self._read_trace()
        for look in self.looks:
            look()
        return busy

    def _limit(self) -> int:
        """Up to which instant events may happen now."""
        if not self.waiting:
            return self.due()
        return self.due() + round(AHEAD * max(1.0, self.speed)) if self.speed else self.sim.now + AHEAD

    def _work(self) -> bool:
        """Let happen what may, for a slice; whether there is more."""
        sim, until = self.sim, self.wall() + SLICE
        sim.allow(EVENT_BUDGET)
        limit, waited = self._limit(), self.waiting
        while sim.next_instant() <= limit:
            for _ in range(OFTEN):
                sim.step()
                if self.waiting != waited:
                    limit, waited = self._limit(), self.waiting
                if sim.next_instant() > limit:
                    break
            if self.wall() > until:
                self._forgive()
                return True
        return False

    def _read_trace(self) -> None:
        """The audit log, and what a program of ours dies of, or survives: its user should know."""
        records = self.sim.trace.records
        for record in records[self._read :]:
            if record.what == "audit":
                self.on_event(record.detail["event"])
            if record.what in ("panic", "defect") or (record.what == "note" and PANICKED in record.detail["text"]):
                self.on_defect(record)
        del records[:-KEPT]
        self._read = len(records)

    def _forgive(self) -> None:
        """Far behind, for want of a faster machine: go on from here."""
        if self.speed and self.due() - self.sim.now > BEHIND * self.speed * SECOND:
            self._from = self.wall(), self.sim.now

    async def _sleep(self) -> None:
        """Until the next event may happen, or somebody wants something."""
        left = self.sim.next_instant() - self._limit()
        seconds = left / SECOND / self.speed if self.speed else None
        try:
            await asyncio.wait_for(self._woken.wait(), None if seconds is None else min(seconds, 3600.0))
        except TimeoutError:
            return
