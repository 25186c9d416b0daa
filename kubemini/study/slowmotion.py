"""One kubectl line in slow motion: a cluster at rest, somebody types, and the trace tells all that travels.

    trace = slow_motion("scale deployment web --replicas 3")
    trace = slow_motion("delete pod web-1", scenario="services", without="scheduler-1")

Invariant: nothing but the line, and the crash of *without* before it, happens to the scenario.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

from kubemini.ranges import shown
from kubemini.scenarios import Scenario, load
from kubemini.sim import Trace
from kubemini.sim.units import SECOND, duration
from kubemini.simulate import run

AT = 20 * SECOND  # the line is typed
BEFORE = 5 * SECOND  # … and what is taken away has crashed so long before
WINDOW = 3 * SECOND  # so long somebody listens
LONGEST = 60 * SECOND


def slow_motion(
    line: str,
    *,
    without: str = "",
    scenario: str | Path | dict[str, Any] | Scenario = "anatomy",
    at: str | float | None = None,
    window: str | float | None = None,
    seed: int | None = None,
) -> Trace:
    """Run *scenario* without its faults, type *line* at the instant *at* (20 s), and listen for *window* (3 s).

    *without*: a program that crashes five seconds before. Raises ScenarioError, FaultError or ValueError.
    """
    if not isinstance(line, str) or not line.strip():
        raise ValueError(f'line: expected what follows kubectl, such as "get pods", got {shown(line)}')
    typed, listened = AT if at is None else duration(at), WINDOW if window is None else duration(window)
    if typed <= BEFORE or not 0 < listened <= LONGEST:
        raise ValueError("at: later than 5 s, when a cluster has begun to work; window: up to 60 s")
    story = replace(load(scenario), faults=())
    words = line.strip().removeprefix("kubectl ")
    taken = [((typed - BEFORE) / SECOND, "crash", without)] if without else []
    commands = [*taken, (typed / SECOND, "kubectl", words)]
    end = (typed + listened) / SECOND
    return run(story, seed, commands, until=end, listen=(typed / SECOND, end))
