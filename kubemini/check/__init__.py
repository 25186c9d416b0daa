"""Judges of what clients saw: is a history linearizable?

violation = check(parse(text))        None, or the operation that no order explains
print(draw(violation))
"""

from kubemini.check.history import HistoryError, Operation, from_events, parse
from kubemini.check.linearizability import Violation, check
from kubemini.check.timeline import draw

__all__ = ["HistoryError", "Operation", "Violation", "check", "draw", "from_events", "parse"]
