"""PriorityClasses: how much a pod matters.

Models k/k pkg/registry/scheduling/priorityclass strategy; k/k pkg/apis/scheduling/validation
ValidatePriorityClass, ValidatePriorityClassUpdate; k/k pkg/apis/scheduling/v1 IsKnownSystemPriorityClass.
"""

from kubemini.api.kinds import KNOWN
from kubemini.api.objects import Obj
from kubemini.apiserver.columns import AGE, NAME, Column, at
from kubemini.apiserver.rules.causes import IMMUTABLE, Wrong, forbidden, invalid, required, supported
from kubemini.apiserver.rules.filling import unset
from kubemini.apiserver.served import ServedKind, serve

HIGHEST = 1_000_000_000  # that a user may give
OF_THE_SYSTEM = {"system-node-critical": 2_000_001_000, "system-cluster-critical": 2_000_000_000}
RESERVED = "priority class names with 'system-' prefix are reserved for system use only. error: "
POLICIES = ("PreemptLowerPriority", "Never")


def defaults(obj: Obj) -> Obj:
    """*obj* with a number, and a policy."""
    return {**unset(obj, preemptionPolicy=POLICIES[0]), "value": obj.get("value") or 0}


def create_rules(obj: Obj) -> Wrong:
    """Every complaint about a new one."""
    name, value, policy = obj["metadata"].get("name", ""), obj.get("value") or 0, obj.get("preemptionPolicy")
    if name.startswith("system-"):
        if wrong := _unlike_the_system(obj, name, value):
            yield forbidden("metadata.name", RESERVED + wrong)
    elif value > HIGHEST:
        yield forbidden("value", f"maximum allowed value of a user defined priority is {HIGHEST}")
    if policy == "":
        yield required("preemptionPolicy")
    elif policy is not None:
        yield from supported("preemptionPolicy", policy, POLICIES)


def _unlike_the_system(obj: Obj, name: str, value: int) -> str:
    if name not in OF_THE_SYSTEM:
        return f"{name} is not a known system priority class"
    if value != OF_THE_SYSTEM[name]:
        return f"value of {name} PriorityClass must be {OF_THE_SYSTEM[name]}"
    return f"globalDefault of {name} PriorityClass must be false" if obj.get("globalDefault") else ""


def changes(new: Obj, old: Obj) -> Wrong:
    """Its number and its policy stay."""
    if (new.get("value") or 0) != (old.get("value") or 0):
        yield forbidden("value", "may not be changed in an update.")
    if new.get("preemptionPolicy") != old.get("preemptionPolicy"):
        yield invalid("preemptionPolicy", new.get("preemptionPolicy"), IMMUTABLE)


COLUMNS = (
    NAME,
    Column("Value", at("value", default=0), type="integer"),
    Column("Global-Default", at("globalDefault", default=False), type="boolean"),
    AGE,
    Column("PreemptionPolicy", at("preemptionPolicy")),
)
serve(
    ServedKind(
        KNOWN["scheduling.k8s.io/v1", "PriorityClass"],
        counted=True,
        counts=lambda obj: None,
        defaults=defaults,
        create_rules=create_rules,
        changes=changes,
        columns=COLUMNS,
    )
)
