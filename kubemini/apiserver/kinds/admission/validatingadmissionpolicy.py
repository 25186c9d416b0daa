"""ValidatingAdmissionPolicies: rules in CEL that a write must keep.

Models k/k pkg/registry/admissionregistration/validatingadmissionpolicy strategy; k/k
pkg/apis/admissionregistration/validation ValidateValidatingAdmissionPolicy, validateValidation,
validateAuditAnnotation, validateExpressionWarnings.
"""

from collections.abc import Sequence

from kubemini.api import names
from kubemini.api.cel.admission import Named, variables_of
from kubemini.api.kinds import KNOWN
from kubemini.api.objects import Obj, get
from kubemini.apiserver.columns import AGE, NAME, Column, number_of
from kubemini.apiserver.kinds.admission.matching import GROUP, compiles, not_static, static_warning
from kubemini.apiserver.kinds.admission.policies import (
    PARAM_KIND,
    conditions_and_variables,
    policy_defaults,
    policy_rules,
)
from kubemini.apiserver.rules.causes import Wrong, duplicate, each, invalid, required, supported
from kubemini.apiserver.rules.conditions import conditions
from kubemini.apiserver.served import ServedKind, serve

REASONS = ("Forbidden", "Invalid", "RequestEntityTooLarge")
MOST_ANNOTATIONS = 20
LONGEST_VALUE = 5 * 1024  # bytes of an expression
ONE_AT_LEAST = "validations or auditAnnotations must contain at least one item"


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    spec = obj["spec"]
    validations, annotations = spec.get("validations") or (), spec.get("auditAnnotations") or ()
    yield from policy_rules(spec)
    yield from conditions_and_variables(spec)
    if not validations and not annotations:
        for field in ("validations", "auditAnnotations"):
            yield required(f"spec.{field}", ONE_AT_LEAST)
        return
    known = spec.get("paramKind") is not None, variables_of(spec)
    for number, said in enumerate(validations):
        yield from _validation(said, f"spec.validations[{number}]", *known)
    yield from _annotations(annotations, obj["metadata"].get("name", ""), "spec.auditAnnotations", *known)


def _validation(said: Obj, path: str, params: bool, known: Named | None) -> Wrong:
    message, computed = said.get("message") or "", said.get("messageExpression") or ""
    if not (said.get("expression") or "").strip():
        yield required(f"{path}.expression", "expression is not specified")
    else:
        yield from compiles(said["expression"], f"{path}.expression", "bool", params, known)
    if computed and not computed.strip():
        yield invalid(f"{path}.messageExpression", computed, "must be non-empty if specified")
    elif computed:
        yield from compiles(computed, f"{path}.messageExpression", "string", params, known)
    if message and not message.strip():
        yield invalid(f"{path}.message", message, "must be non-empty if specified")
    elif any(character in message.strip() for character in "\n\r"):
        yield invalid(f"{path}.message", message, "must not contain line breaks")
    if said.get("reason") is not None:
        yield from supported(f"{path}.reason", said["reason"], REASONS)


def _annotations(found: Sequence[Obj], name: str, path: str, params: bool, known: Named | None) -> Wrong:
    if len(found) > MOST_ANNOTATIONS:
        yield invalid(path, list(found), f"must not have more than {MOST_ANNOTATIONS} auditAnnotations")
    seen: list[str] = []
    for number, said in enumerate(found):
        where, key, value = f"{path}[{number}]", said.get("key") or "", (said.get("valueExpression") or "").strip()
        if name:
            yield from each(names.qualified_name(f"{name}/{key}"), f"{where}.key", f"{name}/{key}")
        else:
            yield invalid(f"{where}.key", key, "requires metadata.name be non-empty")
        if not value:
            yield required(f"{where}.valueExpression", "valueExpression is not specified")
        elif len(value.encode()) > LONGEST_VALUE:
            yield required(f"{where}.valueExpression", f"must not exceed {LONGEST_VALUE} bytes in length")
        else:
            yield from compiles(said["valueExpression"], f"{where}.valueExpression", "string or null", params, known)
        if key in seen:
            yield duplicate(f"{where}.key", key)
        seen.append(key)


def status_rules(new: Obj, old: Obj) -> Wrong:
    """What the checker of types says, and conditions."""
    for number, told in enumerate(get(new, "status", "typeChecking", "expressionWarnings") or ()):
        path = f"status.typeChecking.expressionWarnings[{number}]"
        if not told.get("warning"):
            yield required(f"{path}.warning")
        if not (told.get("fieldRef") or "").strip():
            yield required(f"{path}.fieldRef")
    yield from conditions(get(new, "status", "conditions") or (), "status.conditions")


COUNTED = "Validations indicates the number of validation rules defined in this configuration"
COLUMNS = (
    NAME,
    Column("Validations", number_of("spec", "validations"), type="integer", description=COUNTED),
    PARAM_KIND,
    AGE,
)
serve(
    ServedKind(
        KNOWN[f"{GROUP}/v1", "ValidatingAdmissionPolicy"],
        subresources=("status",),
        counted=True,
        versioned=True,
        defaults=policy_defaults,
        rules=rules,
        create_rules=not_static,
        status_rules=status_rules,
        warnings=static_warning,
        first_status=lambda obj: {},
        columns=COLUMNS,
    )
)
