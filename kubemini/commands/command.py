"""What a command is: a name, arguments that are declared as data, and what it does.

    @command("slow_disk")
    class SlowDisk(Command):
        host: str = argument(HOST)
        extra: int = argument(DURATION)

        def do(self, cluster):
            cluster.hosts[self.host].set_slow_disk(self.extra)

Invariant: a command that exists has arguments of the right shape, and one whose `check` passed can be done: nothing
is changed before all commands of a run have been checked.
"""

from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, ClassVar, TypeVar, dataclass_transform

from kubemini.cluster import Cluster


class FaultError(ValueError):
    """A command that cannot be done to this cluster; the message says what can."""


@dataclass(frozen=True, slots=True)
class Argument:
    """What an argument may be: *read* gives its value, *check* asks the cluster whether there is such a thing.

    Both raise FaultError. The last argument of a command may take the *rest* of a line, commas and all.
    """

    read: Callable[[Any], Any]
    check: Callable[[Cluster, Any], None] = lambda cluster, value: None
    rest: bool = False


def argument(kind: Argument, default: Any = MISSING) -> Any:
    """A field of a command; one with a *default* may be left out."""
    return field(default=default, metadata={"kind": kind})


class Command:
    """Base class: fields say what it needs, `check` whether it can be done, `do` does it."""

    __slots__ = ()
    action: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for name, kind in self.arguments():
            try:
                object.__setattr__(self, name, kind.read(getattr(self, name)))
            except FaultError as error:
                raise FaultError(f"{self.action}: {name}: {error}") from None

    @classmethod
    def arguments(cls) -> list[tuple[str, Argument]]:
        """Name and kind of each argument, in order."""
        return [(f.name, f.metadata["kind"]) for f in fields(cls)]  # type: ignore[arg-type]  # a dataclass by `command`

    def check(self, cluster: Cluster) -> None:
        """Raise FaultError if this cannot be done to *cluster*."""
        for name, kind in self.arguments():
            kind.check(cluster, getattr(self, name))

    def do(self, cluster: Cluster) -> None:
        """Do it now."""
        raise NotImplementedError(f"{type(self).__name__} does nothing: give it a method `do`")


ACTIONS: dict[str, type[Command]] = {}
Declared = TypeVar("Declared", bound=type[Command])


@dataclass_transform(frozen_default=True, field_specifiers=(argument,))
def command(action: str) -> Callable[[Declared], Declared]:
    """Declare the class below as the command called *action*."""

    def declare(kind: Declared) -> Declared:
        assert action not in ACTIONS, f"two commands are called {action}: give this one another name"
        made = dataclass(frozen=True, slots=True)(kind)
        made.action = action
        ACTIONS[action] = made
        return made  # type: ignore[return-value]  # the same class, with slots

    return declare
