"""IngressClasses.

Models k/k pkg/registry/networking/ingressclass strategy; k/k pkg/apis/networking/validation ValidateIngressClass,
ValidateIngressClassUpdate; defaults: k/k pkg/apis/networking/v1 SetDefaults_IngressClass.
"""

import re
from typing import Any

from kubemini.api import names
from kubemini.api.kinds import INGRESS_CLASS
from kubemini.api.objects import Obj, get
from kubemini.apiserver.rules.causes import (
    IMMUTABLE,
    Wrong,
    each,
    forbidden,
    invalid,
    required,
    supported,
    too_long,
)
from kubemini.apiserver.rules.containers import filled
from kubemini.apiserver.served import ServedKind, serve

LONGEST_CONTROLLER = 250  # bytes
DEFAULT = "ingressclass.kubernetes.io/is-default-class"


def defaults(obj: Obj) -> Obj:
    """*obj* with a scope for its parameters."""
    parameters = get(obj, "spec", "parameters")
    if not parameters:
        return obj
    return {**obj, "spec": {**obj["spec"], "parameters": filled(parameters, scope="Cluster")}}


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    spec = obj.get("spec") or {}
    yield from _controller(spec.get("controller") or "", "spec.controller")
    if spec.get("parameters") is not None:
        yield from _parameters(spec["parameters"], "spec.parameters")


def _controller(name: str, path: str) -> Wrong:
    """Models k/k staging/src/k8s.io/apimachinery/pkg/util/validation IsDomainPrefixedPath"""
    domain, slash, rest = name.partition("/")
    if not name:
        yield required(path)
    elif len(name) > LONGEST_CONTROLLER:
        yield too_long(path, LONGEST_CONTROLLER)
    elif not slash or not domain or not rest:
        yield invalid(path, name, 'must be a domain-prefixed path (such as "acme.io/foo")')
    else:
        yield from each(names.dns_subdomain(domain), path, domain)
        if not re.fullmatch(r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+", rest):
            yield invalid(path, rest, "Invalid path")


def _parameters(parameters: Obj, path: str) -> Wrong:
    group, scope = parameters.get("apiGroup"), parameters.get("scope") or ""
    yield from supported(f"{path}.scope", scope, ("Cluster", "Namespace"))
    if group is not None:
        yield from each(names.dns_subdomain(group), f"{path}.apiGroup", group)
    for field in ("kind", "name"):
        value = parameters.get(field) or ""
        if not value:
            yield required(f"{path}.{field}")
        else:
            yield from each(names.path_segment(value), f"{path}.{field}", value)
    namespace = parameters.get("namespace")
    if scope == "Namespace" and not namespace:
        yield required(f"{path}.namespace", "`parameters.scope` is set to 'Namespace'")
    elif scope == "Namespace":
        yield from each(names.dns_label(namespace or ""), f"{path}.namespace", namespace)
    elif scope == "Cluster" and namespace is not None:
        yield forbidden(f"{path}.namespace", "`parameters.scope` is set to 'Cluster'")


def changes(new: Obj, old: Obj) -> Wrong:
    """Its controller stays."""
    said, was = get(new, "spec", "controller"), get(old, "spec", "controller")
    if said != was:
        yield invalid("spec.controller", said, IMMUTABLE)


def summary(obj: Obj) -> dict[str, Any]:
    """Whose it is, and whether it is the default."""
    default = get(obj, "metadata", "annotations", DEFAULT) == "true"
    return {"controller": get(obj, "spec", "controller") or "", "default": default}


serve(
    ServedKind(
        INGRESS_CLASS, acted_on=True, counted=True, defaults=defaults, rules=rules, changes=changes, summary=summary
    )
)
