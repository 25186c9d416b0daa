"""Conditions of a status."""

from kubemini.api.objects import Obj, get


def is_true(obj: Obj, type: str) -> bool:
    """Whether the condition *type* is True."""
    conditions = get(obj, "status", "conditions", default=None) or ()
    return any(c["type"] == type and c["status"] == "True" for c in conditions)
