"""What a server in a pod can do: so many requests at once, a queue behind them, an end that drains or does not. Pure.

How a server behaves is said by annotations of its pod, as all that real images do by themselves:
    kubemini.io/request-time: 50ms        what one request takes, half to one and a half times that
    kubemini.io/requests-at-once: "4"     workers; further requests wait
    kubemini.io/queue: "100"              so many wait at most; one more is answered 503 at once
    kubemini.io/on-sigterm: drain         it closes idle connections, and the others after their answers; else it dies
    kubemini.io/max-connection-age: 30s   a connection is told to go after so long, a tenth more or less

Invariant: at most *at_once* requests are served, in the order in which they came, whether or not anybody still waits
for the answer: a server does not see that its client has given up.
Models go net/http Server.Shutdown
Models grpc/grpc-go internal/transport http2Server.keepalive (of it the maximum age of a connection)
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from kubemini.api.objects import Obj, get
from kubemini.ranges import Count, Duration, Legal, Unfit
from kubemini.sim.units import DAY, MS, US

PREFIX = "kubemini.io/"
DRAIN = "drain"
TAKES: dict[str, Legal] = {
    "request-time": Duration(US, DAY),
    "requests-at-once": Count(1, 10**6),
    "queue": Count(0, 10**6),
    "max-connection-age": Duration(MS, DAY),
}


@dataclass(frozen=True, slots=True)
class Skill:
    """What a server can do; times in µs, *oldest* of a connection, 0 for any."""

    takes: int = MS
    at_once: int = 1000
    queue: int = 1000
    drains: bool = False
    oldest: int = 0


def skill(pod: Obj) -> Skill:
    """What the annotations of *pod* say; what cannot be read is as if it were not there (`unreadable`)."""
    said = {name: _read(pod, name) for name in TAKES}
    plain = Skill()
    return Skill(
        takes=said["request-time"] or plain.takes,
        at_once=said["requests-at-once"] or plain.at_once,
        queue=plain.queue if said["queue"] is None else said["queue"],
        drains=_text(pod, "on-sigterm") == DRAIN,
        oldest=said["max-connection-age"] or 0,
    )


def unreadable(pod: Obj) -> list[str]:
    """A sentence for each annotation that says nothing a server can do."""
    found = [
        f"the annotation {PREFIX}{name}: {_text(pod, name)} is not {legal}: it does nothing"
        for name, legal in TAKES.items()
        if _text(pod, name) and _read(pod, name) is None
    ]
    if _text(pod, "on-sigterm") not in ("", DRAIN):
        found.append(f"the annotation {PREFIX}on-sigterm: {_text(pod, 'on-sigterm')} is not {DRAIN}: it does nothing")
    return found


def _text(pod: Obj, name: str) -> str:
    return get(pod, "metadata", "annotations", PREFIX + name, default="")


def _read(pod: Obj, name: str) -> Any:
    legal = TAKES[name]
    try:
        found = legal.read(_text(pod, name))
    except Unfit:
        return None
    return found if legal.fits(found) else None


@dataclass(slots=True)
class Desk:
    """The requests of one server: those that are served, and those that wait."""

    skill: Skill
    busy: int = 0
    waiting: deque[Any] = field(default_factory=deque)

    def arrive(self, who: Any) -> bool | None:
        """A request: True, it is served now; None, *who* waits for its turn; False, there is no room."""
        if self.busy < self.skill.at_once:
            self.busy += 1
            return True
        if len(self.waiting) >= self.skill.queue:
            return False
        self.waiting.append(who)
        return None

    def done(self) -> Any:
        """One has been served: who is next, or None."""
        if self.waiting:
            return self.waiting.popleft()
        self.busy -= 1
        return None
