"""One direction of a TCP connection: what its sender's kernel keeps until the other one has it.

Invariant: frames arrive in the order of sending, each once; only the loss of power, or a new life of
the reader, loses one. While nothing passes, TCP tries again after 0.2, 0.6, 1.5, 3.2 s …, so what was
sent into a cut arrives some time after it has healed, and what is sent meanwhile waits behind it.
A pipe costs nothing of its own while all is well: it watches the network only while it holds something.
Timeouts double, RFC 6298 section 5.5; a kernel tries for a closed socket some 100 s (tcp_orphan_retries).
Simplified: a frame that was in the air when the power failed is lost, though the sender still had it.
"""

from collections.abc import Callable
from typing import Any

from kubemini.sim.engine import TIMER
from kubemini.sim.units import SECOND
from kubemini.wire.cuts import next_try
from kubemini.wire.network import CONNECTION, Network
from kubemini.wire.station import Station
from kubemini.wire.ways import Way

SYN = 1 * SECOND  # the first timeout of what opens a connection: TCP_TIMEOUT_INIT
ORPHAN = 102 * SECOND  # eight retransmissions, 200 ms x (2^9 - 1)
_FLUSH = 1 << 50  # orders the tries of kernels behind the timers of their programs


class Pipe:
    """From *source* to *target*; *stuck* is called when it begins to hold something back.

    With a *way* the packets go to whoever is there at the time; that may be another than *target*.
    """

    __slots__ = ("_armed", "closed", "held", "net", "since", "source", "stuck", "target", "timeout", "way")

    def __init__(
        self, net: Network, source: Station, target: Station | None, stuck: Callable[[], None], way: Way | None = None
    ):
        self.net, self.source, self.target, self.stuck, self.way = net, source, target, stuck, way
        self.held: list[tuple[Callable[..., Any], tuple]] = []
        self.since = 0  # when the first of them was sent
        self.timeout = net.params.tcp_retransmission_timeout
        self.closed = False  # the program has closed its end: the kernel's patience is short
        self._armed = False

    def send(self, act: Callable[..., Any], *args: Any) -> None:
        """Let ``act(*args)`` happen at the target's kernel, when that can be reached."""
        if not self.held:
            if self._pass(act, args):
                return
        self.hold(act, *args)

    def hold(self, act: Callable[..., Any], *args: Any) -> None:
        """Keep a frame that did not get through, or that nobody was there to acknowledge, for TCP's next try."""
        self.held.append((act, args))
        if len(self.held) == 1:
            self.since = self.net.sim.now
            self.net.watchers.append(self._changed)
            self._look_again()
            self.stuck()

    def _there(self) -> Station | None:
        return self.target if self.way is None else self.way.there()

    def _pass(self, act: Callable[..., Any], args: tuple) -> bool:
        """Send a frame; whether it will arrive."""
        there = self._there()
        if there is None:
            return False
        if there is not self.target and self.way is not None:
            act, args = self.way.astray, (there,)
        return self.net.send(self.source, there.name, CONNECTION, act, *args) is not None

    def _look_again(self) -> None:
        """Of some changes nobody tells: look when they come."""
        at = self.way.again() if self.way is not None else None
        if at is not None:
            self.net.sim.at(max(at, self.net.sim.now), TIMER + (self.source.index << 62) + _FLUSH, self._changed)

    def forget(self) -> None:
        """The kernel has lost its memory, or has given up: what is held is gone."""
        if self.held:
            self.held.clear()
            self.net.watchers.remove(self._changed)

    def _clear(self) -> bool:
        there = self._there()
        return there is not None and there.host.powered and self.net.reachable(self.source.host.name, there.host.name)

    def _changed(self) -> None:
        """Reachability may have changed: TCP's next try may get through."""
        if self._armed or not self.held or not self._clear():
            return
        self._armed = True
        sim = self.net.sim
        at = next_try(self.since, sim.now, self.timeout)
        sim.at(at, TIMER + (self.source.index << 62) + _FLUSH, self._try_again)

    def _try_again(self) -> None:
        self._armed = False
        if not self.held or not self._clear():
            return
        if self.closed and self.net.sim.now - self.since >= ORPHAN:
            self.forget()
            return
        held = self.held
        while held:
            act, args = held[0]
            if not self._pass(act, args):
                self._look_again()
                return
            del held[0]
        self.net.watchers.remove(self._changed)
