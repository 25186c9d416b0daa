"""What the small programs share: their options, their words, their input.

busybox libbb.
"""

from collections.abc import Generator
from typing import Any

from kubemini.containers.files import Trouble
from kubemini.containers.process import Process, Read
from kubemini.containers.streams import Stream

KIB = 1 << 10


def split(words: tuple[str, ...] | list[str]) -> tuple[set[str], list[str]]:
    """The letters of the options, and the operands."""
    options, operands = set[str](), list[str]()
    rest = list(words[1:])
    while rest:
        word = rest.pop(0)
        if word == "--":
            return options, operands + rest
        if word.startswith("-") and len(word) > 1:
            options |= set(word[1:])
        else:
            operands.append(word)
    return options, operands


def said_by(process: Process, name: str) -> str:
    """How a program begins what it complains about."""
    return f"{process.argv[0].rpartition('/')[2]}: {name}"


def contents(process: Process, name: str) -> Generator[Any, Any, bytes | None]:
    """All of a file, or of the input if it is called ``-``; None: it cannot be opened, and that has been said."""
    if name == "-":
        found = b""
        while (data := (yield process.read())) is not None:
            found += data
        return found
    try:
        stream = process.open(name)
    except Trouble as error:
        process.complain(said_by(process, f"can't open '{name}': {error}"))
        return None
    return (yield from drained(process, stream))


def drained(process: Process, stream: Stream) -> Generator[Any, Any, bytes]:
    """All that comes from *stream*."""
    found = b""
    while (data := (yield Read(stream))) is not None:
        found += data
    return found
