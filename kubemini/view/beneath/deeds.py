"""Which recorded trial a run repeats: what is broken at each instant, and what that is called in the recordings.

Pure: a trace in, `Deed`s out. What somebody does to a cluster breaks a program or a host in one of a few ways; a trial
is a name for all that is broken. Invariant: after something that no recording knows (a lost disk, another member, a
slow link) there is no trial any more, for the cluster is another one.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from kubemini.sim.trace import Record, Trace
from kubemini.view.state import State

WAYS = {"crash": "kill", "stop": "term", "pause": "hang", "power_off": "power_off"}
BACK = ("restart", "resume", "power_on")
HARMLESS = ("put", "get", "apply", "scale", "delete", "snapshot_save", "move_leader", "compact", "defrag")
PARTS = {
    "etcd": "etcd",
    "apiserver": "api",
    "haproxy": "balancer",
    "scheduler": "kcm_sched",
    "controller-manager": "kcm_sched",
}
HOSTS = {"control-plane": "host", "etcd": "etcd_host", "lb": "balancer_host"}
Broken = dict[str, str]  # program or host → the way in which it is gone


class Deed(NamedTuple):
    """From the instant *at* the run is like the trial called *trial*; *returned*: like its end, from the healing on.

    *broken* is what is gone: {program or host: way}, *was* what was gone before, *since* when the trial began. An empty
    *trial* is like none.
    """

    at: int
    trial: str
    returned: bool
    broken: Broken
    was: Broken
    since: int


def deeds(trace: Trace) -> list[Deed]:
    """What was done in a run, as far as it breaks or mends the control plane."""
    found: list[Deed] = []
    state, known = State(trace.header["topology"]), True
    broken: Broken = {}
    for record in trace:
        if record.what == "command":
            now = after(state, broken, record)
            known = known and now is not None
            if now is not None and now != broken:
                found.append(deed(state, record.at, broken, now, found, known))
                broken = now
            elif now is None:
                found.append(Deed(record.at, "", False, broken, broken, record.at))
        state.fold(record)
    return merged(found)


def merged(found: list[Deed]) -> list[Deed]:
    """*found* with one deed an instant: the last says what is broken, the first what was before."""
    kept: list[Deed] = []
    for this in found:
        was = kept.pop().was if kept and kept[-1].at == this.at else this.was
        kept.append(this._replace(was=was))
    return kept


def deed(state: State, at: int, was: Broken, now: Broken, before: list[Deed], known: bool) -> Deed:
    """What the change from *was* to *now* repeats."""
    last = next((d for d in reversed(before) if d.at < at), None)
    mended = bool(was) and now.items() < was.items()
    if not known:
        return Deed(at, "", False, now, was, at)
    if mended:
        trial = last.trial if last and not last.returned else called(state, was)
        return Deed(at, trial, True, now, was, last.since if last else at)
    return Deed(at, called(state, now), False, now, was, at)


def after(state: State, broken: Broken, command: Record) -> Broken | None:
    """What is broken after *command*; None if it makes another cluster of it."""
    action, args = command.detail["action"], [str(a) for a in command.detail["args"]]
    if action in HARMLESS:
        return broken
    if action == "heal":
        return {name: way for name, way in broken.items() if way != "cut"}
    names = list(touched(state, action, args))
    if action in WAYS or action == "zone_outage":
        return broken | dict.fromkeys(names, WAYS.get(action, "power_off"))
    if action in BACK or action == "zone_restore":
        return {name: way for name, way in broken.items() if name not in names}
    if action == "cut" and len(args) == 1:
        return broken | dict.fromkeys(names, "cut")
    return None


def touched(state: State, action: str, args: list[str]) -> Iterator[str]:
    """The programs and hosts of the control plane that a command is about."""
    if action.startswith("zone_"):
        names = [h["name"] for h in state.topology["hosts"] if h["zone"] == args[0]]
    else:
        names = args[:1]
    if action == "cut":
        names = [state.host_of(name) for name in names]
    return (name for name in names if part(state, name))


def part(state: State, name: str) -> str:
    """What a program or host is in the names of trials; empty for what no client of the API would miss."""
    role = next((host["role"] for host in state.topology["hosts"] if host["name"] == name), "")
    return HOSTS.get(role) or PARTS.get(name.rpartition("-")[0], "")


def called(state: State, broken: Broken) -> str:
    """The trial in which just this is broken; empty if there is none such.

    Simplified: several programs that are gone in several ways are a trial only if they cost etcd its quorum.
    """
    parts = {part(state, name) for name in broken}
    ways = set(broken.values())
    gone = lost(state, broken)
    if len(gone) > len(state.cluster["voters"]) - state.quorum(state.cluster):
        return quorum(state, parts, ways)
    if len(parts) != 1 or len(ways) != 1:
        return ""
    (what,), (way,) = parts, ways
    if what == "etcd":
        return f"etcd_{'leader' if state.leader(state.cluster) in gone else 'follower'}_{way}" if one(broken) else ""
    if what == "api":
        every = [name for name in state.programs if name.startswith("apiserver-")]
        return f"all_api_{way}" if len(broken) == len(every) else f"api_{way}" if one(broken) else ""
    if what == "kcm_sched":
        return f"kcm_sched_{way}" if set(broken) >= set(state.leases.values()) else ""
    if what == "balancer_host":
        return f"keepalived_{way}" if set(broken) == keepers(state) else ""
    return f"{what}_{way}" if one(broken) else ""


def keepers(state: State) -> set[str]:
    """The hosts that have the virtual address."""
    return {state.host_of(name) for held in state.addresses.values() for name in held}


def one(broken: Broken) -> bool:
    """Whether one thing is broken, and no more."""
    return len(broken) == 1


def quorum(state: State, parts: set[str], ways: set[str]) -> str:
    """The trial in which etcd has lost its quorum so: the nearest, if it was lost in a way that was not recorded."""
    if parts == {"host"} and ways == {"power_off"}:
        return "two_hosts_power_off"
    return "etcd_quorum_hang" if ways == {"hang"} else "etcd_quorum_kill"


def lost(state: State, broken: Broken) -> list[str]:
    """The voters that are gone."""
    return [name for name in state.cluster["voters"] if name in broken or state.host_of(name) in broken]


def words(deed: Deed) -> str:
    """What is done, in words: ``etcd-2, etcd-3 killed``, ``etcd-2 returns``."""
    if deed.returned:
        names = [name for name in deed.was if name not in deed.broken]
        return f"{', '.join(names)} return{'s' if len(names) == 1 else ''}"
    by_way: dict[str, list[Any]] = {}
    for name, way in deed.broken.items():
        by_way.setdefault(way, []).append(name)
    told = {"kill": "killed", "term": "told to stop", "hang": "hung", "power_off": "without power", "cut": "cut off"}
    return "; ".join(f"{', '.join(names)} {told[way]}" for way, names in by_way.items())
