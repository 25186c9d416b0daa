"""What the trace and a log say of an exception that our own code has raised: the same on every machine and day."""

import re
import sys
from traceback import walk_tb

_OF_THIS_MACHINE = re.compile(r" at 0x[0-9a-fA-F]+| \(/[^)]*\)")  # addresses in memory, paths of files


def told(error: Exception) -> dict[str, str]:
    """What a record says of *error*: its type, its message, where it was raised."""
    return {"type": type(error).__name__, "message": _message(error), "where": _place(error)}


def last_line(error: Exception) -> str:
    """The last line of its traceback."""
    message = _message(error)
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _message(error: Exception) -> str:
    return _OF_THIS_MACHINE.sub("", str(error))[:200]


def _place(error: Exception) -> str:
    """The innermost function of ours in which *error* was raised: ``kubemini.scheduler.loop.Scheduler.bind``."""
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    ours = [f for f in frames if f.f_globals.get("__name__", "").split(".")[0] not in sys.stdlib_module_names]
    return f"{ours[-1].f_globals['__name__']}.{ours[-1].f_code.co_qualname}"
