"""A window of time, and what was seen in it: on the real cluster, and in the run.

Pure. Invariant: both sides are told in the same form, under the names of the run: whoever was hit there is who is hit
here, the others follow in their order.
"""

from collections.abc import Iterable
from math import ceil
from typing import Any, NamedTuple

from kubemini.sim.units import SECOND
from kubemini.view.beneath.deeds import Deed
from kubemini.view.beneath.differences import Side
from kubemini.view.beneath.ours import LEASES, Run, became
from kubemini.view.beneath.recordings import FATES, Recording
from kubemini.view.requests import series_of
from kubemini.view.state import State

Names = dict[tuple[str, str], str]  # (what, host there) → our program
Spans = list[list[Any]]  # [µs, what is so from then on], in order
Rows = dict[str, dict[str, list[int]]]


class Window(NamedTuple):
    """The seconds of a run beside which those of *recording* stand; instants are µs of the run."""

    deed: Deed
    recording: Recording
    begin: int
    until: int
    base: float  # second of the recording that stands at the deed

    def instant(self, second: float) -> int:
        """When a second of the recording is in the run."""
        return self.deed.at + round((second - self.base) * SECOND)


def namesakes(window: Window, state: State) -> Names:
    """Our programs by what they are and the host of their like."""
    prefixes = {"etcd": "etcd-", "server": "apiserver-"} | {
        lease: lease.removeprefix("kube-") + "-" for lease in LEASES
    }
    hit = {state.host_of(name) for name in window.deed.broken | window.deed.was}
    recording = window.recording
    found: Names = {}
    for what, prefix in prefixes.items():
        mine = [name for name in state.programs if name.startswith(prefix)]
        mine.sort(key=lambda name: state.host_of(name) not in hit)
        hosts = recording.nodes["etcd" if what == "etcd" else "servers"]
        hosts = sorted(hosts, key=lambda host: host not in recording.hit)
        found |= {(what, host): name for host, name in zip(hosts, mine, strict=False)}
    return found


# -- there -------------------------------------------------------------------------------------------------------------
def counted(window: Window) -> tuple[int, Rows]:
    """The first whole second of the recording in *window*, and from there the requests of each second by fate."""
    first = ceil(window.base + (window.begin - window.deed.at) / SECOND)
    last = ceil(window.base + (window.until - window.deed.at) / SECOND)
    part = slice(first - window.recording.begins, last - window.recording.begins)
    fates = window.recording.fates
    return first, {name: {fate: counts[part] for fate, counts in row.items()} for name, row in fates.items()}


def led(window: Window, what: str, names: Names) -> Spans:
    """Who led there, under our names."""
    told = spans(window, window.recording.leads.get(what, []))
    return [[at, names.get((what, host), host)] for at, host in told]


def used(window: Window, host: str) -> Spans:
    """When the balancer there used the server of *host*."""
    return spans(window, window.recording.uses.get(host, []))


def spans(window: Window, told: Iterable[list[Any]]) -> Spans:
    """Changes of a recording as instants of the run, from the window's begin to its end."""
    inside: Spans = []
    for second, now in told:
        at = max(window.begin, window.instant(second))
        if at >= window.until:
            break
        if inside and inside[-1][0] == at:
            inside.pop()
        inside.append([at, now])
    return inside


def there(window: Window, names: Names) -> Side:
    """What the recording shows from the fault on."""
    first, fates = counted(window)
    skip = max(0, ceil(window.base) - first)
    return Side(
        {name: {fate: sum(counts[skip:]) for fate, counts in row.items()} for name, row in fates.items()},
        {name: refused(window, told) for name, told in window.recording.errors.items()},
        {what: after(window, led(window, what, names)) for what in window.recording.leads},
        {name: after(window, used(window, host)) for (what, host), name in names.items() if what == "server"},
    )


def refused(window: Window, told: list[list[Any]]) -> dict[str, int]:
    """The errors of requests that may have begun in the window: how many of each text there were in all."""
    ends = window.base + (window.until - window.deed.at) / SECOND
    return {text: many for text, first, last, many in told if first < ends and last >= window.base}


# -- here --------------------------------------------------------------------------------------------------------------
def here(window: Window, mine: Run) -> Side:
    """What the run shows from the fault on."""
    fates: dict[str, dict[str, int]] = {}
    errors: dict[str, dict[str, int]] = {name: {} for name in mine.fates}
    for record in mine.requests:
        if not window.deed.at <= record.detail["started"] < window.until:
            continue
        name, how = series_of(record.detail), became(record)
        fates.setdefault(name, dict.fromkeys(FATES, 0))[how] += 1
        if how == "failed":
            why = record.detail["why"]
            errors[name][why] = errors[name].get(why, 0) + 1
    return Side(
        fates,
        errors,
        {what: after(window, within(window, told)) for what, told in mine.leads.items()},
        {what: after(window, within(window, told)) for what, told in mine.uses.items()},
    )


def within(window: Window, told: Spans) -> Spans:
    """Changes of the run inside *window*, and what was so at its begin."""
    before = [[window.begin, now] for at, now in told if at <= window.begin][-1:]
    return before + [[at, now] for at, now in told if window.begin < at < window.until]


def after(window: Window, told: Spans) -> list[tuple[float, Any]]:
    """*told* in seconds after the fault."""
    return [((at - window.deed.at) / SECOND, now) for at, now in told]
