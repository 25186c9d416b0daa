"""IngressClasses.

Models k/k pkg/registry/networking/ingressclass strategy; k/k pkg/apis/networking/validation ValidateIngressClass,
ValidateIngressClassUpdate; defaults: k/k pkg/apis/networking/v1 SetDefaults_IngressClass.
"""

import re
from typing import Any

from kubemini.api import names
from kubemini.api.kinds import INGRESS_CLASS
from kubemini.api.objects import Obj, get
from kubemini.apiserver.columns import AGE, NAME, NONE, Column, at
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
from kubemini.apiserver.rules.filling import filled
from kubemini.apiserver.served import ServedKind, serve

LONGEST_CONTROLLER = 250  # bytes
_PATH = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"
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
    """Models k/apimachinery pkg/util/validation IsDomainPrefixedPath"""
    domain, slash, rest = name.partition("/")
    if not name:
        yield required(path)
        return
    if len(name) > LONGEST_CONTROLLER:
        yield too_long(path, LONGEST_CONTROLLER)
    if not slash or not domain or not rest:
        yield invalid(path, name, 'must be a domain-prefixed path (such as "acme.io/foo")')
    else:
        yield from each(names.dns_subdomain(domain), path, domain)
        if not re.fullmatch(_PATH, rest):
            yield invalid(path, rest, f"Invalid path (regex used for validation is '{_PATH}')")


def _parameters(parameters: Obj, path: str) -> Wrong:
    group, scope = parameters.get("apiGroup"), parameters.get("scope") or ""
    yield from supported(f"{path}.scope", scope, ("Cluster", "Namespace"))
    if group is not None:
        yield from each(names.dns_subdomain(group), f"{path}.apiGroup", group)
    for field in ("kind", "name"):
        value = parameters.get(field) or ""
        if value:
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


def declared(obj: Obj, old: Obj | None) -> Wrong:
    """Parameters name a kind and an object. Only what is new is judged."""
    said = get(obj, "spec", "parameters")
    before = get(old, "spec", "parameters") if old is not None else None
    for field in ("kind", "name") if said is not None else ():
        if not said.get(field) and (before is None or before.get(field)):
            yield required(f"spec.parameters.{field}")


def _name(obj: Obj, now: int) -> str:
    default = get(obj, "metadata", "annotations", DEFAULT) == "true"
    return (get(obj, "metadata", "name") or "") + (" (default)" if default else "")


def _shown_parameters(obj: Obj, now: int) -> str:
    said = get(obj, "spec", "parameters")
    if said is None:
        return NONE
    group = f".{said['apiGroup']}" if said.get("apiGroup") is not None else ""
    return f"{said.get('kind', '')}{group}/{said.get('name', '')}"


COLUMNS = (
    Column("Name", _name, format="name", description=NAME.description),
    Column(
        "Controller", at("spec", "controller"), description="Controller that is responsible for handling this class"
    ),
    Column("Parameters", _shown_parameters, description="A reference to a resource with additional parameters"),
    AGE,
)


def summary(obj: Obj) -> dict[str, Any]:
    """Whose it is, and whether it is the default."""
    default = get(obj, "metadata", "annotations", DEFAULT) == "true"
    return {"controller": get(obj, "spec", "controller") or "", "default": default}


serve(
    ServedKind(
        INGRESS_CLASS,
        acted_on=True,
        counted=True,
        defaults=defaults,
        rules=rules,
        changes=changes,
        declared=declared,
        columns=COLUMNS,
        summary=summary,
    )
)
