"""What of a schema is run: its defaults must be right by it, its rules in CEL must compile.

Theory: both are looked at only where the schema itself is sound, or they would speak of what will be gone.
Models k/apiextensions-apiserver pkg/apiserver/schema/defaulting ValidateDefaults;
k/apiextensions-apiserver pkg/apis/apiextensions/validation ValidateCustomResourceDefinitionOpenAPISchema (its last
part), RootCELContext; pkg/apiserver/schema/cel compileRule.
Simplified: the cost of rules is not estimated; defaults within metadata are not put into an object.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from kubemini.api.cel.expression import Refusal, compiled
from kubemini.api.cel.structural import EMBEDDED, declared
from kubemini.api.cel.types import BOOL, STRING, Type, optional
from kubemini.api.errors import FieldError
from kubemini.api.schema import custom
from kubemini.apiserver.kinds.definitions import printed
from kubemini.apiserver.rules.causes import Wrong, invalid
from kubemini.apiserver.rules.customs import judging
from kubemini.apiserver.rules.customs.expressions import RULES, Rules, compares

Schema = Mapping[str, Any]
META = ("metadata", "kind", "apiVersion")
UNPLACED = "oldSelf cannot be used on the uncorrelatable portion of the schema within "
UNUSED = "may not be set if oldSelf is not used in rule"


def defaults(schema: Schema, path: str, root: bool = True, in_meta: bool = False) -> Wrong:
    """Every default that the schema itself would refuse."""
    embedded = root or bool(schema.get(EMBEDDED))
    if schema.get("default") is not None and not in_meta:
        yield from _default(schema, f"{path}.default")
    if isinstance(schema.get("items"), Mapping):
        yield from defaults(schema["items"], f"{path}.items", False, in_meta and not embedded)
    for name, field in (schema.get("properties") or {}).items():
        below = (embedded and name in META) or (in_meta and not embedded)
        yield from defaults(field, f"{path}.properties[{name}]", False, below)


def _default(schema: Schema, path: str) -> Wrong:
    said = schema["default"]
    _, unknown = custom.pruned(said, schema, root=bool(schema.get(EMBEDDED)))
    if unknown:
        yield invalid(path, said, "must not have unknown fields")
    found = [_at(path, wrong) for wrong in judging.judged(said, schema)]
    yield from found
    if not found:
        rules = Rules(schema, root=bool(schema.get(EMBEDDED)))
        asked = [*rules.judged(said, said)] or [*rules.judged(said)]
        yield from (_at(path, wrong) for wrong in asked)


def _at(path: str, wrong: FieldError) -> FieldError:
    """*wrong*, which speaks of the default alone."""
    if wrong.field in ("", "<nil>"):
        return FieldError(wrong.reason, path, wrong.text)
    between = "" if wrong.field.startswith("[") else "."
    return FieldError(wrong.reason, f"{path}{between}{wrong.field}", wrong.text)


def rules(schema: Schema, path: str, root: bool = True, unplaced: str = "") -> Wrong:
    """Every rule that does not compile; *unplaced*: the list in which nothing has a place that it had before."""
    root = root or bool(schema.get(EMBEDDED))
    more, items = schema.get("additionalProperties"), schema.get("items")
    if isinstance(more, Mapping):
        yield from rules(more, f"{path}.additionalProperties", False, unplaced)
    for name, field in (schema.get("properties") or {}).items():
        yield from rules(field, f"{path}.properties[{name}]", False, unplaced)
    if isinstance(items, Mapping):
        within = unplaced if schema.get(judging.LIST_TYPE) == "map" else path
        yield from rules(items, f"{path}.items", False, within)
    type = declared(schema, root)
    for number, rule in enumerate(schema.get(RULES) or () if type is not None else ()):
        assert type is not None
        yield from _rule(rule, type, f"{path}.{RULES}[{number}]", unplaced)


def _rule(rule: Mapping[str, Any], self: Type, path: str, unplaced: str) -> Iterator[FieldError]:
    text = rule.get("rule") or ""
    names = {"self": self, "oldSelf": optional(self) if rule.get("optionalOldSelf") else self}
    wrong = _uncompiled(text, names, BOOL, "", "cel expression must evaluate to a bool")
    if wrong:
        yield invalid(f"{path}.rule", printed.rule(rule), wrong)
        return
    message = rule.get("messageExpression") or ""
    if message:
        wrong = _uncompiled(message, names, STRING, "messageExpression ", "messageExpression must evaluate to a string")
        if wrong:
            yield invalid(f"{path}.messageExpression", printed.rule(rule), wrong)
    if compares(text, names):
        if unplaced:
            yield invalid(f"{path}.rule", text, UNPLACED + unplaced)
    elif rule.get("optionalOldSelf") is not None:
        yield invalid(f"{path}.optionalOldSelf", rule["optionalOldSelf"], UNUSED)


def _uncompiled(text: str, names: Mapping[str, Type], wanted: Type, front: str, otherwise: str) -> str:
    """Why *text* is no expression of the type *wanted*; "" if it is."""
    try:
        found = compiled(text, names)
    except Refusal as refusal:
        return f"{front}{refusal.text}"
    return "" if found.type == wanted else otherwise
