"""The failure stopwatch: a node fails, and one clock shows when its pods are missed, given up and replaced.

    from kubemini.widgets.stopwatch import show_stopwatch

    show_stopwatch(caption="When is the copy replaced, and does the old one still serve?")

Crash, partition, pause and a reboot after a drain are recorded, each with a node that is back soon and one that is not;
with other timers the simulator computes the run anew.
"""

from dataclasses import fields
from typing import Any

from kubemini.params import Params
from kubemini.study.failures import BACKS, FAULTS, TIMERS, Watch, in_seconds, stopwatch
from kubemini.widgets.base import Widget
from kubemini.widgets.modules import widget_source

WORDS = {
    "node": {
        "renewed": "last renewal of its Lease",
        "not-ready": "NotReady: no renewal for the grace period",
        "tainted": "tainted unreachable, NoExecute",
        "again": "the node is Ready again",
    },
    "copy": {
        "marked": "given up: marked for deletion",
        "created": "replacement created",
        "scheduled": "replacement scheduled",
        "ready": "replacement Ready",
        "gone": "the old pod is gone from the API",
    },
}
# which mark a timer moves; the slider's lowest, highest, step in seconds
KNOBS = {
    "node_lease_duration": (1, 8, 120, 4),
    "node_monitor_period": (2, 1, 20, 1),
    "node_monitor_grace_period": (2, 10, 120, 5),
    "toleration_seconds": (4, 0, 360, 10),
    "pod_start": (7, 0.6, 30, 0.2),
}
NOTES = {
    "node_lease_duration": "; the kubelet renews every quarter of it",
    "toleration_seconds": "; unless a pod says otherwise, as DaemonSets' do",
}


class FailureStopwatch(Widget):
    """Stopwatches of some failures of a node; use `show_stopwatch`."""

    picture = "failure-stopwatch"
    _esm = widget_source(picture)

    def __init__(self, watches: list[Watch], caption: str = ""):
        run = {
            "header": {"scenario": "stopwatch", "seed": watches[0].seed},
            "watches": [watch.data() for watch in watches],
            "words": WORDS,
            "faults": FAULTS,
            "backs": list(BACKS),
            "timers": list(map(timer, TIMERS)),
        }
        super().__init__(run, "\n\n".join(map(told, watches)), caption)

    def amount(self) -> str:
        return f"{len(self.run['watches'])} failures"


def timer(name: str) -> dict[str, Any]:
    """A timer as its slider shows it: its flag, its default (s) with the version it is of, and its range."""
    found = next(entry for entry in fields(Params) if entry.name == name)
    value = in_seconds(getattr(Params(), name))
    mark, low, high, step = KNOBS[name]
    flag, source = found.metadata["flag"], found.metadata["source"]
    source = f"default {value:g} s: {source}{NOTES.get(name, '')}"
    return {
        "name": name,
        "mark": mark,
        "flag": flag,
        "source": source,
        "value": value,
        "low": low,
        "high": high,
        "step": step,
    }


def told(watch: Watch) -> str:
    """A stopwatch in words."""
    lines = [f"worker-2: {FAULTS[watch.fault]}; back after {watch.back:g} s (seed {watch.seed})"]
    node, pods = WORDS["node"], WORDS["copy"]
    rows = [(at, node[mark]) for mark, at in watch.node.items() if mark in node]
    for copy in watch.copies:
        rows += [(at, f"{copy.kind}, {copy.name}: {pods[mark]}") for mark, at in copy.marks.items() if mark in pods]
    lines += [f"  {at:8.1f} s  {text}" for at, text in sorted(rows)]
    for copy in watch.copies:
        runs = ", ".join(f"{begin:.0f} to {end:.0f} s" for begin, end in copy.runs if end > begin)
        lines.append(f"  the old container of {copy.name} runs {runs or 'no more'}")
    return "\n".join(lines)


def show_stopwatch(caption: str = "") -> FailureStopwatch:
    """Show what a clock reads that is started when a node fails; a reader chooses how, and sets the timers."""
    return FailureStopwatch([stopwatch(fault, back) for back in reversed(BACKS) for fault in FAULTS], caption)
