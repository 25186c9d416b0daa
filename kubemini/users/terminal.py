"""Somebody who types kubectl lines: each is carried out in the simulation, against a server's own pipeline.

    line = terminal.type("get pods -o wide")     a `Typed`: it goes on as time passes; read it when it is over
    terminal.type("apply -f -", given="…")       with something on standard input

A line dials its server once, as kubectl does, and again if that connection is gone; whatever it asks for goes down the
same chain as any request from outside (apiserver/http.py). What kubectl prints is decided in users/decide/kubectl.
Invariant: a line ends, with an exit status, or is interrupted; nothing that it does outlives it.
Simplified: what is known of a server's resources is kept until a word fits none of them.
"""

from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import simpy

from kubemini.apiserver.decide.access.users import MASTERS, UserInfo
from kubemini.apiserver.http import Exchange, HttpRequest, HttpResponse, WatchStream
from kubemini.apiserver.server import ApiServer
from kubemini.host import Component, Host
from kubemini.sim import Sim, Steps
from kubemini.sim.units import SECOND
from kubemini.users.decide import apply
from kubemini.users.decide.kubectl import asking, reading
from kubemini.users.decide.kubectl.asking import (
    Answer,
    Ask,
    Leave,
    Listen,
    Next,
    Pause,
    Raw,
    ReadFile,
    Screen,
    Send,
    Visit,
)
from kubemini.users.decide.kubectl.discovery import Known
from kubemini.users.decide.kubectl.line import Line
from kubemini.users.decide.kubectl.printing.gotext import as_json
from kubemini.wire import Network, Unreachable
from kubemini.wire.connections import Connection, Limits
from kubemini.wire.rpc import happen

ADMIN = UserInfo("kubernetes-admin", ("kubeadm:cluster-admins", MASTERS))
KUBECTL = "kubectl"
LIMITS = Limits(handshake=10 * SECOND, idle=30 * SECOND, pong=15 * SECOND, unacknowledged=None)
PORT = 6443
INTERRUPTED = 130  # the status of what a ^C has ended: 128 + SIGINT, as a shell counts


class Typed:
    """One line: what it has printed so far, and, when it is *over*, its exit *status*."""

    def __init__(self, text: str, screen: Screen):
        self.line, self.screen = text, screen
        self.status: int | None = None
        self.interrupt: Callable[[], None] = lambda: None  # ^C
        self.visit: Callable[[Visit], bool] = lambda visit: False  # connect to a port it listens on: whether it does

    @property
    def over(self) -> bool:
        return self.status is not None

    @property
    def out(self) -> str:
        """Standard output."""
        return self.screen.text("out")

    @property
    def err(self) -> str:
        """Standard error."""
        return self.screen.text("err")

    def __str__(self) -> str:
        return self.screen.text()

    def __repr__(self) -> str:
        return f"$ kubectl {self.line}\n{self}".rstrip("\n")


class Files:
    """What a line may read: files *given* by name, and, with *disk*, those of this machine."""

    def __init__(self, given: Mapping[str, str], disk: bool):
        self.given, self.disk = given, disk

    def read(self, name: str) -> str:
        """The text of a file. Raises NoFile."""
        name = "-" if name == "/dev/stdin" else name
        if name in self.given:
            return self.given[name]
        if not self.disk:
            raise asking.NoFile(name, "no such file or directory")
        try:
            return Path(name).read_text(encoding="utf-8-sig")
        except OSError as error:
            raise asking.NoFile(name, str(error.strerror or error).lower()) from None
        except UnicodeDecodeError:
            raise asking.NoFile(name, "it is not text in UTF-8") from None


class Terminal(Component):
    """A machine with kubectl; *contexts*: name → who is dialled, the first one unless a line says otherwise."""

    def __init__(self, sim: Sim, net: Network, host: Host, name: str, contexts: Mapping[str, str], token: str = ""):
        super().__init__(sim, net, host, name)
        self.contexts, self.token = contexts, token
        self.known, self.lines = Known(), 0

    def start(self) -> None:
        """Somebody sits down: no program of the cluster, so the trace says nothing of it."""
        if not self.up and self.host.powered:
            self.up, self.paused = True, False
            self.incarnation += 1

    def type_recorded(self, text: str) -> None:
        """Type a line of which the trace tells what it prints, as it prints it; it reads no file of this disk."""
        self.lines += 1
        number = self.lines

        def tell(typed: Typed, said: str) -> None:
            self.sim.record(KUBECTL, "typed", number=number, line=text, said=said, status=typed.status)

        self.type(text, disk=False, on_news=tell)

    def type(
        self,
        text: str,
        given: str = "",
        files: Mapping[str, str] | None = None,
        disk: bool = True,
        on_news: Callable[[Typed, str], None] = lambda typed, said: None,
    ) -> Typed:
        """Carry *text* out from now on; *given* is its standard input, *files* come before those of the *disk*.

        *on_news* is told what has been printed, whenever something has, and when the line is over.
        """
        screen = Screen(now=self.sim.wall)
        typed = Typed(text, screen)
        line = Line(screen, self.known, f"https://{next(iter(self.contexts.values()))}:{PORT}")
        try:
            words, document = reading.split(text)
        except asking.Failed as problem:
            screen.complain(str(problem))
            typed.status = problem.status
            on_news(typed, str(typed))
            return typed
        _Course(self, typed, line, words, Files({**(files or {}), "-": document or given}, disk), on_news)
        return typed


class _Course:
    """A line on its way."""

    def __init__(
        self,
        terminal: Terminal,
        typed: Typed,
        line: Line,
        words: list[str],
        files: "Files",
        on_news: Callable[[Typed, str], None],
    ):
        self.terminal, self.typed, self.line, self.files = terminal, typed, line, files
        self.on_news, self._told = on_news, 0
        self.connection: Connection | None = None
        self.server: ApiServer | None = None
        self.waits: simpy.Event | None = None
        self.exchanges: list[Exchange] = []
        typed.interrupt, typed.visit = self._interrupt, self._visit
        self.ports: tuple[int, ...] = ()  # on which it listens
        self.visits: deque[Visit] = deque()
        self.task = terminal.spawn(self._drive(reading.done(words, line)))

    def _drive(self, steps: Steps) -> Steps:
        value: Any = None
        problem: Exception | None = None
        while True:
            self.line.screen.now = self.terminal.sim.wall
            try:
                need = steps.throw(problem) if problem else steps.send(value)
            except StopIteration as end:
                self._end(end.value)
                return
            problem = None
            self._tell()
            try:
                value = yield from self._meet(need)
            except asking.Failed as found:
                problem = found

    def _meet(self, need: Any) -> Steps:
        """What a line that asks for *need* is given. Raises Failed."""
        match need:
            case Ask():
                return (yield from self._ask(need))
            case Next():
                return (yield from self._next_event(need.watch))
            case Raw():
                return (yield from self._bytes(need.watch))
            case Send():
                need.watch.feed(need.data)
            case Leave():
                need.watch.close()
            case Listen():
                self.ports = need.ports
                while not self.visits:
                    self.waits = simpy.Event(self.terminal.sim)
                    yield self.waits
                return self.visits.popleft()
            case Pause():
                yield self.terminal.timeout(need.time)
            case ReadFile():
                return self.files.read(need.name)
        return None

    # -- requests ------------------------------------------------------------------------------------------------------
    def _ask(self, ask: Ask) -> Steps:
        target = ask.path + ("?" + urlencode(ask.query) if ask.query else "")
        if self.connection is None or not self.connection.open:
            failed = yield from self._dial()
            if failed is not None:
                return self._unreached(failed, ask.method, target)
        assert self.server is not None, "a dial that succeeds leads to a server"
        answered = simpy.Event(self.terminal.sim)
        self.waits = answered
        request = HttpRequest(ask.method, target, self._headers(ask), _body(ask), self._certificate())
        exchange = Exchange(self.server, request, lambda made: self._answered(answered, made))
        self.exchanges.append(exchange)
        made = yield answered
        self.waits = None
        if isinstance(made, Unreachable):
            return self._unreached(made, ask.method, target)
        warnings = tuple(value for name, value in made.headers if name == "Warning")
        self._warn(warnings)
        if isinstance(made.body, WatchStream):
            return Answer(made.status, watch=made.body)
        return Answer(made.status, made.body, warnings=warnings)

    def _warn(self, warnings: tuple[str, ...]) -> None:
        for text in warnings:
            told = text.partition('"')[2].rpartition('"')[0].replace('\\"', '"').replace("\\\\", "\\")
            self.line.screen.complain(f"Warning: {told}")

    def _answered(self, event: simpy.Event, made: HttpResponse | Unreachable | None) -> None:
        if event.callbacks is not None and not event.triggered:
            happen(event, made)

    def _dial(self) -> Steps:
        """Connect; the error if nobody lets us in."""
        connection = self.terminal.connection(self._target(), LIMITS, self._broken, kept=False)
        reply = yield connection.dial()
        if not reply.ok:
            return reply.error
        found = self.terminal.net.components.get(reply.value)
        assert isinstance(found, ApiServer), "whoever is behind a door of a kubeconfig is an API server"
        self.connection, self.server = connection, found
        return None

    def _target(self) -> str:
        """Who is dialled. Raises Failed."""
        contexts = self.terminal.contexts
        wanted = self.line.given["context"]
        if wanted and wanted not in contexts:
            raise asking.fail(f'context "{wanted}" does not exist')
        url = self.line.given["server"]
        if url:
            host = urlsplit(url if "//" in url else f"//{url}").hostname or ""
            if host not in contexts.values():
                raise asking.Failed(f"Unable to connect to the server: dial tcp: lookup {host}: no such host")
            return host
        return contexts[wanted] if wanted else next(iter(contexts.values()))

    def _broken(self, error: Unreachable) -> None:
        """The connection has gone under what is asked."""
        if self.waits is not None:
            self._answered(self.waits, error)
        for exchange in self.exchanges:
            exchange.stream.end(broken=True)

    def _unreached(self, error: Any, method: str, target: str) -> Answer:
        asked = apply.asked_of(self._target(), method, target)
        return Answer(unreached=apply.unreached(error, asked))

    def _headers(self, ask: Ask) -> tuple[tuple[str, str], ...]:
        given = self.line.given
        headers = [("Accept", ask.accept), ("User-Agent", "kubectl")]
        headers += ask.headers
        headers += [("Content-Type", ask.type)] if ask.body is not None else []
        token = given["token"] or self.terminal.token
        headers += [("Authorization", f"Bearer {token}")] if token else []
        headers += [("Impersonate-User", given["as"])] if given["as"] else []
        headers += [("Impersonate-Group", group) for group in given["as-group"]]
        return tuple(headers)

    def _certificate(self) -> UserInfo | None:
        return None if self.terminal.token or self.line.given["token"] else ADMIN

    # -- watches -------------------------------------------------------------------------------------------------------
    def _next_event(self, stream: WatchStream) -> Steps:
        data = yield from self._bytes(stream)
        return None if data is None else Answer(200, data).value

    def _bytes(self, stream: WatchStream) -> Steps:
        """What comes next, or None: no more comes."""
        while (data := stream.read()) is None:
            if stream.ended:
                return None
            yield self._news(stream)
        return data

    def _news(self, stream: WatchStream) -> simpy.Event:
        """An event that happens when *stream* has something to tell, or has ended."""
        news = simpy.Event(self.terminal.sim)

        def tell() -> None:
            stream.on_news = None
            self._answered(news, None)

        stream.on_news = tell
        return news

    # -- connections to this machine ---------------------------------------------------------------------------------
    def _visit(self, visit: Visit) -> bool:
        if self.typed.over or visit.port not in self.ports:
            return False
        self.visits.append(visit)
        if self.waits is not None and len(self.visits) == 1:
            self._answered(self.waits, None)
        return True

    # -- the end -------------------------------------------------------------------------------------------------------
    def _interrupt(self) -> None:
        if not self.typed.over:
            self.task.cancel()
            self._end(INTERRUPTED)

    def _end(self, status: int) -> None:
        for exchange in self.exchanges:
            exchange.cancel()
        if self.connection is not None:
            self.connection.close()
        self.typed.status = status
        self._tell()

    def _tell(self) -> None:
        """Tell what has been printed since the last time, or that the line is over."""
        said = self.line.screen.said[self._told :]
        if said or self.typed.over:
            self._told += len(said)
            self.on_news(self.typed, "".join(text for _, text in said))


def _body(ask: Ask) -> bytes:
    if ask.body is None:
        return b""
    return (ask.body if isinstance(ask.body, str) else as_json(ask.body)).encode()
