"""election.sites: a range of timeouts for three sites, tried in 1,000 elections and in a year of lost heartbeats."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from kubemini.lab import NotYet, Report, exercise
from kubemini.study.elections import WAN, Setting, elections, percentile

SEEDS = range(1, 21)
HEARTBEAT, JITTER, LOST = 100, 10, 0.01  # ms, ms, the share of heartbeats that do not arrive
SLOWEST, OFTEN = 1250, 1.0  # ms for 99 % of the elections; false elections a day
DAY = 24 * 3600 * 1000 // HEARTBEAT


def false_elections(low: float, high: float, followers: int = 4) -> float:
    """How often a day a follower gives up a healthy leader, because heartbeats in a row were lost."""
    steps = 1000
    timeouts = (low + (high - low) * (n + 0.5) / steps for n in range(steps))
    return sum(followers * DAY * LOST ** ((timeout - JITTER) // HEARTBEAT) for timeout in timeouts) / steps


@exercise("election.sites")
def check_sites(answer: Any) -> Report:
    """*answer*: the lower and the upper end of the timeouts, in milliseconds."""
    low, high = _range(answer)
    often = false_elections(low, high)
    if often > OFTEN:
        raise NotYet(
            f"{often:,.1f} times a day a follower would give up a healthy leader; at most once is allowed.",
            f"the shortest timeout, {low:g} ms, is over once {(low - JITTER) // HEARTBEAT:.0f} in a row fail to come",
            next="Wait longer before you stand.",
        )
    times = _far_apart(low, high)
    slow = percentile(times, 0.99)
    if slow > SLOWEST:
        splits = "Votes split again and again" if high - low < 250 else "Everybody waits too long"
        raise NotYet(
            f"One election in a hundred takes {_ms(slow)} or longer; {SLOWEST} ms are allowed.",
            f"half of them take less than {_ms(percentile(times, 0.5))}",
            next=f"{splits}: look at the width of the range, {high - low:g} ms, and at its beginning.",
        )
    return Report(
        "pass",
        (
            f"{len(times)} elections under {len(SEEDS)} seeds: half within {_ms(percentile(times, 0.5))}, "
            f"99 of 100 within {_ms(slow)}",
            f"false elections: {often:.2f} a day",
        ),
        "Long enough to forgive lost heartbeats, wide enough to keep candidates apart, and no longer than that.",
        "etcd's rule of thumb: the heartbeat about one round trip, the election timeout at least ten of them.",
    )


def _range(answer: Any) -> tuple[float, float]:
    try:
        low, high = (float(end) for end in answer)
    except (TypeError, ValueError):
        raise NotYet(f"Two numbers are asked for, such as (150, 300); yours is {answer!r}.") from None
    if not HEARTBEAT <= low <= high <= 10_000:
        raise NotYet(f"From {low:g} to {high:g} ms is no range: at least one heartbeat, {HEARTBEAT} ms, and upwards.")
    return low, high


def _far_apart(low: float, high: float) -> Sequence[float]:
    """How long elections take, in order; no more of them than it takes to see that half of them are too slow."""
    setting: Setting = replace(WAN, timeout=(low, high))
    first = sorted(elections(setting, 50, SEEDS[0]))
    if percentile(first, 0.5) > SLOWEST:
        return first
    return sorted(first + [time for seed in SEEDS[1:] for time in elections(setting, 50, seed)])


def _ms(time: float) -> str:
    return f"{time:.0f} ms" if time < float("inf") else "15 s and more"
