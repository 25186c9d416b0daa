"""What a program does with its connections: a pool of kept ones, HTTP/2 on one, retries, their budget. Pure.

A Service picks an endpoint for a **connection**; a client decides how many it opens and how long it keeps them. So the
client, not the Service, decides how requests are shared:
    HTTP/1.1, nothing kept     a connection a request: every request is dealt anew
    HTTP/1.1 with a pool       as many connections as requests at once; an idle one is taken before a new one is made
    HTTP/2 (gRPC)              one connection for everything, until it ends

A retry is a request that nobody asked for. `Patience` says when one is made; a `Budget` says when there were enough.
Invariant: a connection that was lost, or is to carry nothing new, is never taken again.
Models go net/http Transport.queueForIdleConn, Transport.tryPutIdleConn, Transport.removeIdleConn
Models grpc/grpc-go . retryThrottler.throttle, retryThrottler.successfulRPC
Jitter is "full jitter" as M. Brooker describes it, "Exponential Backoff And Jitter" (2015).
Simplified: an idle connection is never closed because it idles; HTTP/2 has no limit of requests at once.
"""

from dataclasses import dataclass, field

from kubemini.sim.units import MS, SECOND

WHOLE = 1 << 64
TOKEN_RATIO = 10  # of so many successes one token comes back: tokenRatio 0.1 in gRPC's own example


@dataclass(frozen=True, slots=True)
class Habits:
    """How a client treats its connections.

    *http2*: one connection carries all; else *idle* ones are kept at most (MaxIdleConnsPerHost; 0 for none).
    *most*: requests on a connection before it is closed, 0 for any.
    """

    http2: bool = False
    idle: int = 2
    most: int = 0


@dataclass(frozen=True, slots=True)
class Patience:
    """What a client does when a try fails: how long it waits for one (*timeout*, µs), and when it tries again.

    The n-th wait is *base* · 2ⁿ (µs), at most *cap*; with *jitter* a time drawn between 0 and that. *budget*: so many
    tokens, of which a failure costs one (`Budget`); 0 for no such limit.
    """

    timeout: int = SECOND
    retries: int = 0
    base: int = 100 * MS
    cap: int = 10 * SECOND
    jitter: bool = False
    budget: int = 0

    def wait(self, failures: int, drawn: int) -> int:
        """How long (µs) before the next try after so many *failures*; *drawn* is uniform below `WHOLE`."""
        most = min(self.cap, self.base << min(failures - 1, 40))
        return drawn * (most + 1) // WHOLE if self.jitter else most


@dataclass(frozen=True, slots=True)
class Custom:
    """What the pods of *workloads* do: send a request to *service* every *every* µs.

    Each from an instant of its own; *together*: all in the same instants, as by a clock.
    """

    workloads: tuple[str, ...]
    service: str
    every: int
    together: bool
    habits: Habits
    patience: Patience


class Budget:
    """How many retries a client can afford: failures cost a token, successes earn a tenth of one.

    While half of them are gone, nothing is tried again. All requests of a client draw on one budget.
    """

    def __init__(self, tokens: int):
        self.most = self.tenths = tokens * TOKEN_RATIO

    def failed(self) -> bool:
        """A try has failed: whether a retry can be afforded."""
        if not self.most:
            return True
        self.tenths = max(0, self.tenths - TOKEN_RATIO)
        return 2 * self.tenths > self.most

    def succeeded(self) -> None:
        """A try was answered."""
        self.tenths = min(self.most, self.tenths + 1)


@dataclass(slots=True)
class Use:
    """What a connection carries: requests *under_way* and *ever*; *retired*: it takes no new ones."""

    under_way: int = 0
    ever: int = 0
    retired: bool = False


@dataclass(slots=True)
class Pool:
    """The connections of one client to one Service, by number, in the order of their last use."""

    habits: Habits = field(default_factory=Habits)
    used: dict[int, Use] = field(default_factory=dict)

    def take(self) -> int | None:
        """The connection for a new request, which is under way from now on; None: dial one.

        Of several that idle, the one that was used last.
        """
        fit = [n for n, use in self.used.items() if not use.retired and (self.habits.http2 or not use.under_way)]
        if not fit:
            return None
        self._begin(fit[-1])
        return fit[-1]

    def opened(self, number: int) -> None:
        """A connection was dialled for a request, which is under way on it."""
        self.used[number] = Use()
        self._begin(number)

    def _begin(self, number: int) -> None:
        use = self.used[number]
        use.under_way, use.ever = use.under_way + 1, use.ever + 1
        use.retired = use.retired or 0 < self.habits.most <= use.ever

    def finished(self, number: int) -> bool:
        """A request on it is over, answered or not: whether the client closes the connection now."""
        use = self.used.get(number)
        if use is None:
            return False
        use.under_way -= 1
        if use.under_way:
            return False
        self.used[number] = self.used.pop(number)
        idle = sum(not other.under_way for other in self.used.values())
        if use.retired or (not self.habits.http2 and idle > self.habits.idle):
            del self.used[number]
            return True
        return False

    def retire(self, number: int) -> bool:
        """It carries nothing new, what is under way ends in peace: whether it can be closed now."""
        use = self.used.get(number)
        if use is None:
            return False
        use.retired = True
        if use.under_way:
            return False
        del self.used[number]
        return True

    def lost(self, number: int) -> None:
        """It broke, or was closed in the middle."""
        self.used.pop(number, None)
