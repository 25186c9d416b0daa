"""Closed forms of availability: what share of the time a control plane can answer, if failures are independent.

Invariant: every function is exact; a simulation must come out at it. *host_up*, *zone_up*, … are shares from 0 to 1.
Binomial tail of k-of-n systems, any textbook on reliability (Barlow and Proschan, 1975).
Simplified: hosts fail for reasons of their own; a shared cause (one switch, one bad release) is not here.
"""

from collections.abc import Sequence
from itertools import product
from math import comb, prod

MINUTES_A_YEAR = 365 * 24 * 60


def majority(members: int) -> int:
    """How many of *members* must agree."""
    return members // 2 + 1


def at_least(k: int, n: int, up: float) -> float:
    """The probability that at least *k* of *n* are up, each with probability *up*."""
    return sum(comb(n, i) * up**i * (1 - up) ** (n - i) for i in range(k, n + 1))


def quorum(members: int, host_up: float) -> float:
    """How much of the time a majority of the members is up."""
    return at_least(majority(members), members, host_up)


def stacked(members: int, host_up: float) -> float:
    """Every host holds an API server and a member: a majority of hosts is enough, and less is not."""
    return quorum(members, host_up)


def external(api_servers: int, members: int, host_up: float) -> float:
    """One API server and a majority of the members, all on hosts of their own."""
    return at_least(1, api_servers, host_up) * quorum(members, host_up)


def zones(placement: Sequence[int], zone_up: float, host_up: float) -> float:
    """*placement* says how many members stand in each zone; a zone that is down takes its members along."""
    needed, total = majority(sum(placement)), 0.0
    for alive in product((True, False), repeat=len(placement)):
        chance = prod(zone_up if up else 1 - zone_up for up in alive)
        left = sum(n for n, up in zip(placement, alive, strict=True) if up)
        total += chance * at_least(needed, left, host_up)
    return total


def survives_any_zone(placement: Sequence[int]) -> bool:
    """Whether the members outside any one zone are a majority."""
    return sum(placement) - max(placement) >= majority(sum(placement))


def minutes_down(availability: float) -> float:
    """Minutes a year without."""
    return (1 - availability) * MINUTES_A_YEAR
