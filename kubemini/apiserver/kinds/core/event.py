"""Events: told, not acted upon; the trace does not speak of them.

Models k/k pkg/apis/core/validation ValidateEventCreate (legacy events).
Simplified: the fields of events.k8s.io are not judged.
"""

from kubemini.api.kinds import EVENT
from kubemini.api.objects import Obj, get
from kubemini.apiserver.rules.causes import Wrong, invalid
from kubemini.apiserver.served import ServedKind, serve

FIELDS = (
    *("involvedObject." + name for name in ("kind", "namespace", "name", "uid", "apiVersion")),
    *("involvedObject.resourceVersion", "involvedObject.fieldPath"),
    *("reason", "reportingComponent", "source", "type"),
)


def rules(obj: Obj) -> Wrong:
    """An event stands in the namespace of what it is about; that of a cluster's object in default."""
    about, namespace = get(obj, "involvedObject", "namespace", default=""), obj["metadata"].get("namespace", "")
    if about != namespace and not (about == "" and namespace == "default"):
        yield invalid("involvedObject.namespace", about, "does not match event.namespace")


serve(ServedKind(EVENT, acted_on=True, created_by_put=True, fields=FIELDS, rules=rules, said=False))
