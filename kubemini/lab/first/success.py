"""first.success: a function of a trace, the share of visits that were answered.

Invariant: the right share is read from runs of the scenario ``first``, never written down.
"""

from typing import Any

from kubemini.lab import NotYet, Report, ask, exercise
from kubemini.lab.visits import _begun, share, visits
from kubemini.sim import Trace
from kubemini.sim.units import SECOND
from kubemini.simulate import run

WINDOWS = ((8, 20), (20, 60), (60, 80))
SEEDS = range(1, 7)


@exercise("first.success")
def check_success(answer: Any) -> Report:
    """The learner's function against ours, in three windows of six runs."""
    lowest = 1.0
    for seed in SEEDS:
        trace = run("first", seed, until=80)
        for begin, end in WINDOWS:
            want = share(visits(trace, begin, end))
            _compare(ask(answer, trace, begin, end), want, trace, (begin, end), seed)
            lowest = min(lowest, want)
    return Report(
        "pass",
        (f"{len(SEEDS)} runs, {len(WINDOWS)} windows each", f"the lowest share of all is {lowest:.0%}, after 60 s"),
        "The same records, read the same way, give the same shares.",
        'Try your function on a run in which worker-1 loses power, too: commands=[(70, "power_off", "worker-1")].',
    )


def _compare(got: Any, want: float, trace: Trace, window: tuple[float, float], seed: int) -> None:
    if not isinstance(got, int | float):
        raise NotYet(f"A share is a number from 0 to 1; yours is {got!r}.")
    if not abs(got - want) <= 1e-6:  # nan is no share
        begin, end = window
        raise NotYet(
            _slip(got, want, trace, window),
            f"seed {seed}, from {begin} s to {end} s: {len(visits(trace, begin, end))} visits began",
            f"{want:.3f} of them were answered, your function says {got:.3f}",
        )


def _slip(got: float, want: float, trace: Trace, window: tuple[float, float]) -> str:
    """The slip behind a wrong share, where it can be told."""
    begin, end = window
    ended = [r for r in trace.of("request") if begin * SECOND <= r.at < end * SECOND]
    slips = [
        (0.0, "No visit was found: times in a trace are microseconds, and 20 s is 20 * SECOND."),
        (100 * want, "A share runs from 0 to 1; yours looks like a percentage."),
        (1 - want, "That is the share that failed; the others were answered."),
        (share(_begun(trace, begin, end)), 'kubectl\'s writes are counted, too: a visit has the kind "service".'),
        (
            share(r for r in ended if r.detail["kind"] == "service"),
            'A visit belongs to the moment it began, detail["started"], not to the moment it ended.',
        ),
    ]
    return next((text for value, text in slips if abs(got - value) < 1e-6), "This is not the share of the visits.")
