"""Judges of what clients saw: is a history linearizable?

violation = check(parse(text))        None, or the operation that no order explains
print(draw(violation))
"""

from kubemini.judge.history import HistoryError, Operation, from_events, parse
from kubemini.judge.linearizability import Violation, check
from kubemini.judge.timeline import draw

__all__ = ["HistoryError", "Operation", "Violation", "check", "draw", "from_events", "parse"]
