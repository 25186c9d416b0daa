"""Commands: what can be done to a cluster, as data. Faults, an operator's deeds, kubectl: one list.

    faults.Crash("etcd-1")                      a command
    faults.parse(["12s", "crash", "etcd-1"])    an instant and a command, as in a scenario file

One file a family. A file here that declares commands with `@command` is all there is to a new one: scenario files,
``--command``, widgets and the trace know it by its name. The public name of this room is `kubemini.faults`.
"""

import importlib
import pkgutil
from typing import Any

from kubemini.commands.command import ACTIONS, Command, FaultError, argument, command
from kubemini.commands.plan import Planned, entries, parse, parse_all, read_line, schedule

for _module in sorted(module.name for module in pkgutil.iter_modules(__path__)):
    importlib.import_module(f"{__name__}.{_module}")

__all__ = [
    "ACTIONS",
    "Command",
    "FaultError",
    "Planned",
    "argument",
    "command",
    "entries",
    "parse",
    "parse_all",
    "read_line",
    "schedule",
]


def __getattr__(name: str) -> Any:
    """A command's class by its name: `Crash`, `MemberAdd`."""
    for kind in ACTIONS.values():
        if kind.__name__ == name:
            return kind
    raise AttributeError(f"there is no command {name}; there are: {', '.join(k.__name__ for k in ACTIONS.values())}")
