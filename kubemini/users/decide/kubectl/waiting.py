"""To wait until an object is as one wants it: look, then watch it, and look again when the watch ends.

Models k/kubectl pkg/cmd/wait getObjAndCheckCondition IsDeleted; k/client-go tools/watch UntilWithSync.
"""

from collections.abc import Callable
from typing import Any

from kubemini.sim.units import SECOND
from kubemini.users.decide.kubectl.asking import Ask, Failed, Leave, Next, Refused, Steps, checked, fetched
from kubemini.users.decide.kubectl.line import Line
from kubemini.users.decide.kubectl.targets import Info

GONE = "DELETED"
WEEK = 168 * 3600 * SECOND
Wanted = Callable[[str, Any], bool]


class TooLate(Failed):
    """It has not come in time."""


def until(line: Line, info: Info, wanted: Wanted, end: int, first: Any = None) -> Steps:
    """The object when ``wanted(type of event, object)`` is true; *first*: as it is known to be. Raises TooLate."""
    query = (("fieldSelector", f"metadata.name={info.name}"),)
    path = info.resource.path(info.namespace)
    while True:
        found = yield from fetched(Ask("GET", path, query))
        items = found.get("items") or []
        event = ("ADDED", items[0]) if items else (GONE, first)
        if wanted(*event):
            return event[1]
        version = str((found.get("metadata") or {}).get("resourceVersion", ""))
        left = max(0, -(-(end - line.now) // SECOND))
        if end <= line.now:
            raise TooLate(f"error: timed out waiting for the condition on {info.resource.name}/{info.name}")
        more = (("resourceVersion", version), ("timeoutSeconds", str(left)), ("watch", "true"))
        answer = checked((yield Ask("GET", path, (*query, *more))))
        while (change := (yield Next(answer.watch))) is not None:
            if change.get("type") == "ERROR":
                break
            if wanted(change["type"], change["object"]):
                yield Leave(answer.watch)
                return change["object"]


def gone(line: Line, info: Info, uid: str, end: int) -> Steps:
    """Until *info*'s object with that *uid* is no more. Raises TooLate."""
    try:
        there = yield from fetched(Ask("GET", info.path))
    except Refused as problem:
        if problem.reason == "NotFound":
            return
        raise
    if uid and there["metadata"].get("uid") != uid:
        return
    mine = there["metadata"].get("uid")

    def left(type: str, obj: Any) -> bool:
        return type == GONE or obj["metadata"].get("uid") != mine

    yield from until(line, info, left, end, there)
