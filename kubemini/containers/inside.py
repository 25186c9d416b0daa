"""What runs in one container: its processes, its files, its ports, its memory.

Theory of operation.

A container is one `Inside`: made when it is created, begun by `start`, over when its first process ends, and then of no
use any more: a restart makes another one (its own files are new, its volumes are not).

    program = program_for("nginx:1.29", (), ())       `images`: raises NoCommand
    inside = Inside(program, setting, runtime)        `context`: what it finds, and who holds it
    inside.start()                                    CannotStart, or it runs; it may have ended when this returns
    inside.signal("TERM")                             to process 1, as a runtime's stop does; what that means is its own
    inside.kill()                                     SIGKILL: `Runtime.ended(137, "")`
    inside.request(80, Request("GET", "/"))           Answer, or None: nobody listens, or nobody who speaks HTTP
    inside.answer(80, Request("GET", "/"), take)      the same for who can wait: *take* gets it when it is there
    inside.datagram(53, b"…", source)                 what a program answers by UDP, b"": nothing; None: nobody listens
    inside.listens(80)                                whether a connection is accepted (a tcpSocket probe)
    inside.health(9090, "")                           Health, or None: no gRPC server there
    inside.exec(["cat", "/x"], take, ended)           a command, as `Process`; CannotStart
    inside.typed                                      its input, to be fed by who attaches; None: it has none
    inside.memory                                     bytes that its processes hold
    inside.files                                      what a runtime reads: termination messages, sizes

Nothing happens by itself but what a program waits for: a server, or `pause`, waits for nobody and costs no event.
Time comes from `Runtime.after` alone, so the same world makes the same container.

**Asking again.** `Answer.until` and `Process.steady` say whether an answer, or a command, would be another one later;
with `Runtime.changed` a prober needs to ask only when there is something to learn. A command of exec whose process is
`steady` when it ends has read files and done nothing else, and its result holds until `changed` of any container that
shares a volume with it.

Invariant: `Runtime.ended` is called once, and nothing is called after it.
Models opencontainers/runc libcontainer Process (what a runtime starts, signals and execs), and of the kernel
pid_namespaces(7) and cgroups: over the limit of memory all of a container is killed (memory.oom.group).
Simplified: files and pipes use no memory of the container; only answers to requests use its CPU.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from kubemini.containers.context import (
    ERR,
    OOM_KILLED,
    OUT,
    Answer,
    CannotStart,
    Health,
    Request,
    Runtime,
    Setting,
)
from kubemini.containers.cpu import Throttle
from kubemini.containers.failing import guarded
from kubemini.containers.files import File, Files, Trouble
from kubemini.containers.images import Program
from kubemini.containers.process import IN, Main, Process, Server, Start
from kubemini.containers.streams import Buffered, Nothing, Sink, Stream, Terminal

MOST_PROCESSES = 200
BREATH = 2_000  # commands that processes of a container may begin in one instant
KILLED = 137
NOT_FOUND = "executable file not found in $PATH"
NO_FILE = "no such file or directory"
CANNOT_FORK = "Resource temporarily unavailable"
IN_USE = "Address in use"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Inside:
    """The inside of one start of a container; see the top of this file."""

    def __init__(self, program: Program, setting: Setting, runtime: Runtime):
        self.program, self.setting, self.runtime = program, setting, runtime
        self.processes: dict[int, Process] = {}
        self._servers: dict[int, tuple[Process, Server]] = {}
        self._datagrams: dict[int, tuple[Process, Server]] = {}  # by UDP
        self._next = 1
        self.over, self._why = False, ""
        self._throttle = Throttle(setting.cpu) if setting.cpu else None
        self._instant, self._begun = -1, 0
        self.typed: Buffered | None = (Terminal() if setting.tty else Buffered()) if setting.stdin else None
        self._log = {number: Sink(partial(self._say, number)).hold() for number in (OUT, ERR)}
        self.files = Files(program.image.root(), list(setting.mounts), self._changed, setting.fixed)

    # -- what a runtime does -------------------------------------------------------------------------------------------
    def start(self, lag: int = 0) -> None:
        """Begin its first process, which does nothing for *lag* µs. CannotStart: there is none such."""
        cwd = self.setting.workdir or self.program.image.workdir
        if not self.files.exists(cwd):
            self.files.make_folder(cwd)
        elif not self.files.is_folder(cwd):
            raise CannotStart(f"error during container init: mkdir {cwd}: not a directory")
        environment = self._environment({"TERM": "xterm"} if self.setting.tty else {})
        main, argv = self.called(self.program.argv, environment, cwd)
        streams: dict[int, Stream] = {IN: self.typed or Nothing(), **self._log}
        self.begin(Start(self.program.main or main, argv, environment, cwd, streams), lag=lag)

    def signal(self, name: str) -> None:
        """A signal to process 1: TERM, QUIT …; KILL ends it whatever it says."""
        if name == "KILL":
            self.kill()
        elif 1 in self.processes:
            self.processes[1].signal(name)

    def kill(self, reason: str = "") -> None:
        """SIGKILL to all of it."""
        if not self.over and 1 in self.processes:
            self._why = reason
            self.processes[1].end(KILLED)

    def request(self, port: int, request: Request) -> Answer | None:
        """What the program that listens on *port* answers; None: nobody does, or not by HTTP."""
        found = self._servers.get(port)
        if found is None or found[1].http is None:
            return None
        answer = guarded(found[0], found[1].http, request)
        if self._throttle is None or answer is None:
            return answer
        return answer._replace(delay=answer.delay + self._throttle.waits(self.runtime.now, answer.work))

    def answer(self, port: int, request: Request, take: Callable[[Answer], None]) -> bool:
        """Ask; *take* gets the answer when it is there, or never, if the program ends before. False: nobody answers."""
        found = self.request(port, request)
        if found is None:
            return False
        if found.later is not None:
            guarded(self._servers[port][0], found.later, take)
        elif found.delay:
            self.runtime.after(found.delay, self._give, take, found)
        else:
            take(found)
        return True

    def _give(self, take: Callable[[Answer], None], answer: Answer) -> None:
        if not self.over:
            take(answer)

    def datagram(self, port: int, data: bytes, source: str) -> bytes | None:
        """What the program that listens on *port* by UDP answers, b"": nothing; None: nobody listens."""
        found = self._datagrams.get(port)
        if found is None or found[1].udp is None:
            return None
        return guarded(found[0], found[1].udp, data, source) or b""

    def listens(self, port: int) -> bool:
        """Whether somebody listens on *port*."""
        return port in self._servers

    def speaks_tls(self, port: int) -> bool:
        """Whether who listens on *port* wants TLS."""
        return port in self._servers and self._servers[port][1].tls

    def hears(self, port: int) -> bool:
        """Whether somebody listens on *port* by UDP."""
        return port in self._datagrams

    @property
    def ports(self) -> tuple[int, ...]:
        """All ports that somebody listens on."""
        return tuple(sorted(self._servers))

    def health(self, port: int, service: str) -> Health | None:
        """What a gRPC health service on *port* says of *service*; None: there is none."""
        found = self._servers.get(port)
        return guarded(found[0], found[1].health, service) if found and found[1].health is not None else None

    def exec(
        self,
        argv: Sequence[str],
        take: Callable[[int, bytes], None],
        ended: Callable[[int], None],
        stdin: Buffered | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Process:
        """Run a command: *take* gets what it writes on OUT and ERR, *ended* its exit code, once.

        Both may be called before this returns. ``process.end(137)`` kills it. *stdin*: None is an empty input, a
        `Terminal` makes a shell a conversation. *environment*: more of it, such as TERM.
        CannotStart: there is no such command.
        """
        told = self._environment(environment or {})
        cwd = self.setting.workdir or self.program.image.workdir
        main, words = self.called(tuple(argv), told, cwd)
        streams: dict[int, Stream] = {number: Sink(partial(take, number)) for number in (OUT, ERR)}
        streams[IN] = stdin if stdin is not None else Nothing()
        return self.begin(Start(main, words, told, cwd, streams), None, ended)

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        found = {"PATH": PATH, **self.program.image.environment, **self.setting.environment, **more}
        found.setdefault("HOME", "/root")
        return found

    @property
    def memory(self) -> int:
        """Bytes that its processes hold."""
        return sum(process.memory for process in self.processes.values())

    # -- what its processes do -----------------------------------------------------------------------------------------
    def begin(
        self,
        start: Start,
        parent: Process | None = None,
        on_end: Callable[[int], None] = lambda code: None,
        lag: int = 0,
    ) -> Process:
        """A new process; it runs in *lag* µs, or at once, until it waits. Trouble: there are too many."""
        if len(self.processes) >= MOST_PROCESSES:
            raise Trouble(CANNOT_FORK)
        pid = self._next
        self._next += 1
        process = self.processes[pid] = Process(self, pid, parent.pid if parent else 0, start, on_end)
        if lag:
            self.runtime.after(lag, process.begin)
        else:
            process.begin()
        return process

    def ended(self, process: Process) -> None:
        """A process has ended."""
        self.processes.pop(process.pid, None)
        for port in self.ports_of(process):
            self.close(port)
        self._datagrams = {port: found for port, found in self._datagrams.items() if found[0] is not process}
        if process.pid == 1:
            self._end(process.code or 0)
        else:
            for other in list(self.processes.values()):
                other.look()

    def _end(self, code: int) -> None:
        for other in list(self.processes.values()):
            other.end(KILLED)
        self.over = True
        self.runtime.ended(code, self._why)

    def listen(self, process: Process, port: int, server: Server) -> None:
        """*process* answers on *port*."""
        taken = self._servers if server.udp is None else self._datagrams
        if port in taken:
            raise Trouble(IN_USE)
        taken[port] = process, server
        self._changed()

    def close(self, port: int) -> None:
        """Nobody answers there."""
        if self._servers.pop(port, None) is not None:
            self._changed()

    def ports_of(self, process: Process) -> list[int]:
        """The ports that *process* answers on."""
        return [port for port, (owner, _) in self._servers.items() if owner is process]

    def weigh(self) -> None:
        """If its processes hold more memory than it may have, it is killed."""
        limit = self.setting.memory
        if limit is not None and self.memory > limit:
            self.kill(OOM_KILLED)

    def out_of_breath(self) -> bool:
        """Whether so much has been begun in this instant that who begins more is to wait a moment."""
        if self.runtime.now != self._instant:
            self._instant, self._begun = self.runtime.now, 0
        self._begun += 1
        return self._begun > BREATH

    def descriptor(self, path: str, process: Process) -> Stream:
        """A stream of a process, by a path such as /proc/1/fd/1."""
        match = re.fullmatch(r"/(?:proc/(\d+)|dev)/fd/(\d+)", path)
        of = self.processes.get(int(match[1])) if match and match[1] else process
        stream = of.streams.get(int(match[2])) if match and of is not None else None
        if stream is None:
            raise Trouble("No such file or directory")
        return stream

    # -- which program is meant ----------------------------------------------------------------------------------------
    def find(self, name: str, environment: Mapping[str, str], cwd: str) -> tuple[str, File] | None:
        """The path and the file that a command of that name is."""
        folders = environment.get("PATH", PATH).split(":") if "/" not in name else [""]
        for folder in folders:
            path = f"{folder}/{name}" if folder else name if name.startswith("/") else f"{cwd.rstrip('/')}/{name}"
            if self.files.exists(path):
                node = self.files.find(path)
                if isinstance(node, File) and (node.main is not None or node.mode & 0o111):
                    return path, node
        return None

    def called(self, argv: tuple[str, ...], environment: Mapping[str, str], cwd: str) -> tuple[Main, tuple[str, ...]]:
        """The program that *argv* calls, and what it is given; CannotStart: there is none, in the words of runc."""
        if self.program.main is not None and argv == self.program.argv:
            return self.program.main, argv
        name = argv[0] if argv else ""
        found = self.find(name, environment, cwd)
        if found is None:
            why = f"stat {name}: {NO_FILE}" if "/" in name else NOT_FOUND
            raise CannotStart(f'exec: "{name}": {why}')
        path, file = found
        if file.main is not None:
            return file.main, argv
        head = re.match(rb"#!\s*(\S+)[ \t]*([^\n]*)", file.data)
        if head is None:
            raise CannotStart(f"exec {path}: exec format error")
        words = [head[1].decode(), *filter(None, [head[2].decode().strip()]), path, *argv[1:]]
        return self.called(tuple(words), environment, cwd)

    def _say(self, number: int, data: bytes) -> None:
        if not self.over:
            self.runtime.say(number, data)

    def _changed(self) -> None:
        if not self.over and 1 in self.processes:
            self.runtime.changed()
