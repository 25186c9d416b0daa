"""From words to what a command is given: parameters, substitutions, arithmetic, splitting, names of files, quotes.

All are generators, since a substitution waits for its commands; the shell is asked for values (`Values`).
Invariant: what was quoted is neither split nor a pattern, and is there even if it is empty.
POSIX, Shell Command Language, section 2.6. Texts of errors: busybox shell/ash.c varunset.
"""

from collections.abc import Generator, Sequence
from typing import Any, NamedTuple, Protocol

from kubemini.containers import patterns
from kubemini.containers.files import Files
from kubemini.containers.shell.arithmetic import BadNumber, evaluated
from kubemini.containers.shell.syntax import Arithmetic, Parameter, Substitution, Text, Word
from kubemini.containers.shell.syntax import Sequence as Commands

QUOTED, LITERAL, SPLIT, BREAK = "quoted", "literal", "split", "break"
WHITE = " \t\n"


class BadExpansion(Exception):
    """A word cannot be expanded: the shell ends. The text says why."""


class Piece(NamedTuple):
    """Letters of one kind; BREAK: here a field ends."""

    text: str
    kind: str


class Values(Protocol):
    """What an expansion asks of a shell."""

    arguments: list[str]
    variables: dict[str, str]

    @property
    def unset_is_wrong(self) -> bool:
        """``set -u``."""

    @property
    def plain_names(self) -> bool:
        """``set -f``: no names of files."""

    @property
    def files(self) -> Files:
        """The files that patterns are matched with."""

    @property
    def cwd(self) -> str:
        """Where it is."""

    def value(self, name: str) -> str | None:
        """The value of a parameter, None if it is unset."""

    def assign(self, name: str, value: str) -> None:
        """Set a variable."""

    def substituted(self, body: Commands) -> Generator[Any, Any, str]:
        """What commands say."""


Expanded = Generator[Any, Any, str]
Pieces = Generator[Any, Any, list[Piece]]


def fields(shell: Values, words: Sequence[Word]) -> Generator[Any, Any, list[str]]:
    """What *words* come to: any number of fields each."""
    found: list[str] = []
    for word in words:
        for field in _split((yield from _pieces(shell, word)), _separators(shell)):
            found += _names(shell, field)
    return found


def text(shell: Values, word: Word) -> Expanded:
    """What *word* comes to as one text."""
    return "".join(piece.text for piece in _joined((yield from _pieces(shell, word))))


def pattern(shell: Values, word: Word) -> Expanded:
    """What *word* comes to as a pattern: quoted letters are only themselves."""
    pieces = yield from _pieces(shell, word)
    return "".join(patterns.escaped(one.text) if one.kind == QUOTED else one.text for one in _joined(pieces))


def _joined(pieces: list[Piece]) -> list[Piece]:
    return [Piece(" ", LITERAL) if piece.kind == BREAK else piece for piece in pieces]


def _separators(shell: Values) -> str:
    found = shell.value("IFS")
    return WHITE if found is None else found


# -- pieces ------------------------------------------------------------------------------------------------------------
def _pieces(shell: Values, word: Word) -> Pieces:
    found: list[Piece] = []
    for number, part in enumerate(word):
        match part:
            case Text():
                letters = part.text
                if not number and not part.quoted and letters.startswith("~") and letters[1:2] in ("", "/"):
                    found.append(Piece(shell.value("HOME") or "~", QUOTED))
                    letters = letters[1:]
                found.append(Piece(letters, QUOTED if part.quoted else LITERAL))
            case Parameter():
                found += yield from _parameter(shell, part)
            case Substitution():
                said = yield from shell.substituted(part.body)
                found.append(Piece(said, QUOTED if part.quoted else SPLIT))
            case Arithmetic():
                expression = yield from text(shell, part.word)
                found.append(Piece(_number(shell, expression), QUOTED if part.quoted else SPLIT))
    return found


def _number(shell: Values, expression: str) -> str:
    try:
        return str(evaluated(expression, shell.variables))
    except BadNumber as error:
        raise BadExpansion(str(error)) from None


def _parameter(shell: Values, part: Parameter) -> Pieces:
    kind = QUOTED if part.quoted else SPLIT
    several = part.name in ("@", "*")
    value = _together(shell, part.name) if several else shell.value(part.name)
    known = bool(shell.arguments) if several else value is not None
    if part.length:
        return [Piece(str(len(shell.arguments) if several else len(_needed(shell, part, value))), kind)]
    operator = part.operator.removeprefix(":")
    is_set = known and not (part.operator.startswith(":") and not value)
    if operator == "+":
        return (yield from _instead(shell, part)) if is_set else [Piece("", kind)]
    if operator in ("-", "=", "?") and not is_set:
        return (yield from _missing(shell, part, operator))
    if operator[:1] in ("%", "#") and operator:
        cut = yield from pattern(shell, part.word)
        return [Piece(patterns.without(_needed(shell, part, value), cut, operator), kind)]
    if several:
        return _arguments(shell, part)
    return [Piece(_needed(shell, part, value), kind)]


def _needed(shell: Values, part: Parameter, value: str | None) -> str:
    if value is None and shell.unset_is_wrong:
        raise BadExpansion(f"{part.name}: parameter not set")
    return value or ""


def _together(shell: Values, name: str) -> str:
    separators = shell.value("IFS")
    between = " " if name == "@" or separators is None else separators[:1]
    return between.join(shell.arguments)


def _arguments(shell: Values, part: Parameter) -> list[Piece]:
    if part.quoted and part.name == "*":
        return [Piece(_together(shell, "*"), QUOTED)]
    kind, found = QUOTED if part.quoted else SPLIT, list[Piece]()
    for number, argument in enumerate(shell.arguments):
        found += [Piece("", BREAK)] if number else []
        found.append(Piece(argument, kind))
    return found


def _instead(shell: Values, part: Parameter) -> Pieces:
    """The word of ``${name-word}``, in the place of the value."""
    if part.quoted:
        return [Piece((yield from text(shell, part.word)), QUOTED)]
    pieces = yield from _pieces(shell, part.word)
    return [Piece(one.text, SPLIT) if one.kind == LITERAL else one for one in pieces]


def _missing(shell: Values, part: Parameter, operator: str) -> Pieces:
    if operator == "-":
        return (yield from _instead(shell, part))
    said = yield from text(shell, part.word)
    if operator == "?":
        null = " or null" if part.operator.startswith(":") else ""
        raise BadExpansion(f"{part.name}: {said or f'parameter not set{null}'}")
    shell.assign(part.name, said)
    return [Piece(said, QUOTED if part.quoted else SPLIT)]


# -- fields ------------------------------------------------------------------------------------------------------------
class _Splitter:
    """Fields as they come; *soft*: the last one was ended by white space."""

    def __init__(self, separators: str):
        self.separators = separators
        self.found: list[list[Piece]] = []
        self.field: list[Piece] | None = None
        self.soft = False

    def add(self, piece: Piece) -> None:
        self.field = [*(self.field or []), piece]
        self.soft = False

    def end(self) -> None:
        if self.field is not None:
            self.found.append(self.field)
        self.field = None

    def split(self, letters: str) -> None:
        for letter in letters:
            if letter not in self.separators:
                self.add(Piece(letter, SPLIT))
            elif letter in WHITE:
                self.soft = self.soft or self.field is not None
                self.end()
            else:
                if self.field is None and not self.soft:
                    self.field = []
                self.end()
                self.soft = False


def _split(pieces: list[Piece], separators: str) -> list[list[Piece]]:
    splitter = _Splitter(separators)
    for piece in pieces:
        if piece.kind == BREAK:
            splitter.end()
            splitter.soft = False
        elif piece.kind == SPLIT:
            splitter.split(piece.text)
        elif piece.kind == QUOTED or piece.text:
            splitter.add(piece)
    splitter.end()
    return splitter.found


def _names(shell: Values, field: list[Piece]) -> list[str]:
    """The files that *field* is a pattern of, or itself."""
    plain = "".join(piece.text for piece in field)
    if shell.plain_names or not any(set(piece.text) & set("*?[") for piece in field if piece.kind != QUOTED):
        return [plain]
    wanted = "".join(patterns.escaped(one.text) if one.kind == QUOTED else one.text for one in field)
    return (patterns.is_pattern(wanted) and matching(shell.files, shell.cwd, wanted)) or [plain]


def matching(files: Files, cwd: str, wanted: str) -> list[str]:
    """The paths that match a pattern, in order."""
    parts = wanted.split("/")
    found = [""]
    if wanted.startswith("/"):
        found, parts = ["/"], parts[1:]
    for number, part in enumerate(parts):
        more = number < len(parts) - 1
        found = [name for base in found for name in _step(files, cwd, base, part, more)]
    return sorted(found)


def _step(files: Files, cwd: str, base: str, part: str, more: bool) -> list[str]:
    slash = "/" if more else ""
    whole = (base or ".") if base.startswith("/") else f"{cwd}/{base}"
    if not patterns.is_pattern(part):
        name = patterns.plain(part)
        return [base + name + slash] if not name or files.exists(f"{whole}/{name}", follow=False) else []
    if not files.is_folder(whole):
        return []
    dots = part.startswith((".", "\\."))
    names = (name for name in [*([".", ".."] if dots else []), *files.names(whole)] if dots or name[0] != ".")
    fitting = [name for name in names if patterns.matches(part, name)]
    return [base + name + slash for name in fitting if not more or files.is_folder(f"{whole}/{name}")]
