"""What an object says where its writer said nothing.

Models k/apimachinery pkg/runtime Scheme.Default
"""

from collections.abc import Mapping
from typing import Any


def filled(value: Mapping[str, Any] | None, **defaults: Any) -> dict[str, Any]:
    """*value* with *defaults* for what it lacks; where the default is text or a number, "" and 0 are a lack too."""
    value = value or {}
    lacks = {key: new for key, new in defaults.items() if value.get(key) is None or _is_zero(value[key], new)}
    return {**value, **lacks}


def unset(value: Mapping[str, Any] | None, **defaults: Any) -> dict[str, Any]:
    """*value* with *defaults* for what is not given at all; "" is given: in Go it is a pointer."""
    value = value or {}
    return {**value, **{key: new for key, new in defaults.items() if value.get(key) is None}}


def _is_zero(value: Any, default: Any) -> bool:
    return value == "" and isinstance(default, str)
