"""Loads nftables: the objects that ``nft list`` shows, or its text. Pure.

A rule is read word by word into parts, as netfilter/expressions.py says what a word means. Sets and
maps are kept by name, so an element that comes later is seen by rules that are there already.
Models torvalds/linux net/netfilter/nf_tables_core.c nft_do_chain
Simplified: intervals and time-outs of elements only where kube-proxy uses them; counters do nothing.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from kubemini.host.linux.netfilter.expressions import Reader, key_of, verdict_of
from kubemini.host.linux.netfilter.flight import Act
from kubemini.host.linux.netfilter.ruleset import HOOKS, PRIORITIES, Chain, Rule, Ruleset
from kubemini.sim.units import SECOND, duration

WORD = re.compile(r'"[^"]*"|[{},]|!=|==|[^\s{},]+')
BASE = re.compile(r"type (\w+) hook (\w+) priority ([^;]+);(?: policy (\w+);)?")
ELEMENTS = re.compile(r"elements\s*=\s*\{(.*)\}\s*;?")
PRIORITY = re.compile(r"([a-z]+|-?\d+)(?:\s*([+-])\s*(\d+))?", re.ASCII)
NUMBER = re.compile(r"-?\d+", re.ASCII)
Object = Mapping[str, Any]  # {kind: chain|set|map|element, name or of, lines}


@dataclass(slots=True)
class Named:
    """A named set or map: its elements in normal form, each with the verdict or value behind it."""

    name: str
    elements: dict[str, Act | None] = field(default_factory=dict)
    timeout: int = 0  # µs, 0: for ever


def words(text: str) -> list[str]:
    """A line of nft as words: quoted text, braces and commas stand alone."""
    return WORD.findall(text)


def load(ruleset: Ruleset, objects: Iterable[Object], table: str = "kube-proxy") -> None:
    """Add objects as they are listed; ValueError with the line that cannot be understood."""
    objects = list(objects)
    for o in objects:  # names first: a rule may use what stands behind it
        if o["kind"] == "chain":
            ruleset.chains[table, o["name"]] = _chain(table, o["name"], o["lines"])
        elif o["kind"] in {"set", "map"}:
            ruleset.sets[table, o["name"]] = _named(o["name"], o["lines"])
    for o in objects:
        if o["kind"] == "element":
            _elements(ruleset, table, o["of"], o["lines"])
    for o in objects:
        if o["kind"] == "chain":
            chain = ruleset.chains[table, o["name"]]
            chain.rules = [_rule(ruleset, table, line) for line in o["lines"] if _is_rule(line)]


def parse(text: str) -> dict[str, list[Object]]:
    """The text of ``nft list ruleset`` as objects by table; ValueError at a line out of place."""
    tables: dict[str, list[Object]] = {}
    here: list[Object] | None = None
    inside: dict[str, Any] | None = None
    for line in _joined(text):
        said = line.split()
        if line == "}" and here is not None:
            here, inside = (None, None) if inside is None else (here, None)
        elif here is None:
            if said[0] != "table" or len(said) != 4 or said[3] != "{":
                raise ValueError(f"cannot load {line!r}: write `table FAMILY NAME {{` first")
            here = tables.setdefault(said[2], [])
        elif inside is None and said[0] == "comment":
            continue
        elif inside is None:
            if said[0] not in {"chain", "set", "map"} or len(said) != 3 or said[2] != "{":
                raise ValueError(f"cannot load {line!r}: in a table write `chain|set|map NAME {{`")
            inside = {"kind": said[0], "name": said[1], "lines": []}
            here.append(inside)
        elif said[0] == "elements" and inside["kind"] != "chain":
            found = ELEMENTS.fullmatch(line)
            if found is None:
                raise ValueError(f"cannot load {line!r}: write `elements = {{ ONE, OTHER }}`")
            here.append({"kind": "element", "of": inside["name"], "lines": found[1].split(",")})
        else:
            inside["lines"].append(line)
    if here is not None:
        raise ValueError("cannot load the rules: a closing brace is missing at the end")
    return tables


def _joined(text: str) -> Iterable[str]:
    """Lines without indentation; elements that go over several lines in one."""
    open_line = ""
    for line in (part.strip() for part in text.splitlines()):
        if not line or line.startswith("#"):
            continue
        open_line = f"{open_line} {line}".strip()
        if open_line.startswith("elements") and "}" not in open_line:
            continue
        yield open_line
        open_line = ""
    if open_line:
        yield open_line


def _chain(table: str, name: str, lines: Sequence[str]) -> Chain:
    found = next(filter(None, map(BASE.match, lines)), None)
    if found is None:
        return Chain(table, name)
    kind, hook, priority, policy = found.groups()
    if hook not in HOOKS:
        raise ValueError(f"cannot load chain {name}: there is no hook {hook!r} here; there are: {', '.join(HOOKS)}")
    if policy not in (None, "accept", "drop"):
        raise ValueError(f"cannot load chain {name}: there is no policy {policy!r}; it is accept or drop")
    return Chain(table, name, [], kind, hook, _priority(priority), policy or "accept")


def _priority(text: str) -> int:
    """``dstnat - 10``, ``-110``, ``filter``."""
    found = PRIORITY.fullmatch(text.strip())
    if found is None or not (found[1] in PRIORITIES or NUMBER.fullmatch(found[1])):
        names = ", ".join(PRIORITIES)
        raise ValueError(f"cannot load the priority {text!r}; write a number or one of {names}, or filter - 10")
    base, sign, more = found.groups()
    value = PRIORITIES[base] if base in PRIORITIES else int(base)
    return value + (int(more) if sign == "+" else -int(more) if sign else 0)


def _is_rule(line: str) -> bool:
    return not BASE.match(line) and not line.startswith("comment ")


def _named(name: str, lines: Sequence[str]) -> Named:
    said = {line.split()[0]: line for line in lines}
    timeout = said.get("timeout", "").removeprefix("timeout ").rstrip(";")
    return Named(name, timeout=_span(timeout))


def _span(text: str) -> int:
    """``3h``, ``10800s`` or ``1h30m`` in µs."""
    parts = re.findall(r"(\d+)([dhms])", text)
    days = sum(int(n) for n, unit in parts if unit == "d")
    return 86_400 * days * SECOND + sum(duration(n + unit) for n, unit in parts if unit != "d")


def _elements(ruleset: Ruleset, table: str, name: str, lines: Sequence[str]) -> None:
    if (table, name) not in ruleset.sets:
        raise ValueError(f"table {table} has no set or map {name}; declare it before its elements")
    named = ruleset.sets[table, name]
    for line in lines:
        text = re.sub(r' comment "[^"]*"', "", line.strip())
        key, _, value = text.partition(" : ")
        try:
            _check_targets(ruleset, table, words(value))
            named.elements[key_of(key)] = verdict_of(words(value)) if value else None
        except (ValueError, IndexError) as error:
            why = "a word is missing" if isinstance(error, IndexError) else error
            raise ValueError(f"cannot load the element {text!r} of {name}: {why}") from None


def _check_targets(ruleset: Ruleset, table: str, said: Sequence[str]) -> None:
    """ValueError if somebody is sent to a chain that is not there."""
    for word, target in pairwise(said):
        if word in {"jump", "goto"} and (table, target) not in ruleset.chains:
            raise ValueError(f"table {table} has no chain {target}; declare it")


def _rule(ruleset: Ruleset, table: str, line: str) -> Rule:
    try:
        _check_targets(ruleset, table, words(line))
        return Rule(line, tuple(Reader(ruleset, table, words(line)).parts()))
    except (ValueError, IndexError) as error:
        why = "a word is missing" if isinstance(error, IndexError) else error
        raise ValueError(f"cannot load {line!r}: {why}") from None
