"""ComponentStatuses: how scheduler, controller-manager and etcd are, as the API server finds when somebody asks it.

Models k/k pkg/registry/core/componentstatus REST; columns: k/k pkg/printers/internalversion printComponentStatus.
"""

from kubemini.api.kinds import KNOWN
from kubemini.api.objects import Obj
from kubemini.apiserver.columns import NAME, Column, at
from kubemini.apiserver.served import ServedKind, serve

HEALTHY = "Healthy"


def _status(obj: Obj, now: int) -> str:
    for condition in obj.get("conditions") or ():
        if condition["type"] == HEALTHY:
            return HEALTHY if condition["status"] == "True" else "Unhealthy"
    return "Unknown"


COLUMNS = (
    NAME,
    Column("Status", _status, description="Status of the component conditions"),
    Column("Message", at("conditions", 0, "message"), description="Message of the component conditions"),
    Column("Error", at("conditions", 0, "error"), description="Error of the component conditions"),
)
serve(
    ServedKind(
        KNOWN["v1", "ComponentStatus"],
        observed=True,
        deprecated="v1 ComponentStatus is deprecated in v1.19+",
        columns=COLUMNS,
    )
)
