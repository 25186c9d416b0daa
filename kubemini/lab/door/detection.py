"""door.detection: how often to check a server, and how often it must fail, to be fast and not rash.

Fast is measured: 20 seeds of a whole control plane, a server killed. Rash is counted: late greetings are independent,
so a server that is well is taken out as often as *fall* of them come in a row.
"""

from math import exp
from typing import Any

from kubemini.lab import NotYet, Report, exercise
from kubemini.lab.door.gone import noticed, told
from kubemini.params import Params
from kubemini.ranges import shown
from kubemini.scenarios import ScenarioError, load, with_params
from kubemini.sim.units import DAY, SECOND, written

SEEDS = range(1, 21)
FAST = 5  # seconds
WEEK = 7 * DAY
OFTEN = SECOND // 2  # a check is a TLS handshake: every half second of every balancer is enough


def late(seconds: float) -> float:
    """The chance that a server that is well, but busy, greets later than after *seconds*."""
    return 0.02 * exp(-seconds)


def false_alarms(inter: int, fall: int) -> float:
    """How often in a week a server that is well is taken out; *inter* in µs is also the time that a greeting has."""
    miss = late(inter / SECOND)
    return WEEK / inter * miss**fall * (1 - miss)


@exercise("door.detection")
def check_detection(answer: Any) -> Report:
    """*answer*: ``{"inter": "2s", "fall": 3}``."""
    params = _settings(answer)
    inter, fall = params.haproxy_inter, params.haproxy_fall
    if inter < OFTEN:
        raise NotYet(
            f"Every {written(inter)} is too often: a check is a TLS handshake, and every balancer asks every server.",
            next="Half a second between two checks is the least you may ask for.",
        )
    runs = [noticed("dead", seed, haproxy_inter=written(inter), haproxy_fall=fall).after for seed in SEEDS]
    took = [after for after in runs if after is not None]
    worst = fall * inter / SECOND
    if len(took) < len(runs):
        raise NotYet(f"It takes up to {worst:g} s until a dead server gets no more connections: nobody waited so long.")
    speed = f"a dead server was counted as down after {min(took):.1f} to {max(took):.1f} s in {len(took)} runs"
    if worst >= FAST:
        raise NotYet(
            f"It takes up to {worst:g} s until a dead server gets no more connections; less than {FAST} s are asked.",
            speed,
            next=f"Up to inter pass before the first check fails, and {fall - 1} times inter until the last.",
        )
    alarms = false_alarms(inter, fall)
    rash = f"a server that is well is taken out {alarms:.2g} times a week"
    if alarms >= 1:
        raise NotYet(
            f"With {fall} late greetings in a row {rash}; less than once is asked.",
            speed,
            next="A longer inter also gives a greeting more time; a higher fall asks for more bad luck in a row.",
        )
    hung = noticed("hung", 1, haproxy_inter=written(inter), haproxy_fall=fall)
    slow = f"each check of a hung one waits inter before it fails: it is {told(hung)}"
    return Report(
        "pass",
        (speed, f"{rash}: {fall} late greetings in a row", slow),
        f"At most {worst:g} s, and hardly ever without cause: several quick checks are better than few slow ones.",
    )


def _settings(answer: Any) -> Params:
    """The parameters with the learner's two. Raises NotYet with one sentence."""
    if not isinstance(answer, dict) or set(answer) != {"inter", "fall"}:
        raise NotYet(f'Hand over both settings, such as {{"inter": "2s", "fall": 3}}; yours is {shown(answer)}.')
    wanted = {f"haproxy_{name}": value for name, value in answer.items()}
    try:
        return with_params(load("stacked"), wanted).params
    except ScenarioError as error:
        raise NotYet(str(error)) from None
