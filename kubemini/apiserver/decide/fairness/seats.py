"""How much room a request takes: seats, and for how long. Pure.

    of_list(stored=1000, size=1000, limit=100, …)    1 seat for each 100 kB that it holds in memory at once
    of_write(watchers=50)                            1, and 5 more seats for 5 ms after it: the watchers must be told

Models k/apiserver pkg/util/flowcontrol/request listWorkEstimator.seatsBasedOnObjectSize
listWorkEstimator.seatsBasedOnObjectCount mutatingWorkEstimator.estimate.
"""

from math import ceil
from typing import NamedTuple

from kubemini.sim.units import MS

LEAST, MOST = 1, 10
PER_SEAT = 100_000  # bytes of objects that one seat stands for
STREAMED = 1_000_000  # bytes that a list from the cache holds at once at most, since it goes out in pieces
UNKNOWN_SIZE = 1_500_000  # bytes of an object whose size nobody knows
OBJECTS_PER_SEAT = 100
WATCHERS_PER_SEAT = 10
TELLING = 5 * MS  # µs that one seat is busy telling ten watchers


class Work(NamedTuple):
    """What a request takes: *first* seats while it runs, *last* for *more* µs after it."""

    first: int = LEAST
    last: int = 0
    more: int = 0

    @property
    def seats(self) -> int:
        """What is set aside for it, from its beginning to its end."""
        return max(self.first, self.last)


def of_list(stored: int, size: int, limit: int, from_cache: bool, selects: bool, single: bool) -> int:
    """Seats of a LIST of *stored* objects of *size* bytes each, before the limits of its level."""
    size = UNKNOWN_SIZE if size <= 0 and stored else size
    limited = min(limit, stored) if limit > 0 else stored
    held = limited
    if single:
        held = 1
    elif not from_cache and selects:
        held = max(limited, stored // 2)
    memory = held * size
    return ceil((min(memory, STREAMED) if from_cache else memory) / PER_SEAT)


def of_count(stored: int, limit: int, from_cache: bool, selects: bool, single: bool) -> int:
    """The same, by the number of objects alone: how servers before 1.34 reckon."""
    limited = min(limit, stored) if limit > 0 else stored
    if single:
        read = 1
    elif from_cache:
        read = stored
    else:
        read = stored + limited if selects else 2 * limited
    return ceil(read / OBJECTS_PER_SEAT)


def bounded(seats: int, most: int) -> int:
    """*seats* within what a level grants: *most* of its own, 0 if it has none."""
    top = MOST if most == 0 or most > MOST else most
    return min(max(seats, LEAST), top)


def of_write(watchers: int, most: int) -> Work:
    """What a write takes, of whose object so many *watchers* must be told."""
    if watchers < WATCHERS_PER_SEAT:
        return Work()
    last = ceil(watchers / WATCHERS_PER_SEAT)
    work = last * TELLING
    last = min(last, MOST if most == 0 or most > MOST else most)
    return Work(LEAST, last, work // last)
