"""/exec and /attach at a kubelet: a program of a container at one end, an upgraded connection at the other.

Invariant: a session says once how it ended, and nothing after that; it dies with the kubelet that carries it.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from kubemini.containers import OUT, Buffered, CannotStart, Inside, Terminal
from kubemini.frames import Broken
from kubemini.host import Component
from kubemini.kubelet.decide import streams
from kubemini.kubelet.decide.logs import Log, Wanted
from kubemini.kubelet.decide.sandboxes import exec_trouble
from kubemini.kubelet.decide.streams import GONE, STDERR, STDIN, STDOUT, Channels, Streams
from kubemini.kubelet.podlogs import PodLogs
from kubemini.kubelet.serving.reading import Reading

EXEC_ID = 64  # hexadecimal digits of the name that a runtime gives a process
KILLED = 137


class Session:
    """One upgraded connection; *push* sends bytes to the client, *close* ends it; *tty*: a terminal is at its end."""

    def __init__(
        self,
        component: Component,
        carrier: Channels | Streams,
        push: Callable[[bytes], None],
        close: Callable[[], None],
        tty: bool = False,
    ):
        self.component, self.carrier, self.push, self.close = component, carrier, push, close
        self.over = False
        self.typed: Buffered = Terminal() if tty else Buffered()
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
                    self.typed.feed(got)
        except Broken:
            self.leave()
            return
        self._flush()

    def _flush(self) -> None:
        if self.carrier.out:
            self.push(bytes(self.carrier.out))
            self.carrier.out.clear()
        if self._begin is not None and self.carrier.ready:
            act, self._begin = self._begin, None
            act()

    def hand_over(self, typed: Buffered) -> None:
        """What is typed goes to *typed* from now on, with what has been."""
        before, self.typed = self.typed, typed
        if before.data:
            typed.feed(bytes(before.data))
        if before.ended:
            typed.feed(None)

    def write(self, stream: int, data: bytes) -> None:
        """Output of the program."""
        framed = self.carrier.write(stream, data) if data and not self.over else b""
        if framed:
            self.push(framed)

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
    """A command in a container; *reads*: it has an input."""

    def __init__(self, session: Session, words: Sequence[str], inside: Inside, reads: bool):
        self.session, self.words, self.inside, self.reads = session, words, inside, reads

    def begin(self, identity: str) -> None:
        """Run it; *identity*: what the runtime calls the process."""
        session = self.session
        tty = isinstance(session.typed, Terminal)
        stdin = session.typed if self.reads else None
        try:
            process = self.inside.exec(
                self.words, partial(self._write, tty), self._ended, stdin, {"TERM": "xterm"} if tty else None
            )
        except CannotStart as error:
            why = f"error executing command in container: {exec_trouble(identity, str(error))}"
            session.end(streams.failed(session.carrier.protocol, why))
            return
        if not process.done:
            session.on_end = partial(process.end, KILLED)

    def _write(self, tty: bool, stream: int, data: bytes) -> None:
        data = data.replace(b"\n", b"\r\n") if tty else data
        self.session.write(STDOUT if stream == OUT or tty else STDERR, data)

    def _ended(self, code: int) -> None:
        session, protocol = self.session, self.session.carrier.protocol
        session.on_end = lambda: None
        session.end(streams.exited(protocol, list(self.words), code) if code else streams.succeeded(protocol))


class Attachment:
    """Who sees what a container says from now on, and types into its input, if it has one."""

    def __init__(
        self, session: Session, files: PodLogs, uid: str, container: str, log: Log, typed: Buffered | None = None
    ):
        self.session, self.typed = session, typed
        asked = Wanted(follow=True)
        self.reading = Reading(session.component, files, uid, container, log, asked, self._write, self._end)

    def begin(self) -> None:
        """Show what comes."""
        self.session.on_end = self.reading.leave
        if self.typed is not None:
            self.session.hand_over(self.typed)
        self.reading.begin(from_now=True)

    def _write(self, data: bytes) -> None:
        self.session.write(STDOUT, data)

    def _end(self) -> None:
        self.session.end(streams.succeeded(self.session.carrier.protocol))


def words_of(query: Mapping[str, Any]) -> list[str]:
    """The command of /exec."""
    return [str(word) for word in query.get("command") or ()]
