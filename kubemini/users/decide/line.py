"""A line that somebody types at etcdctl → the command that it means. The one reading of a command line.

    read("member add etcd-4 --peer-urls=http://etcd-4:2380", terminal)     a `Command`, to be carried out

Invariant: a line is read as a whole before anything is asked.
Models etcd etcdctl/ctlv3 Start.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from kubemini.users.decide import etcdctl, members
from kubemini.users.decide.etcdctl import Command


class Unknown(ValueError):
    """A line that etcdctl does not know; the message says what it knows."""


@dataclass(slots=True)
class Terminal:
    """What somebody knows: members that are *up*, the *names* of all by their ids, how many *leases* were granted."""

    up: list[str]
    names: dict[int, str] = field(default_factory=dict)
    leases: int = 0


@dataclass(frozen=True, slots=True)
class Typed:
    """The words behind a command's name, and its flags."""

    words: list[str]
    flags: dict[str, str]

    def word(self, number: int, what: str) -> str:
        """The word at *number*; ValueError says *what* it would be."""
        if len(self.words) <= number:
            raise ValueError(what)
        return self.words[number]

    def number(self, what: str) -> int:
        """The first word as a whole number."""
        return _whole(self.word(0, what), what)

    def flag(self, name: str) -> int:
        """The whole number behind ``--name=``; 0 if it is not there."""
        return _whole(self.flags.get(name, "0"), f"a number behind --{name}=")

    def range(self) -> tuple[str, str]:
        """A key, and where its range ends: "" for that key alone."""
        key = self.word(0, "a key")
        return key, (key[:-1] + chr(ord(key[-1]) + 1) if key else "\0") if "prefix" in self.flags else ""


def _whole(text: str, what: str) -> int:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 20):
        raise ValueError(f"{what}, not {text[:40]!r}")
    return int(text)


def read(line: str, terminal: Terminal) -> Command:
    """The command behind *line*. Raises Unknown."""
    words = line.removeprefix("etcdctl ").split()
    flags = dict(word.lstrip("-").partition("=")[::2] for word in words if word.startswith("--"))
    plain = [word for word in words if not word.startswith("--")]
    name = next((n for n in COMMANDS if f"{' '.join(plain)} ".startswith(f"{n} ")), "")
    if not name:
        raise Unknown(f"etcdctl knows no {line!r}; here it knows {', '.join(COMMANDS)}")
    try:
        return COMMANDS[name](Typed(plain[len(name.split()) :], flags), terminal)
    except ValueError as error:
        raise Unknown(f"{line!r} lacks something: {error}") from None


def _put(typed: Typed, terminal: Terminal) -> Command:
    return etcdctl.put(typed.word(0, "a key"), typed.word(1, "a value"), typed.flag("lease"))


def _defrag(typed: Typed, terminal: Terminal) -> Command:
    """One member, or with --cluster each in turn."""
    named = typed.flags.get("endpoints")
    if named and named not in terminal.names.values():
        raise ValueError(f"there is no member {named!r}; there are {', '.join(terminal.names.values())}")
    return etcdctl.defrag(terminal.up if "cluster" in typed.flags else [named or terminal.up[0]])


def _grant(typed: Typed, terminal: Terminal) -> Command:
    ttl = typed.number("seconds")
    terminal.leases += 1
    return etcdctl.grant(terminal.leases, ttl)


def _add(typed: Typed, terminal: Terminal) -> Command:
    url = typed.flags.get("peer-urls")
    if not typed.words or not url:
        raise ValueError("a name and --peer-urls=http://NAME:2380")
    return members.add(typed.words[0], url, "learner" in typed.flags)


COMMANDS: dict[str, Callable[[Typed, Terminal], Command]] = {
    "put": _put,
    "get": lambda typed, _: etcdctl.get(*typed.range(), typed.flag("rev")),
    "del": lambda typed, _: etcdctl.delete(*typed.range()),
    "watch": lambda typed, _: etcdctl.watch(*typed.range(), typed.flag("rev")),
    "compact": lambda typed, _: etcdctl.compact(typed.number("a revision")),
    "defrag": _defrag,
    "alarm list": lambda _, terminal: etcdctl.alarms(terminal.names),
    "alarm disarm": lambda typed, _: etcdctl.disarm(),
    "lease grant": _grant,
    "lease keep-alive": lambda typed, _: etcdctl.keep_alive(typed.number("the id of a lease")),
    "endpoint status": lambda _, terminal: etcdctl.statuses(terminal.up),
    "member list": lambda typed, _: members.listing(),
    "member add": _add,
    "member remove": lambda typed, _: members.remove(typed.number("the id of a member")),
    "member promote": lambda typed, _: members.promote(typed.number("the id of a member")),
}
