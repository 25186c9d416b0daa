"""What a shell knows: variables, functions, options, traps, jobs; and what ends more than one command.

Invariant: ``status`` is the exit status of the last command, at any time.
POSIX, Shell Command Language, sections 2.5 (parameters), 2.14 (trap).
"""

from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import Any

from kubemini.containers.files import Files
from kubemini.containers.process import Process
from kubemini.containers.shell.expansion import BadExpansion
from kubemini.containers.shell.syntax import Command

Ran = Generator[Any, Any, int]
Builtin = Callable[[Any, list[str]], "int | Ran"]


class Leaving(Exception):
    """The base of what ends more than one command."""


class Exit(Leaving):
    """The shell ends with this status."""


class Return(Leaving):
    """The function ends."""


class Loops(Leaving):
    """``break``, or with *goes_on* ``continue``, of so many loops."""

    def __init__(self, levels: int, goes_on: bool):
        super().__init__()
        self.levels, self.goes_on = levels, goes_on


class State:
    """The state of one shell; *builtins* are its own commands."""

    def __init__(self, process: Process, name: str, arguments: Sequence[str], builtins: dict[str, Builtin]):
        self.process, self.name, self.arguments = process, name, list(arguments)
        self.builtins, self.pid = builtins, process.pid
        self.variables: dict[str, str] = {"IFS": " \t\n", **process.environment}
        self.exported: dict[str, None] = dict.fromkeys(process.environment)
        self.readonly: set[str] = set()
        self.functions: dict[str, Command] = {}
        self.options: set[str] = set()
        self.traps: dict[str, str] = {}
        self.pending: list[str] = []
        self.jobs: list[Process] = []
        self.last_job: int | None = None
        self.frames: list[dict[str, str | None]] = []  # of functions: what their local variables hide
        self.status = 0
        self.asked = 0  # of a substitution: its status
        self.tested = 0  # conditions that are being looked at: set -e does not end them
        self.loops = 0

    # -- values --------------------------------------------------------------------------------------------------------
    @property
    def unset_is_wrong(self) -> bool:
        """``set -u``."""
        return "u" in self.options

    @property
    def plain_names(self) -> bool:
        """``set -f``."""
        return "f" in self.options

    @property
    def files(self) -> Files:
        """Those of its container."""
        return self.process.files

    @property
    def cwd(self) -> str:
        """Where it is."""
        return self.process.cwd

    def value(self, name: str) -> str | None:
        """The value of a parameter, None if it is unset."""
        if name.isdigit():
            number = int(name)
            if not number:
                return self.name
            return self.arguments[number - 1] if number <= len(self.arguments) else None
        match name:
            case "?":
                return str(self.status)
            case "$":
                return str(self.pid)
            case "!":
                return None if self.last_job is None else str(self.last_job)
            case "#":
                return str(len(self.arguments))
            case "-":
                return "".join(sorted(self.options))
        return self.variables.get(name)

    def assign(self, name: str, value: str) -> None:
        """Set a variable. BadExpansion: it is not to be changed."""
        if name in self.readonly:
            raise BadExpansion(f"{name}: is read only")
        self.variables[name] = value
        if "a" in self.options:
            self.exported[name] = None

    def environment(self) -> dict[str, str]:
        """What its children are told."""
        return {name: self.variables[name] for name in self.exported if name in self.variables}

    def complain(self, text: str, code: int = 1) -> int:
        """Say what is wrong; *code*."""
        return self.process.complain(f"{self.name.rpartition('/')[2]}: {text}", code)

    # -- traps ---------------------------------------------------------------------------------------------------------
    def trap(self, signal: str, act: str | None) -> None:
        """*act* when that signal comes; "" ignores it, None is as if nothing had been said."""
        if act is None:
            self.traps.pop(signal, None)
            self.process.by_default(signal)
            return
        self.traps[signal] = act
        if signal != "EXIT":
            self.process.on(signal, partial(self.pending.append, signal) if act else None)

    def copy_of(self, other: "State") -> None:
        """Begin as *other* is, but for its traps and jobs."""
        self.variables, self.exported, self.readonly = dict(other.variables), dict(other.exported), set(other.readonly)
        self.functions, self.options, self.pid = dict(other.functions), set(other.options), other.pid
        self.status, self.tested, self.last_job = other.status, other.tested, other.last_job
        self.frames = [dict(frame) for frame in other.frames]
