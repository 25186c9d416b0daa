"""What a run of etcd must satisfy, judged by its trace alone: `judge` names each rule that was broken, when, and how.

Election safety, leader completeness, state machine safety (Raft's paper, figure 3), no acknowledged write lost, reads
that are linearizable, serializable reads that show what was committed, and progress once everything has healed.
Invariant: what a member's log holds is known from what it noted (append, truncate, commit, apply), never guessed:
a breach is a breach, while one that leaves no trace goes unseen here (`raft.py` looks inside the machine).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from kubemini.judge import Operation, check
from kubemini.judge.linearizability import Undecided
from kubemini.sim import Record, Trace
from kubemini.sim.units import MS, SECOND, clock
from kubemini.users import NOTHING

GRACE = 8 * SECOND  # from healing to the first request that must succeed: a few elections, were one not enough
SETTLED = 1 * SECOND  # a request that old has an answer, a write that old is everywhere
SLOW = 100 * MS  # a link of that latency is in trouble
DEEDS = ("put", "get")


@dataclass(frozen=True)
class Breach:
    """*rule* was broken at the instant *at* (µs); *what* tells how."""

    rule: str
    at: int
    what: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.what}" + ("" if self.what[-1] in ".?!" else ".")


def judge(trace: Trace) -> list[Breach]:
    """The first breach of each rule, the gravest rule first."""
    found: dict[str, Breach] = {}
    for look in RULES:
        for breach in look(trace):
            if breach.rule not in found:
                found[breach.rule] = breach
    return list(found.values())


# -- Raft: who leads, and what the logs agree on -------------------------------------------------------------------


@dataclass
class Log:
    """What one member's log is known to hold since it started: the terms of some entries, and where it ends."""

    terms: dict[int, int] = field(default_factory=dict)
    last: int | None = None
    commit: int = 0
    term: int = 0  # the member's own

    def cut(self, first: int) -> None:
        self.terms = {index: term for index, term in self.terms.items() if index < first}
        self.last = first - 1


def elections(trace: Trace) -> Iterator[Breach]:
    """At most one leader a term."""
    leaders: dict[int, Record] = {}
    for record in trace.of("role"):
        if record.detail["role"] == "leader":
            first = leaders.setdefault(record.detail["term"], record)
            if first.actor != record.actor:
                what = f"{first.actor} became leader of term {record.detail['term']} at {clock(first.at)}, "
                yield Breach("election safety", record.at, f"{what}{record.actor} too at {clock(record.at)}")


class Logs:
    """The logs of all members, side by side."""

    def __init__(self) -> None:
        self.logs: dict[str, Log] = {}
        self.committed: dict[int, tuple[int, Record]] = {}  # index → its term, and who told
        self.applied: dict[int, Record] = {}
        self.commits: list[tuple[int, int]] = [(0, 0)]  # (term of the first who committed, how far), ever further

    def note(self, record: Record) -> Iterator[Breach]:
        log = self.logs.setdefault(record.actor, Log())
        index: int = record.detail.get("index", 0)
        match record.what:
            case "start":
                self.logs[record.actor] = Log()
            case "role":
                log.term = record.detail["term"]
                if record.detail["role"] == "leader":
                    yield from self._complete(record, log)
            case "append":
                log.terms[index] = record.detail["term"]
                log.last = index
            case "truncate":
                if index <= log.commit:
                    yield _unsafe(record, f"{record.actor} throws away entry {index}, which it had for committed")
                log.cut(index)
            case "snapshot":
                log.cut(index + 1)
            case "commit":
                yield from self._commit(record, log, index)
            case "apply":
                first = self.applied.setdefault(index, record)
                if first.detail["revision"] != record.detail["revision"]:
                    one = f"{first.actor} is at revision {first.detail['revision']} ({clock(first.at)})"
                    two = f"{record.actor} at {record.detail['revision']}"
                    yield _unsafe(record, f"after entry {index} {one}, {two}")

    def _commit(self, record: Record, log: Log, index: int) -> Iterator[Breach]:
        log.commit = max(log.commit, index)
        if index > self.commits[-1][1]:
            self.commits.append((log.term, index))
        term = log.terms.get(index)
        if term is None:
            return
        first_term, first = self.committed.setdefault(index, (term, record))
        if first_term != term:
            told = f"entry {index} is of term {first_term} for {first.actor} (committed at {clock(first.at)})"
            yield _unsafe(record, f"{told}, of term {term} for {record.actor}")

    def _complete(self, record: Record, log: Log) -> Iterator[Breach]:
        """A leader has every entry that was committed in an earlier term."""
        needed = max(index for term, index in self.commits if term < log.term or not term)
        if log.last is not None and log.last < needed:
            what = f"{record.actor} becomes leader of term {log.term} at {clock(record.at)} with a log up to entry "
            yield Breach("leader completeness", record.at, f"{what}{log.last}, but {needed} was committed before")


def _unsafe(record: Record, what: str) -> Breach:
    return Breach("state machine safety", record.at, f"{what} ({clock(record.at)})")


def logs(trace: Trace) -> Iterator[Breach]:
    """What one member has committed or applied, nobody has otherwise; a new leader has it all."""
    side_by_side = Logs()
    for record in trace:
        if record.what in ("start", "role", "append", "truncate", "snapshot", "commit", "apply"):
            yield from side_by_side.note(record)


# -- what clients see ----------------------------------------------------------------------------------------------


def requests(trace: Trace, verb: str) -> list[Record]:
    """The requests to etcd of one kind, in order of their end."""
    return [r for r in trace.of("request") if r.detail["kind"] == "etcd" and r.detail["verb"] == verb]


def revisions(trace: Trace) -> dict[tuple[str, str], Record]:
    """(key, value) → the first member's note that it applied this."""
    found: dict[tuple[str, str], Record] = {}
    for record in trace.of("kv"):
        found.setdefault((record.detail["key"], str(record.detail["value"]).strip()), record)
    return found


def acknowledged(trace: Trace) -> Iterator[Breach]:
    """Every write that was acknowledged is a revision, and no revision is written twice."""
    known, before = revisions(trace), 0
    for record in trace.of("kv"):
        if record.detail["revision"] <= before:
            yield _unsafe(record, f"revision {record.detail['revision']} is written a second time")
        before = record.detail["revision"]
    for put in requests(trace, "put"):
        write = (put.detail["path"], put.detail["value"])
        if put.detail["outcome"] == "ok" and (write not in known or known[write].at > put.at):
            what = f"{_asked(put)} was acknowledged at {clock(put.at)}, but no revision in the store's history holds it"
            yield Breach("no acknowledged write lost", put.at, what)


def history(trace: Trace) -> list[Operation]:
    """The puts and linearizable gets. A place is twice the instant, answers odd: what touches is concurrent.

    A put that had no answer by the end left no request, but it may have left a revision.
    """
    found, unseen = [], revisions(trace)
    for put in requests(trace, "put"):
        unseen.pop((put.detail["path"], put.detail["value"]), None)
        if put.detail["outcome"] != "failed":
            found.append(_operation(put, "write", put.detail["value"], put.detail["outcome"] == "ok"))
    for get in requests(trace, "get"):
        if get.detail["outcome"] == "ok":
            answer = get.detail["answer"]
            found.append(_operation(get, "read", None if answer == NOTHING else answer, True))
    for (key, value), record in unseen.items():
        found.append(Operation(f"kv {record.detail['revision']}", "write", key, value, 2 * record.at, None))
    return sorted(found, key=lambda op: op.invoked)


def _operation(request: Record, f: str, value: Any, known: bool) -> Operation:
    detail = request.detail
    return Operation(
        detail["id"], f, detail["path"], value, 2 * detail["started"], 2 * request.at + 1 if known else None
    )


def linearizable(trace: Trace) -> Iterator[Breach]:
    """One order explains every answer, and respects what was over before what began."""
    try:
        violation = check(history(trace))
    except Undecided:
        return
    if violation:
        get = next(r for r in trace.of("request") if r.detail["id"] == violation.operation.process)
        could = (
            " or ".join("nothing" if v is None else str(v) for v in violation.states[:3]) or "nothing that was written"
        )
        yield Breach("linearizable reads", get.at, f"{_answered(get)}, but by then it was {could}")


def serializable(trace: Trace) -> Iterator[Breach]:
    """A read of one member alone may be old, but shows what was committed."""
    known = revisions(trace)
    for get in requests(trace, "get serializable"):
        answer = (get.detail["path"], get.detail.get("answer"))
        if get.detail["outcome"] == "ok" and answer[1] != NOTHING:
            if answer not in known or known[answer].at > get.at:
                yield Breach("serializable reads", get.at, f"{_answered(get)}, which no revision holds")


def agreement(trace: Trace) -> Iterator[Breach]:
    """Some time after healing every member shows the last revision of a key that is at rest."""
    well = well_since(trace)
    known = revisions(trace)
    for get in requests(trace, "get serializable"):
        if well is None or get.detail["started"] < well + GRACE or get.detail["outcome"] != "ok":
            continue
        key, answer = get.detail["path"], get.detail["answer"]
        written = [r for (k, _), r in known.items() if k == key]
        last = max(written, key=lambda r: r.detail["revision"], default=None)
        if last and last.at < get.detail["started"] - SETTLED and answer != last.detail["value"]:
            newest = f"{last.detail['value']} is newer ({clock(last.at)})"
            yield Breach("agreement", get.at, f"{_answered(get)}, but {newest}")


def _answered(get: Record) -> str:
    return f"{_asked(get)} was answered with {get.detail['answer']} at {clock(get.at)}"


def _asked(request: Record) -> str:
    detail = request.detail
    what = f"{detail['verb']} {detail['path']}" + (f"={detail['value']}" if detail["verb"] == "put" else "")
    return f"{what} of {clock(detail['started'])} through {detail['via'][-1]}"


# -- progress ------------------------------------------------------------------------------------------------------


def well_since(trace: Trace) -> int | None:
    """Since when nothing is broken and nobody disturbs; None if something is broken at the end."""
    broken: set[tuple[str, Any]] = set()
    last = 0
    for record in trace:
        before = len(broken)
        _diagnose(broken, record)
        if len(broken) != before or (record.what == "command" and record.detail["action"] not in DEEDS):
            last = record.at
    return None if broken else last


def _diagnose(broken: set[tuple[str, Any]], record: Record) -> None:
    """What *record* breaks, and what it mends."""
    actor, detail = record.actor, record.detail
    match record.what:
        case "crash" | "exit":
            broken.discard(("pause", actor))
            broken.add(("down", actor))
        case "start":
            broken.difference_update({("down", actor), ("pause", actor)})
        case "pause" | "power_off":
            broken.add((record.what, actor))
        case "resume":
            broken.discard(("pause", actor))
        case "power_on":
            broken.discard(("power_off", actor))
        case "cut":
            broken.add(("cut", (*detail["a"], *detail["b"])))
        case "heal":
            broken.difference_update({ill for ill in broken if ill[0] == "cut"})
        case "slow_disk":
            _set(broken, ("slow_disk", actor), detail["extra"] > 0)
        case "latency":
            _set(broken, ("latency", (detail["a"], detail["b"])), detail["high"] > SLOW)
        case "loss":
            _set(broken, ("loss", (detail["a"], detail["b"])), detail["p"] > 0)


def _set(broken: set[tuple[str, Any]], ill: tuple[str, Any], so: bool) -> None:
    broken.add(ill) if so else broken.discard(ill)


def progress(trace: Trace) -> Iterator[Breach]:
    """Some time after healing every request succeeds."""
    well = well_since(trace)
    if well is None:
        return
    first, last = well + GRACE, trace.header["until"] - SETTLED
    answered = {(r.detail["started"], r.detail["path"]) for r in trace.of("request")}
    for record in trace.of("request"):
        if first <= record.detail["started"] <= last and record.detail["outcome"] != "ok":
            yield _stuck(record.at, f"{_asked(record)} failed: {record.detail['why']}", well)
    for record in trace.of("command"):
        if record.detail["action"] in DEEDS and first <= record.at <= last:
            if (record.at, record.detail["args"][0]) not in answered:
                deed = " ".join([record.detail["action"], *map(str, record.detail["args"])])
                yield _stuck(record.at, f"{deed} of {clock(record.at)} had no answer by the end", well)


def _stuck(at: int, what: str, well: int) -> Breach:
    return Breach("progress after healing", at, f"{what}, though everything was well since {clock(well)}")


RULES: tuple[Callable[[Trace], Iterator[Breach]], ...] = (
    elections,
    logs,
    acknowledged,
    linearizable,
    serializable,
    agreement,
    progress,
)
