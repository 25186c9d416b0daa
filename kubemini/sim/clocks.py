"""Clocks that are wrong: what a program reads of its own, and when its timers fire.

Theory of operation.

A program reads two clocks. `Sim.now` only grows; durations, deadlines and timers are measured with it (Linux's
CLOCK_MONOTONIC, what Go compares of two instants of its own). `Sim.wall` is the date (CLOCK_REALTIME): what is written
into an object, and what is compared with the dates that others wrote. Both are the true time until a clock is skewed.
Then the program is given a view of the same simulation, `OwnTime`, in which these two say something else, and instants
and delays that it asks for are its own. What it records is told at the true instant; the wire keeps true time.

Invariant: `now` never jumps: who sets the date moves `wall` alone. No timer fires before its own clock says so.
Simplified: a timer that was set before the rate changed fires when it would have; so does what a program takes for its
own work, as if a slow clock made a slow processor.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import simpy

from kubemini.sim.engine import Sim


@dataclass(frozen=True, slots=True)
class Clock:
    """At the true instant *since* `now` was *read* and `wall` was *ahead* of it; both run at *rate*."""

    since: int = 0
    read: int = 0
    ahead: int = 0
    rate: Fraction = Fraction(1)

    def reading(self, true: int) -> int:
        """What it says at a *true* instant, µs."""
        return self.read + (true - self.since) * self.rate.numerator // self.rate.denominator

    def shown(self, own: int) -> int:
        """The first true instant at which it says *own*."""
        return self.since - (self.read - own) * self.rate.denominator // self.rate.numerator


class OwnTime(Sim):
    """*sim*, as a program sees it that goes by *clock*: all that is in it is shared."""

    __slots__ = ("clock",)

    def __init__(self, sim: Sim, clock: Clock):
        self.__dict__ = sim.__dict__
        self.clock = clock

    @property
    def now(self) -> int:  # type: ignore[override]  # what is an attribute of all others
        """Its own time, µs."""
        return self.clock.reading(self._now)

    @property
    def wall(self) -> int:
        """Its own date, µs."""
        return self.now + self.clock.ahead

    def at(self, instant: int, priority: int, act: Callable[..., Any], args: tuple = ()) -> None:
        """`Sim.at`, at an *instant* of its own."""
        Sim.at(self, max(self._now, self.clock.shown(instant)), priority, act, args)

    def occur(self, delay: int, priority: int, act: Callable[..., Any], *args: Any) -> None:
        """`Sim.occur`, after a *delay* of its own."""
        self.at(self.now + delay, priority, act, args)

    def timeout(self, delay: float = 0, value: Any = None) -> simpy.Timeout:
        """`simpy.Environment.timeout`, after a *delay* of its own."""
        true = self.clock.shown(self.now + round(delay)) - self._now
        return simpy.Timeout(self, max(0, true), value)


def skewed(sim: Sim, offset: int, rate: Fraction) -> OwnTime:
    """The view that somebody has whose view was *sim*, when the clock is set."""
    before = sim.clock if isinstance(sim, OwnTime) else Clock()
    true = sim._now
    read = before.reading(true)
    return OwnTime(sim, Clock(true, read, true + offset - read, rate))
