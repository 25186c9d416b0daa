"""Where a command reads from and writes to, for as long as it runs.

Invariant: whatever happens, the streams of before are there again afterwards, unless they are to stay (``exec >file``).
POSIX, Shell Command Language, section 2.7. Texts of errors: busybox shell/ash.c openredirect.
"""

from collections.abc import Generator
from typing import Any, Protocol

from kubemini.containers.files import MISSING, Trouble
from kubemini.containers.process import Process
from kubemini.containers.shell import expansion
from kubemini.containers.shell.expansion import Values
from kubemini.containers.shell.syntax import Document, Redirect
from kubemini.containers.streams import Buffered, Stream

MODES = {"<": "r", "<>": "r", ">": "w", ">|": "w", ">>": "a"}


class Redirected(Values, Protocol):
    """A shell."""

    process: Process


class Redirecting:
    """The redirections of one command."""

    def __init__(self, shell: Redirected):
        self.shell = shell
        self._saved: dict[int, Stream] | None = None

    def begin(self, redirects: tuple[Redirect, ...]) -> Generator[Any, Any, str]:
        """Set the streams; what is wrong, or "". The first that is wrong ends it."""
        process = self.shell.process
        if redirects:
            self._saved = process.streams
            process.streams = {number: stream.hold() for number, stream in self._saved.items()}
        for redirect in redirects:
            try:
                yield from self._set(process, redirect)
            except Trouble as error:
                return str(error)
        return ""

    def end(self, stays: bool = False) -> None:
        """Put the streams of before back; *stays*: leave them as they are now."""
        if self._saved is None:
            return
        process = self.shell.process
        dropped = self._saved if stays else process.streams
        process.streams = process.streams if stays else self._saved
        self._saved = None
        for stream in list(dropped.values()):
            stream.drop()

    def _set(self, process: Process, redirect: Redirect) -> Generator[Any, Any, None]:
        if isinstance(redirect.word, Document):
            document = Buffered((yield from expansion.text(self.shell, redirect.word.word)).encode())
            document.ended = True
            self._put(process, redirect.number, document)
            return
        name = yield from expansion.text(self.shell, redirect.word)
        if redirect.operator in (">&", "<&"):
            self._copied(process, redirect.number, name)
            return
        try:
            stream = process.open(name, MODES[redirect.operator])
        except Trouble as error:
            made = redirect.operator[0] == ">" and str(error) == MISSING
            why = "nonexistent directory" if made else "no such file" if str(error) == MISSING else str(error)
            raise Trouble(f"can't {'create' if redirect.operator[0] == '>' else 'open'} {name}: {why}") from None
        self._put(process, redirect.number, stream)

    def _copied(self, process: Process, number: int, name: str) -> None:
        if name == "-":
            gone = process.streams.pop(number, None)
            if gone is not None:
                gone.drop()
            return
        found = process.streams.get(int(name)) if name.isdigit() else None
        if found is None:
            raise Trouble(f"{name}: bad file descriptor" if name.isdigit() else "bad fd number")
        self._put(process, number, found)

    def _put(self, process: Process, number: int, stream: Stream) -> None:
        stream.hold()
        before = process.streams.get(number)
        process.streams[number] = stream
        if before is not None:
            before.drop()
