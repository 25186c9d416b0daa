"""What a process reads from and writes to: pipes, files, the log, nothing.

Invariant: a stream is closed when the last who holds it lets go; then readers of a pipe come to its end, and whoever
writes into a pipe that nobody reads is told so (`BrokenPipe`).
Simplified: a pipe holds whatever is written to it.
"""

from collections.abc import Callable
from typing import Any

from kubemini.containers.files import File

NOT_YET = object()  # nothing to read at the moment; `Stream.wake` is called when there is


class BrokenPipe(Exception):
    """Nobody will ever read it: SIGPIPE."""


class Stream:
    """The base of all: an end to read from, an end to write to, or both."""

    def __init__(self) -> None:
        self.holders = 0
        self.wake: Callable[[], None] | None = None

    def hold(self) -> "Stream":
        """One more process has it."""
        self.holders += 1
        return self

    def drop(self) -> None:
        """One less."""
        self.holders -= 1
        if not self.holders:
            self.end()

    def end(self) -> None:
        """Nobody has it any more."""

    def write(self, data: bytes) -> None:
        """Bytes go in."""

    def read(self, line: bool = False) -> Any:
        """Bytes (*line*: no more than one line), None at the end, or `NOT_YET`."""
        return None


class Nothing(Stream):
    """/dev/null."""


class Zeros(Stream):
    """/dev/zero."""

    def read(self, line: bool = False) -> Any:
        """Zeros without end."""
        return bytes(65536)


class Sink(Stream):
    """Somebody outside takes what is written."""

    def __init__(self, take: Callable[[bytes], None]):
        super().__init__()
        self.take = take

    def write(self, data: bytes) -> None:
        """To whoever takes it."""
        self.take(data)


class Buffered(Stream):
    """Bytes that wait to be read."""

    def __init__(self, data: bytes = b"") -> None:
        super().__init__()
        self.data = bytearray(data)
        self.ended = False

    def read(self, line: bool = False) -> Any:
        """What there is; None if there will be no more."""
        if line and b"\n" in self.data:
            end = self.data.index(b"\n") + 1
        elif self.data and (not line or self.ended):
            end = len(self.data)
        else:
            return None if self.ended else NOT_YET
        found = bytes(self.data[:end])
        del self.data[:end]
        return found

    def feed(self, data: bytes | None) -> None:
        """More comes; None: no more ever will."""
        if data is None:
            self.ended = True
        else:
            self.data += data
        if self.wake is not None:
            self.wake()


class Terminal(Buffered):
    """What somebody types."""


class Reader(Buffered):
    """The end of a pipe that is read from."""

    def end(self) -> None:
        """Nobody reads it: what comes is lost."""
        self.data.clear()
        self.ended = True


class Writer(Stream):
    """The other end."""

    def __init__(self, reader: Reader):
        super().__init__()
        self.reader = reader

    def write(self, data: bytes) -> None:
        """Into the pipe."""
        if not self.reader.holders:
            raise BrokenPipe
        self.reader.feed(data)

    def end(self) -> None:
        """Who reads comes to the end."""
        self.reader.feed(None)


def pipe() -> tuple[Reader, Writer]:
    """Both ends of a new pipe."""
    reader = Reader()
    return reader, Writer(reader)


class Opened(Stream):
    """A file that is written to, from where one has got to; *appends*: always at its end."""

    def __init__(self, file: File, changed: Callable[[], None], appends: bool = False):
        super().__init__()
        self.file, self.changed, self.appends = file, changed, appends
        self.at = 0

    def write(self, data: bytes) -> None:
        """Over what is there."""
        file = self.file
        if self.appends:
            self.at = file.size
        if file.zeros and self.at < file.size:
            file.data, file.zeros = file.data + bytes(file.zeros), 0
        if self.at > len(file.data) or file.zeros:
            file.data = file.data + bytes(self.at - len(file.data))
            file.zeros = 0
        file.data = file.data[: self.at] + data + file.data[self.at + len(data) :]
        self.at += len(data)
        self.changed()

    def write_zeros(self, count: int) -> None:
        """*count* bytes of zero, which cost no memory at the end of a file."""
        if self.at != self.file.size:
            self.write(bytes(count))
            return
        self.file.zeros += count
        self.at += count
        self.changed()


class FileReader(Stream):
    """A file that is read."""

    def __init__(self, file: File):
        super().__init__()
        self.file, self.at = file, 0

    def read(self, line: bool = False) -> Any:
        """From where one has got to."""
        data = self.file.data + bytes(self.file.zeros)
        if self.at >= len(data):
            return None
        end = data.find(b"\n", self.at) + 1 if line else 0
        found = data[self.at : end or len(data)]
        self.at += len(found)
        return found
