"""The grammar of etcd-io/raft's conversations.

A file is a list of blocks: a directive, perhaps lines of input, ``----``, and what is expected to be said, up to the
next empty line; where that may hold empty lines itself, ``----`` stands twice before it and twice behind it.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Block:
    """One directive with its input and what is expected of it; *before* are the lines above it, kept as they are."""

    before: list[str]
    head: list[str]
    input: str
    expected: list[str]
    line: str = ""
    command: str = ""
    args: list[tuple[str, list[str]]] = field(default_factory=list)

    def ids(self) -> list[int]:
        """The arguments that stand alone, as numbers."""
        return [int(key) for key, values in self.args if not values and key.isdigit()]

    def number(self) -> int:
        """The one number that the directive needs."""
        ids = self.ids()
        if not ids:
            raise Refusal(f"{self.command}: a number is missing")
        return ids[0]

    def value(self, name: str) -> int:
        """The number behind ``name=``."""
        return as_number(self.get(name), f"{self.command}: {name}")

    def get(self, name: str, default: str = "") -> str:
        return next((values[0] for key, values in self.args if key == name and values), default)

    def all(self, name: str) -> list[str]:
        return [value for key, values in self.args if key == name for value in values]

    def flag(self, name: str) -> bool:
        return self.get(name) == "true"


class Refusal(Exception):
    """A directive that cannot be carried out; its text is the answer."""


def as_number(text: str, what: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise Refusal(f"{what}: expected a number, got {text!r}")
    return int(text)


ARGUMENT = re.compile(r"([^\s=]+)(?:=(\([^)]*\)|\S*))?")


def parse_line(line: str) -> tuple[str, list[tuple[str, list[str]]]]:
    """The command of a directive, and its arguments."""
    command, _, rest = line.strip().partition(" ")
    return command, parse_arguments(rest)


def parse_arguments(text: str) -> list[tuple[str, list[str]]]:
    """``a b=c d=(e,f)`` as [("a", []), ("b", ["c"]), ("d", ["e", "f"])]."""
    found = []
    for key, value in ARGUMENT.findall(text):
        if value.startswith("("):
            found.append((key, [part.strip() for part in value[1:-1].split(",") if part.strip()]))
        else:
            found.append((key, [value] if value else []))
    return found


def parse(text: str) -> Iterator[Block]:
    """The blocks of a file; the last may hold nothing but *before*."""
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        before, at = _while(lines, at, lambda line: not line.strip() or line.startswith("#"))
        if at == len(lines):
            yield Block(before, [], "", [])
            return
        head, at = _while(lines, at, lambda line: line != "----")
        at += 1
        if at < len(lines) and lines[at] == "----":  # twice: the output may hold empty lines
            expected, at = _while(lines, at + 1, lambda line: line != "----")
            at += 2
        else:
            expected, at = _while(lines, at, bool)
        yield _block(before, head, expected)


def _while(lines: list[str], at: int, wanted: Callable[[str], Any]) -> tuple[list[str], int]:
    end = at
    while end < len(lines) and wanted(lines[end]):
        end += 1
    return lines[at:end], end


def _block(before: list[str], head: list[str], expected: list[str]) -> Block:
    line, count = head[0], 1
    while line.endswith("\\") and count < len(head):
        line, count = line[:-1] + head[count], count + 1
    return Block(before, head, "\n".join(head[count:]), expected, line, *parse_line(line))


def directive(line: str, input: str = "") -> Block:
    """A block that somebody writes now; nothing is expected of it yet."""
    return Block([""], [line, *input.split("\n")] if input else [line], input, [], line, *parse_line(line))


def render(blocks: Iterable[Block]) -> str:
    """The file that holds *blocks*."""
    lines: list[str] = []
    for block in blocks:
        lines += block.before
        if block.head:
            twice = "" in block.expected
            lines += [*block.head, "----", *(["----"] if twice else []), *block.expected]
            lines += ["----", "----"] if twice else []
    return "\n".join(lines).strip("\n") + "\n"
