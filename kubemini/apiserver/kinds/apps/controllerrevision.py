"""ControllerRevisions: what a StatefulSet or a DaemonSet was, kept so that it can be so again.

Models k/k pkg/registry/apps/controllerrevision strategy; k/k pkg/apis/apps/validation ValidateControllerRevisionCreate,
ValidateControllerRevisionUpdate; columns: k/k pkg/printers/internalversion printControllerRevision.
"""

from kubemini.api import kinds
from kubemini.api.objects import Obj, get
from kubemini.apiserver.columns import AGE, NAME, NONE, Column, at
from kubemini.apiserver.rules.causes import NEGATIVE, Wrong, invalid, required
from kubemini.apiserver.rules.gostructs import stays
from kubemini.apiserver.served import ServedKind, serve


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    if (obj.get("revision") or 0) < 0:
        yield invalid("revision", obj["revision"], NEGATIVE)


def create_rules(obj: Obj) -> Wrong:
    """A new one remembers something."""
    data = obj.get("data")
    if data is None:
        yield required("data", "data is mandatory")
    elif not isinstance(data, dict):
        yield required("data", "data must be a valid JSON object")


def changes(new: Obj, old: Obj) -> Wrong:
    """What was stays as it was."""
    yield from stays(new.get("data"), old.get("data"), "data")


def _controller(obj: Obj, now: int) -> str:
    owner = next((o for o in get(obj, "metadata", "ownerReferences") or () if o.get("controller")), None)
    if owner is None:
        return NONE
    group = owner.get("apiVersion", "").rpartition("/")[0]
    kind = owner.get("kind", "") + (f".{group}" if group else "")
    return f"{kind.lower()}/{owner.get('name', '')}"


COLUMNS = (NAME, Column("Controller", _controller), Column("Revision", at("revision", default=0)), AGE)
serve(
    ServedKind(
        kinds.KNOWN["apps/v1", "ControllerRevision"],
        rules=rules,
        create_rules=create_rules,
        changes=changes,
        columns=COLUMNS,
        said=False,
        not_simulated=("data",),
    )
)
