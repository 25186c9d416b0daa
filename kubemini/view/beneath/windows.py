"""What stands beneath a run: for each thing done to it, the recording of the same on a real cluster, laid on its time.

`beneath` gives the widgets all they draw, `told` says the same as text. Pure. Invariant: a window begins where our
fault begins, and ends where one of the two goes on differently: when it is taken back here or there, or when
something else happens.
"""

from collections.abc import Collection, Sequence
from textwrap import wrap
from typing import Any

from kubemini.sim.trace import Trace
from kubemini.sim.units import SECOND, clock
from kubemini.view.beneath.deeds import Deed, deeds, words
from kubemini.view.beneath.differences import Difference, differences, sentence
from kubemini.view.beneath.ours import Run, ours
from kubemini.view.beneath.recordings import Recording, find
from kubemini.view.beneath.sides import Window, counted, here, led, namesakes, there, used
from kubemini.view.state import State

LEAD = 2 * SECOND  # of calm before a fault
MARKS = {"failed": "✕", "slow": "…", "ok": "●"}  # of a second: the worst that became of its requests
AGAIN = "make record"
Compared = tuple[str, Any, Any]  # what, there, here
WIDE, INDENT = 110, " " * 11  # of the text


def windows(trace: Trace) -> list[Window]:
    """Where a recording shows what the run shows."""
    found: list[Window] = []
    until = trace.header["until"]
    done = [] if trace.header.get("altered") else deeds(trace)  # the recorded clusters have every setting as it comes
    for number, deed in enumerate(done):
        recording = find(trace.header["topology"]["kind"], deed.trial) if deed.trial else None
        if recording is None:
            continue
        end = min([until, *(later.at for later in done[number + 1 : number + 2])])
        window = placed(deed, recording, found[-1].until if found else 0, end)
        if window.until - deed.at >= SECOND:
            found.append(window)
    return found


def placed(deed: Deed, recording: Recording, earliest: int, latest: int) -> Window:
    """*recording* laid at *deed*; not before *earliest*, not beyond *latest*."""
    base = recording.undone if deed.returned else 0.0
    lasts = recording.ends - base if deed.returned else recording.undone
    begin = deed.at if deed.was else max(deed.at - LEAD, earliest)
    return Window(deed, recording, begin, min(latest, deed.at + round(lasts * SECOND)), base)


def beneath(trace: Trace) -> dict[str, Any] | None:
    """What is drawn beneath the strips of a run, as JSON values; None if nothing like it was recorded."""
    found = windows(trace)
    if not found:
        return None
    mine, state = ours(trace), State(trace.header["topology"])
    return {
        "ours": {"fates": mine.fates, "leads": mine.leads, "uses": mine.uses},
        "windows": [drawn(window, mine, state) for window in found],
        "source": source([window.recording for window in found]),
        "again": AGAIN,
    }


def drawn(window: Window, mine: Run, state: State) -> dict[str, Any]:
    """A window as it is drawn: the recording in instants of the run, under the names of the run."""
    recording, deed = window.recording, window.deed
    called = namesakes(window, state)
    first, fates = counted(window)
    theirs, own = there(window, called), here(window, mine)
    made = {
        "at": deed.at,
        "begin": window.begin,
        "until": window.until,
        "title": words(deed),
        "trial": f"{recording.topology} {recording.trial}",
        "first": window.instant(first),
        "fates": {name: fates[name] for name in mine.fates if name in fates},
        "leads": {what: led(window, what, called) for what in mine.leads if what in recording.leads},
        "uses": {name: used(window, host) for (what, host), name in called.items() if what == "server" and mine.uses},
        "sentence": sentence(differences(theirs, own), conditions(window, state, mine)),
    }
    return made | {"rows": pictured(made, mine._asdict())}


# -- in what the trials themselves differ ------------------------------------------------------------------------------
def conditions(window: Window, state: State, mine: Run) -> list[Difference]:
    """In what the two clusters, and what was done to them, are not the same; once a fault, not again when it ends."""
    recording, deed = window.recording, window.deed
    found = (
        ended(window) if deed.returned else [*clusters(recording, state), *deeds_of(window), *hit(window, state, mine)]
    )
    return [Difference(what, str(there), str(here)) for what, there, here in found if there != here]


def clusters(recording: Recording, state: State) -> list[Compared]:
    """How many programs there are of each kind."""
    kinds = [name.rpartition("-")[0] for name in state.programs]
    return [
        ("etcd members", len(recording.nodes["etcd"]), len(state.cluster["voters"])),
        ("API servers", len(recording.nodes["servers"]), kinds.count("apiserver")),
        ("balancers", len(recording.nodes["balancers"]), kinds.count("haproxy")),
    ]


def deeds_of(window: Window) -> list[Compared]:
    """What was done."""
    trial, deed = window.recording.trial.replace("_", " "), window.deed
    return [
        ("what was done", trial, trial if alike(deed) else words(deed)),
        ("it went", "at once", "one after the other" if deed.was else "at once"),
    ]


def hit(window: Window, state: State, mine: Run) -> list[Compared]:
    """Whether who led stood on a host that was hit."""
    homes = {state.host_of(name) for name in window.deed.broken}
    found: list[Compared] = []
    for what, told in mine.leads.items():
        theirs = [host for second, host in window.recording.leads.get(what, []) if second < 0][-1:]
        ours = [state.host_of(name) for at, name in told if at < window.deed.at and name][-1:]
        if theirs and ours:
            who = "the leader of etcd" if what == "etcd" else f"the holder of {what}"
            there, here = (yes_or_no(*pair) for pair in ((theirs[0], window.recording.hit), (ours[0], homes)))
            found.append((f"{who} was hit", there, here))
    return found


def yes_or_no(host: str, hosts: Collection[str]) -> str:
    """Whether *host* is among *hosts*, in a word."""
    return "yes" if host in hosts else "no"


def ended(window: Window) -> list[Compared]:
    """How the fault ended."""
    deed = window.deed
    return [
        ("the fault had lasted", f"{window.recording.undone:.0f} s", f"{(deed.at - deed.since) / SECOND:.0f} s"),
        ("stays away", "nothing", ", ".join(deed.broken) or "nothing"),
    ]


def alike(deed: Deed) -> bool:
    """Whether the thing was done in the way that the trial is named for."""
    return all(way in deed.trial for way in deed.broken.values())


# -- words -------------------------------------------------------------------------------------------------------------
def source(recordings: Sequence[Recording]) -> str:
    """What was recorded, when, on how busy a machine."""
    programs = (program for recording in recordings for program in recording.versions.split(", "))
    versions = ", ".join(dict.fromkeys(programs))
    days = ", ".join(dict.fromkeys(recording.date for recording in recordings))
    loads = [load for recording in recordings for load in recording.load]
    return f"{versions}; recorded {days} at a load of {min(loads):.0f} to {max(loads):.0f}"


def told(trace: Trace) -> list[str]:
    """The windows of a run as text; empty if nothing like it was recorded."""
    found = beneath(trace)
    if found is None:
        return []
    lines = ["", f"The same on a real cluster ({found['source']}):"]
    for window in found["windows"]:
        lines += ["", f"{clock(window['at']):>9}  {window['title']} ({window['trial']})"]
        lines += [f"{INDENT}{name}, {where}: {words}" for name, where, words in window["rows"]]
        lines += wrap(window["sentence"], WIDE, initial_indent=INDENT, subsequent_indent=INDENT)
    return lines


def pictured(window: dict[str, Any], mine: dict[str, Any]) -> list[tuple[str, str, str]]:
    """The rows of a window in words, each for here and there: (name, here or there, words); not what stays as it is."""
    part = slice(window["begin"] // SECOND, -(-window["until"] // SECOND))
    rows: list[tuple[str, str, str]] = []
    for name, row in window["fates"].items():
        own = {fate: counts[part] for fate, counts in mine["fates"][name].items()}
        rows += [(name, "here", by_second(own)), (name, "there", by_second(row))]
    lasting = {
        "etcd leader" if what == "etcd" else what: (mine["leads"][what], told) for what, told in window["leads"].items()
    }
    lasting |= {
        f"{name} in the balancer": (up_or_down(mine["uses"][name]), up_or_down(told))
        for name, told in window["uses"].items()
    }
    for name, sides in lasting.items():
        here, there = (in_turn(window, spans) for spans in sides)
        if "from" in here + there:
            rows += [(name, "here", here), (name, "there", there)]
    return rows


def up_or_down(spans: list[list[Any]]) -> list[list[Any]]:
    """What the balancer says of a server, in its words."""
    return [[at, "UP" if up else "DOWN"] for at, up in spans]


def by_second(row: dict[str, list[int]]) -> str:
    """A mark a second: the worst that became of the requests begun in it."""
    many = len(row["ok"])
    return "".join(next((mark for fate, mark in MARKS.items() if row[fate][i]), "·") for i in range(many))


def in_turn(window: dict[str, Any], spans: list[list[Any]]) -> str:
    """``etcd-2, from +0.1 s nobody, from +1.4 s etcd-1``."""
    before = [now for at, now in spans if at <= window["begin"]][-1:]
    later = [
        f"from {(at - window['at']) / SECOND:+.1f} s {now or 'nobody'}"
        for at, now in spans
        if window["begin"] < at < window["until"]
    ]
    return ", ".join([*(now or "nobody" for now in before), *later])
