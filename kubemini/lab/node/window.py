"""node.window: from the end of the power to the end of the pod: between which two instants, of any settings.

The key is the rule of kubelet and controller-manager, tried on runs whose node fails anywhere between two renewals.
"""

import math
from random import Random
from typing import Any

from kubemini.lab import NotYet, Report, ask, exercise
from kubemini.lab.node.plugs import replaced
from kubemini.ranges import shown

SEEDS = range(1, 7)
RENEW, MONITOR = 10, 5  # s: a quarter of nodeLeaseDurationSeconds, --node-monitor-period
ROUNDING = 0.6  # s: what writes and rounds take on top


def rule(grace: float, toleration: float) -> tuple[float, float]:
    """The earliest and the latest second at which a pod is marked; *grace* in whole rounds of the monitor."""
    rounds = math.ceil(grace / MONITOR) * MONITOR
    return rounds - RENEW + toleration, rounds + MONITOR + toleration


@exercise("node.window")
def check_window(answer: Any) -> Report:
    """*answer*: ``window(grace, toleration) -> (earliest, latest)``, all in seconds."""
    dice = Random("window")
    settings = [(50, 300), (40, 300), (50, 0)]
    settings += [(MONITOR * dice.randrange(4, 25), 10 * dice.randrange(0, 61)) for _ in range(27)]
    for grace, toleration in settings:
        found = ask(answer, grace, toleration)
        mine = _pair(found)
        for name, said, right in zip(("earliest", "latest"), mine, rule(grace, toleration), strict=True):
            if abs(said - right) > 1:
                raise NotYet(
                    f"With a grace period of {grace} s and a toleration of {toleration} s you say {name}: {said:g} s;"
                    f" {_why(name)}",
                    next=f"Of 30 settings this is number {settings.index((grace, toleration)) + 1}.",
                )
    earliest, latest = _pair(ask(answer, 40, 20))
    times = [replaced(seed, node_monitor_grace_period="40s", toleration_seconds="20s").marked for seed in SEEDS]
    if not all(earliest - ROUNDING <= time <= latest + ROUNDING for time in times):
        raise NotYet(f"In a run the pod was marked after {max(times):.1f} s, which is outside your window.")
    low, high = _pair(ask(answer, 50, 300))
    return Report(
        "pass",
        (
            f"with the defaults of 1.37: {low:g} to {high:g} s, which is {low / 60:.1f} to {high / 60:.1f} minutes",
            f"grace 40 s, toleration 20 s: {earliest:g} to {latest:g} s; {len(times)} runs gave"
            f" {min(times):.1f} to {max(times):.1f} s",
        ),
        "Luck is the age of the last renewal, which shortens the wait, and the monitor's round, which lengthens it.",
        "Which of the four settings is the one that matters?",
    )


def _pair(found: Any) -> tuple[float, float]:
    fits = isinstance(found, list | tuple) and len(found) == 2
    if not fits or not all(isinstance(x, int | float) and not isinstance(x, bool) for x in found):
        raise NotYet(f"window returned {shown(found)}; return two numbers of seconds, (earliest, latest).")
    return float(found[0]), float(found[1])


def _why(name: str) -> str:
    if name == "earliest":
        return "if the power goes just before a renewal is due, the last one is nearly 10 s old already."
    return "if it goes right after a renewal, and the monitor's round has just passed, one round more goes by."
