"""What the trace says of an object: a few fields a kind, and whether a change of it is worth a record. Pure.

Models nothing upstream: the trace is ours.
"""

from typing import Any

from kubemini.api.objects import Obj
from kubemini.apiserver import served


def summary(obj: Obj) -> dict[str, Any]:
    """The few fields that widgets and checkers look at."""
    return served.of_object(obj).summary(obj)


def notable(old: Obj | None, new: Obj) -> bool:
    """Whether a write is more than a sign of life: not only times, or details of a status, changed."""
    if not served.of_object(new).said:
        return False
    return old is None or summary(old) != summary(new) or _wanted(old) != _wanted(new)


def _wanted(obj: Obj) -> dict[str, Any]:
    """All but the status and the resourceVersion."""
    meta = {key: value for key, value in obj["metadata"].items() if key != "resourceVersion"}
    return {key: value for key, value in obj.items() if key not in ("metadata", "status")} | {"metadata": meta}
