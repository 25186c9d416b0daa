"""The grammar of JSONPath templates: a text → a list of nodes.

Models k/client-go util/jsonpath Parser.
"""

import re
from dataclasses import dataclass
from typing import Any

_KEY = re.compile(r"'([^']*)'")
_BOUNDS = re.compile(r"(-?\d*)(:-?\d*)?(:-?\d*)?")
_COMPARISON = re.compile(r"([^!<>=]+)([!<>=]+)(.+)", re.DOTALL)
ENDS = set(" \t\r\n.,[]$@{}")
_UNQUOTED = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "\\": "\\",
    '"': '"',
    "'": "'",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "v": "\v",
}


class PathError(ValueError):
    """A template that cannot be read, or does not fit what it met; in client-go's words."""


@dataclass(frozen=True, slots=True)
class Node:
    """*kind*: list, text, value, word, field, all, deep, slice, filter, union."""

    kind: str
    value: Any = None
    parts: tuple["Node", ...] = ()


def parse(text: str) -> list[Node]:
    """The nodes of a template: texts, and a list for each action. Raises PathError."""
    found: list[Node] = []
    at = 0
    while at < len(text):
        brace = text.find("{", at)
        if brace < 0:
            return [*found, Node("text", text[at:])]
        if brace > at:
            found.append(Node("text", text[at:brace]))
        inside = _Action(text, brace + 1)
        found.append(Node("list", parts=tuple(inside.read())))
        at = inside.at
    return found


def _action(text: str) -> Node:
    return parse("{" + text + "}")[0]


class _Action:
    """What stands between two braces, read from left to right."""

    def __init__(self, text: str, at: int):
        self.text, self.at = text, at

    def read(self) -> list[Node]:
        """Its nodes; `at` is then behind the closing brace."""
        found: list[Node] = []
        while not self.text.startswith("}", self.at):
            found += self._next(found)
        self.at += 1
        return found

    def _next(self, before: list[Node]) -> list[Node]:
        text, at = self.text, self.at
        if text.startswith("[?(", at):
            return [self._filter()]
        if text.startswith("..", at):
            return self._deep(before)
        letter = text[at] if at < len(text) else "\n"
        self.at += 1
        match letter:
            case "\n" | "\r":
                raise PathError("unclosed action")
            case " " | "@" | "$":
                return []
            case "[":
                return self._array()
            case '"' | "'":
                return [self._quote(letter)]
            case ".":
                return [self._field()]
        if letter in "+-" or letter.isdigit():
            return [self._number(at)]
        if letter == "_" or letter.isalnum():
            return [self._word(at)]
        raise PathError(f"unrecognized character in action: U+{ord(letter):04X} '{letter}'")

    def _until_end(self) -> str:
        start = self.at
        while self.at < len(self.text) and self.text[self.at] not in ENDS:
            self.at += 2 if self.text[self.at] == "\\" else 1
        return self.text[start : self.at]

    def _word(self, start: int) -> Node:
        self.at = start
        word = self._until_end()
        return Node("value", word == "true") if word in ("true", "false") else Node("word", word)

    def _number(self, start: int) -> Node:
        found = re.compile(r"[+-]?[\d.]*").match(self.text, start)
        word = found[0] if found else ""
        self.at = start + len(word)
        try:
            return Node("value", int(word) if "." not in word else float(word))
        except ValueError:
            raise PathError(f"cannot parse number {word}") from None

    def _field(self) -> Node:
        word = self._until_end()
        return Node("all") if word == "*" else Node("field", word.replace("\\", ""))

    def _deep(self, before: list[Node]) -> list[Node]:
        if before and before[-1].kind == "deep":
            raise PathError("invalid multiple recursive descent")
        self.at += 2
        follows = self.text[self.at : self.at + 1]
        more = [self._field()] if follows == "_" or follows.isalnum() else []
        return [Node("deep"), *more]

    def _quote(self, mark: str) -> Node:
        start = self.at
        while True:
            if self.at >= len(self.text) or self.text[self.at] == "\n":
                raise PathError("unterminated quoted string")
            if self.text[self.at] == mark and self.text[self.at - 1] != "\\":
                break
            self.at += 1
        inner = self.text[start : self.at]
        self.at += 1
        return Node("text", re.sub(r"\\(.)", lambda found: _UNQUOTED.get(found[1], found[0]), inner))

    def _array(self) -> list[Node]:
        end = self.text.find("]", self.at)
        if end < 0 or "\n" in self.text[self.at : end]:
            raise PathError("unterminated array")
        inner, self.at = self.text[self.at : end], end + 1
        inner = ":" if inner == "*" else inner
        if "," in inner:
            return [Node("union", parts=tuple(_action(f"[{part.strip(' ')}]") for part in inner.split(",")))]
        key = _KEY.fullmatch(inner)
        if key:
            return list(_action(f".{key[1]}").parts)
        found = _BOUNDS.fullmatch(inner)
        if found is None:
            raise PathError(f"invalid array index {inner}")
        return [Node("slice", _bounds(*found.groups()))]

    def _filter(self) -> Node:
        self.at += 3
        start, quote, closed = self.at, "", False
        while True:
            letter = self.text[self.at : self.at + 1]
            if letter in ("", "\n"):
                raise PathError("unterminated filter")
            if letter in "\"'":
                if not quote:
                    quote = letter
                elif letter == quote and self.text[self.at - 1] != "\\":
                    closed = True
            elif letter == ")" and bool(quote) == closed:
                break
            self.at += 1
        inner = self.text[start : self.at]
        self.at += 1
        if self.text[self.at : self.at + 1] != "]":
            raise PathError("unclosed array expect ]")
        self.at += 1
        compared = _COMPARISON.fullmatch(inner)
        if compared is None:
            return Node("filter", "exists", (_action(inner), Node("list")))
        return Node("filter", compared[2], (_action(compared[1]), _action(compared[3])))


def _bounds(first: str, end: str | None, step: str | None) -> tuple[int | None, int | None, int | None, bool]:
    """First, end, step, and whether the end is only the first's neighbour."""
    begin = int(first) if first not in ("", "-") else None
    if end is None:
        return begin, (begin or 0) + 1, None, True
    return begin, int(end[1:]) if len(end) > 1 else None, int(step[1:]) if step and len(step) > 1 else None, False
