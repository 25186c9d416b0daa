"""``--sort-by``: objects, or rows with their objects, in the order of one field.

Models k/kubectl pkg/cmd/get SortObjects TableSorter RelaxedJSONPathExpression.
"""

import re
from collections.abc import Callable, Sequence
from functools import cmp_to_key
from typing import Any

from kubemini.api import quantity
from kubemini.users.decide.kubectl.asking import Failed, fail
from kubemini.users.decide.kubectl.printing.jsonpath import Path
from kubemini.users.decide.kubectl.printing.pathwords import PathError

_RELAXED = re.compile(r"\{\.?([^{}]+)\}|\.?([^{}]+)")


def relaxed(text: str) -> str:
    """``name``, ``.name``, ``{name}`` and ``{.name}`` all mean ``{.name}``. Raises Failed."""
    found = _RELAXED.fullmatch(text)
    if text and found is None:
        forms = "'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'"
        raise fail(f"unexpected path string, expected a {forms}")
    return f"{{.{found[1] or found[2]}}}" if found else text


class Nowhere(Failed):
    """No object has the field that they are to be sorted by."""


def sorted_by(items: Sequence[Any], field: str, of: Callable[[Any], Any]) -> list[Any]:
    """*items* in the order of *field* in the object *of* each. Raises Failed, and Nowhere."""
    wanted = relaxed(field)
    try:
        path = Path(wanted)
        keys = [_first(path, of(item)) for item in items]
    except PathError as wrong:
        raise fail(str(wrong)) from None
    if items and all(key is None for key in keys):
        raise Nowhere(f'error: couldn\'t find any field with path "{wanted}" in the list of objects')
    by_key = cmp_to_key(_compare)
    return [item for _, item in sorted(zip(keys, items), key=lambda pair: by_key(pair[0]))]


def _first(path: Path, obj: Any) -> Any:
    results = path.results(obj)
    return results[0][0] if results and results[0] else None


def _compare(one: Any, other: Any) -> int:
    if one is None or other is None:
        return (one is not None) - (other is not None)
    if isinstance(one, str) and isinstance(other, str):
        left, right = _as_quantity(one), _as_quantity(other)
        if left is not None and right is not None:
            return (left > right) - (left < right)
        return _natural(one, other)
    if isinstance(one, int | float) and isinstance(other, int | float):
        return (one > other) - (one < other)
    raise fail(f"unsortable type: {type(one).__name__}")


def _natural(one: str, other: str) -> int:
    """web-2 before web-10. Models fvbommel/sortorder NaturalLess"""
    left, right = _runs(one), _runs(other)
    return (left > right) - (left < right)


def _runs(text: str) -> list[tuple[int, int, str]]:
    found = re.findall(r"[0-9]+|[^0-9]", text)
    return [(0, int(run), run) if run.isdigit() else (1, ord(run), run) for run in found]


def _as_quantity(text: str) -> Any:
    try:
        return quantity.parse(text).amount
    except quantity.QuantityError:
        return None
