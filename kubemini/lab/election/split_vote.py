"""election.split-vote: the closed form, on the 40 cases of the thesis's table and 200 others.

Invariant: the key is `elections.split_vote`, never a number written down.
"""

from collections.abc import Callable
from random import Random
from typing import Any

from kubemini.judge.elections import split_vote
from kubemini.lab import NotYet, Report, ask, exercise

TABLE = [
    (members, members - failed, latency)
    for members in (3, 5, 7, 9)
    for failed in range(1, members // 2 + 1)
    for latency in (0.01, 0.05, 0.1, 0.2)
]


@exercise("election.split-vote")
def check_split_vote(answer: Any) -> Report:
    """*answer*: a function of members, available members and latency (a share of the range of timeouts)."""
    cases = [*TABLE, *_random_clusters()]
    for case in cases:
        _compare(answer, *case)
    return Report(
        "pass",
        (
            f"{len(cases)} of {len(cases)} clusters, to nine digits",
            f"five members, one down, a latency of a fifth of the range: {ask(answer, 5, 4, 0.2):.1%} split",
            f"and with two down: {ask(answer, 5, 3, 0.2):.1%}",
        ),
        "A split takes enough candidates within one latency that too few voters are left for a majority.",
        "Halve the latency, or double the range: which is cheaper?",
    )


def _random_clusters() -> list[tuple[int, int, float]]:
    dice, found = Random("split-vote"), []
    for _ in range(200):
        members = dice.randint(1, 12)
        found.append((members, dice.randint(members // 2 + 1, members), round(dice.random(), 3)))
    return found


def _compare(answer: Callable[..., Any], members: int, available: int, latency: float) -> None:
    got, right = ask(answer, members, available, latency), split_vote(members, available, latency)
    case = f"{members} members, {available} up, latency {latency}: {right:.4f}, you say {got!r}"
    if isinstance(got, bool) or not isinstance(got, int | float):
        raise NotYet(f"A probability is a number; yours is {got!r}.")
    if abs(got - right) < 1e-9:
        return
    if abs(got - split_vote(members, members, latency)) < 1e-9:
        raise NotYet("You let the members that are down time out too: only those that are up can stand.", case)
    if abs(got - (1 - right)) < 1e-9:
        raise NotYet("That is the probability that somebody wins; asked is the other one.", case)
    raise NotYet(
        "That is not how often votes split.",
        case,
        next="Fewest candidates for a split: available - members // 2 + 1. The first stands anyway; how many more?",
    )
