"""The swim-lanes: who tells whom, one record after the other, and why.

from kubemini.widgets.lanes import show_lanes

show_lanes("scale deployment web --replicas 3")                     a kubectl line in the scenario anatomy
show_lanes("delete pod web-1", scenario="services", at="30s")       … or in another
show_lanes(trace, since="20s", until="22s", about="Pod/web-1")      what a run was listened to: run(…, listen=…)
"""

from pathlib import Path
from typing import Any

from kubemini.ranges import shown
from kubemini.scenarios import Scenario
from kubemini.sim import Trace
from kubemini.sim.units import duration
from kubemini.study.slowmotion import slow_motion
from kubemini.view import lanes
from kubemini.widgets.base import Widget
from kubemini.widgets.modules import widget_source

HOME = "anatomy"  # where a reader's own line is typed


class SwimLane(Widget):
    """What travels between the programs of a cluster, step by step; use `show_lanes`."""

    picture = "swim-lane"
    _esm = widget_source(picture)

    def __init__(self, trace: Trace, found: dict[str, Any], caption: str = "", own: bool = True):
        header = {"scenario": trace.header.get("scenario", ""), "seed": trace.header.get("seed", 0)}
        programs = [name for host in trace.header["topology"]["hosts"] for name in host["components"]]
        run = {"header": header, "lanes": found, "programs": [name for name in programs if not name.startswith(ASK)]}
        super().__init__(run, f"{heading(found)}\n\n{lanes.told(found)}", caption, {"own": own})

    def amount(self) -> str:
        return f"{len(self.run['lanes']['steps']):,} steps"


ASK = ("visitor@", "kubectl", "pods@")  # whom nobody takes away here


def heading(found: dict[str, Any]) -> str:
    """What is shown, in a line."""
    typed = f"kubectl {found['typed']}" if found["typed"] else "What was sent"
    line = sum(step["rank"] == lanes.LINE for step in found["steps"])
    gone = f", without {found['without']}" if found["without"] else ""
    return f"{typed}{gone}: {len(found['steps'])} steps, of which {line} lead to its end"


def show_lanes(
    what: str | Trace,
    *,
    since: str | float | None = None,
    until: str | float | None = None,
    about: str = "",
    scenario: str | Path | dict[str, Any] | Scenario = HOME,
    without: str = "",
    at: str | float | None = None,
    window: str | float | None = None,
    seed: int | None = None,
    caption: str = "",
) -> SwimLane:
    """Show a kubectl line in slow motion, or what a *trace* tells between two instants, step by step.

    A line is typed into *scenario* at the instant *at* and looked at for *window*, with the program *without* crashed
    before; *about* is kind/name. Raises ValueError, ScenarioError or FaultError: one sentence.
    """
    if not isinstance(what, str | Trace):
        raise ValueError(f"expected a kubectl line or the trace of a run, got {shown(what)}")
    typed = isinstance(what, str)
    trace = what if isinstance(what, Trace) else _typed(what, without, scenario, at, window, seed)
    begin, end = (None if instant is None else duration(instant) for instant in (since, until))
    return SwimLane(trace, lanes.shown(trace, begin, end, about), caption, own=typed and scenario == HOME)


def _typed(line: str, without: str, scenario: Any, at: Any, window: Any, seed: int | None) -> Trace:
    return slow_motion(line, without=without, scenario=scenario, at=at, window=window, seed=seed)
