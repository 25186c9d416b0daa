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

SYN = 1 * SECOND  # the first timeout of what opens a connection: TCP_TIMEOUT_INIT
ORPHAN = 102 * SECOND  # eight retransmissions, 200 ms x (2^9 - 1)
_FLUSH = 1 << 50  # orders the tries of kernels behind the timers of their programs


class Pipe:
    """From *source* to *target*; *stuck* is called when it begins to hold something back."""

    __slots__ = ("_armed", "closed", "held", "net", "since", "source", "stuck", "target", "timeout")

    def __init__(self, net: Network, source: Station, target: Station, stuck: Callable[[], None]):
        self.net, self.source, self.target, self.stuck = net, source, target, stuck
        self.held: list[tuple[Callable[..., Any], tuple]] = []
        self.since = 0  # when the first of them was sent
        self.timeout = net.params.tcp_retransmission_timeout
        self.closed = False  # the program has closed its end: the kernel's patience is short
        self._armed = False

    def send(self, act: Callable[..., Any], *args: Any) -> None:
        """Let ``act(*args)`` happen at the target's kernel, when that can be reached."""
        if not self.held:
            if self.net.send(self.source, self.target.name, CONNECTION, act, *args) is not None:
                return
            self.since = self.net.sim.now
            self.net.watchers.append(self._changed)
        self.held.append((act, args))
        if len(self.held) == 1:
            self.stuck()

    def forget(self) -> None:
        """The kernel has lost its memory, or has given up: what is held is gone."""
        if self.held:
            self.held.clear()
            self.net.watchers.remove(self._changed)

    def _clear(self) -> bool:
        here, there = self.source.host, self.target.host
        return there.powered and self.net.reachable(here.name, there.name)

    def _changed(self) -> None:
        """Reachability may have changed: TCP's next try may get through."""
        if self._armed or not self._clear():
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
            if self.net.send(self.source, self.target.name, CONNECTION, act, *args) is None:
                return
            del held[0]
        self.net.watchers.remove(self._changed)
