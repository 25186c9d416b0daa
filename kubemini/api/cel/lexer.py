"""Text → tokens of CEL. Models cel-go parser/gen CEL.g4; escapes: parser/unescape.go."""

import re
from typing import Any, NamedTuple

from kubemini.api.cel.nodes import Problem, Uint

_GOOD = r"""\\[abfnrtv\\'"?`]|\\[xX][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\U[0-9a-fA-F]{8}|\\[0-3][0-7]{2}"""
_TOKEN = re.compile(
    rf"""(?P<space>[\t\n\f\r ]+|//[^\n]*)
    |(?P<float>[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+)
    |(?P<uint>(?:0x[0-9a-fA-F]+|[0-9]+)[uU])
    |(?P<int>0x[0-9a-fA-F]+|[0-9]+)
    |(?P<rawtext>[rR](?:"[^"\n\r]*"|'[^'\n\r]*'))
    |(?P<text>(?:[bB][rR]?|[rR][bB]?)?(?:\"\"\"(?:\\[\s\S]|[^\\])*?\"\"\"|'''(?:\\[\s\S]|[^\\])*?'''
        |"(?:{_GOOD}|[^\\"\n\r])*"|'(?:{_GOOD}|[^\\'\n\r])*'))
    |(?P<quoted>`[a-zA-Z0-9_.\-/ ]+`)
    |(?P<name>[_a-zA-Z][_a-zA-Z0-9]*)
    |(?P<sign>==|!=|<=|>=|&&|\|\||[-+*/%<>!?:.,()\[\]{{}}])""",
    re.VERBOSE,
)
RESERVED = {
    *("as", "break", "const", "continue", "else", "for", "function", "if", "import", "in", "let", "loop", "package"),
    *("namespace", "return", "var", "void", "while", "true", "false", "null"),
}
_SIMPLE = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
_ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\'\"?`])|[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|(.|\n))"
)


class Token(NamedTuple):
    """*kind*: float, int, uint, string, bytes, name, quoted, sign or end; *text* as it stands there."""

    kind: str
    text: str
    value: Any
    at: int


def tokens(source: str, problems: list[Problem]) -> list[Token]:
    """All tokens, and one for the end; what is none goes into *problems*."""
    found, at = [], 0
    while at < len(source):
        match = _TOKEN.match(source, at)
        if match is None:
            text = _unknown(source, at)
            problems.append(Problem(at, f"Syntax error: token recognition error at: '{text}'"))
            at += len(text)
            continue
        kind, text = str(match.lastgroup), match[0]
        if kind != "space":
            found.append(_token(kind, text, at))
        at = match.end()
    return [*found, Token("end", "<EOF>", None, len(source))]


def _unknown(source: str, at: int) -> str:
    """What is skipped where nothing can begin: a text as far as it could be one, or a sign that wants another."""
    if source[at] in "=&|":
        return source[at : at + 2]
    if source[at] not in "\"'":
        return source[at]
    end = at + 1
    while end < len(source) and source[end] not in "\r\n":
        if source[end] == "\\":
            good = _ESCAPE.match(source, end)
            if good is None or good[6] is not None:
                return source[at : _end_of_escape(source, end)]
            end = good.end()
        else:
            end += 1
    return source[at:end]


def _end_of_escape(source: str, at: int) -> int:
    """How far an escape goes that is none."""
    if source[at + 1 : at + 2] not in ("x", "X", "u", "U"):
        return at + 2
    end = at + 2
    while end < len(source) and source[end] in "0123456789abcdefABCDEF":
        end += 1
    return end + 1


def _token(kind: str, text: str, at: int) -> Token:
    match kind:
        case "float":
            return Token(kind, text, float(text), at)
        case "uint":
            return Token(kind, text, Uint(int(text[:-1], 0) if "x" in text else int(text[:-1])), at)
        case "int":
            return Token(kind, text, int(text, 16) if text.startswith("0x") else int(text), at)
        case "text" | "rawtext":
            return _text(text, at)
        case "quoted":
            return Token("quoted", text, text[1:-1], at)
    return Token(kind, text, text, at)


def _text(text: str, at: int) -> Token:
    quote = re.search(r"['\"]", text)
    assert quote is not None, "the pattern of a text has quotes"
    marks = text[: quote.start()].lower()
    wide = 3 if text[quote.start() :].startswith(('"""', "'''")) and len(text) - quote.start() >= 6 else 1
    inner = text[quote.start() + wide : -wide].replace("\r\n", "\n").replace("\r", "\n")
    raw, as_bytes = "r" in marks, "b" in marks
    value: Any = inner if raw else _unescaped(inner, at, as_bytes)
    if as_bytes and isinstance(value, str):
        value = value.encode()
    return Token("bytes" if as_bytes else "string", text, value, at)


def _unescaped(text: str, at: int, as_bytes: bool) -> str | bytes:
    parts: list[str | bytes] = []
    end = 0
    for match in _ESCAPE.finditer(text):
        parts.append(text[end : match.start()])
        simple, byte, short, long, octal, _ = match.groups()
        if simple:
            code = _SIMPLE.get(simple, ord(simple))
        else:
            code = int(octal, 8) if octal else int(byte or short or long, 16)
        parts.append(bytes([code]) if as_bytes and (byte or octal) else chr(code))
        end = match.end()
    parts.append(text[end:])
    if not as_bytes:
        return "".join(str(part) for part in parts)
    return b"".join(part if isinstance(part, bytes) else part.encode() for part in parts)
