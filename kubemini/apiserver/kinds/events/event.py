"""Events of events.k8s.io: what core calls involvedObject, message and source is regarding, note and deprecatedSource.

The store holds core's form, and rules speak of its fields.
Models k/k pkg/apis/events/v1 Convert_v1_Event_To_core_Event; k/k pkg/apis/core/validation ValidateEventCreate,
ValidateEventUpdate, validateV1EventSeries.
"""

from dataclasses import replace

from kubemini.api.kinds import EVENT, KNOWN
from kubemini.api.objects import Obj
from kubemini.apiserver.columns import Column
from kubemini.apiserver.kinds.core.event import COLUMNS, judged
from kubemini.apiserver.rules.causes import IMMUTABLE, Wrong, invalid, required
from kubemini.apiserver.rules.gostructs import internal
from kubemini.apiserver.served import ServedKind, serve

IN_CORE = {
    "regarding": "involvedObject",
    "note": "message",
    "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
    "reportingController": "reportingComponent",
}
HERE = {core: field for field, core in IN_CORE.items()}
_ABOUT = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
FIELDS = (*(f"regarding.{field}" for field in _ABOUT), "reason", "reportingController", "type")
UNSET = ("firstTimestamp", "lastTimestamp", "count", "source")
FIXED = (
    *("involvedObject", "reason", "message", "source", "firstTimestamp", "lastTimestamp", "count", "reason", "type"),
    *("eventTime", "action", "related", "reportingController", "reportingInstance"),
)
SHOWN = {"involvedObject": "core.ObjectReference", "source": "core.EventSource", "related": "*core.ObjectReference"}


def to_core(obj: Obj) -> Obj:
    """*obj* in core's form."""
    return {IN_CORE.get(key, key): value for key, value in obj.items()} | {"apiVersion": EVENT.api_version}


def from_core(obj: Obj) -> Obj:
    """An event of core in this form."""
    return {HERE.get(key, key): value for key, value in obj.items()} | {"apiVersion": "events.k8s.io/v1"}


def rules(obj: Obj) -> Wrong:
    """What is wrong with any event."""
    return judged(to_core(obj), "reportingController")


def create_rules(obj: Obj) -> Wrong:
    """A new one is of the new sort."""
    core = to_core(obj)
    yield from _series(core)
    if not core.get("eventTime"):
        yield required("eventTime")
    if core.get("type", "") not in ("Normal", "Warning"):
        yield invalid("type", "", f"has invalid value: {core.get('type', '')}")
    for field in UNSET:
        if core.get(field):
            yield invalid(field, "", "needs to be unset")


def _series(core: Obj) -> Wrong:
    series = core.get("series")
    if series is not None and (series.get("count") or 0) < 2:
        yield invalid("series.count", "", "should be at least 2")
    if series is not None and not series.get("lastObservedTime"):
        yield required("series.lastObservedTime")


def changes(new: Obj, old: Obj) -> Wrong:
    """Only its series may change."""
    core, was = to_core(new), to_core(old)
    if core.get("series") != was.get("series"):
        yield from _series(core)
    for field in FIXED:
        name = IN_CORE.get(field, field)
        if (core.get(name) or None) != (was.get(name) or None):
            value = core.get(name)
            yield invalid(field, internal(value, SHOWN[field]) if field in SHOWN else value, IMMUTABLE)


def _of_core(column: Column) -> Column:
    return replace(column, cell=lambda obj, now: column.cell(to_core(obj), now))


serve(
    ServedKind(
        KNOWN["events.k8s.io/v1", "Event"],
        created_by_put=True,
        fields=FIELDS,
        rules=rules,
        create_rules=create_rules,
        changes=changes,
        stored_as=EVENT,
        to_store=to_core,
        from_store=from_core,
        columns=tuple(_of_core(column) for column in COLUMNS),
        said=False,
    )
)
