"""An object as lines, and what changed in it between two stages: as a reader of YAML would mark it. Pure.

    diff(before, after)    ["  spec:", "+   dnsPolicy: ClusterFirst", "…", "-   replicas: 1", …]

The first two characters of a line say what it is: added, gone, or there for orientation (the keys that a change lies
under); "…" stands for the rest.
Simplified: who owns which field (managedFields) is left out, and a text is quoted wherever JSON would need it to be.
"""

import json
import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Any

from kubemini.api.objects import without

GAP = "…"
_PLAIN = re.compile(r"[A-Za-z_/][\w./@%+-]*( [\w./@%+(),-]+)*")
_WORDS = ("true", "false", "null", "yes", "no", "on", "off", "y", "n")


def lines(value: Any, indent: str = "") -> list[str]:
    """*value* as lines of YAML, keys in their order."""
    if isinstance(value, dict) and value:
        return [line for key, item in value.items() for line in _entry(_scalar(str(key)) + ":", item, indent)]
    if isinstance(value, list | tuple) and value:
        return [line for item in value for line in _item(item, indent)]
    return [indent + _scalar(value)]


def _entry(key: str, item: Any, indent: str) -> Iterator[str]:
    if not item or not isinstance(item, dict | list | tuple):
        yield f"{indent}{key} {_scalar(item)}"
        return
    yield indent + key
    yield from lines(item, indent if isinstance(item, list | tuple) else indent + "  ")


def _item(item: Any, indent: str) -> Iterator[str]:
    first, *rest = lines(item, indent + "  ")
    yield f"{indent}- {first.removeprefix(indent + '  ')}"
    yield from rest


def _scalar(value: Any) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)


def shown(obj: Any) -> Any:
    """*obj* without what only programs read."""
    return without(obj, ("metadata", "managedFields")) if isinstance(obj, dict) else obj


def _in_order(before: Any, after: Any) -> Any:
    """*before*, its keys in the order in which *after* has them: an object is the same in any order."""
    if isinstance(before, dict) and isinstance(after, dict):
        keys = [key for key in after if key in before] + [key for key in before if key not in after]
        return {key: _in_order(before[key], after.get(key)) for key in keys}
    if isinstance(before, list | tuple) and isinstance(after, list | tuple) and len(before) == len(after):
        return [_in_order(old, new) for old, new in zip(before, after, strict=True)]
    return before


def diff(before: Any, after: Any) -> list[str]:
    """What a stage made of an object."""
    if before is after or not isinstance(before, dict) or not isinstance(after, dict):
        return []
    old, new = lines(_in_order(shown(before), shown(after))), lines(shown(after))
    found = [code for code in SequenceMatcher(None, old, new, autojunk=False).get_opcodes() if code[0] != "equal"]
    told: list[str] = []
    last = 0  # how far of the new lines has been told
    for _, gone, until, start, end in found:
        above = [place for place in _above(new, start, old[gone:until]) if place >= last]
        for place in above:
            told += [GAP] if place > last else []
            told.append(f"  {new[place]}")
            last = place + 1
        told += [GAP] if start > last else []
        told += [f"- {line}" for line in old[gone:until]] + [f"+ {line}" for line in new[start:end]]
        last = end
    return told + ([GAP] if found and last < len(new) else [])


def _above(new: list[str], start: int, gone: list[str]) -> list[int]:
    """The places of the lines of *new* that what changes at *start* lies under, the outermost first."""
    changed = gone or new[start:]
    depth = _depth(changed[0]) if changed else 0
    found: list[int] = []
    for place in range(start - 1, -1, -1):
        if _depth(new[place]) < depth:
            found.insert(0, place)
            depth = _depth(new[place])
    return found


def _depth(line: str) -> int:
    """How deep a line lies; the items of a list lie below a key that is no further in than they are."""
    bare = line.lstrip(" ")
    return 2 * (len(line) - len(bare)) + bare.startswith("- ")
