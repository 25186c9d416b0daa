"""ResourceQuotas: how much all objects of a namespace may ask for together.

Models k/k pkg/apis/core/validation ValidateResourceQuotaSpec, validateResourceQuotaScopes,
ValidateResourceQuotaStatusUpdate; columns: k/k pkg/printers/internalversion printResourceQuota.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kubemini.api import kinds, quantity
from kubemini.api.objects import Obj, get
from kubemini.apiserver.columns import AGE, NAME, Column
from kubemini.apiserver.rules.causes import IMMUTABLE, Wrong, invalid, required
from kubemini.apiserver.rules.gostructs import internal
from kubemini.apiserver.rules.resources import KNOWN, amount_of, canonical, huge, name_of
from kubemini.apiserver.served import ServedKind, serve

COMPUTE = ("cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory")
PODS = ("pods", *COMPUTE)
APPLIES = {  # scope → the resources that it can be asked of
    "Terminating": PODS,
    "NotTerminating": PODS,
    "BestEffort": ("pods",),
    "NotBestEffort": PODS,
    "PriorityClass": PODS,
    "VolumeAttributesClass": ("persistentvolumeclaims", "requests.storage"),
    "CrossNamespacePodAffinity": PODS,
}
WHOLE = ("Terminating", "NotTerminating", "BestEffort", "NotBestEffort", "CrossNamespacePodAffinity")
CONFLICTS = (("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating"))
MUST_EXIST = (
    "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, "
    "ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"
)
NO_VALUE = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
A_VALUE = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"


def defaults(obj: Obj) -> Obj:
    """*obj* with its amounts in canonical form."""
    full = dict(obj)
    for part in ("spec", "status"):
        amounts = {key: canonical(obj[part][key]) for key in ("hard", "used") if (obj.get(part) or {}).get(key)}
        if part in obj or part == "spec":
            full[part] = {**(obj.get(part) or {}), **amounts}
    return full


def rules(obj: Obj) -> Wrong:
    """Every complaint about what is wanted."""
    spec = obj.get("spec") or {}
    yield from _amounts(spec.get("hard"), "spec.hard")
    yield from _scopes(spec)
    if spec.get("scopeSelector") is not None:
        yield from _selector(spec, spec["scopeSelector"].get("matchExpressions") or ())


def _amounts(amounts: Mapping[str, Any] | None, path: str) -> Wrong:
    for name, amount in (amounts or {}).items():
        where = f"{path}[{name}]"
        yield from name_of(name, where)
        if "/" not in name and not _counted(name):
            yield invalid(where, name, "must be a standard resource for quota")
        yield from amount_of(name, amount, where)


def _counted(name: str) -> bool:
    """Whether quotas know the resource by a short name."""
    return (name in KNOWN and name != "storage") or huge(name)


def _scopes(spec: Obj) -> Wrong:
    scopes = spec.get("scopes") or []
    for scope in scopes:
        if scope not in APPLIES:
            yield invalid("spec.scopes", scopes, "unsupported scope")
        for _ in _strangers(spec, scope):
            yield invalid("spec.scopes", scopes, "unsupported scope applied to resource")
    yield from _conflicts(scopes, "spec.scopes", scopes)


def _strangers(spec: Obj, scope: str) -> list[str]:
    """The resources of *spec* that the *scope* cannot be asked of."""
    asked = sorted(spec.get("hard") or {})
    return [name for name in asked if _counted(name) and name not in APPLIES.get(scope, asked)]


def _conflicts(scopes: Sequence[str], path: str, shown: Any) -> Wrong:
    for pair in CONFLICTS:
        if set(pair) <= set(scopes):
            yield invalid(path, shown, "conflicting scopes")


def _selector(spec: Obj, terms: Sequence[Obj]) -> Wrong:
    path = "spec.scopeSelector.matchExpressions"
    for term in terms:
        scope, operator, values = term.get("scopeName", ""), term.get("operator", ""), term.get("values") or []
        if scope not in APPLIES:
            yield invalid(f"{path}.scopeName", scope, "unsupported scope")
        for _ in _strangers(spec, scope):
            shown = internal(spec["scopeSelector"], "*core.ScopeSelector")
            yield invalid(path, shown, "unsupported scope applied to resource")
        if scope in WHOLE and operator != "Exists":
            yield invalid(f"{path}.operator", operator, MUST_EXIST)
        if operator in ("In", "NotIn"):
            if not values:
                yield required(f"{path}.values", A_VALUE)
        elif operator in ("Exists", "DoesNotExist"):
            if values:
                yield invalid(f"{path}.values", values, NO_VALUE)
        else:
            yield invalid(f"{path}.operator", operator, "not a valid selector operator")
    yield from _conflicts([term.get("scopeName", "") for term in terms], path, spec.get("scopes"))


def changes(new: Obj, old: Obj) -> Wrong:
    """What it counts stays."""
    scopes = get(new, "spec", "scopes")
    if set(scopes or ()) != set(get(old, "spec", "scopes") or ()):
        yield invalid("spec.scopes", scopes, IMMUTABLE)


def status_rules(new: Obj, old: Obj) -> Wrong:
    """What is used is counted in the same resources."""
    for part in ("hard", "used"):
        yield from _amounts(get(new, "status", part), f"status.{part}")


# -- columns -------------------------------------------------------------------------------------------


def _column(obj: Obj, limits: bool) -> str:
    hard, used = get(obj, "status", "hard") or {}, get(obj, "status", "used") or {}
    return ", ".join(
        f"{name}: {quantity.as_stored(str(used.get(name, '0')))}/{hard[name]}"
        for name in sorted(hard)
        if name.startswith("limits.") == limits
    )


COLUMNS = (
    NAME,
    Column("Request", lambda obj, now: _column(obj, limits=False)),
    Column("Limit", lambda obj, now: _column(obj, limits=True)),
    AGE,
)
serve(
    ServedKind(
        kinds.KNOWN["v1", "ResourceQuota"],
        subresources=("status",),
        returned=True,
        defaults=defaults,
        rules=rules,
        changes=changes,
        status_rules=status_rules,
        first_status=lambda obj: {},
        columns=COLUMNS,
        said=False,
        not_simulated=("few:spec",),
    )
)
