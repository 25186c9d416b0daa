"""What is wrong with an object of a kind that is defined at one server: by its schema, its numbers, its rules in CEL.

Models k/apiextensions-apiserver pkg/registry/customresource customResourceStrategy.Validate ValidateUpdate,
statusStrategy.ValidateUpdate, customResourceValidator.ValidateScaleSpec ValidateScaleStatus ValidateStatusUpdate.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from kubemini.api.cel.structural import EMBEDDED
from kubemini.api.cel.values import is_number
from kubemini.api.errors import FieldError
from kubemini.api.objects import Obj, get
from kubemini.api.patch.strategic import go_text
from kubemini.apiserver.rules.causes import Wrong, invalid, required, wrong_as_a_whole
from kubemini.apiserver.rules.customs import judging
from kubemini.apiserver.rules.customs.expressions import Rules

MOST = 2**31 - 1


class Scaling(NamedTuple):
    """Where a custom resource keeps what its Scale tells. *selector*: (): nowhere."""

    wanted: tuple[str, ...]
    there: tuple[str, ...]
    selector: tuple[str, ...] = ()


class Limits(NamedTuple):
    """What an object must keep to."""

    schema: Mapping[str, Any]
    rules: Rules
    scaling: Scaling | None = None

    def with_rules(self, found: list[FieldError], new: Obj, old: Any = judging.NOTHING) -> Wrong:
        """*found*, and what the rules in CEL say; or that they were not asked."""
        yield from found
        if self.rules and judging.is_blocking(found):
            yield wrong_as_a_whole("<nil>", f"null: {judging.NOT_CHECKED}")
        else:
            yield from self.rules.judged(new, old)


def wrong_as_new(limits: Limits, obj: Obj) -> Wrong:
    """Every complaint about a new object."""
    found = judging.judged(obj, limits.schema)
    found += [*_wanted(obj, limits.scaling), *_there(obj, limits.scaling), *embedded(obj, limits.schema)]
    yield from limits.with_rules([*found, *judging.doubles(obj, limits.schema)], obj)


def wrong_changes(limits: Limits, new: Obj, old: Obj) -> Wrong:
    """Every complaint about *new* in the place of *old*; what was wrong and is as it was, is let pass."""
    found = judging.judged(new, limits.schema, old)
    found += [*_wanted(new, limits.scaling), *_there(new, limits.scaling), *embedded(new, limits.schema)]
    yield from limits.with_rules([*found, *_new_doubles(new, old, limits.schema)], new, old)


def wrong_status(limits: Limits, new: Obj, old: Obj) -> Wrong:
    """Every complaint about *new*, of which only the status was written."""
    found: list[FieldError] = []
    schema = (limits.schema.get("properties") or {}).get("status")
    if schema is not None and "status" in new:
        before = old.get("status", judging.NOTHING)
        found += map(_in_status, judging.judged(new["status"], schema, before))
    found += [*_there(new, limits.scaling), *_new_doubles(new, old, limits.schema)]
    yield from limits.with_rules(found, new, old)


def _in_status(wrong: FieldError) -> FieldError:
    return wrong if wrong.field == "<nil>" else replace(wrong, field=f"status.{wrong.field}".rstrip("."))


def _new_doubles(new: Obj, old: Obj, schema: Mapping[str, Any]) -> Iterator[FieldError]:
    if not any(True for _ in judging.doubles(old, schema)):
        yield from judging.doubles(new, schema)


def embedded(value: Any, schema: Any, path: str = "") -> Wrong:
    """What an object that is embedded in another one lacks.

    Models k/apiextensions-apiserver pkg/apiserver/schema/objectmeta Validate
    Simplified: its metadata is not judged.
    """
    if not isinstance(schema, Mapping):
        return
    if isinstance(value, Mapping):
        if path and schema.get(EMBEDDED):
            yield from (required(f"{path}.{key}") for key in ("apiVersion", "kind") if not value.get(key))
        fields, more = schema.get("properties") or {}, schema.get("additionalProperties")
        for key in sorted(value):
            below = f"{path}.{key}" if path and key in fields else key if key in fields else f"{path}[{key}]"
            yield from embedded(value[key], fields.get(key, more), below)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from embedded(item, schema.get("items"), f"{path}[{number}]")


def _wanted(obj: Obj, scaling: Scaling | None) -> Wrong:
    if scaling is not None:
        yield from _replicas(obj, scaling.wanted)


def _there(obj: Obj, scaling: Scaling | None) -> Wrong:
    if scaling is not None:
        yield from _replicas(obj, scaling.there)
        selector = get(obj, *scaling.selector, default="") if scaling.selector else ""
        if not isinstance(selector, str):
            where = "." + ".".join(scaling.selector)
            yield invalid(where, "", f"{where} accessor error: {_typed(selector)}, expected string")


def _replicas(obj: Obj, path: tuple[str, ...]) -> Wrong:
    number, where = get(obj, *path, default=judging.NOTHING), "." + ".".join(path)
    if number is judging.NOTHING:
        return
    if not is_number(number) or isinstance(number, float):
        yield invalid(where, 0, f"{where} accessor error: {_typed(number)}, expected int64")
    elif number < 0:
        yield invalid(where, number, "should be a non-negative integer")
    elif number > MOST:
        yield invalid(where, number, f"should be less than or equal to {MOST}")


def _typed(value: Any) -> str:
    """A value and what Go calls its type, as an accessor that finds another one says it."""
    if isinstance(value, bool):
        return f"{str(value).lower()} is of the type bool"
    if isinstance(value, int | float):
        return f"{value} is of the type {'int64' if isinstance(value, int) else 'float64'}"
    if isinstance(value, str):
        return f"{value} is of the type string"
    if value is None:
        return "<nil> is of the type <nil>"
    type = "map[string]interface {}" if isinstance(value, Mapping) else "[]interface {}"
    return f"{go_text(value)} is of the type {type}"


# -- what is warned of -------------------------------------------------------------------------------

STANDARD = ("orphan", "foregroundDeletion", "kubernetes")
PREFER = "prefer a domain-qualified finalizer name {}to avoid accidental conflicts with other finalizer writers"


def finalizer_warnings(new: Obj, old: Obj | None) -> list[str]:
    """New finalizers without a domain of their own. Models generateWarningsFromObj, validateKubeFinalizerName"""
    before = get(old or {}, "metadata", "finalizers") or ()
    added = sorted({one for one in get(new, "metadata", "finalizers") or () if one not in before})
    odd = [one for one in added if "/" not in one and one not in STANDARD]
    texts = {one: PREFER.format("including a path (/) " if "." in one else "") for one in odd}
    return [f'metadata.finalizers: "{one}": {text}' for one, text in texts.items()]
