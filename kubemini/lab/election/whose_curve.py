"""election.whose-curve: which of seven curves of figure 16 a sample of elections belongs to, 20 times."""

from collections.abc import Sequence
from random import Random
from typing import Any

from kubemini.lab import NotYet, Report, ask, exercise
from kubemini.lab.election.figure16 import LENGTH, PUBLISHED
from kubemini.study.elections import Setting, elections, percentile

SEEDS = range(1, 21)
APART = {range_: PUBLISHED[range_] for range_ in (*LENGTH, (150, 155), (150, 151))}  # medians that differ by a third
SAMPLE = 60


def sample(seed: int) -> tuple[tuple[int, int], list[float]]:
    """A range of the figure, and how long so many elections with it took, in no order."""
    dice = Random(f"figure-16/{seed}")
    secret = dice.choice(list(APART))
    times = [round(time, 1) for time in elections(Setting(secret), SAMPLE, seed)]
    dice.shuffle(times)
    return secret, times


@exercise("election.whose-curve")
def check_figure(answer: Any) -> Report:
    """*answer*: a function of times and of the published medians {range: ms}: the range that the times belong to."""
    off = [_recognised(seed, answer) for seed in SEEDS]
    return Report(
        "pass",
        (
            f"{len(off)} of {len(off)} samples of {SAMPLE} elections",
            f"the median of a sample was {min(off) - 1:+.0%} to {max(off) - 1:+.0%} off the published one",
        ),
        "The book's own machine gives the curves of 2014, and a median is enough to tell them apart.",
        "Which two of the figure's curves could you not tell apart with so few elections?",
    )


def _recognised(seed: int, answer: Any) -> float:
    """The sample's median as a share of the published one. Raises NotYet if *answer* names another range."""
    secret, times = sample(seed)
    got = ask(answer, list(times), dict(APART))
    median = percentile(sorted(times), 0.5)
    if got not in list(APART):
        raise NotYet(f"Return one of the ranges, such as (150, 300), not {got!r}.")
    if got != secret:
        extremes = (min(times), max(times))
        what = "One lucky or unlucky election decides" if _nearest(extremes, got) else "That is another curve"
        said = f"published for {got}: {APART[got]} ms, for {secret}: {APART[secret]} ms"
        raise NotYet(f"{what}: ask when half of them were over.", f"sample {seed}: half within {median:.0f} ms", said)
    return median / APART[secret]


def _nearest(times: Sequence[float], got: tuple[int, int]) -> bool:
    """Whether *got* has the published median next to one of *times*."""
    return any(min(APART, key=lambda range_: abs(APART[range_] - time)) == got for time in times)
