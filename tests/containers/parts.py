"""A runtime that holds one container and nothing else: a clock, a log, and what it was told."""

import heapq
from collections.abc import Callable
from typing import Any

from kubemini.containers import OUT, Inside, Setting, program_for
from kubemini.sim.units import HOUR


class Timer:
    """One entry of the queue."""

    def __init__(self, act: Callable[[], None]):
        self.act, self.cancelled = act, False

    def cancel(self) -> None:
        """Forget it."""
        self.cancelled = True


class Bench:
    """A container on a bench; *came* answers what it asks the network."""

    def __init__(self, image: str, *args: str, command: tuple[str, ...] = (), came: Any = None, **setting: Any):
        self.now, self._queue, self.events = 0, list[tuple[int, int, Timer]](), 0
        self.output: list[tuple[int, int, bytes]] = []
        self.end: tuple[int, int, str] | None = None  # (instant, code, reason)
        self.changes = 0
        self.defects: list[tuple[str, Exception]] = []
        self.asked: list[tuple[str, str]] = []
        self.came = came
        self.inside = Inside(program_for(image, command, args), Setting(**setting), self)

    # -- Runtime
    @property
    def wall(self) -> int:
        """The date: nobody sets the clock of a bench."""
        return self.now

    def after(self, delay: int, act: Callable[..., None], *args: Any) -> Timer:
        """In *delay* µs."""
        timer = Timer(lambda: act(*args))
        self.events += 1
        heapq.heappush(self._queue, (self.now + delay, self.events, timer))
        return timer

    def say(self, stream: int, data: bytes) -> None:
        """It writes."""
        self.output.append((self.now, stream, data))

    def ended(self, code: int, reason: str) -> None:
        """It ends, once."""
        assert self.end is None, "a container ends once"
        self.end = self.now, code, reason

    def failed(self, program: str, error: Exception) -> None:
        """A program of its own fails."""
        self.defects.append((program, error))

    def changed(self) -> None:
        """Ask again."""
        self.changes += 1

    def ask(self, what: str, of: str, then: Callable[[Any], None]) -> None:
        """The network answers at once."""
        self.asked.append((what, of))
        then(self.came)

    # -- what a test does
    def start(self) -> "Bench":
        """Start it."""
        self.inside.start()
        return self

    def run(self, until: int = HOUR) -> "Bench":
        """Let time pass."""
        while self._queue and self._queue[0][0] <= until:
            self.now, _, timer = heapq.heappop(self._queue)
            if not timer.cancelled:
                timer.act()
        self.now = until
        return self

    @property
    def waiting(self) -> int:
        """Events that are still to come."""
        return sum(not timer.cancelled for _, _, timer in self._queue)

    @property
    def said(self) -> str:
        """All it has written to standard output."""
        return b"".join(data for _, stream, data in self.output if stream == OUT).decode()

    def exec(self, *argv: str) -> tuple[list[int], str]:
        """A command, until it ends: its exit codes (one), and what it says."""
        codes, said = list[int](), list[bytes]()
        self.inside.exec(argv, lambda stream, data: said.append(data), codes.append)
        return codes, b"".join(said).decode()
