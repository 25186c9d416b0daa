"""``$((…))``: whole numbers of 64 bits, with C's operators.

Invariant: numbers wrap as the machine's do; a division goes towards zero.
POSIX, Shell Command Language, section 2.6.4.
"""

import re
from collections.abc import Callable, MutableMapping

TOKEN = re.compile(
    r"\s*(0[xX][0-9a-fA-F]+|\d+|[A-Za-z_]\w*|<<=|>>=|\*\*|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|\S)"
)
BINARY: tuple[tuple[str, ...], ...] = (
    ("||",),
    ("&&",),
    ("|",),
    ("^",),
    ("&",),
    ("==", "!="),
    ("<=", ">=", "<", ">"),
    ("<<", ">>"),
    ("+", "-"),
    ("*", "/", "%"),
)
ASSIGNS = ("=", "+=", "-=", "*=", "/=", "%=", "<<=", ">>=", "&=", "|=", "^=")


class BadNumber(Exception):
    """The expression is none; the text says why."""


def _wrapped(value: int) -> int:
    return (value + (1 << 63)) % (1 << 64) - (1 << 63)


def _divided(left: int, right: int) -> int:
    if not right:
        raise BadNumber("divide by zero")
    found = abs(left) // abs(right)
    return found if (left < 0) == (right < 0) else -found


ACTS: dict[str, Callable[[int, int], int]] = {
    "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b,
    "&": lambda a, b: a & b,
    "==": lambda a, b: int(a == b),
    "!=": lambda a, b: int(a != b),
    "<=": lambda a, b: int(a <= b),
    ">=": lambda a, b: int(a >= b),
    "<": lambda a, b: int(a < b),
    ">": lambda a, b: int(a > b),
    "<<": lambda a, b: a << (b & 63),
    ">>": lambda a, b: a >> (b & 63),
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": _divided,
    "%": lambda a, b: a - b * _divided(a, b),
}


def evaluated(text: str, variables: MutableMapping[str, str]) -> int:
    """The value of an expression; assignments in it change *variables*. Raises BadNumber."""
    reader = _Reader(text, variables)
    value = reader.assigned(True) if text.strip() else 0
    if reader.ahead():
        raise BadNumber(f"arithmetic syntax error: {text}")
    return value


class _Reader:
    def __init__(self, text: str, variables: MutableMapping[str, str]):
        self.tokens = TOKEN.findall(text)
        self.text, self.variables, self.at = text, variables, 0

    def ahead(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        self.at += 1
        if self.at > len(self.tokens):
            raise BadNumber(f"arithmetic syntax error: {self.text}")
        return self.tokens[self.at - 1]

    def assigned(self, counts: bool) -> int:
        """*counts*: whether what it does is done: not so behind ``0 &&``."""
        name, operator = self.ahead(), (self.tokens[self.at + 1 : self.at + 2] or [""])[0]
        if not (re.fullmatch(r"[A-Za-z_]\w*", name) and operator in ASSIGNS):
            return self.chosen(counts)
        self.at += 2
        right = self.assigned(counts)
        value = right if operator == "=" or not counts else ACTS[operator[:-1]](self.value(name), right)
        if counts:
            self.variables[name] = str(_wrapped(value))
        return _wrapped(value)

    def chosen(self, counts: bool) -> int:
        condition = self.binary(0, counts)
        if self.ahead() != "?":
            return condition
        self.take()
        first = self.assigned(counts and bool(condition))
        if self.take() != ":":
            raise BadNumber(f"arithmetic syntax error: {self.text}")
        second = self.chosen(counts and not condition)
        return first if condition else second

    def binary(self, level: int, counts: bool) -> int:
        if level == len(BINARY):
            return self.unary(counts)
        left = self.binary(level + 1, counts)
        while self.ahead() in BINARY[level]:
            operator = self.take()
            if operator in ("&&", "||"):
                matters = counts and bool(left) == (operator == "&&")
                right = self.binary(level + 1, matters)
                left = int(bool(left) and bool(right)) if operator == "&&" else int(bool(left) or bool(right))
                continue
            right = self.binary(level + 1, counts)
            left = _wrapped(ACTS[operator](left, right)) if counts else 0
        return left

    def unary(self, counts: bool) -> int:
        token = self.take()
        if token in ("+", "-", "!", "~"):
            value = self.unary(counts)
            return {"+": value, "-": _wrapped(-value), "!": int(not value), "~": ~value}[token]
        if token in ("++", "--") and not re.fullmatch(r"[A-Za-z_]\w*", self.ahead()):
            return self.unary(counts)  # two signs
        if token == "(":
            value = self.assigned(counts)
            if self.take() != ")":
                raise BadNumber(f"arithmetic syntax error: {self.text}")
            return value
        if token[0].isdigit():
            return _number(token, self.text)
        if re.fullmatch(r"[A-Za-z_]\w*", token):
            return self.value(token)
        raise BadNumber(f"arithmetic syntax error: {self.text}")

    def value(self, name: str) -> int:
        text = self.variables.get(name, "").strip()
        if not text:
            return 0
        sign = -1 if text[0] == "-" else 1
        return sign * _number(text.lstrip("+-"), text)


def _number(token: str, text: str) -> int:
    octal = re.fullmatch(r"0[0-7]*", token)
    if re.fullmatch(r"0[xX][0-9a-fA-F]+", token):
        return _wrapped(int(token, 16))
    if octal or re.fullmatch(r"[1-9]\d*", token):
        return _wrapped(int(token, 8 if octal else 10))
    raise BadNumber(f"arithmetic syntax error: {text}")
