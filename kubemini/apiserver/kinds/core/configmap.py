"""ConfigMaps.

Models k/k pkg/registry/core/configmap strategy; k/k pkg/apis/core/validation ValidateConfigMap,
ValidateConfigMapUpdate.
"""

from kubemini.api.kinds import CONFIG_MAP
from kubemini.api.objects import Obj
from kubemini.apiserver.columns import AGE, NAME, Column
from kubemini.apiserver.rules import keyed
from kubemini.apiserver.rules.causes import Wrong, invalid
from kubemini.apiserver.served import ServedKind, serve


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    yield from keyed.keys(obj, "data")
    for key in obj.get("data") or {}:
        if key in (obj.get("binaryData") or {}):
            yield invalid(f"data[{key}]", key, "duplicate of key present in binaryData")
    yield from keyed.keys(obj, "binaryData")
    yield from keyed.size(obj, "[]", "data", "binaryData")


def changes(new: Obj, old: Obj) -> Wrong:
    """An immutable one stays."""
    yield from keyed.immutable(new, old, "data", "binaryData")


def entries(obj: Obj, now: int) -> int:
    """How many keys it has, readable or not."""
    return len(obj.get("data") or ()) + len(obj.get("binaryData") or ())


COLUMNS = (NAME, Column("Data", entries), AGE)
serve(
    ServedKind(
        CONFIG_MAP,
        acted_on=True,
        rules=rules,
        changes=changes,
        changes_first=True,
        columns=COLUMNS,
    )
)
