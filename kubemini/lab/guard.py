"""Running a learner's code: it may raise, return nothing, or never end.

Invariant: whatever it does, the checker gets a value or raises `NotYet` with one clear sentence. A loop is stopped
after a number of lines, not of seconds, so that the same answer gets the same report on every machine.
Simplified: the lines of libraries are not counted, and a call that hangs inside a C function is not stopped.
"""

import dis
import sys
import sysconfig
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from kubemini.lab.report import LONG, NotYet
from kubemini.ranges import shown

LINES = 200_000
STEPS = 20  # instructions that count as a line, where a loop stands on one
LIBRARIES = (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), str(Path(__file__).parent.parent), "<frozen")


class OutOfLines(BaseException):
    """The budget is used up; not an Exception, so that a learner's ``except Exception`` lets it pass."""


def ask(function: Any, *arguments: Any, lines: int = LINES) -> Any:
    """What the learner's *function* returns for *arguments*. Raises NotYet if it returns nothing at all."""
    if not callable(function):
        raise NotYet(f"Give check() the function itself, without calling it; it got {_short(function)}.")
    call = f"{getattr(function, '__name__', 'your function')}({_short(*arguments)})"
    try:
        value = _within(lines, function, arguments)
    except OutOfLines:
        raise NotYet(f"{call} did not end after {lines:,} lines: is there a loop that never reaches its end?") from None
    except RecursionError:
        raise NotYet(f"{call} calls itself without end: which call returns without calling again?") from None
    except NotYet:
        raise  # what it was given to call has something to say
    except KeyboardInterrupt:
        raise  # the reader presses stop
    except BaseException as error:  # also what is no Exception: sys.exit(), GeneratorExit
        raise NotYet(f"{call} raised {type(error).__name__}: {shown(error, LONG)}") from None
    if value is None or value is ...:
        raise NotYet(f"{call} returned nothing yet: replace the … with your answer and return it.")
    return value


def _within(lines: int, function: Callable[..., Any], arguments: tuple) -> Any:
    left, before = lines * STEPS, sys.gettrace()

    def local(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal left
        left -= STEPS if event == "line" else event == "opcode"
        if left < 0:
            raise OutOfLines
        return local

    def enter(frame: FrameType, event: str, arg: Any) -> Any:
        if frame.f_code.co_filename.startswith(LIBRARIES):
            return None
        frame.f_trace_opcodes = _loops_on_a_line(frame.f_code)
        return local

    sys.settrace(enter)
    try:
        return function(*arguments)
    finally:
        sys.settrace(before)


@lru_cache(maxsize=256)
def _loops_on_a_line(code: CodeType) -> bool:
    """Whether a loop stands on one line: Python need not say that such a line begins anew (``while True: pass``)."""
    line, began = 0, {}
    for step in dis.get_instructions(code):
        line = step.positions.lineno if step.positions and step.positions.lineno else line
        began[step.offset] = line
        if "JUMP" in step.opname and step.argval in began and began[step.argval] == line:
            return True
    return False


def _short(*values: Any, most: int = 60) -> str:
    try:
        text = ", ".join(map(repr, values))
    except Exception:  # what it was given has no words for itself
        return "…"
    return text if len(text) <= most else "…"
