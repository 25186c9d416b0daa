"""What a cut does to the connection that two members keep: it holds back, and loses only with the connection.

Members send each other datagrams over kept TCP connections. While nothing passes, TCP keeps what is
sent and tries again after about 0.2, 0.6, 1.5, 3.2, 6.5 s …; once the cut has healed, the next try gets
everything through, in order. What is sent meanwhile waits behind it. So a member that was cut off for
6 s hears its peers again some 0.5 s after the cut, and a proposal that was on its way comes late.
After a long cut the next try would be minutes away; long before the reader has given the silent connection
up (rafthttp, ConnReadTimeout) and dials: a new connection stands first, and what the old one held is lost.
Invariant: only the end of either program, or of the connection, loses what is held back.
Seen in trials of etcd 3.7.3; timeouts double, RFC 6298 section 5.5.
Simplified: the first try is counted from the cut, not from the first packet after it; heartbeats are
not held back, for they say nothing new; a new connection stands as soon as the cut has healed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kubemini.sim.units import MINUTE

LONGEST = 2 * MINUTE  # TCP_RTO_MAX


def next_try(since: int, now: int, timeout: int) -> int:
    """The first instant from *now* on at which TCP tries again what has gone unanswered *since*."""
    at = since
    while at < now:
        at, timeout = at + timeout, min(2 * timeout, LONGEST)
    return at


class Held(NamedTuple):
    """A datagram that a cut holds back: what makes it arrive, and its rank among deliveries of one instant."""

    act: Callable[..., Any]
    args: tuple
    priority: int


@dataclass(slots=True)
class Cut:
    """A cut of one direction, as its connection knows it: since when, and between which incarnations."""

    since: int
    ends: tuple[int, int]
    unanswered: bool = False  # whether anything at all has been sent since
    held: list[Held] = field(default_factory=list)

    def hold(self, ends: tuple[int, int], datagram: Held | None, most: int) -> None:
        """Something is sent; None is a heartbeat. A program that has begun since has no connection.

        The sender keeps *most* datagrams, and drops what comes on top.
        """
        if ends == self.ends:
            self.unanswered = True
            if datagram is not None and len(self.held) < most:
                self.held.append(datagram)

    def passes(self, ends: tuple[int, int], now: int, timeout: int, patience: int, redial: int) -> int | None:
        """The first instant from *now* on at which TCP tries again; None: nothing waits for that.

        Nothing does if the reader, whose *patience* is over, has a new connection before: *redial* µs after the heal.
        """
        if ends != self.ends or not self.unanswered:
            return None
        at = next_try(self.since, now, timeout)
        return None if now - self.since >= patience and at - now > redial else at
