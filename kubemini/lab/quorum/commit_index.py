"""quorum.commit-index: the leader's rule, what is committed.

Compared with the paper's (§5.3, §5.4.2) on figure 8 and 200 logs.
"""

from collections.abc import Callable
from random import Random
from typing import Any

from kubemini.lab import NotYet, Report, ask, exercise

FIGURE_8 = ([4, 4, 2, 1, 1], [1, 2, 4, 4]), ([3, 3, 3, 1, 1], [1, 2, 2, 4])


def commit_index(match: list[int], terms: list[int]) -> int:
    """The paper's rule: on a majority, and of the leader's own term; what comes before is committed with it."""
    reached = sorted(match, reverse=True)[len(match) // 2]
    return reached if reached and terms[reached - 1] == terms[-1] else 0


@exercise("quorum.commit-index")
def check_commit_index(answer: Any) -> Report:
    """*answer*: a function of each member's match index and the terms of the leader's log."""
    cases = [*_plain_cases(), *FIGURE_8, *_random_logs()]
    for match, terms in cases:
        _compare(answer, match, terms)
    held = sum(_majority_has(match) != commit_index(match, terms) for match, terms in cases)
    return Report(
        "pass",
        (
            f"{len(cases)} of {len(cases)} logs of 1 to 7 members",
            f"in {held} of them a majority holds an entry that must wait, because it is of an older term",
        ),
        "Committed is what a majority has on disk, counted only for entries of the leader's own term.",
        "Figure 8 of the Raft paper shows what goes wrong without the last half of that sentence.",
    )


def _plain_cases() -> list[tuple[list[int], list[int]]]:
    return [
        ([3], [1, 1, 1]),
        ([3, 3, 0], [1, 1, 1]),
        ([3, 2, 1], [1, 1, 1]),
        ([5, 0, 0], [1] * 5),
        ([4, 4, 2, 2], [1] * 4),
    ]


def _random_logs() -> list[tuple[list[int], list[int]]]:
    dice, logs = Random("commit"), []
    for _ in range(200):
        terms = sorted(dice.choice([1, 1, 2, 3]) for _ in range(dice.randint(1, 8)))
        logs.append(([len(terms), *(dice.randint(0, len(terms)) for _ in range(dice.randint(0, 6)))], terms))
    return logs


def _majority_has(match: list[int]) -> int:
    return sorted(match, reverse=True)[len(match) // 2]


def _compare(answer: Callable[..., Any], match: list[int], terms: list[int]) -> None:
    got, right = ask(answer, list(match), list(terms)), commit_index(match, terms)
    if got == right and not isinstance(got, bool):
        return
    counted = _majority_has(match)
    case = f"match {match}, terms {terms}: {right} is committed, you say {got!r}"
    if got == counted:
        raise NotYet(
            f"You count an entry of term {terms[counted - 1]} although the leader leads term {terms[-1]}.",
            case,
            next="A later leader may still overwrite it: commit it only together with an entry of the leader's term.",
        )
    if isinstance(got, int) and got > counted:
        raise NotYet(
            f"Entry {got} is on {sum(m >= got for m in match)} of {len(match)} disks: that is no majority.",
            case,
        )
    raise NotYet(f"With match {match} and terms {terms} the commit index is {right}, not {got!r}.", case)
