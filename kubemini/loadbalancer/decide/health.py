"""HAProxy's opinion of one server: a counter of health, and rules for when it becomes up or down. Pure.

Invariant: an up server goes down after *fall* failed checks in a row, a down one comes up after *rise* good ones in a
row; a single result in between starts the count again.
HAProxy 2.6 configuration manual, "rise" and "fall"; a server starts up, but goes down at the first failure.
Models haproxy src/check.c check_notify_success
Models haproxy src/check.c check_notify_failure
"""

from dataclasses import dataclass


@dataclass(slots=True)
class ServerHealth:
    """`value` runs from 0 to rise + fall - 1; from *rise* on the server is up."""

    rise: int
    fall: int
    value: int = -1

    def __post_init__(self) -> None:
        self.value = self.rise if self.value < 0 else self.value

    @property
    def up(self) -> bool:
        """Whether new connections may go there."""
        return self.value >= self.rise

    @property
    def full(self) -> bool:
        """Whether another good check would change nothing."""
        return self.value == self.rise + self.fall - 1

    def passed(self) -> bool:
        """A check succeeded; True if that brings the server up."""
        was = self.up
        self.value = self.rise + self.fall - 1 if self.value + 1 >= self.rise else self.value + 1
        return self.up and not was

    def failed(self) -> bool:
        """A check failed; True if that takes the server down."""
        was = self.up
        self.value = self.value - 1 if self.value > self.rise else 0
        return was and not self.up


def next_server(servers: list[str], up: dict[str, bool], turn: int, sessions: dict[str, int], balance: str) -> int:
    """The place in *servers* of the one that gets the next connection, or -1 if none is up.

    *turn* is the place after the last one chosen. roundrobin takes the next that is up; leastconn the one with the
    fewest sessions, the next in turn among equals.
    """
    order = [(turn + i) % len(servers) for i in range(len(servers))]
    ready = [i for i in order if up[servers[i]]]
    if not ready:
        return -1
    return min(ready, key=lambda i: sessions[servers[i]]) if balance == "leastconn" else ready[0]
