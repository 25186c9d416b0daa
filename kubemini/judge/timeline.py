"""A violation as a picture in text: one line a process, time from left to right.

process 1  ├─write 1─┤
process 2              ├─read None─┤  ✕
"""

from kubemini.judge.history import Operation, frozen
from kubemini.judge.linearizability import Violation

BEFORE = 6  # how many earlier operations are shown
WIDEST = 110


def draw(violation: Violation) -> str:
    """The operation that cannot be explained, with what ran beside it and what came before."""
    shown = _shown(violation)
    places = sorted({p for op in shown for p in (op.invoked, op.returned) if p is not None})
    column = {place: number for number, place in enumerate(places)}
    width = _width(shown, column)
    names = {frozen(op.process): str(op.process) for op in shown}
    left = max(len(f"process {name}") for name in names.values()) + 2
    lines = [f"{_about(violation)} is not linearizable:"]
    for process, name in names.items():
        row = [" "] * (len(places) * width + 12)
        for op in shown:
            if frozen(op.process) == process:
                _write(row, op, column, width, op is violation.operation)
        lines.append(f"{'process ' + name:<{left}}{''.join(row).rstrip()}")
    picture = "\n".join([*lines, _why(violation)])
    return picture.encode("utf-8", "backslashreplace").decode("utf-8")  # JSON may hold half a character


def _about(violation: Violation) -> str:
    return "the history" if violation.key is None else f"the history of key {violation.key!r}"


def _shown(violation: Violation) -> list[Operation]:
    last = violation.operation
    pending = [op for op in violation.pending if op.invoked < (last.returned or 0)]
    over = [op for op in violation.history if op.returned is not None and op.returned < (last.returned or 0)]
    recent = sorted(over, key=lambda op: op.returned or 0)[-BEFORE:]
    shown = {op.invoked: op for op in (*recent, *pending[-BEFORE:], last)}
    return [shown[invoked] for invoked in sorted(shown)]


def _width(shown: list[Operation], column: dict[int, int]) -> int:
    """Characters a column, so that labels fit."""
    needed = 2
    for op in shown:
        if op.returned is not None:
            span = column[op.returned] - column[op.invoked]
            needed = max(needed, -(-(len(str(op)) + 4) // span))
    return min(needed, max(2, WIDEST // len(column)))


def _write(row: list[str], op: Operation, column: dict[int, int], width: int, wrong: bool) -> None:
    start = column[op.invoked] * width
    end = len(row) if op.returned is None else column[op.returned] * width
    label = f"├─{op} ?" if op.returned is None else f"├─{op}".ljust(end - start, "─")[: end - start] + "┤"
    label += "  ✕" if wrong else ""
    row[start : start + len(label)] = list(label[: len(row) - start])


def _why(violation: Violation) -> str:
    """In a sentence."""
    states = ", ".join(str(list(state) if isinstance(state, tuple) else state) for state in violation.states[:5])
    op = violation.operation
    what = f"read {op.value}" if op.f == "read" else f"did {op}"
    return (
        f"✕ process {op.process} {what} (lines {op.invoked} to {op.returned}), "
        f"but by then the value can only have been {states or 'nothing'}, whatever is still open."
    )
