"""Does a value fit a JSON Schema? As much of that language as schema.json uses, for editors, tests and the browser.

type, required, properties, additionalProperties, items, enum, minimum, maximum, minLength, maxLength, and two formats
of ours: duration (such as 30s) and size.
"""

import json
from typing import Any

from kubemini.ranges import Duration, Unfit, is_whole, shown
from kubemini.scenarios.text import ScenarioError
from kubemini.sim.units import DAY

TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "boolean": bool,
    "number": (int, float),
}
HORIZON = Duration(0, 100 * 365 * DAY, "s")


def check(value: Any, schema: dict[str, Any], where: str) -> None:
    """Raise ScenarioError if *value* does not fit *schema*; *where* names it."""
    _check_type(value, schema, where)
    if "enum" in schema and value not in schema["enum"]:
        raise ScenarioError(f"{where}: expected one of {', '.join(schema['enum'])}, got {shown(value)}")
    if isinstance(value, dict):
        _check_mapping(value, schema, where)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            check(item, schema.get("items", {}), f"{where}[{number}]")
    elif isinstance(value, str):
        _check_text(value, schema, where)
    elif "minimum" in schema and not schema["minimum"] <= value <= schema["maximum"]:
        raise ScenarioError(f"{where}: expected {schema['minimum']} to {schema['maximum']}, got {shown(value)}")


def _check_type(value: Any, schema: dict[str, Any], where: str) -> None:
    if "type" not in schema:
        return
    fits = isinstance(value, TYPES[schema["type"]]) and (not isinstance(value, bool) or schema["type"] == "boolean")
    if fits:
        return
    if schema.get("format") == "duration" and is_whole(value):
        raise ScenarioError(f'{where}: {shown(value)} has no unit; write "{shown(value)}s" if it counts seconds')
    raise ScenarioError(f"{where}: expected {_article(schema['type'])}, got {_as_json(value)}")


def _check_mapping(value: dict[str, Any], schema: dict[str, Any], where: str) -> None:
    known = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            raise ScenarioError(f"{where}: {name} is missing; it is {_article(known[name]['type'])}")
    for name, item in value.items():
        if name in known:
            check(item, known[name], f"{where}.{name}")
        elif schema.get("additionalProperties") is False:
            raise ScenarioError(f"{where}: {shown(name)} is not known here; there are: {', '.join(known)}")


def _check_text(value: str, schema: dict[str, Any], where: str) -> None:
    if len(value) < schema.get("minLength", 0):
        raise ScenarioError(f"{where}: is empty; write a word or two")
    if len(value) > schema.get("maxLength", len(value)):
        raise ScenarioError(f"{where}: has {len(value)} characters; {schema['maxLength']} are enough")
    if schema.get("format") == "duration":
        try:
            fits = HORIZON.fits(HORIZON.read(value))
        except Unfit:
            fits = False
        if not fits:
            said = "is not a duration: write a number and a unit, such as 200ms, 1.5s or 2m"
            raise ScenarioError(f'{where}: "{shown(value)[1:-1]}" {said}; at most 100 years')


def _as_json(value: Any) -> str:
    try:
        text = json.dumps(value, default=str)
    except (ValueError, TypeError, RecursionError):
        return shown(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _article(kind: str) -> str:
    word = "mapping" if kind == "object" else kind
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"
