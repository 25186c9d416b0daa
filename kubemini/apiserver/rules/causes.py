"""Complaints about a field, in the words of the API server.

Models k/apimachinery pkg/util/validation/field Required, Invalid, Duplicate, Forbidden, NotSupported.
"""

import ipaddress
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from kubemini.api.errors import FieldError

Wrong = Iterator[FieldError]
IMMUTABLE = "field is immutable"
NEGATIVE = "must be greater than or equal to 0"
NO_IP = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"


def required(field: str, detail: str = "") -> FieldError:
    """There must be a value."""
    return FieldError("FieldValueRequired", field, "Required value" + (f": {detail}" if detail else ""))


def invalid(field: str, value: Any, detail: str) -> FieldError:
    """The value does not do."""
    more = f": {detail}" if detail else ""
    return FieldError("FieldValueInvalid", field, f"Invalid value: {shown(value)}{more}")


def wrong_as_a_whole(field: str, detail: str) -> FieldError:
    """The value does not do, and is not shown."""
    return FieldError("FieldValueInvalid", field, f"Invalid value: {detail}")


def internal(field: str, detail: str) -> FieldError:
    """The value does not do, for a reason that is found only when it is used."""
    return FieldError("InternalError", field, f"Internal error: {detail}")


def duplicate(field: str, value: Any, detail: str = "") -> FieldError:
    """Somebody else has the value."""
    more = f": {detail}" if detail else ""
    return FieldError("FieldValueDuplicate", field, f"Duplicate value: {shown(value)}{more}")


def not_found(field: str, value: Any, detail: str = "") -> FieldError:
    """There is nothing of that name."""
    more = f": {detail}" if detail else ""
    return FieldError("FieldValueNotFound", field, f"Not found: {shown(value)}{more}")


def forbidden(field: str, detail: str = "") -> FieldError:
    """There must be no value, or no other."""
    return FieldError("FieldValueForbidden", field, "Forbidden" + (f": {detail}" if detail else ""))


def too_long(field: str, limit: int) -> FieldError:
    """The value has too many bytes."""
    return FieldError("FieldValueTooLong", field, f"Too long: may not be more than {limit} bytes")


def too_many_characters(field: str, limit: int) -> FieldError:
    """The value has too many characters."""
    return FieldError("FieldValueTooLong", field, f"Too long: may not be more than {limit} characters")


def too_many(field: str, count: int, limit: int) -> FieldError:
    """There are too many of them."""
    items = "item" if limit == 1 else "items"
    return FieldError("FieldValueTooMany", field, f"Too many: {count}: must have at most {limit} {items}")


def supported(field: str, value: Any, choices: Sequence[str]) -> Wrong:
    """The value must be one of *choices*, named in this order."""
    if value not in choices:
        yield unsupported(field, value, choices)


def unsupported(field: str, value: Any, choices: Sequence[str]) -> FieldError:
    """The value is none of *choices*."""
    known = ", ".join(json.dumps(choice) for choice in choices)
    text = f"Unsupported value: {shown(value)}: supported values: {known}"
    return FieldError("FieldValueNotSupported", field, text)


class InOrder(dict):
    """A Go struct: its fields are printed in the order that they have here."""


FOR_PAGES = {ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&\u2028\u2029"}  # Go's JSON could stand in HTML


def shown(value: Any) -> str:
    """As Go prints it: text quoted, the rest as compact JSON; the keys of maps are sorted, those of structs are not."""
    text = json.dumps(_sorted(value), ensure_ascii=False, separators=(",", ":"))
    return text if isinstance(value, str) else text.translate(FOR_PAGES)


def pretty(value: Any) -> str:
    """As Go's JSON prints it on many lines."""
    return json.dumps(_sorted(value), ensure_ascii=False, indent=1).translate(FOR_PAGES)


def _sorted(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_sorted(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: _sorted(value[key]) for key in (value if isinstance(value, InOrder) else sorted(value))}


def each(texts: Iterable[str], field: str, value: Any) -> Wrong:
    """One complaint a text."""
    for text in texts:
        yield invalid(field, value, text)


def indexed(items: Sequence[Any] | None, path: str, rule: Callable[[Any, str], Wrong]) -> Wrong:
    """*rule* for each of *items*: it is given the item and its path."""
    for number, item in enumerate(items or ()):
        yield from rule(item, f"{path}[{number}]")


def not_negative(spec: Mapping[str, Any], path: str, *fields: str) -> Wrong:
    """Each of *fields* is 0 or more, where it is given."""
    for field in fields:
        if (spec.get(field) or 0) < 0:
            yield invalid(f"{path}.{field}", spec[field], NEGATIVE)


def ip(value: str, path: str) -> Wrong:
    """An address of either family. Models k/apimachinery pkg/util/validation IsValidIP"""
    if address(value) is None:
        yield invalid(path, value, NO_IP)


def address(value: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that *value* spells, or None."""
    try:
        return ipaddress.ip_address(value) if "%" not in value else None
    except ValueError:
        return None


def nothing(*objects: Any) -> Wrong:
    """No rule, no complaint."""
    return iter(())
