"""One run of a container from the inside: what its program does, and how that reaches the runtime.

Theory of operation.

Three kinds of programs live in containers. Most images are not known: such a program is *plain*, it serves until it is
told to end and needs a moment for it, and only the annotations of its pod say anything else (``exit-after``). A plain
life costs one timer at its end and nothing before; its inside is made when somebody looks into it. An image that stands
for a component of the simulation (`Host.images`, such as CoreDNS) is a plain life too, whose component is started and
ended with it. All others are *programs* of `kubemini.containers`: they begin, write, answer and end as they please.

Invariant: `Life.ended` is told once, and nothing of a life acts after it.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from kubemini.containers import OOM_KILLED, CannotStart, Files, Inside, Program, Setting
from kubemini.containers.files import Trouble
from kubemini.host import Host
from kubemini.sim.units import MS

KILLED = 137
SETTLE = 50 * MS  # the least that a process runs


class Timer:
    """Something that will happen to a life, unless it is cancelled."""

    __slots__ = ("cancelled",)

    def __init__(self) -> None:
        self.cancelled = False

    def cancel(self) -> None:
        """Forget it."""
        self.cancelled = True


class Holder(Protocol):
    """The runtime that holds a life."""

    host: Host

    def later(self, delay: int, act: Callable[..., None], *args: Any) -> None:
        """``act(*args)`` in *delay* µs, unless the power goes."""


class Life:
    """What runs in one run of a container; *ended* is told (exit code, reason) once."""

    def __init__(
        self,
        holder: Holder,
        program: Program,
        setting: Setting,
        resolv_conf: str,
        ended: Callable[[int, str], None],
        say: Callable[[bytes], None],
        changed: Callable[[], None],
        failed: Callable[[str, Exception], None],
    ):
        self.holder, self.program, self.setting, self.resolv_conf = holder, program, setting, resolv_conf
        self.plain = bool(program.note)
        self.over = self._told = False
        self._began = self._began_with = self._began_count = self._slow = 0
        self._ended, self._say, self._changed, self._failed = ended, say, changed, failed
        self._inside: Inside | None = None

    # -- what the runtime does -----------------------------------------------------------------------------------------
    def start(self, exit_after: int | None, exit_code: int, lag: int = 0) -> None:
        """Begin; a plain one ends by itself after *exit_after* µs, if that is given, any other acts after *lag* µs.

        CannotStart: it cannot.
        """
        self._began = self.now
        if not self.plain:
            self.inside.start(lag)
        elif exit_after is not None:
            self.after(exit_after, self.end, exit_code)

    def terminate(self, exits_in: int) -> None:
        """SIGTERM; a plain program needs *exits_in* µs to end.

        To any other the signal comes in half of that, and the runtime knows of its end the other half after it.
        """
        if self._told or self.over:
            return
        self._told, self._slow = True, exits_in // 2
        if self.plain:
            self.after(exits_in, self.end, 0)
        else:
            self.after(exits_in - self._slow, self.inside.signal, "TERM")

    def end(self, code: int = KILLED, reason: str = "") -> None:
        """It has ended, or is killed."""
        if self.over:
            return
        if not self.plain:
            self.inside.kill(reason)
            return
        self.over = True
        if self._inside is not None:
            self._inside.kill()
        self._ended(code, reason)

    @property
    def inside(self) -> Inside:
        """Its files, processes and ports."""
        if self._inside is None:
            self._inside = Inside(self.program, self.setting, self)
            root = self._inside.files.root
            self._began_with, self._began_count = root.size(), root.count()
            if self.plain:
                self._inside.start()
        return self._inside

    def left(self) -> Files | None:
        """What files it has left, if it ever had any of its own."""
        return self._inside.files if self._inside is not None else None

    @property
    def written(self) -> int:
        """Bytes of the files that it has written beside its volumes."""
        return self._inside.files.root.size() - self._began_with if self._inside is not None else 0

    @property
    def made(self) -> int:
        """Files and folders that it has beside its volumes."""
        return self._inside.files.root.count() - self._began_count if self._inside is not None else 0

    @property
    def processes(self) -> int:
        """How many of its processes run."""
        return len(self._inside.processes) if self._inside is not None else 0 if self.over else 1

    @property
    def memory(self) -> int:
        """Bytes that it holds."""
        return self._inside.memory if self._inside is not None else 0

    # -- what its program asks for (`kubemini.containers.Runtime`) -----------------------------------------------------
    @property
    def now(self) -> int:
        """The instant (µs)."""
        return self.holder.host.sim.now

    @property
    def wall(self) -> int:
        """The date (µs)."""
        return self.holder.host.sim.wall

    def after(self, delay: int, act: Callable[..., None], *args: Any) -> Timer:
        """``act(*args)`` in *delay* µs, if it still runs then."""
        timer = Timer()
        self.holder.later(delay, self._due, timer, act, args)
        return timer

    def _due(self, timer: Timer, act: Callable[..., None], args: tuple[Any, ...]) -> None:
        if not (self.over or timer.cancelled):
            act(*args)

    def say(self, stream: int, data: bytes) -> None:
        """It writes."""
        self._say(data)

    def ended(self, code: int, reason: str) -> None:
        """Its first process has ended."""
        if not self.over:
            self.over = True
            self.holder.later(max(self._slow, self._began + SETTLE - self.now), self._ended, code, reason)

    def failed(self, program: str, error: Exception) -> None:
        """Code of one of its processes has raised *error*."""
        self._failed(program, error)

    def changed(self) -> None:
        """A probe may hear something else from now on."""
        self._changed()

    def ask(self, what: str, of: Any, then: Callable[[dict[str, Any]], None]) -> None:
        """Ask the network, by way of this host's stack."""
        name = f"pods@{self.holder.host.name}"
        components: list[Any] = list(self.holder.host.components)
        stack = next((one for one in components if one.name == name), None)
        if stack is None:
            self.after(0, then, {"error": "no network", "addresses": [], "silent": True, "server": "", "body": ""})
            return
        payload = {"of": of, "source": self.setting.about.get("ip", ""), "resolv_conf": self.resolv_conf}
        payload["hosts"] = self._hosts()
        stack.call(stack.name, what, payload).callbacks.append(partial(self._answered, then))

    def _hosts(self) -> list[list[str]]:
        """Its /etc/hosts: an address and names, line by line."""
        try:
            text = self.inside.files.read("/etc/hosts").decode("utf-8", "replace")
        except Trouble:
            return []
        return [words for line in text.splitlines() if (words := line.partition("#")[0].split())]

    def _answered(self, then: Callable[[dict[str, Any]], None], event: Any) -> None:
        if not self.over and event.value.ok:
            then(event.value.value)


__all__ = ["KILLED", "OOM_KILLED", "CannotStart", "Life", "Timer"]
