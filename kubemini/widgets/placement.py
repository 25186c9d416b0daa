"""The scheduler table: for a pod, each plugin's verdict or score for every node; what ``kubemini explain`` prints.

    from kubemini.widgets.placement import show_scheduler

    show_scheduler(caption="Which node?")          all stories
    show_scheduler("idle", caption="Why not?")     one of them

A reader may cordon, taint or cut off a node, add a pod, or change what one asks for; the table follows.
"""

from kubemini.explaining import cases
from kubemini.widgets.base import Widget
from kubemini.widgets.modules import widget_source


class SchedulerTable(Widget):
    """Stories of pods that look for a node; use `show_scheduler`."""

    picture = "scheduler-table"
    _esm = widget_source(picture)

    def __init__(self, names: tuple[str, ...] = (), caption: str = ""):
        run = cases.recorded(names)
        super().__init__(run, cases.told(run), caption)

    def amount(self) -> str:
        return f"{sum(len(case['state']['views']) for case in self.run['cases']):,} tables"


def show_scheduler(*names: str, caption: str = "") -> SchedulerTable:
    """Show the stories of these *names*, or all. Raises ValueError naming them."""
    return SchedulerTable(names, caption)
