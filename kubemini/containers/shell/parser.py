"""From words and operators to commands: recursive descent, one method a rule of the grammar.

    parse("a && b; c")          a Sequence, or SyntaxTrouble

Invariant: a reserved word is one only where a command may begin, and only if no letter of it is quoted.
POSIX, Shell Command Language, section 2.10.2. Texts of errors: busybox shell/ash.c synexpect.
Simplified: no aliases, no ``select``, no ``[[``.
"""

import re
from collections.abc import Callable, Iterator

from kubemini.containers.shell.lexer import END, REDIRECTS, Lexer, Token
from kubemini.containers.shell.syntax import (
    Case,
    Chain,
    Command,
    For,
    Function,
    Group,
    If,
    Loop,
    Pipeline,
    Redirect,
    Redirected,
    Sequence,
    Simple,
    SyntaxTrouble,
    Text,
    Word,
)

RESERVED = (
    "if",
    "then",
    "elif",
    "else",
    "fi",
    "do",
    "done",
    "case",
    "esac",
    "while",
    "until",
    "for",
    "{",
    "}",
    "!",
    "in",
)
ENDS = ("then", "elif", "else", "fi", "do", "done", "esac", "}")
ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")


def parse(text: str) -> Sequence:
    """All commands of *text*."""
    return Parser(text).all()


def literal(token: Token) -> str | None:
    """The text of a word that is plain letters, without quotes."""
    if isinstance(token, tuple) and len(token) == 1 and isinstance(token[0], Text) and not token[0].quoted:
        return token[0].text
    return None


class Parser:
    """Reads one text; one token is looked at ahead."""

    def __init__(self, text: str):
        self.lexer = Lexer(text, Parser)
        self._next: Token | None = None
        self._number: int | None = None

    # -- the whole -----------------------------------------------------------------------------------------------------
    def all(self) -> Sequence:
        """Everything."""
        found = self._sequence()
        if self._peek() != END:
            raise self._unexpected()
        return found

    def lines(self) -> Iterator[tuple[Sequence, bool]]:
        """The commands line by line, as a shell reads them, and whether it is the last line."""
        self._lines()
        while self._peek() != END:
            found = self._sequence(one_line=True)
            if self._peek() not in ("\n", END):
                raise self._unexpected()
            self._lines()
            yield found, self._peek() == END

    def until_closed(self) -> Sequence:
        """Up to the bracket that ends a substitution; the lexer stands behind it."""
        found = self._sequence()
        if self._peek() != ")":
            raise self._unexpected()
        return found

    def _sequence(self, one_line: bool = False) -> Sequence:
        chains = []
        if not one_line:
            self._lines()
        while not self._is_over():
            chain = self._chain()
            ended = self._peek()
            chains.append((chain, ended == "&"))
            if ended not in (";", "&", "\n"):
                break
            if ended == "\n" and one_line:
                break
            self._take()
            if not one_line:
                self._lines()
            elif self._peek() == "\n":
                break
        return Sequence(tuple(chains))

    def _is_over(self) -> bool:
        token = self._peek()
        return token in (END, ")", ";;") or literal(token) in ENDS

    def _body(self) -> Sequence:
        """A sequence that may not be empty."""
        found = self._sequence()
        if not found.chains:
            raise self._unexpected()
        return found

    def _chain(self) -> Chain:
        links = [("", self._pipeline())]
        while self._peek() in ("&&", "||"):
            operator = str(self._take())
            self._lines()
            links.append((operator, self._pipeline()))
        return Chain(tuple(links))

    def _pipeline(self) -> Pipeline:
        negated = False
        while literal(self._peek()) == "!":
            self._take()
            negated = not negated
        commands = [self._command()]
        while self._peek() == "|":
            self._take()
            self._lines()
            commands.append(self._command())
        return Pipeline(tuple(commands), negated)

    # -- commands ------------------------------------------------------------------------------------------------------
    def _command(self) -> Command:
        token = self._peek()
        rules: dict[str, Callable[[], Command]] = {
            "if": self._if,
            "while": self._loop,
            "until": self._loop,
            "for": self._for,
            "case": self._case,
            "{": self._group,
        }
        word = literal(token)
        if word in rules:
            return self._redirected(rules[word]())
        if token == "(":
            return self._redirected(self._apart())
        if word in RESERVED and word not in ("in",):
            raise self._unexpected()
        return self._simple()

    def _redirected(self, command: Command) -> Command:
        redirects = []
        while (redirect := self._redirect()) is not None:
            redirects.append(redirect)
        return Redirected(command, tuple(redirects)) if redirects else command

    def _if(self) -> If:
        branches = []
        word: str | None = "if"
        while word in ("if", "elif"):
            self._take()
            condition = self._body()
            self._reserved("then")
            branches.append((condition, self._body()))
            word = literal(self._peek())
        otherwise = None
        if word == "else":
            self._take()
            otherwise = self._body()
        self._reserved("fi")
        return If(tuple(branches), otherwise)

    def _loop(self) -> Loop:
        until = literal(self._take()) == "until"
        condition = self._body()
        return Loop(condition, self._do(), until)

    def _do(self) -> Sequence:
        self._reserved("do")
        body = self._body()
        self._reserved("done")
        return body

    def _for(self) -> For:
        self._take()
        name = literal(self._peek())
        if name is None or not name.isidentifier() or not name.isascii():
            raise SyntaxTrouble("bad for loop variable")
        self._take()
        self._lines()
        words: list[Word] | None = None
        if literal(self._peek()) == "in":
            self._take()
            words = []
            while isinstance(token := self._peek(), tuple):
                words.append(token)
                self._take()
            if self._peek() not in (";", "\n"):
                raise self._unexpected()
            self._take()
        elif self._peek() == ";":
            self._take()
        self._lines()
        return For(name, None if words is None else tuple(words), self._do())

    def _case(self) -> Case:
        self._take()
        word = self._take()
        if not isinstance(word, tuple):
            raise self._unexpected(word)
        self._lines()
        self._reserved("in")
        self._lines()
        items = []
        while literal(self._peek()) != "esac":
            items.append(self._item())
            self._lines()
        self._take()
        return Case(word, tuple(items))

    def _item(self) -> tuple[tuple[Word, ...], Sequence]:
        if self._peek() == "(":
            self._take()
        patterns = []
        while True:
            token = self._take()
            if not isinstance(token, tuple):
                raise self._unexpected(token)
            patterns.append(token)
            if self._peek() != "|":
                break
            self._take()
        self._operator(")")
        body = self._sequence()
        if self._peek() == ";;":
            self._take()
        elif literal(self._peek()) != "esac":
            raise self._unexpected()
        return tuple(patterns), body

    def _group(self) -> Group:
        self._take()
        body = self._body()
        self._reserved("}")
        return Group(body, apart=False)

    def _apart(self) -> Group:
        self._take()
        body = self._body()
        self._operator(")")
        return Group(body, apart=True)

    def _simple(self) -> Command:
        assignments: list[tuple[str, Word]] = []
        words: list[Word] = []
        redirects: list[Redirect] = []
        while True:
            redirect = self._redirect()
            token = self._peek()
            if redirect is not None:
                redirects.append(redirect)
            elif isinstance(token, tuple):
                self._take()
                found = _assignment(token) if not words else None
                if found is not None:
                    assignments.append(found)
                else:
                    words.append(token)
            elif token == "(" and len(words) == 1 and not assignments and not redirects:
                return self._function(words[0])
            else:
                break
        if not (assignments or words or redirects):
            raise self._unexpected()
        return Simple(tuple(assignments), tuple(words), tuple(redirects))

    def _function(self, word: Word) -> Function:
        self._take()
        self._operator(")")
        self._lines()
        name = literal(word)
        if name is None:
            raise SyntaxTrouble("bad function name")
        return Function(name, self._command())

    def _redirect(self) -> Redirect | None:
        """A redirection, if one comes."""
        token = self._peek()
        if not (isinstance(token, str) and token in REDIRECTS):
            return None
        number, self._number = self._number, None
        number = (0 if token[0] == "<" else 1) if number is None else number
        self._take()
        if token in ("<<", "<<-"):
            return Redirect(number, "<<", self.lexer.document(token == "<<-"))
        word = self._take()
        if not isinstance(word, tuple):
            raise self._unexpected(word)
        return Redirect(number, token, word)

    # -- tokens --------------------------------------------------------------------------------------------------------
    def _peek(self) -> Token:
        if self._next is None:
            self._number = self.lexer.number()
            self._next = self.lexer.token()
        return self._next

    def _take(self) -> Token:
        token = self._peek()
        self._next = None
        return token

    def _lines(self) -> None:
        while self._peek() == "\n":
            self._take()

    def _reserved(self, word: str) -> None:
        if literal(self._peek()) != word:
            raise self._unexpected(expecting=word)
        self._take()

    def _operator(self, operator: str) -> None:
        if self._peek() != operator:
            raise self._unexpected(expecting=operator)
        self._take()

    def _unexpected(self, token: Token | None = None, expecting: str = "") -> SyntaxTrouble:
        token = self._peek() if token is None else token
        shown = {END: "end of file", "\n": "newline"}.get(token, f'"{token}"') if isinstance(token, str) else ""
        word = f'"{literal(token)}"' if literal(token) in RESERVED else "word"
        text = f"syntax error: unexpected {shown or word}"
        text += f' (expecting "{expecting}")' if expecting else ""
        return SyntaxTrouble(text, complete=token != END)


def _assignment(word: Word) -> tuple[str, Word] | None:
    first = word[0]
    found = ASSIGNMENT.match(first.text) if isinstance(first, Text) and not first.quoted else None
    if found is None:
        return None
    assert isinstance(first, Text)
    rest = first.text[found.end() :]
    return found[0][:-1], ((Text(rest),) if rest else ()) + word[1:]
