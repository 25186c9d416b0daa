"""The rules in CEL of a schema: x-kubernetes-validations, at each place that has some.

    Rules(schema).judged(new)          what they say of a new object
    Rules(schema).judged(new, old)     … of a change; a rule that names oldSelf is asked only where there was something

Theory: the rules stand in the schema; the schema is walked once, and beside each object then. What an old rule says of
a place that is as it was is no refusal, unless it names oldSelf.
Models k/apiextensions-apiserver pkg/apiserver/schema/cel Validator.validate validateExpressions fieldErrorForReason
evalMessageExpression, Compile.
Simplified: the budget is counted in steps of ours, rule by rule.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from kubemini.api.cel.expression import Expression, Refusal, compiled
from kubemini.api.cel.structural import EMBEDDED, declared, valued
from kubemini.api.cel.types import BOOL, STRING, Type, optional
from kubemini.api.cel.values import CelError, Optional
from kubemini.api.errors import FieldError
from kubemini.apiserver.rules.causes import duplicate, forbidden, invalid, required, wrong_as_a_whole
from kubemini.apiserver.rules.customs.judging import NOTHING, old_item

RULES = "x-kubernetes-validations"
LONGEST_MESSAGE = 5 * 1024  # bytes
Schema = Mapping[str, Any]


class Rule(NamedTuple):
    """A rule that is ready: what it says, itself, whether it names oldSelf, and its message."""

    said: Mapping[str, Any]
    expression: Expression
    compares: bool
    message: Expression | None


def ready(said: Mapping[str, Any], self: Type) -> Rule:
    """A rule for values of the type *self*. Raises Refusal."""
    old = optional(self) if said.get("optionalOldSelf") else self
    text, names = said.get("rule") or "", {"self": self, "oldSelf": old}
    expression = compiled(text, names, BOOL)
    message = said.get("messageExpression")
    return Rule(said, expression, compares(text, names), compiled(message, names, STRING) if message else None)


def compares(text: str, names: Mapping[str, Type]) -> bool:
    """Whether *text* names oldSelf."""
    try:
        compiled(text, {"self": names["self"]})
    except Refusal:
        return True
    return False


@dataclass
class Place:
    """A place of a schema, and what is below it."""

    schema: Schema
    root: bool
    rules: list[Rule | str] = field(default_factory=list)  # ready, or why it is not
    parts: dict[str, "Place"] = field(default_factory=dict)
    more: "Place | None" = None
    items: "Place | None" = None

    @property
    def empty(self) -> bool:
        """Whether there is no rule, here and below."""
        return not (self.rules or self.parts or self.more or self.items)


def _placed(schema: Any, root: bool = False) -> Place | None:
    if not isinstance(schema, Mapping):
        return None
    root = root or bool(schema.get(EMBEDDED))
    type, found = declared(schema, root), Place(schema, root)
    for said in schema.get(RULES) or () if type is not None else ():
        found.rules.append(_ready_or_why(said, type))
    for name, part in (schema.get("properties") or {}).items():
        below = _placed(part)
        if below is not None:
            found.parts[name] = below
    found.more, found.items = _placed(schema.get("additionalProperties")), _placed(schema.get("items"))
    return None if found.empty else found


def _ready_or_why(said: Mapping[str, Any], type: Type | None) -> "Rule | str":
    assert type is not None, "a rule has something to look at"
    try:
        return ready(said, type)
    except Refusal as refusal:
        return f"rule compile error: {refusal}"


class Rules:
    """The rules of a schema; *root*: of a whole object."""

    def __init__(self, schema: Schema, root: bool = True):
        self._schema, self._root = schema, root

    @cached_property
    def _top(self) -> Place | None:
        return _placed(self._schema, self._root)

    def __bool__(self) -> bool:
        return self._top is not None

    def judged(self, new: Any, old: Any = NOTHING) -> Iterator[FieldError]:
        """What they say of *new* in the place of *old*."""
        if self._top is not None:
            yield from _walk(self._top, new, old, "", False)


def _walk(place: Place, new: Any, old: Any, path: str, same: bool) -> Iterator[FieldError]:
    """*same*: what is around it is as it was."""
    if new is None:
        return
    same = same or (old is not NOTHING and old == new)
    yield from _asked(place, new, old, path, same)
    if isinstance(new, list):
        for number, item in enumerate(new if place.items else ()):
            assert place.items is not None
            yield from _walk(place.items, item, old_item(place.schema, item, old), f"{path}[{number}]", same)
    elif isinstance(new, Mapping):
        before = old if isinstance(old, Mapping) else {}
        for key in sorted(new):
            part = place.parts.get(key)
            if part is not None:
                yield from _walk(part, new[key], before.get(key, NOTHING), f"{path}.{key}" if path else key, same)
            elif place.more is not None and key not in (place.schema.get("properties") or {}):
                yield from _walk(place.more, new[key], before.get(key, NOTHING), f"{path}[{key}]", same)


def _asked(place: Place, new: Any, old: Any, path: str, same: bool) -> Iterator[FieldError]:
    type = place.schema.get("type") or ""
    for rule in place.rules:
        if isinstance(rule, str):
            yield invalid(path or "<nil>", type, rule)
            continue
        missing = old is NOTHING or old is None
        if rule.compares and missing and not rule.said.get("optionalOldSelf"):
            continue
        wrong = _answer(place, rule, new, NOTHING if missing else old, path)
        if wrong is not None and (rule.compares or not same):
            yield wrong


def _answer(place: Place, rule: Rule, new: Any, old: Any, path: str) -> FieldError | None:
    """What *rule* says against *new*; None: nothing."""
    type, said = place.schema.get("type") or "", rule.said
    try:
        before = valued(old, place.schema, place.root) if old is not NOTHING else None
        if said.get("optionalOldSelf"):
            before = Optional(old is not NOTHING, before)
        values = {"self": valued(new, place.schema, place.root), "oldSelf": before}
        if rule.expression.run(values):
            return None
    except CelError as error:
        why = f"{error} evaluating rule: {_named(said)}"
        if str(error).startswith("no such overload"):
            signature = "call arguments did not match a supported operator, function or macro signature for rule"
            why = f"'{error}': {signature}: {_named(said)}"
        return invalid(path or "<nil>", type, why)
    where = path + (said.get("fieldPath") or "")
    return _refusal(where.lstrip(".") or "<nil>", new, type, _message(rule, values), said.get("reason"))


def _named(said: Mapping[str, Any]) -> str:
    return str(said.get("message") or said.get("rule") or "").strip()


def _message(rule: Rule, values: Mapping[str, Any]) -> str:
    """What its expression makes of it, if that is a message; else its own, else the rule itself."""
    if rule.message is not None:
        try:
            text = str(rule.message.run(values)).strip()
        except CelError:
            text = ""
        if text and len(text.encode()) <= LONGEST_MESSAGE and not re.search("\n", text):
            return text
    own = str(rule.said.get("message") or "").strip()
    return own or f"failed rule: {_named(rule.said)}"


def _refusal(where: str, value: Any, type: str, detail: str, reason: str | None) -> FieldError:
    whole = type in ("object", "array")
    if reason == "FieldValueForbidden":
        return forbidden(where, detail)
    if reason == "FieldValueRequired":
        return required(where, detail)
    if reason == "FieldValueDuplicate":
        return FieldError(reason, where, "Duplicate value") if whole else duplicate(where, value)
    return wrong_as_a_whole(where, detail) if whole else invalid(where, value, detail)
