"""The columns of a kind that is defined at one server: what its definition says, else its age.

    columns_of([{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}])    → Name, Size

Of JSONPath there are fields (``.a.b``, ``['a.b']``, ``.a\\.b``), elements (``[0]``, ``[-1]``, ``[*]``) and elements by
what a field of theirs is (``[?(@.type=="Ready")]``).
Models k/apiextensions-apiserver pkg/registry/customresource/tableconvertor New cellForJSONValue;
k/client-go util/jsonpath JSONPath.FindResults; k/apiextensions-apiserver pkg/apiserver getColumnsForVersion.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kubemini.api import gotime
from kubemini.api.objects import Obj
from kubemini.apiserver.columns import AGE, NAME, Cell, Column, elapsed

_STEP = re.compile(
    r"\.(?P<field>(?:\\.|[^.\[\]])+)|\['(?P<quoted>[^']*)'\]|\[(?P<index>-?\d+|\*)\]"
    r"|\[\?\(@(?P<at>[^=<>!]*?)\s*(?P<how>==|!=)\s*(?P<value>\"[^\"]*\"|'[^']*'|[^)]*?)\s*\)\]"
)
BEFORE = "Custom resource definition column (in JSONPath format): "


def columns_of(said: Sequence[Obj]) -> tuple[Column, ...]:
    """The name of an object, and the columns that its definition asks for; none: its age."""
    age = Column("Age", AGE.cell, type="date", description=AGE.description)
    return (NAME, *(map(_column, said) if said else (age,)))


def _column(said: Obj) -> Column:
    path, type = said["jsonPath"], said["type"]
    return Column(
        said["name"],
        _cell(path, type),
        type=type,
        format=said.get("format") or "",
        priority=said.get("priority") or 0,
        description=said.get("description") or BEFORE + path,
    )


def _cell(path: str, type: str) -> Cell:
    def cell(obj: Obj, now: int) -> Any:
        found = results(obj, path)
        return _shown(found[0], type, now) if found else None

    return cell


def _shown(value: Any, type: str, now: int) -> Any:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if type == "string":
        return _text(value)
    if value is None:
        return None
    if type == "integer":
        return int(value) if number else None
    if type == "number":
        return (int(value) if float(value).is_integer() else value) if number else None  # as Go writes it
    if type == "boolean":
        return value if isinstance(value, bool) else None
    return _age(value, now) if isinstance(value, str) else None


def _age(value: str, now: int) -> str:
    return "<invalid>" if gotime.problem(value, gotime.RFC3339) else elapsed(value, now)


def _text(value: Any) -> str:
    """As Go prints it."""
    if isinstance(value, str):
        return value
    if value is None:
        return "<nil>"
    return json.dumps(value, separators=(",", ":"), sort_keys=True)


def results(value: Any, path: str) -> list[Any]:
    """All that *path* leads to; what is not there is nothing."""
    found, at = [value], 0
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None:
            return []
        found, at = [one for whole in found for one in _below(whole, step)], step.end()
    return found


def _below(whole: Any, step: re.Match[str]) -> Iterable[Any]:
    name = step["quoted"] if step["field"] is None else re.sub(r"\\(.)", r"\1", step["field"])
    if name is not None:
        return [whole[name]] if isinstance(whole, Mapping) and name in whole else []
    if not isinstance(whole, list):
        return []
    if step["index"] == "*":
        return whole
    if step["index"] is not None:
        number = int(step["index"])
        return [whole[number]] if -len(whole) <= number < len(whole) else []
    return [one for one in whole if _fits(one, step)]


def _fits(one: Any, step: re.Match[str]) -> bool:
    found, wanted = results(one, step["at"]), step["value"]
    text = wanted[1:-1] if wanted[:1] in ('"', "'") else wanted
    return bool(found) and (_text(found[0]) == text) == (step["how"] == "==")
