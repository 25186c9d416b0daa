"""ValidatingAdmissionPolicy: rules in CEL that a write must keep; a binding says where, and whether to deny or to warn.

Models k/apiserver pkg/admission/plugin/policy/validating Plugin.Validate dispatcher.Dispatch.
"""

from dataclasses import replace

from kubemini.api.errors import ApiError
from kubemini.api.kinds import KNOWN, NAMESPACE, Kind
from kubemini.api.objects import Obj, freeze
from kubemini.apiserver.admission import forbid
from kubemini.apiserver.decide.attributes import Attributes
from kubemini.apiserver.decide.forms.response import json_bytes
from kubemini.apiserver.decide.policies import validating
from kubemini.apiserver.decide.policies.matching import REGISTRATION, is_exempt

NAME = "ValidatingAdmissionPolicy"
FAILURE, MOST = "validation.policy.admission.k8s.io/validation_failure", 50
POLICY = KNOWN[f"{REGISTRATION}/v1", "ValidatingAdmissionPolicy"]
BINDING = KNOWN[f"{REGISTRATION}/v1", "ValidatingAdmissionPolicyBinding"]


def needs(asked: Attributes) -> tuple[Kind, ...]:
    """The policies, their bindings, and the kinds of their parameters, once those are known."""
    if is_exempt(asked.kind):
        return ()
    params = [validating.param_kind(policy["spec"]) for policy in asked.known.items(POLICY)]
    return (POLICY, BINDING, *(kind for kind in params if kind is not None))


def validate(asked: Attributes) -> ApiError | None:
    """The first no of a binding that denies; the others' warnings on the way."""
    if is_exempt(asked.kind):
        return None
    denied, audited = None, []
    policies, bindings = asked.known.items(POLICY), asked.known.items(BINDING)
    for verdict in validating.verdicts(policies, bindings, asked, space_of(asked), asked.may):
        if "Audit" in verdict.actions:
            audited.append(verdict.audited)
        if "Warn" in verdict.actions:
            asked.warn(verdict.warning)
        if "Deny" in verdict.actions and denied is None:
            denied = verdict
    if audited:
        asked.annotate(FAILURE, json_bytes(audited[:MOST]).decode().rstrip())
    if denied is None:
        return None
    refused = forbid(asked, denied.refusal)
    details = freeze({**refused.details, "causes": [{"message": denied.refusal}]})
    return replace(refused, code=validating.CODES.get(denied.reason, 422), reason=denied.reason, details=details)


def space_of(asked: Attributes) -> Obj | None:
    """The Namespace that the object lies in; a Namespace lies in none."""
    if not asked.namespace or asked.kind == NAMESPACE:
        return None
    return asked.space or asked.known.get(NAMESPACE, "", asked.namespace)
