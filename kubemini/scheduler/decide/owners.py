"""Which application a pod belongs to: what its Services and the controller that owns it select, all at once. Pure.

Models k/k pkg/scheduler/framework/plugins/helper DefaultSelector
"""

from kubemini.api.labels import Selector, contains, from_labels, from_object
from kubemini.api.objects import Obj
from kubemini.scheduler.decide.listers import Listers

CONTROLLERS = {
    ("v1", "ReplicationController"),
    ("apps/v1", "ReplicaSet"),
    ("apps/v1", "StatefulSet"),
}


def application(pod: Obj, known: Listers) -> Selector | None:
    """What picks the pods of the same kind as *pod*; None if it is nobody's."""
    namespace, carried = pod["metadata"].get("namespace", ""), pod["metadata"].get("labels")
    wanted: dict[str, str] = {}
    for service in known.all("Service", namespace):
        selector = service["spec"].get("selector")
        if selector and contains(carried, selector):
            wanted |= selector
    found = list(from_labels(wanted).requirements)
    for reference in pod["metadata"].get("ownerReferences") or ():
        if reference.get("controller") and (reference["apiVersion"], reference["kind"]) in CONTROLLERS:
            owner = known.get(reference["kind"], namespace, reference["name"])
            if owner is not None:
                found += _selector(owner).requirements
    return Selector(tuple(found)) if found else None


def _selector(owner: Obj) -> Selector:
    said = owner["spec"].get("selector")
    return from_labels(said or {}) if owner["kind"] == "ReplicationController" else from_object(said)
