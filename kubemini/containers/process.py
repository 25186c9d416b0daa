"""A process in a container: a generator that yields what it waits for, with files, an environment, and signals.

    def main(process):                       `Main`: a program; it returns its exit code
        process.write(OUT, "hello\\n")        what takes no time is a method
        yield Sleep(5 * SECOND)              what is waited for is yielded, and sent what came of it
        return 0

Invariant: a process that has ended does nothing any more; its children go on without it, but for those of process 1,
with which all end. A signal that a process has no handler for ends it, unless it is process 1: the kernel drops those
(pid_namespaces(7)); SIGKILL from outside ends that too.
Simplified: computing takes no time; no process groups, no stopped processes; a signal waits for the program to begin.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from kubemini.containers import failing
from kubemini.containers.context import ERR, OUT, Answer, Health, Request, Runtime, Setting, Timer
from kubemini.containers.failing import Dead, guarded
from kubemini.containers.files import IS_FOLDER, Device, File, Files, Folder, Trouble
from kubemini.containers.streams import (
    NOT_YET,
    BrokenPipe,
    FileReader,
    Nothing,
    Opened,
    Stream,
    Zeros,
)

IN = 0
SIGNALS = {"HUP": 1, "INT": 2, "QUIT": 3, "ABRT": 6, "KILL": 9, "USR1": 10, "SEGV": 11, "USR2": 12, "PIPE": 13}
SIGNALS |= {"ALRM": 14, "TERM": 15, "CHLD": 17, "CONT": 18, "STOP": 19}
HARMLESS = ("CHLD", "CONT", "STOP")  # Simplified: nobody stops
INTERRUPTED = object()  # what a wait is sent that a signal has ended


class Sleep(NamedTuple):
    """Wait *time* µs; None: for ever."""

    time: int | None = None


class Read(NamedTuple):
    """Wait for bytes of a stream: sent them (*line*: of one line), or None at its end."""

    stream: Stream
    line: bool = False


class Wait(NamedTuple):
    """Wait until these processes have ended; *alert*: or until a signal has been handled, sent INTERRUPTED then."""

    processes: "tuple[Process, ...]"
    alert: bool = False


class Ask(NamedTuple):
    """Ask the network (`Runtime.ask`); sent what came."""

    what: str
    of: Any


Step = Sleep | Read | Wait | Ask
Life = Generator[Step, Any, int]
Main = Callable[["Process"], Life]


@dataclass(slots=True)
class Start:
    """How a process begins."""

    main: Main
    argv: tuple[str, ...]
    environment: dict[str, str]
    cwd: str
    streams: dict[int, Stream]


@dataclass(frozen=True, slots=True)
class Server:
    """What answers on a port: HTTP, gRPC's health, or neither: it only accepts. *udp*: packets of who asks, by UDP.

    *tls*: whoever asks must speak it, which only a probe minds.
    """

    http: Callable[[Request], Answer] | None = None
    health: Callable[[str], Health] | None = None
    udp: Callable[[bytes, str], bytes | None] | None = None
    tls: bool = False


class Home(Protocol):
    """The container of a process: `inside.Inside`."""

    files: Files
    runtime: Runtime
    setting: Setting
    processes: "dict[int, Process]"

    def begin(self, start: Start, parent: "Process | None", on_end: Callable[[int], None]) -> "Process":
        """A new process; *on_end* is told its exit code. Trouble: there are too many."""

    def ended(self, process: "Process") -> None:
        """A process has ended."""

    def listen(self, process: "Process", port: int, server: Server) -> None:
        """It answers on *port*. Trouble: somebody else does."""

    def close(self, port: int) -> None:
        """Nobody answers there."""

    def ports_of(self, process: "Process") -> list[int]:
        """The ports that *process* answers on."""

    def weigh(self) -> None:
        """A process holds more memory than before."""

    def out_of_breath(self) -> bool:
        """Whether who begins one more command in this instant is to wait a moment."""

    def descriptor(self, path: str, process: "Process") -> Stream:
        """A stream of a process, by its path. Trouble: there is none."""

    def find(self, name: str, environment: Mapping[str, str], cwd: str) -> tuple[str, File] | None:
        """The path and the file of the program of that name."""

    def called(self, argv: tuple[str, ...], environment: Mapping[str, str], cwd: str) -> tuple[Main, tuple[str, ...]]:
        """The program that *argv* calls, and what it is given. CannotStart: there is none."""


class Process:
    """One process. Programs use its methods; `Inside` makes it and hears of its end."""

    def __init__(self, inside: Home, pid: int, parent: int, start: Start, on_end: Callable[[int], None]):
        self.inside, self.pid, self.parent = inside, pid, parent
        self.argv, self.environment, self.cwd = start.argv, start.environment, start.cwd
        self.streams = {number: stream.hold() for number, stream in start.streams.items()}
        self.code: int | None = None
        self.memory = 0
        self.steady = True  # what it does depends on files alone, and changes none: done again, it does the same
        self._on_end, self._main = on_end, start.main
        self._handlers: dict[str, Callable[[], None] | None] = {}
        self._life: Life | None = None
        self._early: list[str] = []  # signals from before it began
        self._runs = self._dies = False
        self._waits: Step | None = None
        self._timer: Timer | None = None

    # -- what it can do ------------------------------------------------------------------------------------------------
    @property
    def files(self) -> Files:
        """The files of its container."""
        return self.inside.files

    @property
    def now(self) -> int:
        """The instant, µs."""
        self.steady = False
        return self.inside.runtime.now

    def path(self, name: str) -> str:
        """*name*, seen from where it is."""
        return name if name.startswith("/") else f"{self.cwd.rstrip('/')}/{name}"

    def write(self, number: int, text: str | bytes) -> None:
        """Write to one of its streams; with nobody to read it, the process ends by SIGPIPE."""
        data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
        stream = self.streams.get(number)
        if stream is None or not data or self.done:
            return
        try:
            stream.write(data)
        except BrokenPipe:
            self.signal("PIPE")
            if self.done:
                raise Dead from None

    def out(self, text: str | bytes) -> None:
        """Write to standard output."""
        self.write(OUT, text)

    def complain(self, text: str, code: int = 1) -> int:
        """Write a line to standard error; the exit code that goes with it."""
        self.write(ERR, text + "\n")
        return code

    def read(self, number: int = IN, line: bool = False) -> Read:
        """To be yielded: what comes from one of its streams."""
        return Read(self.streams.get(number) or Nothing(), line)

    def on(self, signal: str, act: Callable[[], None] | None) -> None:
        """*act* when that signal comes; None: it is ignored."""
        self._handlers[signal] = act

    def by_default(self, signal: str) -> None:
        """As if nothing had been said of that signal."""
        self._handlers.pop(signal, None)

    def listen(self, port: int, server: Server) -> None:
        """*server* answers on *port* from now on. Trouble: somebody else does."""
        self.steady = False
        self.inside.listen(self, port, server)

    def close(self, port: int) -> None:
        """Nobody answers on *port* any more."""
        self.inside.close(port)

    def ports(self) -> list[int]:
        """The ports that it answers on."""
        return self.inside.ports_of(self)

    def allocate(self, size: int) -> None:
        """It takes *size* bytes more; if that is too much for the container, all of it is killed."""
        self.memory += size
        self.inside.weigh()

    def open(self, name: str, mode: str = "r") -> Stream:
        """A file as a stream: r, w (emptied), a (at its end). Trouble: it cannot be had."""
        path = self.path(name)
        if path.startswith("/proc/self/"):
            path = f"/proc/{self.pid}/{path.removeprefix('/proc/self/')}"
        if path.startswith("/proc/") or path.startswith("/dev/fd/"):
            return self.inside.descriptor(path, self)
        node = self.files.find(path) if mode == "r" else self.files.open(path, empty=mode == "w")
        if isinstance(node, Device):
            return self._device(node.name)
        if isinstance(node, Folder):
            raise Trouble(IS_FOLDER)
        assert isinstance(node, File), "links have been followed"
        if mode == "r":
            return FileReader(node)
        self.steady = False
        return Opened(node, self.files.changed, appends=mode == "a")

    def _device(self, name: str) -> Stream:
        numbers = {"stdin": IN, "stdout": OUT, "stderr": ERR}
        if name in numbers:
            return self.streams.get(numbers[name]) or Nothing()
        return Zeros() if name == "zero" else Nothing()

    def spawn(
        self,
        main: Main,
        argv: tuple[str, ...],
        streams: Mapping[int, Stream] | None = None,
        environment: Mapping[str, str] | None = None,
        on_end: Callable[[int], None] = lambda code: None,
    ) -> "Process":
        """A child; it runs at once until it waits; *on_end* is told its exit code. Trouble: there are too many."""
        given = self.streams if streams is None else streams
        told = dict(self.environment if environment is None else environment)
        return self.inside.begin(Start(main, argv, told, self.cwd, dict(given)), self, on_end)

    def become(self, main: Main, argv: tuple[str, ...], environment: Mapping[str, str]) -> Life:
        """``exit code = yield from process.become(…)``: exec(3), another program in its place."""
        self.argv, self.environment = argv, dict(environment)
        self._handlers = {name: act for name, act in self._handlers.items() if act is None}
        return (yield from main(self))

    # -- what happens to it --------------------------------------------------------------------------------------------
    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self.code is not None

    def begin(self) -> None:
        """It runs until it waits, or ends; not if it has been ended before."""
        if self.done:
            return
        self._life = guarded(self, self._main, self)
        self._advance(None)
        for name in self._early:
            self.signal(name)

    def signal(self, name: str) -> None:
        """A signal comes from inside of its container."""
        if self.done:
            return
        if name == "KILL":
            if self.pid != 1:
                self.end(137)
        elif self._life is None:
            self._early.append(name)
        elif name in self._handlers:
            act = self._handlers[name]
            if act is not None:
                guarded(self, act)
                if isinstance(self._waits, Wait) and self._waits.alert:
                    self._advance(INTERRUPTED)
        elif name not in HARMLESS and self.pid != 1:
            self.end(128 + SIGNALS[name])

    def end(self, code: int) -> None:
        """It ends now."""
        if self.done:
            return
        self.code = code
        if self._timer is not None:
            self._timer.cancel()
        self._waits = None
        if not self._runs:
            self._finish(code)

    def _finish(self, code: int) -> None:
        if self._life is not None:
            guarded(self, self._life.close)
        for stream in list(self.streams.values()):
            stream.drop()
        self.streams = {}
        self.inside.ended(self)
        self._on_end(code)

    def end_in(self, delay: int, code: int) -> None:
        """It ends with *code* in *delay* µs, whatever else it does; once said, said."""
        if not self._dies:
            self._dies = True
            self.inside.runtime.after(delay, self.end, code)

    def look(self) -> None:
        """What it waits for may have come."""
        waits = self._waits
        if isinstance(waits, Read):
            found = waits.stream.read(waits.line)
            if found is not NOT_YET:
                self._advance(found)
        elif isinstance(waits, Wait) and all(one.done for one in waits.processes):
            self._advance(None)

    def _advance(self, value: Any) -> None:
        if self._runs or self.done:
            return
        life, self._waits, self._timer = self._life, None, None
        assert life is not None, "a process advances once it has begun"
        self._runs, code = True, None
        try:
            while not self.done:
                step = life.send(value)
                value = self._at_once(step)
                if value is NOT_YET:
                    break
        except StopIteration as ended:
            code = ended.value
        except Dead:
            code = None
        except Exception as error:
            failing.fail(self, error)
        finally:
            self._runs = False
        if self.code is not None:
            self._finish(self.code)
        elif code is not None:
            self.end(code & 255)

    def _asked(self, step: Ask) -> Any:
        """What the network says at once, or NOT_YET."""
        self.steady = False
        at_once: list[Any] = []

        def take(came: Any) -> None:
            if self._runs:
                at_once.append(came)
            else:
                self._advance(came)

        self.inside.runtime.ask(step.what, step.of, take)
        return at_once[0] if at_once else NOT_YET

    def _at_once(self, step: Step) -> Any:
        """What came of *step*, or NOT_YET: the process waits."""
        if self.done:
            return NOT_YET
        self._waits = step
        match step:
            case Sleep():
                self.steady = False
                if step.time is not None:
                    self._timer = self.inside.runtime.after(step.time, self._advance, None)
                return NOT_YET
            case Read():
                found = step.stream.read(step.line)
                step.stream.wake = self.look
            case Wait():
                found = None if all(one.done for one in step.processes) else NOT_YET
            case Ask():
                found = self._asked(step)
        if found is not NOT_YET:
            self._waits = None
        return found
