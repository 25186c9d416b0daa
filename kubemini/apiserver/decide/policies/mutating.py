"""MutatingAdmissionPolicy: what its bindings make of the object of a write.

Models k/apiserver pkg/admission/plugin/policy/mutating dispatcher.dispatchInvocations,
pkg/admission/plugin/policy/mutating/patch applyConfigPatcher.Patch jsonPatcher.Patch.
Simplified: no policy is asked a second time after others have changed the object.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from kubemini.api.cel.values import CelError
from kubemini.api.kinds import Kind
from kubemini.api.objects import Obj, freeze, get, thaw
from kubemini.api.patch import jsonpatch, typed
from kubemini.api.patch.published import shape_of
from kubemini.apiserver.decide.attributes import Attributes
from kubemini.apiserver.decide.policies import rules
from kubemini.apiserver.decide.policies.matching import matches
from kubemini.apiserver.decide.policies.rules import Scene
from kubemini.apiserver.decide.policies.validating import ConfigError, May, params
from kubemini.apiserver.decide.strategy import default


class Refused(Exception):
    """A change that cannot be made, by a policy that insists."""


def mutated(
    policies: Iterable[Obj], bindings: Iterable[Obj], asked: Attributes, space: Obj | None, may: May | None
) -> "Obj | None":
    """The object after all policies, by their names. Raises Refused."""
    bound = list(bindings)
    for policy in policies:
        name = policy["metadata"]["name"]
        for binding in (one for one in bound if get(one, "spec", "policyName") == name):
            constraints, where = policy["spec"].get("matchConstraints"), get(binding, "spec", "matchResources")
            if asked.obj is not None and matches(constraints, asked, space) and matches(where, asked, space):
                asked = replace(asked, obj=_by_binding(policy, binding, asked, space, may))
    return asked.obj


def _by_binding(policy: Obj, binding: Obj, asked: Attributes, space: Obj | None, may: May | None) -> Obj:
    spec, obj = policy["spec"], asked.obj
    assert obj is not None, "nobody changes what is deleted"
    start = f"policy '{policy['metadata']['name']}' with binding '{binding['metadata']['name']}' denied request"
    try:
        for param in params(spec, binding["spec"].get("paramRef"), asked):
            seen = rules.scene(spec, replace(asked, obj=obj), space, param, may)
            if rules.unmet(spec.get("matchConditions"), seen):
                continue
            for mutation in spec.get("mutations") or ():
                seen = rules.scene(spec, replace(asked, obj=obj), space, param, may)
                obj = default(freeze(_patched(obj, mutation, seen, asked.kind)), asked.kind)
    except (CelError, ConfigError, jsonpatch.PatchError, typed.TypedError) as error:
        if spec.get("failurePolicy") != "Ignore":
            text = f"failed to configure binding: {error}" if isinstance(error, ConfigError) else str(error)
            raise Refused(f"{start}: {text}") from None
    return obj


def _patched(obj: Obj, mutation: Mapping[str, Any], seen: Scene, kind: Kind) -> Any:
    type = mutation["patchType"]
    if type == "JSONPatch":
        steps = seen.run(mutation["jsonPatch"]["expression"].strip(), type)
        return jsonpatch.apply(thaw(obj), steps)
    config = seen.run(mutation["applyConfiguration"]["expression"].strip(), type)
    named = {"apiVersion": kind.api_version, "kind": kind.kind, **config}
    return typed.merge(thaw(obj), named, shape_of(kind.api_version, kind.kind, kind.structural))
