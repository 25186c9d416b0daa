"""Labels and the selectors that pick by them: ``app=web,tier in (front, back),!canary``.

A selector is a conjunction of requirements. The empty selector picks everything; a missing one (None) picks nothing.
``!=`` and ``notin`` also pick what lacks the label.
Source: kubernetes/apimachinery pkg/labels/selector.go (grammar, matching) and meta/v1/helpers.go (label selectors).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from kubemini.api import names

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
        wrong = [f"key: {text}" for text in names.qualified_name(self.key)]
        wrong += _wrong_count(self.operator, self.values)
        for value in self.values:
            wrong += [f"values: {text}" for text in names.label_value(value)]
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
        return not self.nothing and all(requirement.matches(labels or {}) for requirement in self.requirements)

    def __str__(self) -> str:
        return ",".join(map(str, self.requirements))


EVERYTHING = Selector()
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


def from_labels(wanted: Mapping[str, str]) -> Selector:
    """Exactly these labels: ``app=web,tier=front``."""
    return _sorted(Requirement(key, "=", (value,)) for key, value in wanted.items())


@lru_cache(maxsize=1024)
def parse(text: str) -> Selector:
    """A selector as kubectl's ``-l`` and the query ``labelSelector`` spell it. Raises SelectorError."""
    found = _Reader(text).requirements()
    wrong = [problem for requirement in found for problem in requirement.problems()]
    if wrong:
        raise SelectorError(f"unable to parse requirement: {wrong[0]}")
    return _sorted(found)


def _sorted(requirements: Iterable[Requirement]) -> Selector:
    return Selector(tuple(sorted(requirements, key=lambda requirement: requirement.key)))


def _is_integer(text: str) -> bool:
    return re.fullmatch(r"[+-]?[0-9]+", text, re.ASCII) is not None


def _wrong_count(operator: str, values: tuple[str, ...]) -> list[str]:
    """What is wrong with the number, or the form, of the values."""
    if operator in ("in", "notin"):
        return [] if values else ["values: for 'in', 'notin' operators, values set can't be empty"]
    if operator in ("=", "==", "!="):
        return [] if len(values) == 1 else ["values: exact-match compatibility requires one single value"]
    if operator in ("exists", "!"):
        return ["values: values set must be empty for exists and does not exist"] if values else []
    if operator not in ("gt", "lt"):
        return [f'operator: Unsupported value: "{operator}"']
    if len(values) != 1:
        return ["values: for 'Gt', 'Lt' operators, exactly one value is required"]
    return [] if _is_integer(values[0]) else ["values: for 'Gt', 'Lt' operators, the value must be an integer"]


_TOKEN = re.compile(r"\s*(==|!=|[=!,()<>]|[^\s=!,()<>]+)")


class _Reader:
    """Reads the grammar: ``[!] key [op value | op (value, …)]`` separated by commas."""

    def __init__(self, text: str):
        self.text = text
        self.tokens = _TOKEN.findall(text)
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.at += 1
        return token

    def requirements(self) -> list[Requirement]:
        found = []
        while self.peek():
            found.append(self.requirement())
            if self.peek() not in (",", ""):
                raise self.unexpected("',' or the end")
            if self.take() == "," and not self.peek():
                raise self.unexpected("a key after ','")
        return found

    def requirement(self) -> Requirement:
        if self.peek() == "!":
            self.take()
            return Requirement(self.key(), "!")
        key = self.key()
        if self.peek() in (",", ""):
            return Requirement(key, "exists")
        operator = {">": "gt", "<": "lt"}.get(self.peek(), self.peek())
        if operator not in ("=", "==", "!=", "in", "notin", "gt", "lt"):
            raise self.unexpected("an operator: =, ==, !=, in, notin, >, <")
        self.take()
        return Requirement(key, operator, self.several() if operator in ("in", "notin") else (self.value(),))

    def key(self) -> str:
        if self.peek() in ("", "==", "!=") or self.peek() in "=!,()<>":
            raise self.unexpected("a label key")
        return self.take()

    def value(self) -> str:
        if self.peek() in ("", ","):
            return ""
        if self.peek() in ("==", "!=") or self.peek() in "=!()<>":
            raise self.unexpected("a label value")
        return self.take()

    def several(self) -> tuple[str, ...]:
        if self.peek() != "(":
            raise self.unexpected("'('")
        self.take()
        values = [self.value_in_set()]
        while self.peek() == ",":
            self.take()
            values.append(self.value_in_set())
        if self.peek() != ")":
            raise self.unexpected("',' or ')'")
        self.take()
        return tuple(sorted(dict.fromkeys(values)))

    def value_in_set(self) -> str:
        return "" if self.peek() == ")" else self.value()

    def unexpected(self, wanted: str) -> SelectorError:
        found = self.peek() or "the end"
        return SelectorError(f"unable to parse selector {self.text!r}: found {found!r}, expected {wanted}")
