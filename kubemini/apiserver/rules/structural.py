"""What the definition of a custom resource asks of an object, by the limits that the schema holds, in its own words.

    structural(obj, definition, expressions)       every complaint; *expressions* yields those of the definition's CEL

Invariant: CEL rules are not asked of an object of the wrong form, and the refusal says so.
Models k/apiextensions-apiserver pkg/apiserver/validation ValidateCustomResource, pkg/registry/customresource
hasBlockingErr.
Simplified: no patterns; of two complaints about one map the order is that of its fields' names.
"""

from collections.abc import Callable, Iterator
from typing import Any

from kubemini.api import schema
from kubemini.api.errors import FieldError
from kubemini.api.objects import Obj
from kubemini.apiserver.rules.causes import Wrong, duplicate, invalid, required, supported, too_long

BLOCKING = ("FieldValueRequired", "FieldValueNotSupported", "FieldValueTooLong", "FieldValueTooMany")
NOT_CHECKED = (
    "some validation rules were not checked because the object was invalid; correct the existing errors to complete "
    "validation"
)


def structural(obj: Obj, expressions: Callable[[Obj], Wrong]) -> Wrong:
    """Every complaint about *obj*, whose kind has a definition."""
    definition = schema.of_kind(obj["apiVersion"], obj["kind"])
    assert definition is not None and definition.custom, f"{obj['kind']} is no custom resource"
    found = list(_map(obj, definition, ""))
    yield from found
    if any(wrong.reason in BLOCKING for wrong in found):
        yield invalid("<nil>", None, NOT_CHECKED)
    else:
        yield from expressions(obj)


def _map(value: Obj, definition: schema.Definition, path: str) -> Wrong:
    limits = dict(definition.limits)
    yield from _count(value, path, limits, "Properties", "properties")
    for name in definition.required:
        if name not in value:
            yield required(_below(path, name))
    for name, field in definition.fields.items():
        if name in value and name != "metadata":
            yield from _value(value[name], field.type, dict(field.limits), field.list == "set", _below(path, name))


def _value(value: Any, type: str, limits: dict[str, str], distinct: bool, path: str) -> Wrong:
    """A value of *type* with these *limits*."""
    if type.startswith("[]"):
        yield from _count(value, path, limits, "Items", "items")
        inner = {name.removeprefix("item."): said for name, said in limits.items() if name.startswith("item.")}
        for number, item in enumerate(value):
            yield from _value(item, schema.item(type), inner, False, f"{path}[{number}]")
            if distinct and item in value[:number]:
                yield duplicate(f"{path}[{number}]", item)
    elif "." in type and not type.startswith("{}"):
        definition = schema.definition(type)
        if definition.custom:
            yield from _map(value, definition, path)
    else:
        yield from _leaf(value, limits, path)


def _leaf(value: Any, limits: dict[str, str], path: str) -> Wrong:
    if "enum" in limits:
        yield from supported(path, value, limits["enum"].split(","))
    if "maxLength" in limits and len(value) > int(limits["maxLength"]):
        yield too_long(path, int(limits["maxLength"]))
    if "minLength" in limits and len(value) < int(limits["minLength"]):
        yield _in_body(path, value, f"be at least {limits['minLength']} chars long")
    if "minimum" in limits and value < int(limits["minimum"]):
        yield _in_body(path, value, f"be greater than or equal to {limits['minimum']}")
    if "maximum" in limits and value > int(limits["maximum"]):
        yield _in_body(path, value, f"be less than or equal to {limits['maximum']}")


def _count(value: Any, path: str, limits: dict[str, str], word: str, things: str) -> Iterator[FieldError]:
    """How many of its *things* a list or a map has."""
    least, most = limits.get(f"min{word}"), limits.get(f"max{word}")
    if least is not None and len(value) < int(least):
        yield _in_body(path, len(value), f"have at least {least} {things}")
    if most is not None and len(value) > int(most):
        text = f"Too many: {len(value)}: must have at most {most} item{'' if most == '1' else 's'}"
        yield FieldError("FieldValueTooMany", path, text)


def _in_body(path: str, value: Any, must: str) -> FieldError:
    return invalid(path, value, f"{path} in body should {must}")


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
