"""The flags of a line: which there are, how they are written, and what is said of a wrong one.

    given = parse(words, (Flag("output", "o"), Flag("watch", "w", BOOL)))
    given.words, given["output"], given.on("watch")

Models spf13/pflag flag.go FlagSet.parseArgs parseLongArg parseSingleShortArg.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from kubemini.api import gotime
from kubemini.users.decide.kubectl.asking import Failed, fail

TEXT, BOOL, INT, LIST, TIME, ARRAY = "string", "bool", "int", "strings", "duration", "array"
TRUE = ("1", "t", "T", "true", "TRUE", "True")
FALSE = ("0", "f", "F", "false", "FALSE", "False")


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag; *bare*: its value when none is written behind it, if it may stand alone; *unheard*: nobody obeys it."""

    name: str
    short: str = ""
    kind: str = TEXT
    default: Any = None
    bare: str | None = None
    unheard: bool = False

    @property
    def alone(self) -> str | None:
        """The value of a flag that has none behind it; None: it needs one."""
        return "true" if self.kind == BOOL and self.bare is None else self.bare


GLOBAL = (
    Flag("namespace", "n", default=""),
    Flag("as", default=""),
    Flag("as-group", kind=ARRAY),
    Flag("as-uid", unheard=True),
    Flag("token", default=""),
    Flag("context", default=""),
    Flag("kubeconfig", default=""),
    Flag("server", "s", default=""),
    Flag("cluster", unheard=True),
    Flag("user", unheard=True),
    Flag("request-timeout", default="0"),
    Flag("v", "v", INT, 0),
    Flag("warnings-as-errors", kind=BOOL, unheard=True),
    Flag("help", "h", BOOL),
)


@dataclass(slots=True)
class Given:
    """What was written: *words* that are no flags, and the value of each flag. *dash*: words before ``--``, or -1."""

    words: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)
    dash: int = -1

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def on(self, name: str) -> bool:
        """Whether a flag is set and true."""
        return bool(self.values.get(name))

    def has(self, name: str) -> bool:
        """Whether it was written at all."""
        return name in self.written


def parse(words: list[str], flags: Iterable[Flag], command: str = "") -> Given:
    """*words* read as *flags* say; *command* names the page of help. Raises Failed."""
    known = {flag.name: flag for flag in (*GLOBAL, *flags)}
    short = {flag.short: flag for flag in known.values() if flag.short}
    given = Given(values={flag.name: _default(flag) for flag in known.values()})
    left = list(words)
    try:
        while left:
            word = left.pop(0)
            if word == "--":
                given.dash = len(given.words)
                given.words += left
                break
            if word.startswith("--"):
                _long(word, known, left, given)
            elif word.startswith("-") and word != "-":
                _short(word, short, left, given)
            else:
                given.words.append(word)
    except Failed as problem:
        raise Failed(f"{problem}\nSee 'kubectl {command} --help' for usage.") from None
    return given


def _default(flag: Flag) -> Any:
    if flag.default is not None:
        return flag.default
    return {TEXT: "", BOOL: False, INT: 0, LIST: [], ARRAY: [], TIME: 0}[flag.kind]


def _long(word: str, known: dict[str, Flag], left: list[str], given: Given) -> None:
    name, equals, value = word[2:].partition("=")
    if not name or name.startswith(("-", "=")):
        raise fail(f"bad flag syntax: {word}")
    flag = known.get(name.replace("_", "-"))
    if flag is None:
        raise fail(f"unknown flag: --{name}")
    if not equals:
        if flag.alone is not None:
            value = flag.alone
        elif left:
            value = left.pop(0)
        else:
            raise fail(f"flag needs an argument: --{name}")
    _set(flag, value, given)


def _short(word: str, short: dict[str, Flag], left: list[str], given: Given) -> None:
    letters = word[1:]
    while letters:
        letter, rest = letters[0], letters[1:]
        flag = short.get(letter)
        if flag is None:
            raise fail(f"unknown shorthand flag: '{letter}' in -{letters}")
        if rest.startswith("=") and len(rest) > 1:
            return _set(flag, rest[1:], given)
        if flag.alone is not None:
            _set(flag, flag.alone, given)
            letters = rest
        elif rest:
            return _set(flag, rest, given)
        elif left:
            return _set(flag, left.pop(0), given)
        else:
            raise fail(f"flag needs an argument: '{letter}' in -{letters}")
    return None


def _set(flag: Flag, text: str, given: Given) -> None:
    if flag.unheard:
        raise Failed(f"error: --{flag.name} is not simulated: leave it out")
    fresh = flag.name not in given.written
    given.written.append(flag.name)
    if flag.kind in (LIST, ARRAY):
        more = text.split(",") if flag.kind == LIST else [text]
        given.values[flag.name] = more if fresh else [*given.values[flag.name], *more]
        return
    given.values[flag.name] = _value(flag, text)


def _value(flag: Flag, text: str) -> Any:
    shown = f"-{flag.short}, --{flag.name}" if flag.short else f"--{flag.name}"
    if flag.kind == BOOL:
        if text in TRUE or text in FALSE:
            return text in TRUE
        why = f'strconv.ParseBool: parsing "{text}": invalid syntax'
    elif flag.kind == INT:
        if re.fullmatch(r"[-+]?\d+", text):
            return int(text)
        why = f'strconv.ParseInt: parsing "{text}": invalid syntax'
    elif flag.kind == TIME:
        try:
            return gotime.duration(text)
        except ValueError as wrong:
            why = str(wrong)
    else:
        return text
    raise fail(f'invalid argument "{text}" for "{shown}" flag: {why}')
