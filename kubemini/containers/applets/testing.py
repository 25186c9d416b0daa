"""test, ``[`` and ``[[``.

Models busybox coreutils/test.c test_main2 (by the number of arguments, then by precedence).
POSIX, utilities: test.
Simplified: no files' times and owners.
"""

import re
from collections.abc import Callable

from kubemini.containers.files import Device, File, Folder, Link, Node
from kubemini.containers.process import Process
from kubemini.containers.streams import Terminal

WRONG = 2
ENDS = {"[": "]", "[[": "]]"}
COMPARED: dict[str, Callable[[int, int], bool]] = {
    "-eq": lambda a, b: a == b,
    "-ne": lambda a, b: a != b,
    "-lt": lambda a, b: a < b,
    "-le": lambda a, b: a <= b,
    "-gt": lambda a, b: a > b,
    "-ge": lambda a, b: a >= b,
}
TEXTS: dict[str, Callable[[str, str], bool]] = {
    "=": lambda a, b: a == b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
}
KINDS: dict[str, Callable[[Node], bool]] = {
    "-e": lambda node: True,
    "-f": lambda node: isinstance(node, File),
    "-d": lambda node: isinstance(node, Folder),
    "-s": lambda node: isinstance(node, Folder) or (isinstance(node, File) and node.size > 0),
    "-r": lambda node: True,
    "-w": lambda node: True,
    "-x": lambda node: isinstance(node, Folder) or bool(node.mode & 0o111),
    "-c": lambda node: isinstance(node, Device),
    "-b": lambda node: False,
    "-p": lambda node: False,
    "-S": lambda node: False,
}
LINKS = ("-L", "-h")
UNARY = (*KINDS, *LINKS, "-n", "-z", "-t")


class Wrong(Exception):
    """The expression is none."""


def test(process: Process, words: list[str]) -> int:
    """0: it is so; 1: it is not; 2: there is no sense in it."""
    arguments = words[1:]
    name = words[0].rpartition("/")[2]
    if name in ENDS:
        if arguments[-1:] != [ENDS[name]]:
            return process.complain(f"{name}: missing {ENDS[name]}", WRONG)
        arguments = arguments[:-1]
    try:
        return int(not _Reader(process, arguments).whole())
    except Wrong as error:
        return process.complain(f"{name}: {error}", WRONG)


class _Reader:
    def __init__(self, process: Process, arguments: list[str]):
        self.process, self.arguments, self.at = process, arguments, 0

    def whole(self) -> bool:
        few = self._few(self.arguments)
        if few is not None:
            return few
        value = self._any()
        if self.at < len(self.arguments):
            raise Wrong(f"{self.arguments[self.at]}: unknown operand")
        return value

    def _few(self, given: list[str]) -> bool | None:
        """Four arguments or less are read by their number; None: not so."""
        match given:
            case []:
                return False
            case [one]:
                return bool(one)
            case ["!", one]:
                return not one
            case [left, operator, right] if operator in COMPARED or operator in TEXTS:
                return self._binary(left, operator, right)
            case ["!", *rest] if len(rest) in (2, 3):
                inner = self._few(rest)
                return None if inner is None else not inner
            case [operator, one] if operator in UNARY:
                return self._unary(operator, one)
            case ["(", one, ")"]:
                return bool(one)
        return None

    def _ahead(self) -> str | None:
        return self.arguments[self.at] if self.at < len(self.arguments) else None

    def _any(self) -> bool:
        value = self._all()
        while self._ahead() == "-o":
            self.at += 1
            value = self._all() or value
        return value

    def _all(self) -> bool:
        value = self._not()
        while self._ahead() == "-a":
            self.at += 1
            value = self._not() and value
        return value

    def _not(self) -> bool:
        if self._ahead() == "!":
            self.at += 1
            return not self._not()
        return self._primary()

    def _primary(self) -> bool:
        word = self._ahead()
        if word is None:
            raise Wrong("argument expected")
        operator = (self.arguments[self.at + 1 : self.at + 2] or [""])[0]
        if operator in COMPARED or operator in TEXTS:
            if self.at + 2 >= len(self.arguments):
                raise Wrong("argument expected")
            self.at += 3
            return self._binary(word, operator, self.arguments[self.at - 1])
        self.at += 1
        if word == "(":
            value = self._any()
            if self._ahead() != ")":
                raise Wrong("closing paren expected")
            self.at += 1
            return value
        if word in UNARY and self._ahead() is not None:
            self.at += 1
            return self._unary(word, self.arguments[self.at - 1])
        return bool(word)

    def _unary(self, operator: str, text: str) -> bool:
        if operator in ("-n", "-z"):
            return bool(text) == (operator == "-n")
        if operator == "-t":
            return isinstance(self.process.streams.get(int(text) if text.isdigit() else -1), Terminal)
        path, files = self.process.path(text), self.process.files
        if not text or not files.exists(path, follow=operator not in LINKS):
            return False
        if operator in LINKS:
            return isinstance(files.find(path, follow=False), Link)
        return KINDS[operator](files.find(path))

    def _binary(self, left: str, operator: str, right: str) -> bool:
        if operator in TEXTS:
            return TEXTS[operator](left, right)
        return COMPARED[operator](_number(left), _number(right))


def _number(text: str) -> int:
    found = text.strip()
    if not re.fullmatch(r"[+-]?\d{1,19}", found, re.ASCII):
        raise Wrong(f"{text}: bad number")
    return int(found)
