"""Events: told, not acted upon; the trace does not speak of them.

Models k/k pkg/registry/core/event strategy; k/k pkg/apis/core/validation ValidateEventCreate,
legacyValidateEvent.
"""

from typing import Any

from kubemini.api import names
from kubemini.api.kinds import EVENT
from kubemini.api.objects import Obj, get
from kubemini.apiserver.columns import NAME, WIDE, Column, at, elapsed
from kubemini.apiserver.rules.causes import Wrong, each, invalid, required
from kubemini.apiserver.served import ServedKind, serve

FIELDS = (
    *("involvedObject." + name for name in ("kind", "namespace", "name", "uid", "apiVersion")),
    *("involvedObject.resourceVersion", "involvedObject.fieldPath"),
    *("reason", "reportingComponent", "source", "type"),
)
LONGEST = {"reportingInstance": 128, "action": 128, "reason": 128, "message": 1024}  # bytes
ELSEWHERE = "does not match event.namespace"


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    return judged(obj, "reportingComponent")


def judged(obj: Obj, controller_field: str) -> Wrong:
    """Every complaint about an event in core's form; *controller_field* is how texts call who reports."""
    about, namespace = get(obj, "involvedObject", "namespace") or "", obj["metadata"].get("namespace", "")
    if not obj.get("eventTime"):
        if about != namespace and not (about == "" and namespace == "default"):
            yield invalid("involvedObject.namespace", about, ELSEWHERE)
        return
    if not about and namespace not in ("default", "kube-system"):
        yield invalid("involvedObject.namespace", about, ELSEWHERE)
    controller = obj.get("reportingComponent") or ""
    if not controller:
        yield required(controller_field)
    yield from each(names.qualified_name(controller), controller_field, controller)
    for field, longest in LONGEST.items():
        said = obj.get(field) or ""
        if not said and field != "message":
            yield required(field)
        if len(said.encode()) > longest:
            yield invalid(field, "", f"can have at most {longest} characters")


# -- columns -----------------------------------------------------------------------------------------


def _first_seen(obj: Obj, now: int) -> str:
    return elapsed(obj.get("firstTimestamp") or obj.get("eventTime"), now)


def _last_seen(obj: Obj, now: int) -> str:
    if obj.get("series") is not None:
        return elapsed(obj["series"].get("lastObservedTime"), now)
    return elapsed(obj["lastTimestamp"], now) if obj.get("lastTimestamp") else _first_seen(obj, now)


def _count(obj: Obj, now: int) -> int:
    if obj.get("series") is not None:
        return obj["series"].get("count") or 0
    return obj.get("count") or 1


def _object(obj: Obj, now: int) -> str:
    kind, name = (get(obj, "involvedObject", field) or "" for field in ("kind", "name"))
    return f"{kind.lower()}/{name}" if name else kind.lower()


def _source(obj: Obj, now: int) -> str:
    component = get(obj, "source", "component") or obj.get("reportingComponent") or ""
    where = get(obj, "source", "host") or obj.get("reportingInstance") or ""
    return f"{component}, {where}" if where else component


def _message(obj: Obj, now: int) -> Any:
    return (obj.get("message") or "").strip()


COLUMNS = (
    Column("Last Seen", _last_seen),
    Column("Type", at("type")),
    Column("Reason", at("reason")),
    Column("Object", _object),
    Column("Subobject", at("involvedObject", "fieldPath"), priority=WIDE),
    Column("Source", _source, priority=WIDE),
    Column("Message", _message),
    Column("First Seen", _first_seen, priority=WIDE),
    Column("Count", _count, priority=WIDE),
    Column("Name", NAME.cell, format="name", priority=WIDE, description=NAME.description),
)
serve(
    ServedKind(
        EVENT,
        acted_on=True,
        created_by_put=True,
        fields=FIELDS,
        rules=rules,
        rules_first=True,
        columns=COLUMNS,
        said=False,
    )
)
