"""What the visitors of a Service met, read from a trace.

Used by several chapters, in exercises and in cells.
"""

from collections.abc import Iterable

from kubemini.sim import Trace
from kubemini.sim.trace import Record
from kubemini.sim.units import SECOND


def visits(trace: Trace, begin: float, end: float, by: str = "") -> list[Record]:
    """The visits to the Service that began from *begin* to *end* (seconds), of one visitor if named."""
    return [r for r in _begun(trace, begin, end) if r.detail["kind"] == "service" and by in ("", r.actor)]


def share(requests: Iterable[Record]) -> float:
    """The share of *requests* that was answered; 0 if there are none."""
    fates = [r.detail["outcome"] == "ok" for r in requests]
    return sum(fates) / len(fates) if fates else 0.0


def _begun(trace: Trace, begin: float, end: float) -> list[Record]:
    return [r for r in trace.of("request") if begin * SECOND <= r.detail["started"] < end * SECOND]
