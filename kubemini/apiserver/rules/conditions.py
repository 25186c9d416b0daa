"""Conditions of a status: what they must be, and whether one is true.

Models k/apimachinery pkg/apis/meta/v1/validation ValidateConditions, ValidateCondition
"""

import re
from collections.abc import Sequence

from kubemini.api import names
from kubemini.api.objects import Obj, get
from kubemini.apiserver.rules.causes import InOrder, Wrong, duplicate, each, invalid, required, supported, too_long

STATUSES = ("False", "True", "Unknown")
LONGEST_REASON, LONGEST_MESSAGE = 1024, 32 * 1024  # bytes
_REASON = "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?"
_A_REASON = (
    "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric "
    "characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or "
    f"'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is '{_REASON}')"
)


def is_true(obj: Obj, type: str) -> bool:
    """Whether the condition *type* is True."""
    conditions = get(obj, "status", "conditions", default=None) or ()
    return any(c["type"] == type and c["status"] == "True" for c in conditions)


def in_order(condition: Obj) -> InOrder:
    """A condition as Go prints it."""
    words = ("type", "status", "observedGeneration", "lastTransitionTime", "reason", "message")
    return InOrder((word, condition[word]) for word in words if word in condition)


def conditions(found: Sequence[Obj], path: str) -> Wrong:
    """Each is whole, and there is one of a type."""
    for number, condition in enumerate(found):
        if condition.get("type") in [one.get("type") for one in found[:number]]:
            yield duplicate(f"{path}[{number}]", condition.get("type"))
        yield from _condition(condition, f"{path}[{number}]")


def _condition(condition: Obj, path: str) -> Wrong:
    type, reason, seen = condition.get("type") or "", condition.get("reason") or "", condition.get("observedGeneration")
    if not type:
        yield required(f"{path}.type", "is required")
    else:
        yield from each(names.qualified_name(type), f"{path}.type", type)
    if not condition.get("status"):
        yield required(f"{path}.status")
    else:
        yield from supported(f"{path}.status", condition["status"], STATUSES)
    if (seen or 0) < 0:
        yield invalid(f"{path}.observedGeneration", seen, "must be greater than or equal to zero")
    if not condition.get("lastTransitionTime"):
        yield required(f"{path}.lastTransitionTime")
    if not reason:
        yield required(f"{path}.reason")
    elif not re.fullmatch(_REASON, reason):
        yield invalid(f"{path}.reason", reason, _A_REASON)
    if len(reason.encode()) > LONGEST_REASON:
        yield too_long(f"{path}.reason", LONGEST_REASON)
    if len((condition.get("message") or "").encode()) > LONGEST_MESSAGE:
        yield too_long(f"{path}.message", LONGEST_MESSAGE)
