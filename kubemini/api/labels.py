"""Labels and the selectors that pick by them: ``app=web,tier in (front, back),!canary``.

A selector is a conjunction of requirements. The empty selector picks everything; a missing one (None) picks nothing.
``!=`` and ``notin`` also pick what lacks the label.
Source: kubernetes/apimachinery pkg/labels/selector.go (grammar, matching) and meta/v1/helpers.go (label selectors).
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from kubemini.api import names

SERVICE_NAME = "kubernetes.io/service-name"  # ties an EndpointSlice to its Service
SKIP_MIRROR = "endpointslice.kubernetes.io/skip-mirror"  # on Endpoints whose slices somebody else writes
OPERATORS = ("in", "notin", "=", "==", "!=", "gt", "lt")
SPELLING = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition: key, operator (``= == != in notin exists ! gt lt``), values."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether *labels* meet it."""
        has = self.key in labels
        if self.operator in ("=", "==", "in"):
            return has and labels[self.key] in self.values
        if self.operator in ("!=", "notin"):
            return not has or labels[self.key] not in self.values
        if self.operator in ("exists", "!"):
            return has == (self.operator == "exists")
        return has and self._compares(labels[self.key])

    def _compares(self, value: str) -> bool:
        if not (_is_integer(value) and _is_integer(self.values[0])):
            return False
        return int(value) > int(self.values[0]) if self.operator == "gt" else int(value) < int(self.values[0])

    def problems(self) -> list[str]:
        """What is wrong with it; empty if nothing is."""
        wrong = _wrong_key(self.key)
        if wrong:
            return wrong
        wrong = _wrong_count(self.operator, self.values)
        for number, value in enumerate(self.values):
            if texts := names.label_value(value):
                shown = json.dumps(value, ensure_ascii=False)
                wrong.append(f"values[{number}][{self.key}]: Invalid value: {shown}: {'; '.join(texts)}")
        return wrong

    def __str__(self) -> str:
        if self.operator == "exists":
            return self.key
        if self.operator == "!":
            return f"!{self.key}"
        if self.operator in ("in", "notin"):
            return f"{self.key} {self.operator} ({','.join(sorted(self.values))})"
        return f"{self.key}{ {'gt': '>', 'lt': '<'}.get(self.operator, self.operator) }{self.values[0]}"


@dataclass(frozen=True, slots=True)
class Selector:
    """Requirements that must all be met; ``nothing`` picks no object at all."""

    requirements: tuple[Requirement, ...] = ()
    nothing: bool = False

    def matches(self, labels: Mapping[str, str] | None) -> bool:
        """Whether something with these *labels* is picked."""
        if self.nothing:
            return False
        carried = labels or {}
        for requirement in self.requirements:  # noqa: SIM110 (asked of every pod, again and again)
            if not requirement.matches(carried):
                return False
        return True

    def __str__(self) -> str:
        return ",".join(map(str, self.requirements))


NOTHING = Selector(nothing=True)


class SelectorError(ValueError):
    """A selector that cannot be read."""


def contains(labels: Mapping[str, str] | None, wanted: Mapping[str, str]) -> bool:
    """Whether *labels* hold every pair of *wanted*: the selector of a Service, or ``matchLabels``."""
    labels = labels or {}
    return all(labels.get(key) == value for key, value in wanted.items())


def matches(selector: Mapping[str, Any] | None, labels: Mapping[str, str] | None) -> bool:
    """Whether a LabelSelector object (matchLabels, matchExpressions) picks *labels*; None picks nothing."""
    if selector is None:
        return False
    return contains(labels, selector.get("matchLabels") or {}) and (
        not selector.get("matchExpressions") or from_object(selector).matches(labels)
    )


def from_object(selector: Mapping[str, Any] | None) -> Selector:
    """The LabelSelector of a Deployment or ReplicaSet. Raises SelectorError on an unknown operator."""
    if selector is None:
        return NOTHING
    found = [Requirement(key, "=", (value,)) for key, value in (selector.get("matchLabels") or {}).items()]
    for term in selector.get("matchExpressions") or []:
        if term["operator"] not in SPELLING:
            raise SelectorError(f'"{term["operator"]}" is not a valid label selector operator')
        found.append(Requirement(term["key"], SPELLING[term["operator"]], tuple(term.get("values") or ())))
    return _sorted(found)


def as_go_prints(selector: Mapping[str, Any]) -> str:
    """A selector object by its String method. Models k/apimachinery pkg/apis/meta/v1 LabelSelector.String"""
    matched = selector.get("matchLabels") or {}
    pairs = "".join(f"{key}: {matched[key]}," for key in sorted(matched))
    terms = "".join(
        f"LabelSelectorRequirement{{Key:{term.get('key', '')},Operator:{term.get('operator', '')},"
        f"Values:[{' '.join(term.get('values') or ())}],}},"
        for term in selector.get("matchExpressions") or ()
    )
    wanted = f"MatchLabels:map[string]string{{{pairs}}},MatchExpressions:[]LabelSelectorRequirement{{{terms}}},"
    return f"&LabelSelector{{{wanted}}}"


def from_labels(wanted: Mapping[str, str]) -> Selector:
    """Exactly these labels: ``app=web,tier=front``."""
    return _sorted(Requirement(key, "=", (value,)) for key, value in wanted.items())


@lru_cache(maxsize=1024)
def parse(text: str) -> Selector:
    """A selector as kubectl's ``-l`` and the query ``labelSelector`` spell it. Raises SelectorError."""
    return _sorted(_Reader(text).requirements())


def _sorted(requirements: Iterable[Requirement]) -> Selector:
    return Selector(tuple(sorted(requirements, key=lambda requirement: requirement.key)))


def _is_integer(text: str) -> bool:
    return re.fullmatch(r"[+-]?[0-9]+", text, re.ASCII) is not None


def _wrong_key(key: str) -> list[str]:
    """What is wrong with a key; upstream has no path to it, and says so."""
    texts = names.qualified_name(key)
    return [f"<nil>: Invalid value: {json.dumps(key, ensure_ascii=False)}: {'; '.join(texts)}"] if texts else []


def _wrong_count(operator: str, values: tuple[str, ...]) -> list[str]:
    """What is wrong with the number, or the form, of the values."""
    if operator in ("in", "notin") and not values:
        return ["values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty"]
    if operator in ("=", "==", "!=") and len(values) != 1:
        return ["values: Invalid value: []: exact-match compatibility requires one single value"]
    if operator in ("exists", "!") and values:
        return ["values: Invalid value: []: values set must be empty for exists and does not exist"]
    if operator in ("gt", "lt") and len(values) != 1:
        return ["values: Invalid value: []: for 'Gt', 'Lt' operators, exactly one value is required"]
    if operator in ("gt", "lt") and not _is_integer(values[0]):
        shown = json.dumps(values[0], ensure_ascii=False)
        return [f"values[0]: Invalid value: {shown}: for 'Gt', 'Lt' operators, the value must be an integer"]
    known = ("in", "notin", "=", "==", "!=", "exists", "!", "gt", "lt")
    return [] if operator in known else [f'operator: Unsupported value: "{operator}"']


_TOKEN = re.compile(r"\s*(==|!=|[=!,()<>]|[^\s=!,()<>]+)")


class _Reader:
    """Reads the grammar: ``[!] key [op value | op (value, …)]`` separated by commas.

    Models k/apimachinery pkg/labels Parser.parse parseRequirement parseValues.
    """

    def __init__(self, text: str):
        self.tokens = _TOKEN.findall(text)
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def next(self) -> str:
        token = self.peek()
        self.at += 1
        return token

    def requirements(self) -> list[Requirement]:
        found: list[Requirement] = []
        while self.peek():
            if not (_is_word(self.peek()) or self.peek() == "!"):
                raise _found(self.peek(), ", expected: !, identifier, or 'end of string'")
            found.append(self.requirement())
            after = self.next()
            if after not in (",", ""):
                raise _found(after, ", expected: ',' or 'end of string'")
            if after and not (_is_word(self.peek()) or self.peek() == "!"):
                raise _found(self.peek(), ", expected: identifier after ','")
        return found

    def requirement(self) -> Requirement:
        try:
            found = self._requirement()
        except SelectorError as error:
            raise SelectorError(f"unable to parse requirement: {error}") from None
        if wrong := found.problems():
            raise SelectorError(f"unable to parse requirement: {wrong[0]}")
        return found

    def _requirement(self) -> Requirement:
        absent = self.peek() == "!"
        if absent:
            self.next()
        key = self.next()
        if not _is_word(key):
            raise _found(key, ", expected: identifier")
        if wrong := _wrong_key(key):
            raise SelectorError(wrong[0])
        if absent or self.peek() in (",", ""):
            return Requirement(key, "!" if absent else "exists")
        written = self.next()
        operator = {">": "gt", "<": "lt"}.get(written, written)
        if operator not in OPERATORS:
            raise _found(written, f", expected: {', '.join(OPERATORS)}")
        return Requirement(key, operator, self.several() if operator in ("in", "notin") else (self.value(),))

    def value(self) -> str:
        if self.peek() in ("", ","):
            return ""
        value = self.next()
        if not _is_word(value):
            raise _found(value, ", expected: identifier")
        return value

    def several(self) -> tuple[str, ...]:
        """The values in parentheses; where one is left out it is the empty one."""
        opening = self.next()
        if opening != "(":
            raise _found(opening, " expected: '('")
        values = [self._one_of_several()]
        while self.peek() == ",":
            self.next()
            values.append(self._one_of_several())
        closing = self.next()
        if closing != ")":
            raise _found(closing, ", expected: ',' or ')'")
        return tuple(sorted(dict.fromkeys(values)))

    def _one_of_several(self) -> str:
        if self.peek() in (",", ")"):
            return ""
        if not _is_word(self.peek()):
            raise _found(self.peek(), ", expected: ',', ')' or identifier")
        return self.next()


def _is_word(token: str) -> bool:
    return bool(token) and token not in ("==", "!=") and token not in "=!,()<>"


def _found(token: str, expected: str) -> SelectorError:
    return SelectorError(f"found '{token}'{expected}")
