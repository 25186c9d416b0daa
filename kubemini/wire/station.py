"""What the wire knows of a program: its name, whether it is there, and how to reach it.

A program (`host.Component`) is a station; the wire needs no more of it than stands here, so it
imports nothing of the machines and the programs.
"""

from collections.abc import Callable
from typing import Any, Protocol

from kubemini.sim import Sim, Steps


class Place(Protocol):
    """A machine, as the wire knows it."""

    @property
    def name(self) -> str:
        """Links are between names of machines."""

    @property
    def powered(self) -> bool:
        """Without power it neither answers nor refuses."""


class Port(Protocol):
    """Where packets of calls and streams arrive; `rpc.Endpoint` is the only one."""

    def request(self, source: str, id: int, method: str, payload: Any, stream: bool) -> None:
        """A call has arrived."""

    def result(self, id: int, reply: Any) -> None:
        """An answer has arrived."""

    def item(self, id: int, item: Any) -> None:
        """A stream's item has arrived."""

    def cancel(self, source: str, id: int) -> None:
        """The client of a call has gone."""

    def broken(self, id: int) -> None:
        """Something on the way to a stream was lost for good."""


class Station(Protocol):
    """A program on a machine, up or not; *incarnation* counts its lives, *index* orders stations.

    *listens*: whether the kernel accepts connections for it.
    """

    sim: Sim
    name: str
    index: int
    up: bool
    listens: bool
    paused: bool
    incarnation: int

    @property
    def host(self) -> Place:
        """Where it runs."""

    @property
    def calm(self) -> bool:
        """Whether what it says of its health stays so until something is done to somebody."""

    @property
    def rpc(self) -> Port:
        """Where its calls arrive."""

    def arrive(self, source: str, payload: Any) -> None:
        """A datagram is at the door."""

    def handle(self, call: Any) -> Steps | None:
        """A call is at the door."""

    def greet(self, call: Any) -> Steps | None:
        """A client has connected."""

    def spawn(self, generator: Steps) -> Any:
        """Run a task of this incarnation."""

    def after(self, delay: int, act: Callable, *args: Any) -> Any:
        """``act(*args)`` after *delay* µs, unless this incarnation dies."""

    def guarded(self, incarnation: int, act: Callable, args: tuple) -> None:
        """``act(*args)`` if that incarnation lives: now, or when it resumes."""

    def enter(self, act: Callable, args: tuple) -> None:
        """``act(*args)``, its own code: if that fails, this program fails alone."""
