"""What the policies of both kinds share, and what their bindings share.

Models k/k pkg/apis/admissionregistration/validation validateParamKind, validateParamRef, validateVariable,
validateValidationActions; defaults: k/k pkg/apis/admissionregistration/v1
SetDefaults_ValidatingAdmissionPolicySpec.
"""

import re
from typing import Any

from kubemini.api import labels, names
from kubemini.api.cel.admission import Named, variables_of
from kubemini.api.objects import Obj, get
from kubemini.apiserver.columns import AGE, NAME, UNSET, Column, at
from kubemini.apiserver.kinds.admission.matching import (
    FAILURE,
    compiles,
    match_conditions,
    match_defaults,
    match_resources,
)
from kubemini.apiserver.rules.causes import Wrong, each, forbidden, invalid, required, supported
from kubemini.apiserver.rules.filling import unset
from kubemini.apiserver.rules.metadata import label_selector

ONE_OF = "name and selector are mutually exclusive"
ACTIONS = ("Deny", "Allow")
RESERVED = (
    *("true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import"),
    *("let", "loop", "package", "namespace", "return", "var", "void", "while"),
)


def policy_defaults(obj: Obj) -> Obj:
    """*obj* with what becomes of a failure, and what it matches."""
    spec = unset(obj.get("spec"), failurePolicy="Fail")
    if spec.get("matchConstraints") is not None:
        spec["matchConstraints"] = match_defaults(spec["matchConstraints"])
    return {**obj, "spec": spec}


def binding_defaults(obj: Obj) -> Obj:
    """*obj* with what it matches."""
    spec = obj.get("spec") or {}
    if spec.get("matchResources") is None:
        return obj
    return {**obj, "spec": {**spec, "matchResources": match_defaults(spec["matchResources"])}}


# -- policies ----------------------------------------------------------------------------------------


def policy_rules(spec: Obj) -> Wrong:
    """Every complaint about what policies share, but for their variables."""
    yield from supported("spec.failurePolicy", spec["failurePolicy"], FAILURE)
    if spec.get("paramKind") is not None:
        yield from _param_kind(spec["paramKind"], "spec.paramKind")
    constraints = spec.get("matchConstraints")
    if constraints is None:
        yield required("spec.matchConstraints")
    else:
        yield from match_resources(constraints, "spec.matchConstraints")
        if not constraints.get("resourceRules"):
            yield required("spec.matchConstraints.resourceRules")


def conditions_and_variables(spec: Obj) -> Wrong:
    """What must hold, and what expressions may name."""
    params = spec.get("paramKind") is not None
    yield from match_conditions(spec.get("matchConditions"), "spec.matchConditions", params)
    known = variables_of(spec) or ()
    for number, said in enumerate(spec.get("variables") or ()):
        yield from _variable(said, f"spec.variables[{number}]", params, known[:number])


def _param_kind(said: Obj, path: str) -> Wrong:
    version, kind = said.get("apiVersion") or "", said.get("kind") or ""
    if not version:
        yield required(f"{path}.apiVersion")
    elif version.count("/") > 1:
        yield invalid(f"{path}.apiVersion", version, f"unexpected GroupVersion string: {version}")
    else:
        yield from _group_version(version, f"{path}.apiVersion")
    if not kind:
        yield required(f"{path}.kind")
    elif wrong := names.dns1035_label(kind.lower()):
        text = "may have mixed case, but should otherwise match: " + ",".join(wrong)
        yield invalid(f"{path}.kind", kind, text)


def _group_version(said: str, path: str) -> Wrong:
    group, _, version = said.rpartition("/")
    if group and (wrong := names.dns_subdomain(group)):
        yield invalid(path, group, ",".join(wrong))
    if not version:
        yield invalid(path, said, "version must be specified")
    elif wrong := names.dns1035_label(version):
        yield invalid(path, version, ",".join(wrong))


def _variable(said: Obj, path: str, params: bool, before: Named) -> Wrong:
    name = said.get("name") or ""
    if not name.strip():
        yield required(f"{path}.name", "name is not specified")
    elif not re.fullmatch("[_a-zA-Z][_a-zA-Z0-9]*", name) or name in RESERVED:
        yield invalid(f"{path}.name", name, "must be a valid CEL identifier")
    if not (said.get("expression") or "").strip():
        yield required(f"{path}.expression", "expression is not specified")
    else:
        yield from compiles(said["expression"], f"{path}.expression", "", params, before)


# -- bindings ----------------------------------------------------------------------------------------


def param_ref(said: Obj | None, path: str) -> Wrong:
    """Which parameters a policy is bound with: one by its name, or all that a selector picks."""
    if said is None:
        return
    name, selector, action = said.get("name") or "", said.get("selector"), said.get("parameterNotFoundAction")
    if name:
        yield from each(names.path_segment(name), f"{path}.name", name)
        if selector is not None:
            yield forbidden(f"{path}.name", ONE_OF)
    if selector is not None:
        yield from label_selector(selector, f"{path}.selector")
        if name:
            yield forbidden(f"{path}.selector", ONE_OF)
    if not name and selector is None:
        yield required(path, "one of name or selector must be specified")
    if not action:
        yield required(f"{path}.parameterNotFoundAction")
    else:
        yield from supported(f"{path}.parameterNotFoundAction", action, ACTIONS)


# -- columns -----------------------------------------------------------------------------------------


def _kind_of_params(obj: Obj, now: int) -> str:
    kind = get(obj, "spec", "paramKind")
    return UNSET if kind is None else f"{kind.get('apiVersion', '')}/{kind.get('kind', '')}"


def _params(obj: Obj, now: int) -> Any:
    said = get(obj, "spec", "paramRef") or {}
    if said.get("name"):
        return f"{said.get('namespace') or '*'}/{said['name']}"
    selector = said.get("selector")
    return UNSET if selector is None else labels.as_go_prints(selector)


PARAM_KIND = Column(
    "ParamKind",
    _kind_of_params,
    description="ParamKind specifies the kind of resources used to parameterize this policy",
)
BINDING_COLUMNS = (
    NAME,
    Column(
        "PolicyName",
        at("spec", "policyName"),
        description="PolicyName indicates the policy definition which the policy binding binded to",
    ),
    Column(
        "ParamRef",
        _params,
        description="ParamRef indicates the param resource which sets the configuration param",
    ),
    AGE,
)
