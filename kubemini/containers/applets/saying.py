"""echo and printf.

busybox coreutils/echo.c (backslashes mean something only with -e), coreutils/printf.c.
POSIX, utilities: printf.
Simplified: no floating point but for f, e and g with a precision; no ``%q``.
"""

import re
from contextlib import suppress

from kubemini.containers.process import Process

ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", "e": "\x1b"}
SPECIFICATION = re.compile(r"%([-+ #0]*)(\*|\d*)(?:\.(\*|\d*))?([a-zA-Z%])")


class _Stop(Exception):
    """``\\c``: nothing more is written."""


def echo(process: Process, words: list[str]) -> int:
    """Its words, and the end of the line."""
    rest, newline, escapes = words[1:], "\n", False
    while rest and re.fullmatch(r"-[neE]+", rest[0]):
        newline = "" if "n" in rest[0] else newline
        escapes = "e" in rest[0] or (escapes and "E" not in rest[0])
        rest = rest[1:]
    text = " ".join(rest)
    if escapes:
        text, stopped = unescaped(text)
        newline = "" if stopped else newline
    process.out(text + newline)
    return 0


def unescaped(text: str) -> tuple[str, bool]:
    """*text* with its backslashes carried out, and whether ``\\c`` has ended it."""
    found, at = "", 0
    while at < len(text):
        if text[at] != "\\" or at + 1 >= len(text):
            found, at = found + text[at], at + 1
            continue
        letter = text[at + 1]
        octal = re.compile(r"\\0?([0-7]{1,3})").match(text, at)
        hexadecimal = re.compile(r"\\x([0-9a-fA-F]{1,2})").match(text, at)
        if letter == "c":
            return found, True
        if letter in ESCAPES:
            found, at = found + ESCAPES[letter], at + 2
        elif octal or hexadecimal:
            end = (octal or hexadecimal).end()  # type: ignore[union-attr]
            code = int(octal[1], 8) & 255 if octal else int(hexadecimal[1], 16)  # type: ignore[index]
            found, at = found + bytes([code]).decode("utf-8", "surrogateescape"), end
        else:
            found, at = found + "\\" + letter, at + 2
    return found, False


def printf(process: Process, words: list[str]) -> int:
    """A format, used again as long as there are arguments."""
    rest = words[2:] if words[1:2] == ["--"] else words[1:]
    if not rest:
        return process.complain("printf: usage: printf FORMAT [ARG]...", 2)
    printer = _Printer(process, rest[0], rest[1:])
    with suppress(_Stop):
        printer.whole()
    process.out(printer.text)
    return printer.status


class _Printer:
    def __init__(self, process: Process, form: str, arguments: list[str]):
        self.process, self.form, self.arguments = process, form, arguments
        self.text, self.status = "", 0

    def whole(self) -> None:
        while True:
            before = len(self.arguments)
            self._once()
            if not self.arguments or len(self.arguments) == before:
                return

    def _once(self) -> None:
        at = 0
        for found in SPECIFICATION.finditer(self.form):
            if found.start() < at:
                continue
            self._plain(self.form[at : found.start()])
            at = found.end()
            self._one(*found.groups())
        self._plain(self.form[at:])

    def _plain(self, text: str) -> None:
        said, stopped = unescaped(text)
        self.text += said
        if stopped:
            raise _Stop

    def _take(self, default: str = "") -> str:
        return self.arguments.pop(0) if self.arguments else default

    def _one(self, flags: str, width: str, precision: str | None, kind: str) -> None:
        if kind == "%":
            self.text += "%"
            return
        if width == "*":
            width = str(self._number(self._take()))
            flags, width = (flags + "-", width[1:]) if width.startswith("-") else (flags, width)
        if precision == "*":
            precision = str(self._number(self._take()))
        cut = f".{precision or '0'}" if precision is not None else ""
        if kind in "sbc":
            self._text(kind, flags, width, precision)
        elif kind in "diouxX":
            form = f"%{flags}{width}{cut}{'d' if kind in 'iu' else kind}"
            self.text += form % self._number(self._take())
        elif kind in "feEgG":
            self.text += f"%{flags}{width}{cut}{kind}" % self._float(self._take())
        else:
            self.process.write(2, f"printf: %{kind}: invalid format\n")
            self.status = 1
            raise _Stop

    def _text(self, kind: str, flags: str, width: str, precision: str | None) -> None:
        value, stopped = self._take(), False
        if kind == "b":
            value, stopped = unescaped(value)
        value = value[:1] if kind == "c" else value if precision is None else value[: int(precision or 0)]
        self.text += value.ljust(int(width or 0)) if "-" in flags else value.rjust(int(width or 0))
        if stopped:
            raise _Stop

    def _number(self, text: str) -> int:
        plain = text.strip()
        if plain[:1] in ("'", '"') and len(plain) > 1:
            return ord(plain[1])
        found = re.match(r"[+-]?(0[xX][0-9a-fA-F]+|\d+)", plain)
        if found is None or found.end() < len(plain):
            self.process.write(2, f"printf: invalid number '{text}'\n")
            self.status = 1
        if found is None:
            return 0
        digits = found[1]
        base = 16 if digits[:2].lower() == "0x" else 8 if digits[0] == "0" and digits.isdigit() else 10
        value = int(digits, base) if not (base == 8 and re.search("[89]", digits)) else 0
        return -value if found[0].startswith("-") else value

    def _float(self, text: str) -> float:
        try:
            return float(text)
        except ValueError:
            self.process.write(2, f"printf: invalid number '{text}'\n")
            self.status = 1
            return 0.0
