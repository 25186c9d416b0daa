"""MutatingAdmissionPolicies: changes in CEL that a write is given.

Models k/k pkg/registry/admissionregistration/mutatingadmissionpolicy strategy; k/k
pkg/apis/admissionregistration/validation ValidateMutatingAdmissionPolicy, validateMutation.
"""

from kubemini.api.cel.admission import Named, variables_of
from kubemini.api.kinds import KNOWN
from kubemini.api.objects import Obj, get
from kubemini.apiserver.columns import AGE, NAME, Column, number_of
from kubemini.apiserver.kinds.admission.matching import GROUP, REINVOCATION, compiles, not_static, static_warning
from kubemini.apiserver.kinds.admission.policies import (
    PARAM_KIND,
    conditions_and_variables,
    policy_defaults,
    policy_rules,
)
from kubemini.apiserver.rules.causes import Wrong, invalid, required, supported
from kubemini.apiserver.served import ServedKind, serve

OPERATIONS = ("*", "CONNECT", "CREATE", "UPDATE")
PATCHES = {"ApplyConfiguration": "applyConfiguration", "JSONPatch": "jsonPatch"}


def only_mutable(spec: Obj, field: str) -> Wrong:
    """What is deleted cannot be changed."""
    for rule in get(spec, field, "resourceRules") or ():
        for operation in rule.get("operations") or ():
            yield from supported(f"spec.{field}.resourceRules.operations", operation, OPERATIONS)


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    spec = obj["spec"]
    yield from policy_rules(spec)
    yield from only_mutable(spec, "matchConstraints")
    yield from conditions_and_variables(spec)
    if not spec.get("mutations"):
        yield required("spec.mutations", "mutations must contain at least one item")
    known = spec.get("paramKind") is not None, variables_of(spec)
    for number, said in enumerate(spec.get("mutations") or ()):
        yield from _mutation(said, f"spec.mutations[{number}]", *known)
    again = spec.get("reinvocationPolicy") or ""
    if not again:
        yield required("spec.reinvocationPolicy")
    else:
        yield from supported("spec.reinvocationPolicy", again, REINVOCATION)


def _mutation(said: Obj, path: str, params: bool, known: Named | None) -> Wrong:
    type = said.get("patchType") or ""
    if not type:
        yield required(f"{path}.patchType")
        return
    yield from supported(f"{path}.patchType", type, tuple(PATCHES))
    if type not in PATCHES:
        return
    field = PATCHES[type]
    if said.get(field) is None:
        yield required(f"{path}.{field}", f"must be specified when patchType is {type}")
    elif not (said[field].get("expression") or "").strip():
        yield required(f"{path}.{field}.expression")
    else:
        yield from compiles(said[field]["expression"].strip(), f"{path}.{field}.expression", type, params, known)
    for other in PATCHES.values():
        if other != field and said.get(other) is not None:
            yield invalid(f"{path}.{other}", f"{{{other}}}", f"must not be specified when patchType is {type}")


COUNTED = "Mutation indicates the number of mutations rules defined in this configuration"
COLUMNS = (
    NAME,
    Column("Mutations", number_of("spec", "mutations"), type="integer", description=COUNTED),
    PARAM_KIND,
    AGE,
)
serve(
    ServedKind(
        KNOWN[f"{GROUP}/v1", "MutatingAdmissionPolicy"],
        counted=True,
        versioned=True,
        defaults=policy_defaults,
        rules=rules,
        create_rules=not_static,
        warnings=static_warning,
        columns=COLUMNS,
    )
)
