"""Why a text is no JSON, in the words of Go's scanner.

    problem(b'{"a":')      unexpected end of JSON input
    problem(b"nonsense")   invalid character 'o' in literal null (expecting 'u')

Models sigs.k8s.io/json scanner, encoding/json SyntaxError.
"""

import json
import re

END = "unexpected end of JSON input"
_SPACE = b" \t\r\n"
_LITERALS = {ord("t"): "true", ord("f"): "false", ord("n"): "null"}
_ESCAPES = b'bfnrt\\/"'
_TIGHT = ("in literal", "in numeric", "after decimal", "in exponent", "in string escape", "in \\u")  # no space here
_HEX = b"0123456789abcdefABCDEF"
_NUMBER = re.compile(rb"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")


class _Wrong(Exception):
    """Here the scanner stops."""


def problem(data: bytes) -> str:
    """What Go says of *data*; "" if it is one JSON value."""
    scan = _Scan(data)
    try:
        scan.value()
        scan.space()
        if scan.at < len(data):
            scan.stop("after top-level value")
    except _Wrong as wrong:
        return str(wrong)
    return ""


def shown(byte: int) -> str:
    """A byte as Go quotes a character."""
    special = {ord("'"): r"'\''", ord('"'): "'\"'", ord("\\"): r"'\\'"}
    if byte in special:
        return special[byte]
    if byte < 0x20 or byte == 0x7F:
        text = json.dumps(chr(byte))[1:-1]
        named = {"\x07": r"\a", "\x0b": r"\v"}.get(chr(byte), text)
        return "'" + (f"\\x{byte:02x}" if named.startswith("\\u") or byte == 0x7F else named) + "'"
    return f"'{chr(byte)}'" if byte < 0x7F or byte > 0xA0 else f"'\\u{byte:04x}'"


class _Scan:
    """One walk over the bytes, with a stack of its own: a text may be as deep as it likes."""

    def __init__(self, data: bytes):
        self.data, self.at = data, 0

    def stop(self, where: str) -> None:
        """Refuse the byte that comes next."""
        if self.at >= len(self.data) and not where.startswith(_TIGHT):
            raise _Wrong(END)
        if self.at >= len(self.data):  # as Go asks whether a text may end here: with a space
            raise _Wrong(f"invalid character ' ' {where}")
        raise _Wrong(f"invalid character {shown(self.data[self.at])} {where}")

    def space(self) -> int:
        """The next byte that is no space; 0 at the end."""
        while self.at < len(self.data) and self.data[self.at] in _SPACE:
            self.at += 1
        return self.data[self.at] if self.at < len(self.data) else 0

    def value(self) -> None:
        """One value, with all that is in it."""
        open: list[bytes] = []
        while True:
            entered = self._begin(open)
            while not entered:
                if not open:
                    return
                entered = self._next(open)

    def _begin(self, open: list[bytes]) -> bool:
        """The beginning of a value; whether another must follow at once, inside of it."""
        byte = self.space()
        if byte in b"{[" and byte:
            open.append(bytes([byte]))
            self.at += 1
            closed = self.space() == (ord("}") if byte == ord("{") else ord("]"))
            if closed:
                self.at += 1
                open.pop()
                return False
            if byte == ord("{"):
                self._key()
            return True
        if byte == ord('"'):
            self._string()
        elif byte in _LITERALS:
            self._literal(_LITERALS[byte])
        elif byte == ord("-") or ord("0") <= byte <= ord("9"):
            self._number()
        else:
            self.stop("looking for beginning of value")
        return False

    def _next(self, open: list[bytes]) -> bool:
        """After a value inside of another: whether one more follows."""
        byte, inside = self.space(), open[-1]
        if byte == (ord("}") if inside == b"{" else ord("]")):
            self.at += 1
            open.pop()
            return False
        if byte != ord(","):
            self.stop("after object key:value pair" if inside == b"{" else "after array element")
        self.at += 1
        if inside == b"{":
            self._key()
        return True

    def _key(self) -> None:
        if self.space() != ord('"'):
            self.stop("looking for beginning of object key string")
        self._string()
        if self.space() != ord(":"):
            self.stop("after object key")
        self.at += 1

    def _string(self) -> None:
        self.at += 1
        while True:
            byte = self.data[self.at] if self.at < len(self.data) else -1
            if byte < 0x20:
                self.stop("in string literal")
            self.at += 1
            if byte == ord('"'):
                return
            if byte == ord("\\"):
                self._escape()

    def _escape(self) -> None:
        byte = self.data[self.at] if self.at < len(self.data) else -1
        if byte == ord("u"):
            for _ in range(4):
                self.at += 1
                if self.at >= len(self.data) or self.data[self.at] not in _HEX:
                    self.stop("in \\u hexadecimal character escape")
        elif byte < 0 or byte not in _ESCAPES:
            self.stop("in string escape code")
        self.at += 1

    def _literal(self, word: str) -> None:
        for letter in word:
            if self.at >= len(self.data) or self.data[self.at] != ord(letter):
                self.stop(f"in literal {word} (expecting {shown(ord(letter))})")
            self.at += 1

    def _number(self) -> None:
        found = _NUMBER.match(self.data, self.at)
        if found is None:  # a minus and no digit
            self.at += 1
            self.stop("in numeric literal")
            return
        self.at = found.end()
        rest = self.data[self.at : self.at + 1]
        if rest == b"." and not found[2] and not found[3]:
            self.at += 1
            self.stop("after decimal point in numeric literal")
        elif rest in (b"e", b"E") and not found[3]:
            self.at += 1
            if self.data[self.at : self.at + 1] in (b"+", b"-") and self.data[self.at : self.at + 1]:
                self.at += 1
            self.stop("in exponent of numeric literal")
