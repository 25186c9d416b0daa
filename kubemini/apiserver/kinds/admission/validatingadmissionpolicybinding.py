"""ValidatingAdmissionPolicyBindings: where a policy holds, with which parameters, and what follows.

Models k/k pkg/registry/admissionregistration/validatingadmissionpolicybinding strategy; k/k
pkg/apis/admissionregistration/validation ValidateValidatingAdmissionPolicyBinding, validateValidationActions.
"""

from collections.abc import Sequence

from kubemini.api import names
from kubemini.api.kinds import KNOWN
from kubemini.api.objects import Obj, get
from kubemini.apiserver.kinds.admission.matching import GROUP, match_resources, not_static, static_warning
from kubemini.apiserver.kinds.admission.policies import BINDING_COLUMNS, binding_defaults, param_ref
from kubemini.apiserver.rules.causes import Wrong, duplicate, each, invalid, required, supported
from kubemini.apiserver.served import ServedKind, serve

ACTIONS = ("Audit", "Deny", "Warn")
NOT_BOTH = (
    "must not contain both Deny and Warn (repeating the same validation failure information in the API response and "
    "headers serves no purpose)"
)


def rules(obj: Obj) -> Wrong:
    """Every complaint of those that are written by hand."""
    spec = obj.get("spec") or {}
    name = spec.get("policyName") or ""
    if name:
        yield from each(names.dns_subdomain(name), "spec.policyName", name)
    yield from param_ref(spec.get("paramRef"), "spec.paramRef")
    yield from match_resources(spec.get("matchResources"), "spec.matchResources")
    yield from _actions(spec.get("validationActions") or [], "spec.validationActions")


def _actions(found: Sequence[str], path: str) -> Wrong:
    for number, action in enumerate(found):
        yield from supported(f"{path}[{number}]", action, ACTIONS)
        if action in found[:number]:
            yield duplicate(f"{path}[{number}]", action)
    if "Deny" in found and "Warn" in found:
        yield invalid(path, found, NOT_BOTH)


def declared(obj: Obj, old: Obj | None) -> Wrong:
    """There is a policy, and something follows. Only what is new is judged."""
    for field in ("policyName", "validationActions"):
        said = get(obj, "spec", field)
        if not said and (old is None or get(old, "spec", field)):
            yield required(f"spec.{field}")


serve(
    ServedKind(
        KNOWN[f"{GROUP}/v1", "ValidatingAdmissionPolicyBinding"],
        counted=True,
        versioned=True,
        defaults=binding_defaults,
        rules=rules,
        create_rules=not_static,
        declared=declared,
        warnings=static_warning,
        columns=BINDING_COLUMNS,
        not_simulated=("spec",),
    )
)
