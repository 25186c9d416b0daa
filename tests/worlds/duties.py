"""What a run of a whole cluster must satisfy, judged by its trace alone: `judge` names each rule that was broken.

No write that kubectl was told of is lost; of the copies of a program at most one holds its Lease; some time after the
last fault everything works again, and nobody did anything for it. What etcd itself owes (`verdicts.py`: election
safety, leader completeness, state machine safety) holds below a cluster, too.

Two may *believe* that they hold a Lease when one of them, or what it asked, stood still meanwhile: there is no fencing.
It acts for no longer than its renewal may take. A scheduler that has lost its Lease tries to release it, for 5 s at
most, before it exits; that counts as the end.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from kubemini.params import Params
from kubemini.sim import Record, Trace
from kubemini.sim.units import SECOND, clock
from kubemini.users import NOTHING
from tests.worlds import verdicts
from tests.worlds.verdicts import SETTLED, Breach

GRACE = 100 * SECOND  # lost connections (45 s), pauses of etcd's client, a new leader, a Node that is ready again
CONFIG, DEPLOYMENT = "/registry/configmaps/default/", "web"
ASKED = ("apply", "scale", "get")  # commands that break nothing
ENDS = ("crash", "exit")
BELIEF = Params().leader_elect_renew_deadline + Params().leader_elect_retry_period  # of one that wakes up
RELEASE = Params().leader_elect_renew_deadline // 2  # of one that has lost the Lease


def judge(trace: Trace) -> list[Breach]:
    """The first breach of each rule, the gravest rule first."""
    found: dict[str, Breach] = {}
    for look in RULES:
        for breach in look(trace):
            found.setdefault(breach.rule, breach)
    return list(found.values())


# -- writes ------------------------------------------------------------------------------------------------------------
def kept(trace: Trace) -> Iterator[Breach]:
    """What was made, as kubectl was told, is there in the end."""
    made = {r.detail["said"].split()[0].partition("/")[2]: r for r in trace.of("request") if _made(r)}
    for get in trace.of("request"):
        name = get.detail["path"].removeprefix(CONFIG)
        if get.detail["kind"] == "etcd" and get.detail.get("answer") == NOTHING and name in made:
            when = clock(made[name].at)
            what = f"ConfigMap {name} was created, said kubectl at {when}, and is not there at {clock(get.at)}"
            yield Breach("no acknowledged write lost", get.at, what)


def _made(record: Record) -> bool:
    detail = record.detail
    return detail["kind"] == "api" and detail["outcome"] == "ok" and detail.get("said", "").endswith(" created")


# -- Leases ------------------------------------------------------------------------------------------------------------
@dataclass
class Tenure:
    """Somebody believes that it holds a Lease, from *since* to *until* (None: still)."""

    holder: str
    since: int
    until: int | None = None


def tenures(trace: Trace) -> dict[str, list[Tenure]]:
    """Lease → who believed when that it held it, in order of beginning."""
    found: dict[str, list[Tenure]] = {}
    on = {c: host["name"] for host in trace.header["topology"]["hosts"] for c in host["components"]}
    for record in trace:
        if record.what == "holder":
            found.setdefault(record.detail["lease"], []).append(Tenure(record.detail["holder"], record.at))
        elif record.what == "note" and "leader election lost" in record.detail["text"]:
            _end(found, {record.actor}, record.at - (RELEASE if record.actor.startswith("scheduler") else 0))
        elif record.what in (*ENDS, "power_off"):
            _end(found, {record.actor, *(name for name, host in on.items() if host == record.actor)}, record.at)
    return found


def _end(found: dict[str, list[Tenure]], holders: set[str], at: int) -> None:
    """Those *holders* believe nothing any more."""
    for tenure in (tenure for held in found.values() for tenure in held):
        if tenure.until is None and tenure.holder in holders:
            tenure.until = max(tenure.since, at)


def holders(trace: Trace) -> Iterator[Breach]:
    """One acting holder a Lease."""
    for lease, held in tenures(trace).items():
        for number, first in enumerate(held):
            for second in held[number + 1 :]:
                until = min(trace.header["until"] if t.until is None else t.until for t in (first, second))
                if until > second.since and until > _excused(trace, first, second.since):
                    whose = f"{first.holder} holds {lease} from {clock(first.since)} to {clock(until)}"
                    yield Breach(
                        "one acting holder", second.since, f"{whose}, {second.holder} from {clock(second.since)}"
                    )


def _excused(trace: Trace, first: Tenure, taken: int) -> int:
    """Until when *first* may still believe, though another took over at *taken*: it, or what it asked, stood still."""
    still: dict[str, int] = {}
    end = 0
    for record in trace:
        if record.what == "pause":
            still[record.actor] = record.at
        elif record.what in ("resume", *ENDS) and record.actor in still:
            del still[record.actor]
            if first.since < record.at and taken < record.at + BELIEF:
                end = max(end, record.at + BELIEF)
    return trace.header["until"] if still else end


# -- recovery ----------------------------------------------------------------------------------------------------------
def recovered(trace: Trace) -> Iterator[Breach]:
    """Some time after the last fault everything works, by itself."""
    faults = [r.at for r in trace.of("command") if r.detail["action"] not in ASKED]
    since, until = max(faults, default=0), trace.header["until"]
    if verdicts.well_since(trace) is None or until < since + GRACE:
        return
    for what in _wrong(trace, since + GRACE, until - SETTLED):
        yield Breach("everything recovers", until, f"{what}, though the last fault was mended at {clock(since)}")


def _wrong(trace: Trace, first: int, last: int) -> Iterator[str]:
    """What does not work at the end; requests begun between *first* and *last* must have succeeded."""
    for actor, record in _last(trace, "ready", lambda r: r.actor):
        if not record.detail["ready"]:
            yield f"{actor} is not ready: {record.detail['why']}"
    for (balancer, server), record in _last(trace, "backend", lambda r: (r.actor, r.detail["server"])):
        if not record.detail["up"]:
            yield f"{balancer} does not use {server}: {record.detail['why']}"
    for lease, held in tenures(trace).items():
        if all(tenure.until is not None for tenure in held):
            yield f"nobody holds {lease}"
    objects = _last(trace, "object", lambda r: (r.detail["kind"], r.detail["name"]))
    for (kind, name), record in objects:
        yield from _unwell(kind, name, record.detail["summary"])
    for request in trace.of("request"):
        if first <= request.detail["started"] <= last and request.detail["outcome"] != "ok":
            detail = request.detail
            yield f"{detail['verb']} {detail['path']} of {clock(detail['started'])} failed: {detail['why']}"


def _unwell(kind: str, name: str, summary: Any) -> Iterator[str]:
    if kind == "Node" and not (summary["ready"] and not summary["taints"]):
        yield f"{name} is not ready"
    if kind == "Deployment" and summary["ready"] != summary["replicas"]:
        yield f"Deployment {name} has {summary['ready']} ready pods and wants {summary['replicas']}"


def _last(trace: Trace, what: str, key: Callable[[Record], Any]) -> list[tuple[Any, Record]]:
    """The last record of each key."""
    return list({key(record): record for record in trace.of(what)}.items())


RULES: tuple[Callable[[Trace], Iterator[Breach]], ...] = (
    verdicts.elections,
    verdicts.logs,
    kept,
    holders,
    recovered,
)
