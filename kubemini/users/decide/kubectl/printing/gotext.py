"""Values as Go's fmt prints them, and JSON and YAML as kubectl writes them.

Models go fmt Sprint; k/cli-runtime pkg/printers JSONPrinter YAMLPrinter.
"""

import json
from typing import Any

from kubemini.users.decide.kubectl.printing import goyaml

_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def printed(value: Any) -> str:
    """*value* as ``fmt.Sprint`` has it: ``map[a:1]``, ``[x y]``, ``<nil>``, ``true``."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{printed(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list | tuple):
        return f"[{' '.join(map(printed, value))}]"
    if isinstance(value, float) and value == int(value) and abs(value) < 1e21:
        return str(int(value))
    return str(value)


def as_json(value: Any, indent: int | None = None, in_order: bool = True) -> str:
    """*value* as Go's encoder writes it, with what HTML would read escaped; keys *in_order*: of a map, not a struct."""
    form: dict[str, Any] = {"separators": (",", ":")} if indent is None else {"indent": indent}
    text = json.dumps(value, sort_keys=in_order, ensure_ascii=False, **form)
    return "".join(_ESCAPES.get(letter, letter) for letter in text)


def as_yaml(value: Any) -> str:
    """*value* as YAML, keys sorted."""
    return goyaml.written(value)
