"""Tokens → the tree of an expression, macros among it.

Precedence from weak to strong: ?:  ||  &&  relations  + -  * / %  ! -  . [] ().
Models cel-go parser Parser.Parse, parser/macro.go AllMacros, ext/comprehensions.go, cel/library.go optional syntax.
Simplified: an error of syntax is told in the words of the commonest kinds; the real one lists what its generated
parser could have gone on with.
"""

from collections.abc import Callable, Sequence

from kubemini.api.cel.lexer import RESERVED, Token, tokens
from kubemini.api.cel.nodes import Call, ListOf, Literal, Loop, MapOf, Name, Node, Problem, Select, Struct, together

DEEPEST = 250
_ATOMS = "'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"
OPERAND = "{'[', '{', '(', '.', '-', '!', " + _ATOMS
MAYBE = "{'[', '{', '(', '.', '-', '!', '?', " + _ATOMS
CLOSED = "{'[', '{', '(', ')', '.', '-', '!', " + _ATOMS
LIST_OR_ITEM = "{'[', ']', '{', '(', '.', ',', '-', '!', '?', " + _ATOMS
FIELD = "{IDENTIFIER, ESC_IDENTIFIER}"
FIELDS = "{'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}"
MAP_OR_ENTRY = "{'[', '{', '}', '(', '.', ',', '-', '!', '?', " + _ATOMS
RELATIONS = ("==", "!=", "<", "<=", ">", ">=")
LITERALS = ("float", "int", "uint", "string", "bytes")
WORDS = {"true": True, "false": False, "null": None}
ONE_NAME = {"all": 2, "exists": 2, "exists_one": 2, "filter": 2, "map": (2, 3)}
TWO_NAMES = {"all": 3, "exists": 3, "existsOne": 3, "transformList": (3, 4), "transformMap": (3, 4)}
TWO_NAMES |= {"transformMapEntry": (3, 4)}


def parse(source: str) -> Node:
    """The tree of *source*. Raises Problem."""
    problems: list[Problem] = []
    parser = _Parser(tokens(source, problems), problems)
    try:
        found = parser.expression()
        if parser.next.kind != "end":
            raise _syntax(parser.next, "extraneous input", "<EOF>")
    except Problem as problem:
        problems.append(problem)
    if problems:
        raise together(problems)
    return found


def _syntax(token: Token, what: str, wanted: str) -> Problem:
    return Problem(token.at, f"Syntax error: {what} '{token.text}' expecting {wanted}")


class _Parser:
    def __init__(self, found: list[Token], problems: list[Problem]):
        self._tokens, self._place, self._depth, self._problems = found, 0, 0, problems

    @property
    def next(self) -> Token:
        return self._tokens[self._place]

    def _take(self) -> Token:
        token = self.next
        self._place += 1
        return token

    def _is(self, *texts: str) -> bool:
        return self.next.kind in ("sign", "name") and self.next.text in texts

    def _expect(self, text: str, wanted: str = "") -> Token:
        """The sign *text*; where a list may go on, both is said."""
        if self._is(text):
            return self._take()
        found = self.next
        if wanted or (text == ":" and not self._starts(found)):
            raise _syntax(found, "mismatched input", wanted or "':'")
        raise Problem(found.at, f"Syntax error: missing '{text}' at '{found.text}'")

    def _starts(self, token: Token) -> bool:
        """Whether an operand can begin with *token*."""
        if token.kind in ("sign", "end"):
            return token.text in ("[", "{", "(", ".", "-", "!")
        return token.text != "in"

    # -- operators -----------------------------------------------------------------------------------------------
    def expression(self) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise Problem(self.next.at, f"expression recursion limit exceeded: {DEEPEST}")
        found = self._either()
        if self._is("?"):
            at = self._take().at
            yes = self._either()
            self._expect(":")
            found = Call(at, "_?_:_", (found, yes, self.expression()))
        self._depth -= 1
        return found

    def _either(self) -> Node:
        return self._chain(("||",), self._both)

    def _both(self) -> Node:
        return self._chain(("&&",), self._relation)

    def _relation(self) -> Node:
        found = self._sum()
        while self._is(*RELATIONS, "in"):
            token = self._take()
            name = "@in" if token.text == "in" else f"_{token.text}_"
            found = Call(token.at, name, (found, self._sum()))
        return found

    def _sum(self) -> Node:
        return self._chain(("+", "-"), self._product)

    def _product(self) -> Node:
        return self._chain(("*", "/", "%"), self._unary)

    def _chain(self, signs: tuple[str, ...], part: Callable[[], Node]) -> Node:
        found = part()
        while self._is(*signs):
            token = self._take()
            found = Call(token.at, f"_{token.text}_", (found, part()))
        return found

    def _unary(self) -> Node:
        if self._is("!"):
            at = self._take().at
            return Call(at, "!_", (self._unary(),))
        if self._is("-"):
            at = self._take().at
            if self.next.kind in ("int", "float") and self.next.at == at + 1:
                token = self._take()
                return self._member(self._number(token, at, -1))
            return Call(at, "-_", (self._unary(),))
        return self._member(self._primary())

    # -- members -------------------------------------------------------------------------------------------------
    def _member(self, found: Node) -> Node:
        while True:
            if self._is("."):
                found = self._dot(found)
            elif self._is("["):
                at = self._take().at
                maybe = self._is("?") and bool(self._take())
                self._must_start("" if maybe else MAYBE)
                index = self.expression()
                self._expect("]")
                found = Call(at, "_[?_]" if maybe else "_[_]", (found, index))
            elif self._is("{") and (name := _dotted(found)):
                found = self._struct(found.at, name)
            else:
                return found

    def _dot(self, found: Node) -> Node:
        at = self._take().at
        maybe = self._is("?") and bool(self._take())
        token = self.next
        self._place += token.kind != "end"
        if token.text in ("true", "false", "null"):
            raise _syntax(token, "mismatched input", "IDENTIFIER")
        if token.kind not in ("name", "quoted") or token.text == "in":
            text = "." if token.kind == "end" else f".{token.text}"
            raise Problem(token.at, f"Syntax error: no viable alternative at input '{text}'")
        if self._is("(") and token.kind == "name" and not maybe:
            return self._called(token, found, self.next.at)
        return Select(at, found, str(token.value), maybe=maybe)

    def _must_start(self, more: str) -> None:
        """Where an operand, or one of *more*, must come."""
        if more and self.next.kind == "end":
            raise _syntax(self.next, "mismatched input", more)

    def _arguments(self) -> tuple[Node, ...]:
        self._take()
        found: list[Node] = []
        self._must_start(CLOSED)
        while not self._is(")") or found:
            found.append(self.expression())
            if not self._is(","):
                break
            self._take()
        self._expect(")")
        return tuple(found)

    def _called(self, token: Token, target: Node | None, at: int) -> Node:
        args = self._arguments()
        found = _macro(token, target, args, at)
        return found if found is not None else Call(at, token.text, args, target)

    # -- what stands by itself -----------------------------------------------------------------------------------
    def _primary(self) -> Node:
        token = self.next
        self._place += token.kind != "end"
        if token.kind != "end" and not self._starts(token) and self._starts(self.next):
            self._problems.append(_syntax(token, "extraneous input", OPERAND))
            token = self._take()
        if token.kind in LITERALS:
            return self._number(token, token.at, 1) if token.kind == "int" else Literal(token.at, token.value)
        if token.kind == "name" and token.text in WORDS:
            return Literal(token.at, WORDS[token.text])
        if token.text == "(" and token.kind == "sign":
            found = self.expression()
            self._expect(")")
            return found
        if token.text == "[":
            return self._list(token.at)
        if token.text == "{":
            return self._map(token.at)
        leading = token.text == "." and token.kind == "sign"
        name = self._take() if leading else token
        if name.kind != "name" or name.text == "in":
            raise _syntax(name, "mismatched input", OPERAND)
        if self._is("("):
            return self._called(name, None, self.next.at)
        if name.text in RESERVED:
            raise Problem(name.at, f"reserved identifier: {name.text}")
        return Name(token.at, name.text)

    def _number(self, token: Token, at: int, sign: int) -> Literal:
        value = token.value * sign
        if token.kind == "int" and not -(2**63) <= value < 2**63:
            raise Problem(at, "invalid int literal")
        return Literal(at, value)

    def _list(self, at: int) -> ListOf:
        items: list[Node] = []
        maybe = []
        self._must_start(LIST_OR_ITEM)
        while not self._is("]", ","):
            if self._is("?"):
                self._take()
                maybe.append(len(items))
            items.append(self.expression())
            if not self._is(","):
                self._expect("]", "{']', ','}")
                return ListOf(at, tuple(items), tuple(maybe))
            self._take()
        self._comma_or("]", items)
        return ListOf(at, tuple(items), tuple(maybe))

    def _comma_or(self, end: str, found: Sequence[object]) -> None:
        """The end, after a last comma; one comma is all that an empty one may hold."""
        if not found and self._is(","):
            self._take()
        if not self._is(end):
            raise _syntax(self.next, "mismatched input", f"'{end}'")
        self._take()

    def _map(self, at: int) -> MapOf:
        entries: list[tuple[Node, Node, bool]] = []
        self._must_start(MAP_OR_ENTRY)
        while not self._is("}", ","):
            maybe = self._is("?") and bool(self._take())
            key = self.expression()
            self._expect(":")
            entries.append((key, self.expression(), maybe))
            if not self._is(","):
                self._expect("}", "{'}', ','}")
                return MapOf(at, tuple(entries))
            self._take()
        self._comma_or("}", entries)
        return MapOf(at, tuple(entries))

    def _struct(self, at: int, name: str) -> Struct:
        self._take()
        fields: list[tuple[str, Node, bool]] = []
        while self._is("?") or self._is_field():
            maybe = self._is("?") and bool(self._take())
            if not self._is_field():
                raise _syntax(self.next, "mismatched input", FIELD)
            field = self._take()
            self._expect(":")
            fields.append((str(field.value), self.expression(), maybe))
            if not self._is(","):
                self._expect("}", "{'}', ','}")
                return Struct(at, name, tuple(fields))
            self._take()
        if not fields and not self._is("}", ","):
            raise _syntax(self.next, "mismatched input", FIELDS)
        if not fields and self._is(","):
            self._take()
        if not self._is("}") and self.next.kind != "end":
            raise _syntax(self.next, "mismatched input", "'}'")
        self._expect("}")
        return Struct(at, name, tuple(fields))

    def _is_field(self) -> bool:
        return self.next.kind in ("name", "quoted") and self.next.text not in ("in", *WORDS)


def _dotted(node: Node) -> str:
    """``a.b.C`` as a name, or nothing."""
    if isinstance(node, Name):
        return node.name
    if isinstance(node, Select) and not node.test and not node.maybe:
        before = _dotted(node.operand)
        return f"{before}.{node.field}" if before else ""
    return ""


# -- macros --------------------------------------------------------------------------------------------------------


def _macro(token: Token, target: Node | None, args: tuple[Node, ...], at: int) -> Node | None:
    """What the call stands for, if it is a macro."""
    name = token.text
    if target is None:
        if name == "has" and len(args) == 1:
            return _has(args[0], at)
        return None
    if name in ("optMap", "optFlatMap") and len(args) == 2:
        return Loop(at, name, target, (_name(args[0]),), args[1])
    if name == "sortBy" and len(args) == 2:
        return Loop(at, name, target, (_name(args[0]),), args[1])
    if _fits(TWO_NAMES, name, len(args)):
        return _loop(at, name, target, args, 2)
    if _fits(ONE_NAME, name, len(args)):
        return _loop(at, name, target, args, 1)
    return None


def _fits(macros: dict[str, int | tuple[int, int]] | dict, name: str, count: int) -> bool:
    wanted = macros.get(name, ())
    return count == wanted or (isinstance(wanted, tuple) and count in wanted)


def _loop(at: int, macro: str, over: Node, args: tuple[Node, ...], variables: int) -> Loop:
    names = tuple(_name(arg) for arg in args[:variables])
    when = args[variables] if len(args) - variables == 2 else None
    return Loop(at, "existsOne" if macro == "exists_one" else macro, over, names, args[-1], when)


def _name(node: Node) -> str:
    if isinstance(node, Name):
        return node.name
    raise Problem(node.at, "argument must be a simple name")


def _has(node: Node, at: int) -> Select:
    if isinstance(node, Select) and not node.maybe:
        return Select(at, node.operand, node.field, test=True)
    raise Problem(node.at, "invalid argument to has() macro")
