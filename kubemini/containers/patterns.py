"""Patterns of file names, ``case`` and ``${name%pattern}``, as regular expressions.

A pattern is a text in which a backslash makes the next letter ordinary.
POSIX, Shell Command Language, section 2.13.
"""

import re

CLASSES = {
    "alpha": "A-Za-z",
    "digit": "0-9",
    "alnum": "A-Za-z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "space": r"\s",
    "blank": r" \t",
    "punct": r"!-/:-@\[-`{-~",
    "xdigit": "0-9A-Fa-f",
    "print": " -~",
    "graph": "!-~",
    "cntrl": r"\x00-\x1f\x7f",
}


def escaped(text: str) -> str:
    """*text* as a pattern that matches nothing but itself."""
    return re.sub(r"([*?\[\]\\!^-])", r"\\\1", text)


def is_pattern(pattern: str) -> bool:
    """Whether it may match something else than itself."""
    return re.search(r"[*?\[]", re.sub(r"\\.", "", pattern, flags=re.S)) is not None


def plain(pattern: str) -> str:
    """The text that a pattern is without its backslashes."""
    return re.sub(r"\\(.)", r"\1", pattern, flags=re.S)


def regex(pattern: str, shortest: bool = False) -> str:
    """The regular expression; *shortest*: as few letters as will do."""
    found, at, many = "", 0, ".*?" if shortest else ".*"
    while at < len(pattern):
        letter = pattern[at]
        at += 1
        if letter == "\\" and at < len(pattern):
            found, at = found + re.escape(pattern[at]), at + 1
        elif letter == "*":
            found += many
        elif letter == "?":
            found += "."
        elif letter == "[" and (bracket := _bracket(pattern, at)) is not None:
            found, at = found + bracket[0], bracket[1]
        else:
            found += re.escape(letter)
    return found


def _bracket(pattern: str, at: int) -> tuple[str, int] | None:
    """``[…]`` as a regular expression, and where it ends; None: it does not."""
    negated = pattern[at : at + 1] in ("!", "^")
    at += negated
    begun, found = at, ""
    while at < len(pattern):
        if pattern[at] == "]" and at > begun:
            return f"[{'^' if negated else ''}{found}]", at + 1
        named = re.compile(r"\[:(\w+):\]").match(pattern, at)
        if named is not None and named[1] in CLASSES:
            found, at = found + CLASSES[named[1]], named.end()
            continue
        escapes = pattern[at] == "\\" and at + 1 < len(pattern)
        at += escapes
        letter = pattern[at]
        is_range = letter == "-" and not escapes and begun < at and pattern[at + 1 : at + 2] not in ("]", "")
        found += "-" if is_range else re.escape(letter)
        at += 1
    return None


def matches(pattern: str, text: str) -> bool:
    """Whether all of *text* matches."""
    return re.fullmatch(regex(pattern), text, re.S) is not None


def without(text: str, pattern: str, operator: str) -> str:
    """``${text operator pattern}``: without what matches at its beginning (#, ##) or end (%, %%)."""
    longest = len(operator) == 2
    ends = range(len(text) + 1)
    if operator[0] == "#":
        fits = [end for end in ends if matches(pattern, text[:end])]
        return text[(max if longest else min)(fits) :] if fits else text
    fits = [start for start in ends if matches(pattern, text[start:])]
    return text[: (min if longest else max)(fits)] if fits else text
