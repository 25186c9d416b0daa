"""Garbage collection: an object whose owners are all gone goes too, in the background.

Invariant: an owner counts as gone only if the API server itself says so: the controller's own cache may lag, and an
owner of the same name with another UID is another object. k/k pkg/controller/garbagecollector.
Simplified: no foreground deletion and no orphaning; only the kinds that have dependents here.
"""

from collections.abc import Iterable, Mapping

from kubemini.api.kinds import DEPLOYMENT, ENDPOINT_SLICE, POD, REPLICA_SET, SERVICE
from kubemini.api.objects import Obj, freeze
from kubemini.controllers.decide.actions import Delete, Patch, Plan, terminating

KINDS = (POD, REPLICA_SET, DEPLOYMENT, SERVICE, ENDPOINT_SLICE)


def owners(obj: Obj) -> list[Obj]:
    """Its owner references."""
    return list(obj["metadata"].get("ownerReferences") or ())


def orphans(objects: Iterable[Obj], known: Mapping[str, Obj]) -> list[Obj]:
    """Those of *objects* that name an owner whose UID is not *known*: worth a closer look."""
    return [obj for obj in objects if any(reference["uid"] not in known for reference in owners(obj))]


def plan(obj: Obj, alive: Mapping[str, bool]) -> Plan:
    """What becomes of *obj*, given for each UID of an owner whether that very object exists."""
    held = owners(obj)
    left = [reference for reference in held if alive[reference["uid"]]]
    if terminating(obj) or len(left) == len(held):
        return Plan()
    if not left:
        return Plan((Delete(obj),))
    return Plan((Patch(obj, freeze({"metadata": {"uid": obj["metadata"]["uid"], "ownerReferences": left}})),))
