"""An Event as its teller makes it, in core's form and in that of events.k8s.io. Pure.

Models k/client-go tools/record recorderImpl.makeEvent
Models k/client-go tools/events recorderImpl.makeEvent
Models k/client-go tools/record/util GenerateEventName
Models k/client-go tools/reference GetReference
"""

from typing import Any

from kubemini.api import names
from kubemini.api.kinds import EVENT, KNOWN
from kubemini.api.objects import Obj, freeze
from kubemini.api.timestamps import EPOCH, micro_timestamp, timestamp

NEW_EVENT = KNOWN["events.k8s.io/v1", "Event"]
IN_META = ("name", "namespace", "uid", "resourceVersion")


def reference(obj: Obj, field_path: str = "") -> dict[str, Any]:
    """What names *obj* and the version of it that was seen; *field_path*: a part, such as ``spec.containers{web}``."""
    meta = obj["metadata"]
    held = {field: meta[field] for field in IN_META if meta.get(field)}
    return {"apiVersion": obj["apiVersion"], "kind": obj["kind"], **held, **_unless_empty("fieldPath", field_path)}


def event(
    obj: Obj, type: str, reason: str, message: str, source: tuple[str, str], now: int, number: int, field_path: str = ""
) -> Obj:
    """One about *obj*, by *source* (component, host), at *now* (µs); *number* tells those of one instant apart."""
    component, host = source
    return freeze(
        {
            "apiVersion": EVENT.api_version,
            "kind": EVENT.kind,
            "metadata": _meta(obj, now, number),
            "involvedObject": reference(obj, field_path),
            "reason": reason,
            "message": message,
            "source": {"component": component, **_unless_empty("host", host)},
            "firstTimestamp": timestamp(now),
            "lastTimestamp": timestamp(now),
            "count": 1,
            "type": type,
            "eventTime": None,
            "reportingComponent": component,
            "reportingInstance": host,
        }
    )


def new_event(
    obj: Obj,
    type: str,
    reason: str,
    note: str,
    action: str,
    source: tuple[str, str],
    now: int,
    number: int,
    related: Obj | None = None,
) -> Obj:
    """One of events.k8s.io about *obj*: *action* was taken or failed, it may concern *related* too."""
    controller, instance = source
    return freeze(
        {
            "apiVersion": NEW_EVENT.api_version,
            "kind": NEW_EVENT.kind,
            "metadata": _meta(obj, now, number),
            "eventTime": micro_timestamp(now),
            "reportingController": controller,
            "reportingInstance": instance,
            "action": action,
            "reason": reason,
            "regarding": reference(obj),
            **({"related": reference(related)} if related is not None else {}),
            "note": note,
            "type": type,
        }
    )


def _meta(obj: Obj, now: int, number: int) -> dict[str, str]:
    """Its name ends in the nanosecond; one that is not about anything in a namespace lies in default."""
    nanoseconds = 1000 * (EPOCH + now) + number
    name = f"{obj['metadata']['name']}.{nanoseconds:x}"
    if names.dns_subdomain(name):  # the object's name is no name for an Event
        name = f"00000000-0000-4000-8000-{nanoseconds % 16**12:012x}"
    return {"name": name, "namespace": obj["metadata"].get("namespace") or "default"}


def _unless_empty(field: str, value: str) -> dict[str, str]:
    return {field: value} if value else {}
