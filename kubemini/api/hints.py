"""Our hints: how to write what the reader most likely meant. A second line of the command line and of widgets.

Never part of what the API server says.
"""

import json
from typing import Any

from kubemini.api import schema
from kubemini.api.objects import Obj, Path, get
from kubemini.api.schema import custom

LONGEST = 60  # characters of a value that a hint repeats
_WORDS = {
    "string": "text",
    "bool": "true or false",
    "int32": "a whole number",
    "int64": "a whole number",
    "number": "a number",
    "int-or-string": "a whole number or text",
    "quantity": "a quantity such as 100m, 0.5, 64Mi or 1Gi",
    "bytes": "text in base64",
    "time": "an instant such as 2026-01-01T00:00:00Z",
    "microtime": "an instant such as 2026-01-01T00:00:00.000000Z",
    "object": "a map",
}


def of_type(obj: Obj, place: Path, written: str) -> str:
    """What belongs at *place* instead of a value of the wrong type, which is *written* so in the text."""
    type, value = _type_at(obj, place), get(obj, *place)
    if type == "string" and isinstance(value, bool | int | float):
        return f'put it in quotes: "{written or found(value)}"'
    return f"expected {expected(type)}, found {found(value)}"


def of_unknown(obj: Obj, place: Path) -> str:
    """Which field is meant by one that does not exist."""
    crd = custom.of(obj.get("apiVersion", ""), obj.get("kind", ""))
    if crd is not None and place[0] != "metadata":
        return nearest(str(place[-1]), custom.fields_at(crd, place[:-1]))
    definition = _definition_at(obj, place[:-1])
    return nearest(str(place[-1]), list(definition.fields)) if definition else ""


def nearest(word: str, words: list[str]) -> str:
    """``did you mean …?``, or the words there are."""
    from difflib import get_close_matches

    close = {name.lower(): name for name in words}
    guess = get_close_matches(word.lower(), list(close), 1, 0.6)
    return f"did you mean {close[guess[0]]}?" if guess else "known here: " + ", ".join(words)


def expected(type: str) -> str:
    """What a value of *type* is, in words."""
    if type.startswith("[]"):
        return "a list"
    if type.startswith("{}"):
        return f"a map from names to {expected(schema.item(type))}"
    if type not in _WORDS:
        definition = schema.definition(type)
        some = [*definition.required, *definition.fields]
        return "a map with fields such as " + ", ".join(list(dict.fromkeys(some))[:3])
    return _WORDS[type]


def found(value: Any) -> str:
    """What a value is, in words."""
    if isinstance(value, dict):
        return "a map"
    if isinstance(value, list):
        return f"a list of {len(value)}" if value else "an empty list"
    if isinstance(value, int) and abs(value) >= 10**40:
        return "a number of more than 40 digits"
    said = "nothing" if value is None else json.dumps(value, ensure_ascii=False)
    return said if len(said) <= LONGEST else said[:LONGEST] + "…"


def _type_at(obj: Obj, place: Path) -> str:
    """The type that belongs at *place*."""
    root = schema.of_kind(obj.get("apiVersion", ""), obj.get("kind", ""))
    type = root.name if root else "object"
    if place[:1] == ("metadata",):  # of every object, a custom resource too
        type, place = "meta.v1.ObjectMeta", place[1:]
    for step in place:
        if type.startswith(("[]", "{}")):
            type = schema.item(type)
        else:
            type = schema.definition(type).fields[str(step)].type
    return type


def _definition_at(obj: Obj, place: Path) -> schema.Definition | None:
    type = _type_at(obj, place)
    return schema.definition(type) if "." in type and type[0] not in "[{" else None
