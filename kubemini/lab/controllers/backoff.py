"""controllers.backoff: how long a key that has failed waits, by the histogram of many retries."""

from statistics import mean
from typing import Any

from kubemini.lab import NotYet, Report, ask, exercise
from kubemini.lab.controllers.methods import answered, called
from kubemini.ranges import shown

KEYS, BASE, CAP = 500, 1.0, 60.0
ATTEMPTS = 9
METHODS = ("failed", "done")
SLICES = 10


@exercise("controllers.backoff")
def check_backoff(answer: Any) -> Report:
    """*answer*: a class with ``failed(key)`` → seconds to wait, and ``done(key)``."""
    lacks = [name for name in METHODS if not callable(getattr(answer, name, None))]
    if not isinstance(answer, type) or lacks:
        raise NotYet(f"Give check() the class itself, with {', '.join(METHODS)}; it got {shown(answer)}.")
    queue = ask(answer)
    keys = [f"default/web-{number}" for number in range(KEYS)]
    waits = [[wait(queue, key) for key in keys] for _ in range(ATTEMPTS)]
    for attempt, found in enumerate(waits):
        _in_range(attempt, found)
        _spread(attempt, found)
    means = [mean(found) for found in waits]
    called(queue.done, keys[0])
    first, other = wait(queue, keys[0]), wait(queue, keys[1])
    if first > 2 * BASE:
        raise NotYet(f"A key that has succeeded fails again, and waits {first:.1f} s: done() must forget its failures.")
    if other < CAP / 2:
        raise NotYet(f"{keys[0]} succeeded, and {keys[1]} waits only {other:.1f} s: each key has its own failures.")
    most = max(_crowd(found) for found in waits)
    return Report(
        "pass",
        (
            "mean waits: " + ", ".join(f"{one:.1f}" for one in means) + " s",
            f"of {KEYS} keys that failed together at most {most} came back in the same tenth of their time",
            "a key that succeeded began anew, the others did not",
        ),
        "Longer each time spares the one that is ill, by chance spares it the crowd.",
        "How long does a key wait at most that fails for an hour, and who wakes it earlier?",
    )


def wait(queue: Any, key: str) -> float:
    """What it says. Raises NotYet for what is no time."""
    found = answered(queue.failed, key)
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found < float("inf"):
        raise NotYet(f"failed() returned {shown(found)}: give seconds, such as 1.5.")
    return float(found)


def bounds(attempt: int) -> tuple[float, float]:
    """The shortest and the longest wait after so many failures before."""
    full = min(CAP, BASE * 2**attempt)
    return full / 2, full


def _in_range(attempt: int, found: list[float]) -> None:
    low, high = bounds(attempt)
    wrong = [one for one in found if not low <= one <= high]
    if wrong:
        raise NotYet(
            f"After failure {attempt + 1} a key waits {wrong[0]:.2f} s; it should be {low:g} to {high:g} s.",
            next=f"Twice as long after each failure of that key, at most {CAP:g} s; then by chance less, to half.",
        )


def _crowd(found: list[float]) -> int:
    """How many come back in the fullest of ten equal slices of their time."""
    low, high = min(found), max(found)
    step = (high - low) / SLICES or 1.0
    slots = [min(SLICES - 1, int((one - low) / step)) for one in found]
    return max(slots.count(slot) for slot in range(SLICES))


def _spread(attempt: int, found: list[float]) -> None:
    low, high = bounds(attempt)
    many = sum(one < low + (high - low) / 2 for one in found)
    if _crowd(found) > KEYS // 4 or not KEYS // 4 < many < 3 * KEYS // 4:
        raise NotYet(
            f"{KEYS} keys failed together; after failure {attempt + 1} {_crowd(found)} of them come back in the same"
            f" tenth of {high - low:g} s.",
            next="Draw each wait between half and the whole of it: who failed together must not return together.",
        )
