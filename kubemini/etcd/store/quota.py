"""How big the store is on disk, what a request would add to it, and when that is too much. Pure.

Invariant: forgetting (compaction, deletion) makes room inside the file, never a smaller file; only `defragment` does.
So once the quota is reached three things are needed, in this order or any other: compact, defragment, and disarm the
alarm, which no amount of room clears by itself. A request is weighed twice: the member that is asked refuses what does
not fit into its own file; and every member that applies one does so, room or not, and if there was none raises its own
alarm. So one member that was not defragmented closes the whole cluster again.
etcd 3.7 server/etcdserver/quota.go (costs), apply.go quotaApplierV3; maintenance/ (space quota)
Models etcd server/storage BackendQuota.Available, server/etcdserver/apply quotaApplierV3.
Simplified: a record of more than a page has pages of its own, smaller ones share; no half-empty pages and no free list,
so a real file can be larger by two fifths. An API object weighs what a typical one does, and its long texts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubemini.etcd.raft.log import utf8

PAGE = 4096
EMPTY = 5 * PAGE  # measured: 20 kB, a new member's database
KEY_OVERHEAD = 256  # quota.go kvOverhead: what a put costs beside key and value
LEASE_OVERHEAD = 64  # quota.go leaseOverhead
RECORD_OVERHEAD = 60  # revision, lease, frames: what a record weighs beside key and value
OBJECT_BYTES = 1500  # a small Pod as protobuf
LONG = 1000  # characters: what no typical object has, such as a ConfigMap's data


def length(value: Any) -> int:
    """Bytes of a key or a value."""
    if isinstance(value, str):
        return utf8(value)
    parts = [part for part in value.values() if isinstance(part, Mapping)] if isinstance(value, Mapping) else ()
    texts = (text for part in parts for text in part.values() if isinstance(text, str) and len(text) > LONG)
    return OBJECT_BYTES + sum(map(utf8, texts))


def cost(method: str, request: dict[str, Any]) -> int:
    """What *request* might add; 0 for everything that a full store still allows."""
    if method == "put":
        return KEY_OVERHEAD + length(request.get("key", "")) + length(request.get("value", ""))
    if method == "txn":
        return max(_cost_of(request.get(branch, ())) for branch in ("success", "failure"))
    return LEASE_OVERHEAD if method == "lease_grant" else 0


def _cost_of(operations: Any) -> int:
    return sum(cost("put", operation["request_put"]) for operation in operations if "request_put" in operation)


@dataclass(slots=True)
class Backend:
    """The sizes of one member's database file, in bytes."""

    small: int = 0  # of records that share pages
    large: int = 0  # of pages that a record has for itself
    size: int = EMPTY

    @property
    def in_use(self) -> int:
        """What the records need."""
        return EMPTY + self.large - self.small // -PAGE * PAGE

    def add(self, kv: dict[str, Any], times: int = 1) -> None:
        """A record is written, or with *times* -1 forgotten; the file grows if it must."""
        weight = RECORD_OVERHEAD + len(kv["key"]) + length(kv["value"])
        if weight <= PAGE:
            self.small += times * weight
        else:
            self.large -= times * (weight // -PAGE * PAGE)
        if times > 0 and self.in_use > self.size:
            self.size = self.in_use

    def has_room(self, more: int, quota: int) -> bool:
        """Whether *more* bytes still fit under the quota (a negative one never ends)."""
        return quota < 0 or self.size + more < quota

    def defragment(self) -> None:
        """Write the file anew, without the room in it."""
        self.size = self.in_use


class Alarms:
    """The alarms that are raised: member → NOSPACE. Replicated, and part of a snapshot."""

    def __init__(self) -> None:
        self.raised: dict[int, str] = {}

    def apply(self, request: dict[str, Any]) -> dict[str, Any]:
        """Carry out an AlarmRequest: GET, ACTIVATE or DEACTIVATE; the alarms concerned."""
        id, alarm = request.get("memberID", 0), request.get("alarm", "NONE")
        match request.get("action", "GET"):
            case "GET":
                return {"alarms": self.answer()}
            case "ACTIVATE":
                self.raised[id] = alarm
                return {"alarms": [{"memberID": id, "alarm": alarm}]}
        gone = self.raised.get(id) == alarm and self.raised.pop(id)
        return {"alarms": [{"memberID": id, "alarm": alarm}] if gone else []}

    def answer(self) -> list[dict[str, Any]]:
        """The alarms as the API shows them."""
        return [{"memberID": id, "alarm": alarm} for id, alarm in self.raised.items()]

    def errors(self) -> list[str]:
        """The alarms as ``endpoint status`` lists them."""
        return [f"memberID:{id} alarm:{alarm} " for id, alarm in self.raised.items()]
