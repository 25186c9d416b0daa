"""What a script is made of, after it has been read: commands, words, and the parts of words.

Invariant: all of it is values; running a script changes nothing of it.
IEEE Std 1003.1 (POSIX), Shell Command Language, section 2.10 (the grammar).
"""

from dataclasses import dataclass
from typing import NamedTuple


class Text(NamedTuple):
    """Letters; *quoted* ones are only themselves."""

    text: str
    quoted: bool = False


class Parameter(NamedTuple):
    """``$name``, or ``${name operator word}``; *length*: ``${#name}``."""

    name: str
    operator: str = ""
    word: "Word" = ()
    quoted: bool = False
    length: bool = False


class Substitution(NamedTuple):
    """``$(commands)``."""

    body: "Sequence"
    quoted: bool = False


class Arithmetic(NamedTuple):
    """``$((expression))``."""

    word: "Word"
    quoted: bool = False


Part = Text | Parameter | Substitution | Arithmetic
Word = tuple[Part, ...]


@dataclass(slots=True)
class Document:
    """A here-document: its text is known when its line is over, before anything runs."""

    word: Word = ()


class Redirect(NamedTuple):
    """``2>file``: *operator* is < > >| >> <> <& >& or <<."""

    number: int
    operator: str
    word: Word | Document


@dataclass(frozen=True, slots=True)
class Simple:
    """Assignments, words, redirections."""

    assignments: tuple[tuple[str, Word], ...]
    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands with pipes between them; *negated* by ``!``."""

    commands: "tuple[Command, ...]"
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Chain:
    """Pipelines with ``&&`` and ``||`` between them: the first has the operator ""."""

    links: tuple[tuple[str, Pipeline], ...]


@dataclass(frozen=True, slots=True)
class Sequence:
    """Chains one after the other; those marked run beside the shell, in the background."""

    chains: tuple[tuple[Chain, bool], ...]


@dataclass(frozen=True, slots=True)
class If:
    """(condition, body) of ``if`` and each ``elif``, and what follows ``else``."""

    branches: tuple[tuple[Sequence, Sequence], ...]
    otherwise: Sequence | None


@dataclass(frozen=True, slots=True)
class Loop:
    """``while``, or ``until``."""

    condition: Sequence
    body: Sequence
    until: bool


@dataclass(frozen=True, slots=True)
class For:
    """``for``; *words* is None for all arguments of the script."""

    name: str
    words: tuple[Word, ...] | None
    body: Sequence


@dataclass(frozen=True, slots=True)
class Case:
    """``case``: patterns, and what to do."""

    word: Word
    items: tuple[tuple[tuple[Word, ...], Sequence], ...]


@dataclass(frozen=True, slots=True)
class Group:
    """``{ …; }``, or with *apart* ``( … )``: in a shell of its own."""

    body: Sequence
    apart: bool


@dataclass(frozen=True, slots=True)
class Redirected:
    """A command of several with redirections of its own."""

    command: "Command"
    redirects: tuple[Redirect, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """``name() …``."""

    name: str
    body: "Command"


Command = Simple | If | Loop | For | Case | Group | Redirected | Function


class SyntaxTrouble(Exception):
    """The script cannot be read; *complete* is false if more of it might help."""

    def __init__(self, text: str, complete: bool = True):
        super().__init__(text)
        self.complete = complete
