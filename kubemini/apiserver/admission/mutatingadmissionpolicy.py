"""MutatingAdmissionPolicy: changes in CEL that a write is given, without any program outside of the server.

Models k/apiserver pkg/admission/plugin/policy/mutating Plugin.Admit, pkg/admission/plugin/policy/generic PolicyError.
"""

from dataclasses import replace

from kubemini.api.errors import ApiError
from kubemini.api.kinds import KNOWN, Kind
from kubemini.api.objects import Obj, freeze
from kubemini.apiserver.admission import forbid
from kubemini.apiserver.admission.validatingadmissionpolicy import space_of
from kubemini.apiserver.decide.attributes import DELETE, Attributes
from kubemini.apiserver.decide.policies import mutating, validating
from kubemini.apiserver.decide.policies.matching import REGISTRATION, is_exempt

NAME = "MutatingAdmissionPolicy"
POLICY = KNOWN[f"{REGISTRATION}/v1", "MutatingAdmissionPolicy"]
BINDING = KNOWN[f"{REGISTRATION}/v1", "MutatingAdmissionPolicyBinding"]


def needs(asked: Attributes) -> tuple[Kind, ...]:
    """The policies, their bindings, and the kinds of their parameters, once those are known."""
    if is_exempt(asked.kind) or asked.operation == DELETE:
        return ()
    params = [validating.param_kind(policy["spec"]) for policy in asked.known.items(POLICY)]
    return (POLICY, BINDING, *(kind for kind in params if kind is not None))


def admit(asked: Attributes) -> "Obj | ApiError | None":
    """The object after all changes, or why one could not be made."""
    if asked.obj is None or is_exempt(asked.kind):
        return asked.obj
    policies, bindings = asked.known.items(POLICY), asked.known.items(BINDING)
    try:
        return mutating.mutated(policies, bindings, asked, space_of(asked), asked.may)
    except mutating.Refused as error:
        refused = forbid(asked, str(error))
        details = freeze({**refused.details, "causes": [{"message": str(error)}]})
        return replace(refused, code=422, reason="Invalid", details=details)
