"""leases.elector: who may act, decided by a candidate alone, in 500 schedules with crashes, sleep, cuts and slowness.

Two that act at one instant, of whatever schedule, are the end of it. So is nobody, for longer than it must be.
"""

from collections.abc import Callable
from typing import Any

from kubemini.lab import NotYet, Report, ask, exercise
from kubemini.lab.leases.schedules import FAULT_AT, LENGTH, Schedule
from kubemini.ranges import shown

SCHEDULES = 500
METHODS = ("look", "wrote", "acts")
LONGEST = 26.0  # seconds without anybody: 15 by the slowest clock, a retry, two slow looks
BEGUN = 6  # seconds: by then somebody acts
OWN_CLOCK = "A standby may only count seconds that it has seen pass on its own clock, since it saw the Lease change."
WHY = {  # what usually is wrong, by what has gone wrong
    "sleep": "Who has slept must not act before it has asked its own clock: how long ago was the last good renewal?",
    "cut off": "Who hears nothing must stop by itself, and before the others may begin.",
    "slow": "The renewal counts from when it was *sent*: nobody knows when, before its answer, it was written.",
    "crash": OWN_CLOCK,
    "nothing": OWN_CLOCK,
}


@exercise("leases.elector")
def check_elector(answer: Any) -> Report:
    """*answer*: a class with ``look``, ``wrote`` and ``acts``."""
    if not isinstance(answer, type) or missing(answer):
        lacks = ", ".join(missing(answer)) if isinstance(answer, type) else shown(answer)
        raise NotYet(f"Give check() the class itself, with {', '.join(METHODS)}; yours lacks: {lacks}.")
    longest, writes, troubles = 0.0, 0, 0
    for number in range(SCHEDULES):
        schedule = Schedule(number, lambda name: ask(answer, name), asked)
        seen = schedule.play()
        _alone(schedule, seen)
        longest = max(longest, _served(schedule, seen))
        writes += schedule.writes
        troubles += schedule.trouble != "nothing"
    return Report(
        "pass",
        (
            f"{SCHEDULES} schedules, something went wrong in {troubles} of them, and never did two act at once",
            f"the longest time without anybody was {longest:.0f} s; where nothing went wrong, there was none",
            f"{writes / SCHEDULES / LENGTH:.1f} renewals a second, although three stood for election",
        ),
        "The holder stops before the others may begin, each by its own clock; so nobody need trust anybody's.",
    )


def missing(answer: type) -> list[str]:
    """The methods that it does not have."""
    return [name for name in METHODS if not callable(getattr(answer, name, None))]


def asked(method: Callable[..., Any], *arguments: Any) -> Any:
    """What a *method* returns, which may be None."""

    def call(*given: Any) -> tuple[Any]:
        return (method(*given),)

    call.__name__ = getattr(method, "__name__", "your method")
    (value,) = ask(call, *arguments)
    if value is ... or (value is None and call.__name__ != "wrote"):
        raise NotYet(f"{call.__name__} returned nothing yet: replace the … with True or False.")
    return value


def _alone(schedule: Schedule, seen: list[tuple[float, tuple[str, ...]]]) -> None:
    for at, names in seen:
        if len(names) > 1:
            raise NotYet(
                f"At {at:.1f} s {' and '.join(names)} act at once.",
                f"what went wrong: {told(schedule)}",
                next=WHY[schedule.trouble],
            )


def _served(schedule: Schedule, seen: list[tuple[float, tuple[str, ...]]]) -> float:
    """The longest time without anybody; a holder whose answers are slow keeps the Lease, and can hardly use it."""
    if schedule.trouble == "slow":
        return 0.0
    since, longest = 0.0, 0.0
    for at, names in seen:
        if names:
            since = at
        longest = max(longest, at - since)
        if longest > LONGEST:
            raise NotYet(
                f"From {since:.0f} s on nobody acts for more than {LONGEST:.0f} s.",
                f"what went wrong: {told(schedule)}",
                next="Who sees the same Lease for 15 s by its own clock may take it; nobody's Lease at once.",
            )
        if schedule.trouble == "nothing" and at > BEGUN and not names:
            raise NotYet(
                f"Nothing went wrong, and at {at:.0f} s nobody acts.",
                next="A holder renews every 2 s: for how long after a good renewal may it act?",
            )
    return longest


def told(schedule: Schedule) -> str:
    """What went wrong, in words."""
    lasts = "" if schedule.trouble in ("crash", "nothing") else f" for {schedule.lasts:.0f} s"
    if schedule.trouble == "nothing":
        return "nothing at all"
    words = {"crash": "crashed", "sleep": "slept", "cut off": "was cut off", "slow": "had slow answers"}
    return f"{schedule.struck} {words[schedule.trouble]}{lasts}, at about {FAULT_AT:.0f} s"
