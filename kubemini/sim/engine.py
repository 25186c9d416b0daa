"""The engine: SimPy's Environment with a seed, a memory, and a guard.

Theory of operation.

**The queue.** An entry is (instant, priority, number, what): what happens is an event of SimPy,
whose callbacks are called, or plainly ``act(*args)``, which costs half as much. Events of one
instant are ordered by what they are, never by when they were scheduled: faults and commands first,
then deliveries, then timers (`FAULT`, `DELIVERY`, `TIMER`, and below that by who and which).
SimPy's own events (priority 0 and 1) come before all of them, so what one event causes at the same
instant is settled before the next one acts. So whoever leaves an event out, or adds one, does not
change the order of the others.

**Rest.** In a quiescent run (`QUIESCENT`) whoever can tell what its next events would come to may
leave them out and lie in `Sim.resting`. `Sim.end_rests` is called before anything is done to it, or
read of it, that could tell the difference. Ending a rest may mean to let something happen that
should have begun in the past: `Sim.replay` sets the clock back, acts, lets follow what follows
from it, and returns to what is happening now.

**The guard.** Every `LOOK` events somebody looks: at the budget (`allow`), at whether time gets on
(`STORM`), and, if there is one, at the patience of whoever waits (`watch`).
"""

from collections.abc import Callable, Generator
from heapq import heappop, heappush
from random import Random
from typing import Any, Protocol

import simpy

from kubemini.sim.chance import Draws
from kubemini.sim.trace import Record, Trace
from kubemini.sim.units import NEVER, SECOND, clock
from kubemini.sim.vocabulary import WORDS

Steps = Generator[Any, Any, Any]  # what a task does, step by step: it yields SimPy events and is sent their values

FAULT = 1 << 78
DELIVERY = 2 << 78
TIMER = 3 << 78

EVENT_BUDGET = 3_000_000  # about ten seconds of work; a story of two minutes needs some 20,000
STORM = 500_000  # events within one simulated second: something goes round in circles
LOOK = 1_000  # events between two looks at the budget


FULL, QUIESCENT = FIDELITIES = ("full", "quiescent")

Occurrence = tuple[Callable[..., Any], tuple]  # in SimPy's queue: act(*args) at an instant, nobody waits for it
_new = tuple.__new__  # of a Record, whose own takes twice as long


class Runaway(RuntimeError):
    """A run that would take too long; the message says when it stopped and what to change."""


class Resting(Protocol):
    """Somebody who leaves events out that would make no difference."""

    def end(self) -> None:
        """Make everything as if they had happened, up to what is happening now."""


class Sim(simpy.Environment):
    """One run: integer microseconds, one seed, one trace; *fidelity* is one of `FIDELITIES`.

    What it promises:
    - The same seed and the same calls give the same trace, in every process and in the browser.
    - Time never goes back, but inside `replay`, which nobody outside can see.
    - At one instant: commands in order of asking, then deliveries, then timers, each in an order
      that does not depend on when they were set.
    - `rng` and `draws` give a stream of its own to every name: who draws disturbs nobody else, and
      of `draws` the n-th does not even depend on the others having been made.
    - Full and quiescent runs write the same records but "timer", and stand in the same state
      whenever `end_rests` has been called.
    - No run goes on for ever: `Runaway` after the budget, or when time does not get on.
    """

    now: int = 0  # microseconds since the run began; an attribute, as everybody reads it all the time
    _now: int
    _queue: list[Any]

    def __init__(self, seed: int = 0, fidelity: str = FULL):
        if fidelity not in FIDELITIES:
            raise ValueError(f"fidelity: {fidelity!r:.60} is not one of {', '.join(FIDELITIES)}")
        super().__init__(initial_time=0)
        self.seed = seed
        self.quiescent = fidelity == QUIESCENT
        self.resting: list[Resting] = []
        self.ever: set[str] = set()  # what has happened at all in this run, so that nobody need ask in vain
        self.reached = 0  # the highest priority of what has happened at this instant
        self.trace = Trace()
        self.events = 0
        self.watch: Callable[[], None] | None = None  # called every `LOOK` events; what it raises ends the run
        self._commands = 0
        self._remarks: dict[str, None] = {}
        self._second = self._before = 0  # the last look's simulated second, and the events before it
        self.allow(EVENT_BUDGET)

    @property
    def wall(self) -> int:
        """The date (µs), as who asks reads it on its own clock: `now`, until that clock is wrong (`clocks`)."""
        return self.now

    def begin_at(self, instant: int) -> None:
        """Let time begin at *instant* instead of 0: for a run that has to do with the dates of others."""
        assert not self.events and not self.now, "time has begun already: say when before anything happens"
        self.now = self._now = instant

    def schedule(self, event: simpy.Event, priority: int = 1, delay: float = 0) -> None:
        """Queue *event* to happen after *delay* microseconds, among the events of that instant by *priority*."""
        heappush(self._queue, (self._now + delay, priority, next(self._eid), event))

    def record(self, actor: str, what: str, **detail: Any) -> None:
        """Append to the trace; *what* must be one of the `vocabulary.WORDS`."""
        assert what in WORDS, f"{what!r} is not in the trace vocabulary: declare it in kubemini/sim/vocabulary"
        self.trace.records.append(_new(Record, (self._now, actor, what, detail)))

    def remark(self, actor: str, text: str) -> None:
        """A note that is made once in a run, however many would make it: such as that something is not simulated."""
        if text not in self._remarks:
            self._remarks[text] = None
            self.record(actor, "note", text=text)

    def rng(self, name: str) -> Random:
        """A sequential random stream of its own, so that a new component disturbs no other."""
        return Random(f"{self.seed}/{name}")

    def draws(self, name: str) -> Draws:
        """A counter-based stream: the n-th draw does not depend on the others having been made."""
        return Draws(self.seed, name)

    def occur(self, delay: int, priority: int, act: Callable[..., Any], *args: Any) -> None:
        """Call ``act(*args)`` after *delay* microseconds, among the events of that instant by *priority*."""
        self.at(self._now + delay, priority, act, args)

    def at(self, instant: int, priority: int, act: Callable[..., Any], args: tuple = ()) -> None:
        """Call ``act(*args)`` at *instant*, among the events of that instant by *priority*."""
        heappush(self._queue, (instant, priority, next(self._eid), (act, args)))

    def command(self, at: int, act: Callable[..., Any], *args: Any) -> None:
        """Call ``act(*args)`` at the instant *at*, before anything else that happens then, in order of asking."""
        self._commands += 1
        self.at(at, FAULT + self._commands, self._obey, (act, args))

    def _obey(self, act: Callable[..., Any], args: tuple) -> None:
        self.end_rests()
        act(*args)

    # -- the guard ------------------------------------------------------------------------------------------------
    def allow(self, events: int) -> None:
        """So many *events* more may happen before `Runaway` is raised."""
        self._budget = self.events + events
        self._allowed = events
        self._fence = min(self.events + LOOK, self._budget)

    def _look(self) -> None:
        """Stop a run that has had its budget, or that no longer gets on."""
        if self.events >= self._budget:
            raise Runaway(
                f"stopped at {clock(self.now)}: more than {self._allowed:,} events. Ask for a shorter time, fewer"
                " hosts, or a slower workload"
            )
        if self.now >= self._second + SECOND:
            self._second, self._before = self.now, self.events
        elif self.events - self._before >= STORM:
            raise Runaway(
                f"stopped at {clock(self.now)}: more than {STORM:,} events within one second. Something goes round in"
                " circles: look at the end of the trace, and ask for longer intervals, fewer objects or fewer hosts"
            )
        self._fence = min(self.events + LOOK, self._budget)
        if self.watch is not None:
            self.watch()

    # -- rest ------------------------------------------------------------------------------------------------------
    def end_rests(self) -> None:
        """Something is about to make a difference: nobody rests any more."""
        while self.resting:
            self.resting.pop().end()

    def replay(self, instant: int, priority: int, act: Callable[[], Any]) -> None:
        """Call ``act()`` as of *instant*, in the past, and let happen what it causes before what is happening now."""
        now, reached = self.now, self.reached
        self.now = self._now = instant
        self.reached = priority
        act()
        queue, step = self._queue, self._step
        while queue and queue[0][:2] < (now, reached):
            step()
        self.now = self._now = now
        self.reached = reached

    def step(self) -> None:
        """Process one event, and count it."""
        if not self._queue:
            raise simpy.core.EmptySchedule
        self._step()

    def run_until(self, instant: int) -> None:
        """Process every event before *instant* and stand there."""
        queue = self._queue
        while queue and queue[0][0] < instant:  # the body of `_step`, without the call
            if self.events >= self._fence:
                self._look()
            self.events += 1
            now, priority, _, event = heappop(queue)
            if now != self.now:
                self.now = self._now = now
                self.reached = priority
            elif priority > self.reached:
                self.reached = priority
            if event.__class__ is tuple:
                event[0](*event[1])
            else:
                self._happen(event)
        self.now = self._now = instant
        self.reached = 0

    def next_instant(self) -> int:
        """When the next event happens; `NEVER` if none is left."""
        return self._queue[0][0] if self._queue else NEVER

    def _step(self) -> None:
        if self.events >= self._fence:
            self._look()
        self.events += 1
        now, priority, _, event = heappop(self._queue)
        if now != self.now:
            self.now = self._now = now
            self.reached = priority
        elif priority > self.reached:
            self.reached = priority
        if event.__class__ is tuple:
            event[0](*event[1])
        else:
            self._happen(event)

    def _happen(self, event: Any) -> None:
        """What SimPy's own `step` does with an event."""
        callbacks, event.callbacks = event.callbacks, None
        for callback in callbacks:
            callback(event)
        if not event._ok and not hasattr(event, "_defused"):
            raise event._value
