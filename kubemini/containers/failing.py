"""What becomes of a program whose own code raises: its process ends as one of Python does, with 1, and nothing else.

Invariant: what a program raises never reaches who called it: the kubelet, a probe, a client, another process.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from kubemini.sim.defects import last_line


class Dead(Exception):
    """The process has been ended by what it has just done."""


class Failing(Protocol):
    """A process, as it can fail."""

    argv: tuple[str, ...]
    inside: Any

    def complain(self, text: str, code: int = 1) -> int:
        """Write a line to standard error."""

    def end(self, code: int) -> None:
        """It ends now."""


def fail(process: Failing, error: Exception) -> None:
    """Code of *process* has raised *error*."""
    process.inside.runtime.failed(process.argv[0] if process.argv else "", error)
    with suppress(Dead):
        process.end(process.complain(last_line(error)))


def guarded(process: Failing, act: Callable[..., Any], *args: Any) -> Any:
    """What ``act(*args)`` comes to, which is code of *process*; None: the process has ended of it."""
    try:
        return act(*args)
    except Dead:
        return None
    except Exception as error:
        fail(process, error)
        return None
