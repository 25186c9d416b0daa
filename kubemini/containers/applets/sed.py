"""sed: s, p, d, q, =, y, a, i, c with addresses (a line, ``$``, a pattern, a range), and groups of them.

busybox editors/sed.c.
Simplified: no labels, no hold space; -i changes the file where it is.
"""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from kubemini.containers.applets.common import contents
from kubemini.containers.applets.text import regex
from kubemini.containers.process import Life, Process


class Unreadable(Exception):
    """The script is none; the text says why."""


class Address(NamedTuple):
    """A line by its number (0: the last), or by what it matches."""

    number: int
    pattern: re.Pattern[str] | None


@dataclass(slots=True)
class Command:
    """One command, and where it acts."""

    addresses: list[Address]
    negated: bool
    name: str
    pattern: re.Pattern[str] | None = None
    text: str = ""
    flags: str = ""
    body: "list[Command]" = field(default_factory=list)
    inside: bool = False  # of its range


def main(process: Process) -> Life:
    """Edit a stream."""
    words, quiet, extended, places, scripts = list(process.argv[1:]), False, False, False, list[str]()
    names: list[str] = []
    while words:
        word = words.pop(0)
        if word == "-e" and words:
            scripts.append(words.pop(0))
        elif word.startswith("-") and len(word) > 1:
            quiet, extended = quiet or "n" in word, extended or "E" in word or "r" in word
            places = places or "i" in word
        else:
            names.append(word)
    if not scripts:
        scripts, names = names[:1], names[1:]
    try:
        commands = _Reader("\n".join(scripts), extended).all()
    except (Unreadable, re.error) as error:
        return process.complain(f"sed: {error}")
    groups = [[name] for name in names] if places else [names or ["-"]]
    for group in groups:
        text = ""
        for name in group:
            text += ((yield from contents(process, name)) or b"").decode("utf-8", "surrogateescape")
        said = _edited(commands, text, quiet)
        if places:
            process.steady = False
            process.files.write(process.path(group[0]), said.encode("utf-8", "surrogateescape"))
        else:
            process.out(said)
    return 0


class _Reader:
    def __init__(self, text: str, extended: bool):
        self.text, self.extended, self.at = text, extended, 0
        self.last = ""

    def all(self, closes: str = "") -> list[Command]:
        found: list[Command] = []
        while True:
            self.at += len(self.text[self.at :]) - len(self.text[self.at :].lstrip(" \t\n;"))
            if self.at >= len(self.text):
                if closes:
                    raise Unreadable("unmatched '{'")
                return found
            if self.text[self.at] == "}":
                self.at += 1
                return found
            if self.text[self.at] == "#":
                self.at = (self.text.find("\n", self.at) + 1) or len(self.text)
                continue
            found.append(self._command())

    def _command(self) -> Command:
        addresses = [one] if (one := self._address()) else []
        if addresses and self.text[self.at : self.at + 1] == ",":
            self.at += 1
            second = self._address()
            if second is None:
                raise Unreadable("unexpected ','")
            addresses.append(second)
        rest = self.text[self.at :]
        self.at += len(rest) - len(rest.lstrip(" !"))
        command = Command(
            addresses, "!" in rest[: len(rest) - len(rest.lstrip(" !"))], self.text[self.at : self.at + 1]
        )
        self.at += 1
        if command.name == "{":
            command.body = self.all("}")
        elif command.name == "s":
            command.pattern = self._pattern(self._until(self.text[self.at]))
            command.text = self._until(self.text[self.at - 1], keeps=True)
            command.flags = re.compile(r"[gpiI0-9]*").match(self.text, self.at)[0]  # type: ignore[index]
            self.at += len(command.flags)
            if "i" in command.flags.lower():
                command.pattern = re.compile(command.pattern.pattern, re.I)
        elif command.name == "y":
            command.text = self._until(self.text[self.at])
            command.flags = self._until(self.text[self.at - 1])
        elif command.name in ("a", "i", "c"):
            end = self.text.find("\n", self.at)
            end = len(self.text) if end < 0 else end
            command.text, self.at = self.text[self.at : end].lstrip(" \\"), end
        elif command.name not in ("p", "d", "q", "="):
            raise Unreadable(f"unsupported command {command.name}")
        return command

    def _address(self) -> Address | None:
        number = re.compile(r"\d+|\$").match(self.text, self.at)
        if number is not None:
            self.at = number.end()
            return Address(0 if number[0] == "$" else int(number[0]), None)
        if self.text[self.at : self.at + 1] == "/":
            return Address(-1, self._pattern(self._until("/")))
        return None

    def _pattern(self, text: str) -> re.Pattern[str]:
        self.last = text or self.last
        return re.compile(regex(self.last, self.extended))

    def _until(self, delimiter: str, keeps: bool = False) -> str:
        """What stands up to the next *delimiter*; the reader stands behind that."""
        if self.text[self.at : self.at + 1] == delimiter and not keeps:
            self.at += 1
        found = ""
        while self.at < len(self.text):
            letter = self.text[self.at]
            if letter == delimiter:
                self.at += 1
                return found
            if letter == "\\" and self.at + 1 < len(self.text):
                following = self.text[self.at + 1]
                found += following if following == delimiter else letter + following
                self.at += 2
                continue
            found, self.at = found + letter, self.at + 1
        raise Unreadable("unterminated command")


def _edited(commands: list[Command], text: str, quiet: bool) -> str:
    found = ""
    lines = text.removesuffix("\n").split("\n") if text else []
    for number, line in enumerate(lines, 1):
        run = _Line(line, number, number == len(lines))
        run.carry_out(commands)
        found += run.said + ("" if quiet or run.deleted else run.line + "\n") + run.after
        if run.quits:
            break
    return found


class _Line:
    """One line on its way through the commands."""

    def __init__(self, line: str, number: int, last: bool):
        self.line, self.number, self.last = line, number, last
        self.said = self.after = ""
        self.deleted = self.quits = False

    def carry_out(self, commands: list[Command]) -> None:
        for command in commands:
            if self._meant(command) == command.negated:
                continue
            self._do(command)
            if self.deleted or self.quits:
                return

    def _do(self, command: Command) -> None:
        match command.name:
            case "{":
                self.carry_out(command.body)
            case "p":
                self.said += self.line + "\n"
            case "=":
                self.said += f"{self.number}\n"
            case "d":
                self.deleted = True
            case "q":
                self.quits = True
            case "a":
                self.after += command.text + "\n"
            case "i":
                self.said += command.text + "\n"
            case "c":
                self.said, self.deleted = self.said + command.text + "\n", True
            case "y":
                self.line = self.line.translate(str.maketrans(command.text, command.flags))
            case "s":
                self._substitute(command)

    def _substitute(self, command: Command) -> None:
        assert command.pattern is not None
        number = int("".join(re.findall(r"\d", command.flags)) or "1")
        seen = 0

        def replaced(match: re.Match[str]) -> str:
            nonlocal seen
            seen += 1
            return (
                _filled(command.text, match)
                if seen >= number and (seen == number or "g" in command.flags)
                else match[0]
            )

        before = self.line
        self.line = command.pattern.sub(replaced, self.line)
        if "p" in command.flags and (seen >= number or self.line != before):
            self.said += self.line + "\n"

    def _meant(self, command: Command) -> bool:
        if len(command.addresses) < 2:
            return all(self._fits(address) for address in command.addresses)
        first, last = command.addresses
        if not command.inside:
            command.inside = self._fits(first)
            if not command.inside:
                return False
            if last.pattern is None and last.number and last.number <= self.number:
                command.inside = False
            return True
        over = self._fits(last) if last.pattern is not None or not last.number else last.number <= self.number
        command.inside = not over
        return True

    def _fits(self, address: Address) -> bool:
        if address.pattern is not None:
            return address.pattern.search(self.line) is not None
        return self.last if not address.number else address.number == self.number


def _filled(text: str, match: re.Match[str]) -> str:
    """The replacement: ``&`` and ``\\1`` are what was found."""

    def one(found: re.Match[str]) -> str:
        if found[0] == "&":
            return match[0]
        letter = found[0][1]
        if letter.isdigit():
            return (match[int(letter)] or "") if int(letter) <= (match.re.groups) else ""
        return {"n": "\n", "t": "\t"}.get(letter, letter)

    return re.sub(r"\\.|&", one, text, flags=re.S)
