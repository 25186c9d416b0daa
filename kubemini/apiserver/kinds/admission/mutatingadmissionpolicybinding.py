"""MutatingAdmissionPolicyBindings: where a policy changes what is written, and with which parameters.

Models k/k pkg/registry/admissionregistration/mutatingadmissionpolicybinding strategy; k/k
pkg/apis/admissionregistration/validation ValidateMutatingAdmissionPolicyBinding.
"""

from kubemini.api import names
from kubemini.api.kinds import KNOWN
from kubemini.api.objects import Obj
from kubemini.apiserver.kinds.admission.matching import GROUP, match_resources, not_static, static_warning
from kubemini.apiserver.kinds.admission.mutatingadmissionpolicy import only_mutable
from kubemini.apiserver.kinds.admission.policies import BINDING_COLUMNS, binding_defaults, param_ref
from kubemini.apiserver.rules.causes import Wrong, each, required
from kubemini.apiserver.served import ServedKind, serve


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    spec = obj.get("spec") or {}
    name = spec.get("policyName") or ""
    if not name:
        yield required("spec.policyName")
    else:
        yield from each(names.dns_subdomain(name), "spec.policyName", name)
    yield from param_ref(spec.get("paramRef"), "spec.paramRef")
    yield from match_resources(spec.get("matchResources"), "spec.matchResources")
    yield from only_mutable(spec, "matchResources")


serve(
    ServedKind(
        KNOWN[f"{GROUP}/v1", "MutatingAdmissionPolicyBinding"],
        counted=True,
        versioned=True,
        defaults=binding_defaults,
        rules=rules,
        create_rules=not_static,
        warnings=static_warning,
        columns=BINDING_COLUMNS,
        not_simulated=("spec",),
    )
)
