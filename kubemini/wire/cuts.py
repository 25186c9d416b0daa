"""What a cut does to the connections that two members keep: it holds back, and TCP's next try gets through.

Theory of operation
===================
**TCP tries again.** Members send each other datagrams over kept TCP connections. While nothing passes,
TCP keeps what is sent and tries again after about 0.2, 0.6, 1.5, 3.2, 6.5 s …; once the cut has healed,
the next try gets everything through, in order. What is sent meanwhile waits behind it. So a member that
was cut off for 6 s hears its peers again some 0.5 s after the cut, and a proposal that was on its way
comes late; after a cut of a minute the next try is 20 s and more away.

**Nobody gives the connection up.** rafthttp's limit for reading (5 s) stands in a dialer that its
transport does not use: etcd client/pkg transport NewTimeoutTransport sets Dial, but NewTransport has set
DialContext, which net/http prefers. Who notices is a sender whose kernel takes no more, as a leader's
whose heartbeats fill its buffer: 5 s later (ConnWriteTimeout) its messages go by connections of their
own, but for entries, whose stream is another. So its heartbeats are heard at once, and entries late.

**When the neighbour is forgotten.** From then on each try is answered by "host unreachable", and its
doubling is taken back (RFC 6069, Linux tcp_ld_RTO_revert): tries come at equal distances.

Invariant: only the end of either program loses what is held back.
Seen in trials of etcd 3.7.3: cut off for 60 s, tries after 26.7, 53.7 and 80.5 s, entries again at
80.7 s; timeouts double, RFC 6298 section 5.5.
Simplified: the first try is counted from the cut, not from the first packet after it; heartbeats are
not held back, for they say nothing new; Linux limits how often it says "host unreachable", so there a
try may be doubled all the same.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kubemini.sim.units import MINUTE

LONGEST = 2 * MINUTE  # TCP_RTO_MAX


def next_try(since: int, now: int, timeout: int, forgotten: int | None = None) -> int:
    """The first instant from *now* on at which TCP tries again what has gone unanswered *since*.

    From the instant *forgotten* on nobody knows where the neighbour is.
    """
    at = since
    while at < now:
        at += timeout
        if forgotten is None or at < forgotten:
            timeout = min(2 * timeout, LONGEST)
    return at


class Held(NamedTuple):
    """A datagram that a cut holds back: what makes it arrive, and its rank among deliveries of one instant."""

    act: Callable[..., Any]
    args: tuple
    priority: int


class Room(NamedTuple):
    """What a sender has room for, and for how long it waits when there is none."""

    stream: int  # datagrams that wait in the program: streamBufSize
    kernel: int  # datagrams, heartbeats among them, that its kernel takes without an answer
    patience: int  # µs


@dataclass(slots=True)
class Cut:
    """A cut of one direction, as its connection knows it: since when, and between which incarnations."""

    since: int
    ends: tuple[int, int]
    sent: int = 0  # so much since
    full: int | None = None  # when the sender's kernel took no more
    held: list[Held] = field(default_factory=list)

    def beats(self, ends: tuple[int, int], first: int, room: Room, rounds: int = 1, every: int = 0) -> None:
        """A heartbeat is sent at the instant *first*, or *rounds* of them, one *every* so many µs."""
        if ends == self.ends:
            before, self.sent = self.sent, self.sent + rounds
            if self.sent > room.kernel and self.full is None:
                self.full = first + (room.kernel - before) * every

    def hold(self, ends: tuple[int, int], datagram: Held | None, now: int, room: Room) -> None:
        """Something is sent; None is a heartbeat. A program that has begun since has no connection.

        What the sender has no room for is dropped.
        """
        self.beats(ends, now, room)
        if datagram is not None and ends == self.ends and len(self.held) < room.stream:
            self.held.append(datagram)

    def passes(self, ends: tuple[int, int], now: int, timeout: int, forgotten: int | None = None) -> int | None:
        """The first instant from *now* on at which TCP tries again; None: nothing waits for that."""
        if ends != self.ends or not self.sent:
            return None
        return next_try(self.since, now, timeout, forgotten)

    def noticed(self, now: int, room: Room) -> bool:
        """Whether the sender has given its stream of messages up."""
        return self.full is not None and now - self.full >= room.patience
