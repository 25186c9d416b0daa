"""From letters to words and operators. Quotes, expansions and here-documents are understood here.

Invariant: a lexer goes forward only, and what it hands out has been read once.
POSIX, Shell Command Language, sections 2.2 (quoting) to 2.7 (here-documents).
"""

import re

from kubemini.containers.shell.syntax import (
    Arithmetic,
    Document,
    Parameter,
    Part,
    Substitution,
    SyntaxTrouble,
    Text,
    Word,
)

OPERATORS = ("&&", "||", ";;", "<<-", "<<", ">>", "<&", ">&", "<>", ">|", "&", "|", ";", "<", ">", "(", ")")
REDIRECTS = ("<", ">", ">>", "<&", ">&", "<>", ">|", "<<", "<<-")
META = " \t\n;&|<>()"
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
SPECIAL = "@*#?$!-0123456789"
VALUE_OPERATORS = (":-", ":=", ":?", ":+", "-", "=", "?", "+", "%%", "%", "##", "#")
END = ""
Token = Word | str  # a word, or an operator, "\n", or END


class Lexer:
    """Reads *text*; `parse` reads the commands of a substitution, from a lexer that stands behind ``$(``."""

    def __init__(self, text: str, parse: "type"):
        self.text, self.at, self.parse = text, 0, parse
        self.waiting: list[tuple[Document, str, bool, bool]] = []  # (it, its last line, literal, strips tabs)

    # -- tokens --------------------------------------------------------------------------------------------------------
    def token(self) -> Token:
        """The next word or operator."""
        self._skip()
        if self.at >= len(self.text):
            self._documents()
            return END
        if self.text[self.at] == "\n":
            self.at += 1
            self._documents()
            return "\n"
        for operator in OPERATORS:
            if self.text.startswith(operator, self.at):
                self.at += len(operator)
                return operator
        return self.word()

    def number(self) -> int | None:
        """The number before a redirection, if one comes."""
        self._skip()
        found = re.compile(r"\d+(?=[<>])").match(self.text, self.at)
        if found is None:
            return None
        self.at = found.end()
        return int(found[0])

    def _skip(self) -> None:
        while self.at < len(self.text):
            if self.text[self.at] in " \t":
                self.at += 1
            elif self.text.startswith("\\\n", self.at):
                self.at += 2
            elif self.text[self.at] == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            else:
                return

    # -- words ---------------------------------------------------------------------------------------------------------
    def word(self) -> Word:
        """Letters up to the next that ends a word."""
        parts: list[Part] = []
        while self.at < len(self.text) and self.text[self.at] not in META:
            self._piece(parts, quoted=False)
        return _joined(parts)

    def _piece(self, parts: list[Part], quoted: bool, literally: str = "") -> None:
        """One letter, quoted text, or expansion; *quoted*: within double quotes."""
        letter = self.text[self.at]
        if letter == "\\":
            self._escaped(parts, quoted, literally)
        elif letter == "'" and not quoted:
            end = self._find("'", self.at + 1)
            parts.append(Text(self.text[self.at + 1 : end], True))
            self.at = end + 1
        elif letter == '"' and '"' not in literally:
            self._double(parts)
        elif letter == "$":
            self._expansion(parts, quoted)
        elif letter == "`":
            self._backquoted(parts, quoted)
        else:
            self.at += 1
            parts.append(Text(letter, quoted))

    def _escaped(self, parts: list[Part], quoted: bool, literally: str) -> None:
        following = self.text[self.at + 1 : self.at + 2]
        self.at += 2
        if following == "\n":
            return
        if quoted and following not in '$`"\\' + literally:
            parts.append(Text("\\" + following, True))
        else:
            parts.append(Text(following or "\\", True))

    def _double(self, parts: list[Part]) -> None:
        self.at += 1
        before = len(parts)
        while self.at < len(self.text) and self.text[self.at] != '"':
            self._piece(parts, quoted=True)
        self._expect('"')
        if len(parts) == before:
            parts.append(Text("", True))  # "" is a word

    def _backquoted(self, parts: list[Part], quoted: bool) -> None:
        end = self.at + 1
        while end < len(self.text) and self.text[end] != "`":
            end += 2 if self.text[end] == "\\" else 1
        if end >= len(self.text):
            raise SyntaxTrouble("EOF in backquote substitution", complete=False)
        escaped = r"\\([$`\\\"])" if quoted else r"\\([$`\\])"
        body = re.sub(escaped, r"\1", self.text[self.at + 1 : end])
        self.at = end + 1
        parts.append(Substitution(self.parse(body).all(), quoted))

    def _expansion(self, parts: list[Part], quoted: bool) -> None:
        """What begins with a dollar."""
        self.at += 1
        name = NAME.match(self.text, self.at)
        if self.text.startswith("((", self.at) and self._arithmetic(parts, quoted):
            return
        if self.text.startswith("(", self.at):
            self.at += 1
            parser = self.parse(self.text[self.at :])
            parts.append(Substitution(parser.until_closed(), quoted))
            self.at += parser.lexer.at
        elif self.text.startswith("{", self.at):
            self.at += 1
            parts.append(self._braces(quoted))
        elif name is not None:
            self.at = name.end()
            parts.append(Parameter(name[0], quoted=quoted))
        elif self.text[self.at : self.at + 1] and self.text[self.at] in SPECIAL:
            self.at += 1
            parts.append(Parameter(self.text[self.at - 1], quoted=quoted))
        else:
            parts.append(Text("$", quoted))

    def _arithmetic(self, parts: list[Part], quoted: bool) -> bool:
        """``((…))``, if its brackets are those of an expression."""
        begun, depth = self.at, 0
        inside: list[Part] = []
        self.at += 2
        while self.at < len(self.text):
            if not depth and self.text.startswith("))", self.at):
                self.at += 2
                parts.append(Arithmetic(_joined(inside), quoted))
                return True
            letter = self.text[self.at]
            depth += {"(": 1, ")": -1}.get(letter, 0)
            if depth < 0:
                break
            if letter == '"':
                self.at += 1
            else:
                self._piece(inside, quoted=True)
        self.at = begun
        return False

    def _braces(self, quoted: bool) -> Parameter:
        """Behind ``${``."""
        length = self.text.startswith("#", self.at) and self.text[self.at + 1 : self.at + 2] not in ("}", "")
        self.at += length
        name = NAME.match(self.text, self.at) or re.compile(r"\d+|[@*#?$!-]").match(self.text, self.at)
        if name is None:
            raise SyntaxTrouble("bad substitution")
        self.at = name.end()
        operator = next((one for one in VALUE_OPERATORS if self.text.startswith(one, self.at)), "")
        self.at += len(operator)
        parts: list[Part] = []
        in_quotes = quoted and operator[:1] not in ("%", "#")
        while operator and self.at < len(self.text) and self.text[self.at] != "}":
            self._piece(parts, in_quotes, "}" if in_quotes else "")
        if self.at < len(self.text) and self.text[self.at] != "}":
            raise SyntaxTrouble("bad substitution")
        self._expect("}")
        return Parameter(name[0], operator, _joined(parts), quoted, bool(length))

    def _find(self, letter: str, start: int) -> int:
        end = self.text.find(letter, start)
        if end < 0:
            raise SyntaxTrouble("unterminated quoted string", complete=False)
        return end

    def _expect(self, letter: str) -> None:
        if self.at >= len(self.text):
            raise SyntaxTrouble("unterminated quoted string", complete=False)
        assert self.text[self.at] == letter, "the loop before ends there"
        self.at += 1

    # -- here-documents ------------------------------------------------------------------------------------------------
    def document(self, strips: bool) -> Document:
        """A here-document whose last line is the next word."""
        self._skip()
        word, found = self.word(), Document()
        end = "".join(part.text for part in word if isinstance(part, Text))
        literal = any(isinstance(part, Text) and part.quoted for part in word)
        self.waiting.append((found, end, literal, strips))
        return found

    def _documents(self) -> None:
        waiting, self.waiting = self.waiting, []
        for found, end, literal, strips in waiting:
            lines = []
            while self.at < len(self.text):
                stop = self.text.find("\n", self.at)
                stop = len(self.text) if stop < 0 else stop
                line, self.at = self.text[self.at : stop], min(stop + 1, len(self.text))
                line = line.lstrip("\t") if strips else line
                if line == end:
                    break
                lines.append(line + "\n")
            found.word = self._body("".join(lines), literal)

    def _body(self, text: str, literal: bool) -> Word:
        if literal:
            return (Text(text, True),)
        inner, parts = Lexer(text, self.parse), list[Part]()
        while inner.at < len(text):
            inner._piece(parts, True, '"')
        return _joined(parts)


def _joined(parts: list[Part]) -> Word:
    """Neighbouring letters as one text."""
    found: list[Part] = []
    for part in parts:
        last = found[-1] if found else None
        if isinstance(part, Text) and isinstance(last, Text) and part.quoted == last.quoted:
            found[-1] = Text(last.text + part.text, part.quoted)
        else:
            found.append(part)
    return tuple(found)
