"""What both kinds share: their group, and what is judged of their conditions."""

from kubemini.api.objects import Obj, get
from kubemini.apiserver.rules.causes import Wrong, duplicate, required

GROUP = "flowcontrol.apiserver.k8s.io"
MANDATORY = ("exempt", "catch-all")  # of both kinds, on every server; nobody may change them


def only_types(new: Obj, old: Obj) -> Wrong:
    """Each condition has a type, of its own. Models k/k pkg/apis/flowcontrol/validation ValidateFlowSchemaStatus"""
    seen: list[str] = []
    for number, condition in enumerate(get(new, "status", "conditions") or ()):
        path, type = f"status.conditions[{number}].type", condition.get("type") or ""
        if type in seen:
            yield duplicate(path, type)
        seen.append(type)
        if not type:
            yield required(path)
