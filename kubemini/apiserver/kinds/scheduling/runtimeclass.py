"""RuntimeClasses: what runs a pod's containers.

Models k/k pkg/registry/node/runtimeclass strategy; k/k pkg/apis/node/validation ValidateRuntimeClass,
ValidateRuntimeClassUpdate; k/k pkg/api/node GetWarningsForRuntimeClass.
"""

from collections.abc import Sequence

from kubemini.api import names
from kubemini.api.kinds import KNOWN
from kubemini.api.objects import Obj, get
from kubemini.apiserver.columns import AGE, NAME, Column, at
from kubemini.apiserver.rules.causes import IMMUTABLE, Wrong, duplicate, each, invalid, required
from kubemini.apiserver.rules.gostructs import internal
from kubemini.apiserver.rules.metadata import label_pairs
from kubemini.apiserver.rules.nodelabels import DEPRECATED
from kubemini.apiserver.rules.placement import toleration
from kubemini.apiserver.rules.resources import canonical, resources
from kubemini.apiserver.served import ServedKind, serve


def defaults(obj: Obj) -> Obj:
    """*obj* with amounts as the server writes them."""
    fixed = get(obj, "overhead", "podFixed")
    return {**obj, "overhead": {**obj["overhead"], "podFixed": canonical(fixed)}} if fixed else obj


def rules(obj: Obj) -> Wrong:
    """Every complaint but about the handler."""
    if obj.get("overhead") is not None:
        yield from resources({"limits": obj["overhead"].get("podFixed")}, "overhead")
    scheduling = obj.get("scheduling")
    if scheduling is not None:
        yield from label_pairs(scheduling.get("nodeSelector"), "scheduling.nodeSelector")
        yield from _tolerations(scheduling.get("tolerations") or (), "scheduling.tolerations")


def _tolerations(found: Sequence[Obj], path: str) -> Wrong:
    for number, one in enumerate(found):
        yield from toleration(one, f"{path}[{number}]")
    seen = []
    for number, one in enumerate(found):
        known = tuple(one.get(field) or "" for field in ("key", "operator", "value", "effect"))
        if known in seen:
            yield duplicate(f"{path}[{number}]", internal(one, "core.Toleration"))
        seen.append(known)


def declared(obj: Obj, old: Obj | None) -> Wrong:
    """There is a handler, its name is a label, and it stays."""
    handler = obj.get("handler", "")
    if old is not None and handler == old.get("handler", ""):
        return
    if old is not None:
        yield invalid("handler", None, IMMUTABLE)
    if not handler:
        yield required("handler")
    elif old is None:
        yield from each(names.dns_label(handler, "bytes"), "handler", handler)


def changes(new: Obj, old: Obj) -> Wrong:
    """A new handler is refused whatever it is; what is no label is refused for that, too."""
    handler = new.get("handler", "")
    if handler and handler != old.get("handler", ""):
        yield from each(names.dns_label(handler), "handler", handler)


def warnings(obj: Obj, old: Obj | None) -> list[str]:
    """Labels of nodes that are on their way out."""
    selector = get(obj, "scheduling", "nodeSelector") or {}
    return [f"scheduling.nodeSelector: {DEPRECATED[key]}" for key in selector if key in DEPRECATED]


serve(
    ServedKind(
        KNOWN["node.k8s.io/v1", "RuntimeClass"],
        created_by_put=True,
        versioned=True,
        defaults=defaults,
        rules=rules,
        changes=changes,
        declared=declared,
        warnings=warnings,
        columns=(NAME, Column("Handler", at("handler")), AGE),
    )
)
