"""The names that an expression of admission may use, with their types: object, oldObject, request, and so on.

Models k/apiserver pkg/admission/plugin/cel BuildRequestType BuildNamespaceType mustBuildEnvs.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from kubemini.api.cel.expression import Expression, Refusal, compiled
from kubemini.api.cel.functions.access import AUTHORIZER
from kubemini.api.cel.types import BOOL, DYN, INT, NULL, STRING, TIMESTAMP, Type, list_of, map_of

STRINGS = list_of(STRING)


def _object(called: str, /, **fields: Type) -> Type:
    return Type(f"kubernetes.{called}", fields=fields)


_KIND = _object("GroupVersionKind", group=STRING, version=STRING, kind=STRING)
_RESOURCE = _object("GroupVersionResource", group=STRING, version=STRING, resource=STRING)
_USER = _object("UserInfo", username=STRING, uid=STRING, groups=STRINGS, extra=map_of(STRING, STRINGS))
REQUEST = _object(
    "AdmissionRequest",
    kind=_KIND,
    resource=_RESOURCE,
    subResource=STRING,
    requestKind=_KIND,
    requestResource=_RESOURCE,
    requestSubResource=STRING,
    name=STRING,
    namespace=STRING,
    operation=STRING,
    userInfo=_USER,
    dryRun=BOOL,
    options=DYN,
)
_META = _object(
    "NamespaceMetadata",
    name=STRING,
    generateName=STRING,
    namespace=STRING,
    labels=map_of(STRING, STRING),
    annotations=map_of(STRING, STRING),
    UID=STRING,
    creationTimestamp=TIMESTAMP,
    deletionGracePeriodSeconds=INT,
    deletionTimestamp=TIMESTAMP,
    generation=INT,
    resourceVersion=STRING,
    finalizers=STRINGS,
)
_CONDITION = _object(
    "NamespaceCondition", status=STRING, type=STRING, lastTransitionTime=TIMESTAMP, message=STRING, reason=STRING
)
NAMESPACE = _object(
    "Namespace",
    metadata=_META,
    spec=_object("NamespaceSpec", finalizers=STRINGS),
    status=_object("NamespaceStatus", conditions=list_of(_CONDITION), phase=STRING),
)


def scope(params: bool = False, variables: Mapping[str, Type] | None = None) -> dict[str, Type]:
    """The names; *variables*: those that the policy has named before, none: it may name none."""
    found = {
        "object": DYN,
        "oldObject": DYN,
        "request": REQUEST,
        "namespaceObject": NAMESPACE,
        "authorizer": AUTHORIZER,
    }
    found |= {"params": DYN} if params else {}
    return found | ({} if variables is None else {"variables": Type("kubernetes.variables", fields=variables)})


OBJECT, STEPS = Type("Object"), list_of(Type("JSONPatch"))
WANTED = {"": (), "bool": (BOOL,), "string": (STRING,), "string or null": (STRING, NULL)}
WANTED |= {"ApplyConfiguration": (OBJECT,), "JSONPatch": (STEPS,)}
Named = tuple[tuple[str, Type], ...]


@lru_cache(maxsize=1024)
def expression(text: str, wanted: str = "", params: bool = False, variables: Named | None = None) -> Expression:
    """*text* compiled, for a policy with *params*, that may name *variables*. Raises Refusal."""
    names = scope(params, None if variables is None else dict(variables))
    if wanted == "string":
        del names["authorizer"]  # a message is nothing that asks
    if wanted in ("ApplyConfiguration", "JSONPatch"):
        names["Object"] = DYN  # patches may be made
    return compiled(text, names, *WANTED[wanted])


def variables_of(spec: Mapping[str, Any]) -> Named | None:
    """The variables of a policy with their types; those that do not compile are dyn. None: it has none."""
    params = spec.get("paramKind") is not None
    found: list[tuple[str, Type]] = []
    for one in spec.get("variables") or ():
        try:
            type = expression(one["expression"], "", params, tuple(found)).type
        except Refusal:
            type = DYN
        found.append((one["name"], type))
    return tuple(found) or None
