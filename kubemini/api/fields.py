"""Field selectors: ``metadata.name=web,status.phase!=Running``. Each kind offers a few fields only.

Source: kubernetes/apimachinery pkg/fields/selector.go; the fields of each kind stand in its file.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from kubemini.api.objects import get

FLAGS = ("spec.hostNetwork", "spec.unschedulable")
EVERY_KIND = ("metadata.name", "metadata.namespace")


class FieldSelectorError(ValueError):
    """A field selector that cannot be read, or names a field that the kind does not offer."""


@dataclass(frozen=True, slots=True)
class Term:
    """One condition: the field, whether it must be equal, and the value."""

    field: str
    equal: bool
    value: str

    def matches(self, obj: Mapping[str, Any]) -> bool:
        """Whether *obj* meets it; a missing field counts as the empty text, or as false if it is one of those."""
        return (value(obj, self.field) == self.value) == self.equal

    def __str__(self) -> str:
        return f"{self.field}{'=' if self.equal else '!='}{escape(self.value)}"


def parse(
    text: str, offered: Collection[str] | None = None, unsupported: str = "field label not supported: {}"
) -> tuple[Term, ...]:
    """The terms of *text*; with *offered*, the fields of a kind, no other may be named. Raises FieldSelectorError.

    A term of neither field nor value says nothing. *unsupported*: how the kind refuses a field that it does not offer.
    """
    found = [_term(part, text) for part in sorted(split_terms(text)) if part]
    terms = tuple(term for term in found if term.field or term.value)
    for term in terms:
        if offered is not None and term.field not in (*EVERY_KIND, *offered):
            known = " ".join(f'"{field}",' for field in EVERY_KIND)[:-1]
            plain = f'"{term.field}" is not a known field selector: only {known}'
            raise FieldSelectorError(unsupported.format(term.field) if offered else plain)
    return terms


def matches(terms: tuple[Term, ...], obj: Mapping[str, Any]) -> bool:
    """Whether *obj* meets all *terms*."""
    return all(term.matches(obj) for term in terms)


def required(terms: tuple[Term, ...], field: str) -> str | None:
    """The value that *field* must have, if the terms say."""
    return next((term.value for term in terms if term.equal and term.field == field), None)


def value(obj: Mapping[str, Any], field: str) -> str:
    """The text that a selector compares. Models k/k pkg/registry/core/event ToSelectableFields."""
    if field == "source":
        return _text(get(obj, "source", "component") or obj.get("reportingComponent"))
    found = get(obj, *field.split("."))
    return "false" if found is None and field in FLAGS else _text(found)


def _text(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def split_terms(text: str) -> list[str]:
    """At commas that no backslash escapes. Models k/apimachinery pkg/fields splitTerms"""
    parts, part, escaped = [], "", False
    for character in text:
        if character == "," and not escaped:
            parts.append(part)
            part = ""
        else:
            part += character
        escaped = character == "\\" and not escaped
    return [*parts, part] if text else []


def split_term(part: str) -> tuple[str, str, str] | None:
    """Field, operator and value of a term, or None. Models k/apimachinery pkg/fields splitTerm"""
    for at in range(len(part)):
        for operator in ("!=", "==", "="):
            if part.startswith(operator, at):
                return part[:at], operator, part[at + len(operator) :]
    return None


def _term(part: str, whole: str) -> Term:
    found = split_term(part)
    if found is None:
        raise FieldSelectorError(f"invalid selector: '{whole}'; can't understand '{part}'")
    return Term(found[0], found[1] != "!=", unescape(found[2]))


def escape(value: str) -> str:
    """*value* as a selector writes it. Models k/apimachinery pkg/fields EscapeValue"""
    return value.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=")


def unescape(value: str) -> str:
    """What an escaped value means. Raises FieldSelectorError. Models k/apimachinery pkg/fields UnescapeValue"""
    text, escaped = "", False
    for character in value:
        if escaped:
            if character not in "\\,=":
                raise FieldSelectorError(f"invalid field selector: invalid escape sequence: \\{character}")
            text, escaped = text + character, False
        elif character == "\\":
            escaped = True
        elif character in ",=":
            raise FieldSelectorError(f"invalid field selector: unescaped character in value: {ord(character)}")
        else:
            text += character
    if escaped:
        raise FieldSelectorError("invalid field selector: invalid escape sequence: \\")
    return text
