"""IPAddresses that do not tell the truth any more, since somebody has made, changed or deleted one by hand. Pure.

Invariant: each cluster IP of a Service has an IPAddress that names the Service; one that an API server made and that
names no Service which has the address goes, but not within its first minute.
Models k/k pkg/registry/core/service/ipallocator/controller RepairIPAddress.syncService, RepairIPAddress.syncIPAddress
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from kubemini.api.objects import Obj, get
from kubemini.api.timestamps import instant
from kubemini.apiserver.decide.allocation import services
from kubemini.apiserver.decide.allocation.services import ALLOCATOR, FAMILY, MANAGED_BY
from kubemini.sim.units import MINUTE

PERIOD = 3 * MINUTE  # RepairServicesInterval
YOUNG = MINUTE  # an address whose Service may still be on its way


class Repair(NamedTuple):
    """What is to be done about one key: *wanted* is to stand there, None: nothing; now there is *found*, or nothing."""

    key: str
    wanted: Obj | None
    found: Obj | None


def repairs(known: Iterable[Obj], addresses: Mapping[str, Obj], now: int) -> list[Repair]:
    """What sets the *addresses* (by key) right for the Services that are *known*; *now* in µs."""
    due: dict[str, Obj] = {}
    for service in known:
        for key, obj in services.claims(service, now).items():
            if key.startswith(services.IP_KEY):
                due.setdefault(key, obj)  # of two Services with one address the first keeps it
    wrong = [Repair(key, obj, addresses.get(key)) for key, obj in due.items() if not _same(addresses.get(key), obj)]
    leaked = [Repair(key, None, obj) for key, obj in addresses.items() if key not in due and _leaked(obj, now)]
    return wrong + leaked


def _same(found: Obj | None, wanted: Obj) -> bool:
    """Whether *found* says what *wanted* does: whose it is, and who made it."""
    labels = (get(found, "metadata", "labels", name) for name in (FAMILY, MANAGED_BY)) if found else ()
    said = found is not None and get(found, "spec", "parentRef")
    return said == wanted["spec"]["parentRef"] and list(labels) == list(wanted["metadata"]["labels"].values())


def _leaked(obj: Obj, now: int) -> bool:
    ours = get(obj, "metadata", "labels", MANAGED_BY) == ALLOCATOR
    return bool(ours and now - instant(obj["metadata"]["creationTimestamp"]) > YOUNG)
