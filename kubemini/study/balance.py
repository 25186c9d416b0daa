"""Connections dealt to pods, as a Service deals them: how even is it, and what is to be expected.

A hand is one deal of so many connections to so many pods; the kernel's own pick, seeded.
"""

from collections import Counter
from dataclasses import dataclass
from math import sqrt

from kubemini.network.decide.services.picking import pick
from kubemini.sim.chance import Draws


@dataclass(frozen=True, slots=True)
class Hands:
    """*dealt*: for each hand, how many of *connections* each of *pods* got."""

    pods: int
    connections: int
    dealt: tuple[tuple[int, ...], ...]

    @property
    def idle(self) -> float:
        """How many pods got nothing, on average."""
        return sum(hand.count(0) for hand in self.dealt) / len(self.dealt)

    @property
    def idle_expected(self) -> float:
        """The same in theory: n (1 - 1/n)^m."""
        return self.pods * (1 - 1 / self.pods) ** self.connections

    @property
    def cv_expected(self) -> float:
        """How far shares differ, as standard deviation over mean: √((n-1)/m)."""
        return sqrt((self.pods - 1) / self.connections)


def deal(pods: int, connections: int, seed: int) -> tuple[int, ...]:
    """One hand: how many connections each pod got."""
    draws = Draws(seed, f"balance/{pods}/{connections}")
    got = Counter(pick(range(pods), draws.u(number)) for number in range(connections))
    return tuple(got[pod] for pod in range(pods))


def hands(pods: int, connections: int, many: int = 8) -> Hands:
    """*many* hands of one kind, each with a seed of its own."""
    return Hands(pods, connections, tuple(deal(pods, connections, seed) for seed in range(1, many + 1)))


def cv(shares: tuple[int, ...] | list[int]) -> float:
    """How far *shares* differ: their standard deviation over their mean, 0 if all are equal."""
    mean = sum(shares) / len(shares)
    return sqrt(sum((share - mean) ** 2 for share in shares) / len(shares)) / mean if mean else 0.0
