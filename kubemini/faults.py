"""The public name of `kubemini.commands`: what can be done to a cluster.

faults.Crash("etcd-1")                      a command
faults.parse(["12s", "crash", "etcd-1"])    an instant and a command, as in a scenario file
"""

from typing import Any

from kubemini import commands
from kubemini.commands import ACTIONS, Command, FaultError, Planned, entries, parse, parse_all, schedule

__all__ = ["ACTIONS", "Command", "FaultError", "Planned", "entries", "parse", "parse_all", "schedule"]


def __getattr__(name: str) -> Any:
    """Every command by the name of its class."""
    return getattr(commands, name)


def __dir__() -> list[str]:
    """What a notebook offers behind ``faults.``."""
    return sorted([*__all__, *(kind.__name__ for kind in ACTIONS.values())])
