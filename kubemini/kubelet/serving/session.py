"""/exec and /attach at a kubelet: a program of a container at one end, an upgraded connection at the other.

Invariant: a session says once how it ended, and nothing after that; it dies with the kubelet that carries it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import simpy

from kubemini.api.timestamps import date
from kubemini.frames import Broken
from kubemini.host import Component
from kubemini.kubelet.decide import commands, streams
from kubemini.kubelet.decide.commands import OUT, Ask, Clock, Facts, Read, Sleep, Write
from kubemini.kubelet.decide.logs import Log, Wanted
from kubemini.kubelet.decide.streams import GONE, STDERR, STDIN, STDOUT, Channels, Streams
from kubemini.kubelet.podlogs import PodLogs
from kubemini.kubelet.serving.reading import Reading
from kubemini.sim import Steps
from kubemini.wire.rpc import happen

EXEC_ID = 64  # hexadecimal digits of the name that a runtime gives a process


class Session:
    """One upgraded connection; *push* sends bytes to the client, *close* ends it."""

    def __init__(
        self,
        component: Component,
        carrier: Channels | Streams,
        push: Callable[[bytes], None],
        close: Callable[[], None],
    ):
        self.component, self.carrier, self.push, self.close = component, carrier, push, close
        self.over = False
        self.input: list[bytes | None] = []
        self._reader: simpy.Event | None = None
        self._begin: Callable[[], None] | None = None
        self.on_end: Callable[[], None] = lambda: None  # its program is to be ended as well

    def begin(self, act: Callable[[], None]) -> None:
        """Do *act* when the client has opened all its streams."""
        self._begin = act
        self._flush()

    def take(self, data: bytes) -> None:
        """Bytes of the client."""
        if self.over:
            return
        try:
            for stream, got in self.carrier.receive(data):
                if stream == GONE:
                    self.leave()
                    return
                if stream == STDIN:
                    self.input.append(got)
        except Broken:
            self.leave()
            return
        self._flush()
        if self.input and self._reader is not None:
            reader, self._reader = self._reader, None
            happen(reader, None)

    def _flush(self) -> None:
        if self.carrier.out:
            self.push(bytes(self.carrier.out))
            self.carrier.out.clear()
        if self._begin is not None and self.carrier.ready:
            act, self._begin = self._begin, None
            act()

    def write(self, stream: int, data: bytes) -> None:
        """Output of the program."""
        framed = self.carrier.write(stream, data) if data and not self.over else b""
        if framed:
            self.push(framed)

    def read(self) -> Steps:
        """The next bytes of input; None at its end."""
        if not self.input:
            self._reader = simpy.Event(self.component.sim)
            yield self._reader
        return self.input[0] if self.input[0] is None else self.input.pop(0)

    def end(self, status: bytes) -> None:
        """The program has ended."""
        if not self.over:
            self.write(streams.ERROR, status)
            self.push(self.carrier.finish())
            self._over()

    def leave(self) -> None:
        """The client has gone."""
        if not self.over:
            self._over()

    def _over(self) -> None:
        self.over = True
        self.on_end()
        self.close()


class Execution:
    """A command in a container."""

    def __init__(self, session: Session, words: Sequence[str], facts: Facts, ask: Callable[[Ask], Steps]):
        self.session, self.words, self.facts, self.ask = session, words, facts, ask

    def begin(self, identity: str) -> None:
        """Run it; *identity*: what the runtime calls the process."""
        session = self.session
        program = commands.find(self.words)
        if program is None:
            name = self.words[0] if self.words else ""
            why = f'failed to exec in container: failed to start exec "{identity}": {commands.not_found(name)}'
            why = f"error executing command in container: {why}"
            session.end(streams.failed(session.carrier.protocol, why))
            return
        session.on_end = session.component.spawn(self._run(program)).cancel

    def _run(self, program: Any) -> Steps:
        session, protocol = self.session, self.session.carrier.protocol
        steps, got = program(self.words, self.facts), None
        try:
            while True:
                got = yield from self._done(steps.send(got))
        except StopIteration as ended:
            code = ended.value
        words = list(self.words)
        session.on_end = lambda: None
        session.end(streams.exited(protocol, words, code) if code else streams.succeeded(protocol))

    def _done(self, step: commands.Step) -> Steps:
        """Do what a program wants done; what came of it."""
        session = self.session
        match step:
            case Write():
                text = step.text.replace("\n", "\r\n") if self.facts.tty else step.text
                as_error = step.stream != OUT and not self.facts.tty
                session.write(STDERR if as_error else STDOUT, text.encode())
            case Read():
                return (yield from session.read())
            case Sleep():
                yield session.component.timeout(step.time)
            case Clock():
                return date(session.component.sim.now)
            case Ask():
                return (yield from self.ask(step))
        return None


class Attachment:
    """Who sees what a container says from now on; what is typed, its program does not read."""

    def __init__(self, session: Session, files: PodLogs, uid: str, container: str, log: Log):
        self.session = session
        asked = Wanted(follow=True)
        self.reading = Reading(session.component, files, uid, container, log, asked, self._write, self._end)

    def begin(self) -> None:
        """Show what comes."""
        self.session.on_end = self.reading.leave
        self.reading.begin(from_now=True)

    def _write(self, data: bytes) -> None:
        self.session.write(STDOUT, data)

    def _end(self) -> None:
        self.session.end(streams.succeeded(self.session.carrier.protocol))


def words_of(query: Mapping[str, Any]) -> list[str]:
    """The command of /exec."""
    return [str(word) for word in query.get("command") or ()]
