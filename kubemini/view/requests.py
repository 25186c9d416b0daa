"""What users see at an instant: the requests of a trace, by when they began and when they ended.

`fate` says how a request fared in the end, `sees` what its user sees at an instant of it.
A request counts from its beginning until `WINDOW` after its end if it is refused, gets no answer, or gets one later
than `LONG`; one that is answered soon counts for `WINDOW` after its end. So nothing is called well while
somebody waits, and nothing is called bad long after it is over.
"""

from bisect import bisect_right
from typing import Any

from kubemini.sim.trace import Record, Trace
from kubemini.sim.units import MS, SECOND

WINDOW = 2 * SECOND  # what "now" means
LONG = 500 * MS  # an answer that takes longer is waited for
SLOW = SECOND  # an answer that takes longer is slow: so those count who record real clusters
WAITING = "waiting"
CHANGES = {"api": ("POST", "PUT", "PATCH", "DELETE"), "etcd": ("put", "del", "txn")}
WELL, LATE, FAILS, WAITS, SILENT = "well", "late", "fails", "waits", "silent"  # what a user sees
FATES = ("ok", "slow", "failed", "unknown", "waiting")  # of a request, in the end


class Requests:
    """The requests of a trace, found by instant."""

    def __init__(self, trace: Trace):
        self.ended = asked(trace)
        self.ends = [r.at for r in self.ended]
        self.longest = max((r.at - r.detail["started"] for r in self.ended), default=0)

    def now(self, at: int) -> list[tuple[Record, str]]:
        """The requests that count at *at*, each with what its user sees: well, fails or waits."""
        first, last = bisect_right(self.ends, at - WINDOW), bisect_right(self.ends, at + self.longest)
        seen = ((record, sees(record, at)) for record in self.ended[first:last])
        return [(record, what) for record, what in seen if what]

    def turns(self) -> list[int]:
        """The instants at which what is seen changes: where a bad request begins and ends, and where a good one ends
        while a bad one counts."""
        turns: set[int] = set()
        bad_until = -1
        for record in sorted(self.ended, key=lambda r: (r.detail["started"], r.at)):
            started, ended = record.detail["started"], record.at
            if record.detail["outcome"] != "ok" or ended - started >= LONG:
                turns |= {started, ended}
                bad_until = max(bad_until, ended + WINDOW)
            elif started <= bad_until:
                turns.add(ended)
        return sorted(turns)


def sees(record: Record, at: int) -> str:
    """What the user of a request sees at *at*; empty while there is nothing to see.

    Who waits sees nothing else, whatever comes of it; an answer with a code is a refusal, even if it does not say
    whether the thing was done.
    """
    started, outcome = record.detail["started"], record.detail["outcome"]
    if started > at:
        return ""
    if record.at > at:  # under way
        late = record.at - started >= LONG or outcome == "unknown"
        return WAITS if late else FAILS if outcome == "failed" else ""
    if outcome == "ok":
        return LATE if fate(record) == "slow" else WELL
    return FAILS if outcome == "failed" or record.detail.get("code") else SILENT


def asked(trace: Trace) -> list[Record]:
    """The requests of a run: those that ended, and those that still wait when it ends, as if they ended just after."""
    until = trace.header["until"]
    late = [ask for ask in trace.header.get(WAITING, ()) if until - ask["started"] >= LONG]
    return trace.of("request") + [
        Record(until + 1, ask["actor"], "request", ask | {"outcome": WAITING}) for ask in late
    ]


def fate(record: Record) -> str:
    """How a request fared: one of `FATES`."""
    outcome = record.detail["outcome"]
    return "slow" if outcome == "ok" and record.at - record.detail["started"] > SLOW else outcome


def is_write(record: Record) -> bool:
    """Whether a client asks to change an object or a key."""
    return record.detail["verb"] in CHANGES.get(record.detail["kind"], ())


def series_of(request: dict[str, Any]) -> str:
    """The strip a request belongs to."""
    if request["kind"] == "service":
        return "visits"
    what = "reads" if request["verb"].lower().startswith("get") else "writes"
    return f"API {what}" if request["kind"] == "api" else what
