"""YAML as kubectl writes it, with nothing but Python: in a browser there is no library for it.

    written({"a": ["x", 1]})    'a:\\n- x\\n- 1\\n'

Keys are in order, lists stand below their key, a text that would be read as something else is in quotes, one of several
lines is a block, and a long one goes on below after 80 columns.
Invariant: what is written here is, byte for byte, what PyYAML writes with the manners of Go's (forms/yamltext.py); a
text that holds what neither block nor quotes can show goes between double quotes.
Models go sigs.k8s.io/yaml Marshal.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

WIDTH, NEVER = 80, 1_000_000
_READ_AS_ELSE = re.compile(
    r"""~|null|Null|NULL|
    yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF|[yYnN]|
    [-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|
    [-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+|
    [-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|
    [-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)|
    [-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)[eE][-+]?[0-9]+|
    <<|=|[!&*]|
    \d\d\d\d-\d\d-\d\d|
    \d\d\d\d-\d\d?-\d\d?(?:[Tt]|[ \t]+)\d\d?:\d\d:\d\d(?:\.\d*)?(?:[ \t]*(?:Z|[-+]\d\d?(?::\d\d)?))?""",
    re.VERBOSE,
)
_FIRST = set(",[]{}#&*!|>'\"%@`")
_UNSEEN = re.compile(r"[^\n\x20-\x7e\x85\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def written(value: Any) -> str:
    """*value*, a map or a list, as YAML."""
    if not value:
        return "{}\n" if isinstance(value, dict) else "[]\n"
    return "".join(f"{line}\n" for line in _lines(value, 0))


def _lines(value: Any, indent: int) -> Iterator[str]:
    pad = " " * indent
    if isinstance(value, dict):
        for key in sorted(value):
            name = _scalar(str(key), indent, -NEVER)[0]
            yield from _entry(f"{pad}{name}:", value[key], indent)
    else:
        for item in value:
            if isinstance(item, dict | list) and item:
                first, *rest = _lines(item, indent + 2)
                yield from (f"{pad}- {first[indent + 2 :]}", *rest)
            else:
                first, *rest = _scalar(item, indent + 2, len(pad) + 2)
                yield from (f"{pad}- {first}", *rest)


def _entry(head: str, value: Any, indent: int) -> Iterator[str]:
    if isinstance(value, dict) and value:
        yield head
        yield from _lines(value, indent + 2)
    elif isinstance(value, list) and value:
        yield head
        yield from _lines(value, indent)
    else:
        first, *rest = _scalar(value, indent + 2, len(head) + 1)
        yield from (f"{head} {first}", *rest)


def _scalar(value: Any, indent: int, column: int) -> list[str]:
    """The lines of what is no map and no list; the first begins at *column*, the others with *indent*."""
    if not isinstance(value, str):
        return [_plain_value(value)]
    if "\n" in value and not _UNSEEN.search(value) and not re.search(r" \n| $", value) and value.strip("\n"):
        return _block(value, indent)
    if _UNSEEN.search(value) or "\n" in value:
        return [json.dumps(value, ensure_ascii=False).replace("\\u0000", "\\0")]
    if _READ_AS_ELSE.fullmatch(value) or not value:
        return _folded(value.replace("\\", "\\\\").replace('"', '\\"'), '"', indent, column)
    if _is_plain(value):
        return _folded(value, "", indent, column)
    return _folded(value.replace("'", "''"), "'", indent, column)


def _plain_value(value: Any) -> str:
    if isinstance(value, dict | list):
        return "{}" if isinstance(value, dict) else "[]"
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _is_plain(text: str) -> bool:
    if text[0] in _FIRST or text[0] == " " or text[-1] == " " or text.startswith(("---", "...")):
        return False
    if text[0] in "-?:" and (len(text) == 1 or text[1] == " "):
        return False
    return not (": " in text or text.endswith(":") or " #" in text)


def _block(text: str, indent: int) -> list[str]:
    keep = "" if text.endswith("\n") else "-"
    keep = "+" if text.endswith("\n\n") else keep
    hint = str(2) if text[0] in " \n" else ""
    body = text[:-1] if text.endswith("\n") else text
    return [f"|{hint}{keep}", *(" " * indent + line if line else "" for line in body.split("\n"))]


def _folded(text: str, quote: str, indent: int, column: int) -> list[str]:
    """*text* between quotes, broken at single spaces where a line has become longer than `WIDTH`."""
    lines, now = [], quote
    at = column + len(quote)
    for space, word in re.findall(r"( *)([^ ]*)", text):
        if not (space or word):
            continue
        if len(space) == 1 and at > WIDTH and word and now.strip(quote):
            lines.append(now)
            now, at = word, indent + len(word)
        else:
            now, at = now + space + word, at + len(space) + len(word)
    return (
        [*lines, now + quote] if not lines else [lines[0], *(" " * indent + one for one in [*lines[1:], now + quote])]
    )
