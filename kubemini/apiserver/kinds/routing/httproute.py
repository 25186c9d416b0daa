"""HTTPRoutes: a custom resource of Gateway API.

Models kubernetes-sigs/gateway-api apis/v1 HTTPRouteSpec, HTTPRouteRule, HTTPPathMatch, HTTPRouteFilter; its CRD of
release 1.5.1 and the rules in CEL there.
Simplified: of the rules in CEL those about paths, filters, redirects, time-outs, back ends and parents.
"""

import re
from collections.abc import Sequence
from typing import Any

from kubemini.api.kinds import HTTP_ROUTE
from kubemini.api.objects import Obj, get
from kubemini.apiserver.rules import customresource
from kubemini.apiserver.rules.causes import Wrong, indexed
from kubemini.apiserver.rules.customresource import says
from kubemini.apiserver.served import ServedKind, serve

LITERAL = " when type one of ['Exact', 'PathPrefix']"
CHARACTERS = r"^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$"
ONCE = ("RequestHeaderModifier", "ResponseHeaderModifier", "RequestRedirect", "URLRewrite")
PART = re.compile(r"(\d+)(h|ms|m|s)")
MILLISECONDS = {"h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    yield from customresource.complaints(obj, _cel)


def _cel(obj: Obj) -> Wrong:
    yield from parents(obj["spec"].get("parentRefs") or (), "spec.parentRefs")
    yield from indexed(obj["spec"].get("rules"), "spec.rules", _rule)


def parents(refs: Sequence[Obj], path: str) -> Wrong:
    """Two references to the same parent name different sections of it."""
    for ref in refs:
        key = [ref.get(field) for field in ("group", "kind", "name", "namespace")]
        same = [r for r in refs if [r.get(field) for field in ("group", "kind", "name", "namespace")] == key]
        sections = [r.get("sectionName") or "" for r in same]
        tail = "when parentRefs includes 2 or more references to the same parent"
        if len(same) > 1 and any(sections) and not all(sections):
            yield says(path, f"sectionName must be specified {tail}")
            return
        if len(set(sections)) < len(sections):
            yield says(path, f"sectionName must be unique {tail}")
            return


def _rule(rule: Obj, path: str) -> Wrong:
    filters = rule.get("filters") or ()
    if rule.get("backendRefs") and any("requestRedirect" in one for one in filters):
        yield says(path, "RequestRedirect filter must not be used together with backendRefs")
    yield from _prefix(rule, filters, path)
    for kind in ONCE:
        if sum(one["type"] == kind for one in filters) > 1:
            yield says(f"{path}.filters", f"{kind} filter cannot be repeated")
    yield from indexed(filters, f"{path}.filters", _filter)
    for number, match in enumerate(rule.get("matches") or ()):
        yield from _path(match.get("path") or {}, f"{path}.matches[{number}].path")
    yield from backends(rule.get("backendRefs") or (), f"{path}.backendRefs")
    limits = rule.get("timeouts") or {}
    whole, once = (_milliseconds(limits.get(field) or "0s") for field in ("request", "backendRequest"))
    if whole and once > whole:
        yield says(f"{path}.timeouts", "backendRequest timeout cannot be longer than request timeout")


def _milliseconds(text: str) -> int:
    return sum(int(part[1]) * MILLISECONDS[part[2]] for part in PART.finditer(text))


def _prefix(rule: Obj, filters: Sequence[Obj], path: str) -> Wrong:
    """What replaces a prefix needs one to replace."""
    matches: Sequence[Obj] = rule.get("matches") or ()
    single = len(matches) == 1 and get(matches[0], "path", "type") == "PathPrefix"
    for kind, field in (("RequestRedirect", "requestRedirect"), ("URLRewrite", "urlRewrite")):
        replaces = any(get(one, field, "path", "type") == "ReplacePrefixMatch" for one in filters)
        if replaces and not single:
            text = (
                f"When using {kind} filter with path.replacePrefixMatch, exactly one PathPrefix match must be specified"
            )
            yield says(path, text)


def _filter(one: Obj, path: str) -> Wrong:
    field = one["type"][0].lower() + one["type"][1:]
    field = {"uRLRewrite": "urlRewrite", "cORS": "cors"}.get(field, field)
    if field not in one:
        yield says(path, f"filter.{field} must be specified for {one['type']} filter.type")
    for holder in ("requestRedirect", "urlRewrite"):
        change = get(one, holder, "path")
        for kind, value in (("ReplaceFullPath", "replaceFullPath"), ("ReplacePrefixMatch", "replacePrefixMatch")):
            if change and change["type"] == kind and value not in change:
                yield says(f"{path}.{holder}.path", f"{value} must be specified when type is set to '{kind}'")


def _path(match: Obj, path: str) -> Wrong:
    value = match.get("value") or ""
    if match.get("type") not in ("Exact", "PathPrefix"):
        return
    if not value.startswith("/"):
        yield says(path, "value must be an absolute path and start with '/'" + LITERAL)
    for text in ("//", "/./", "/../", "%2f", "%2F", "#"):
        if text in value:
            yield says(path, f"must not contain '{text}'" + LITERAL)
    for text in ("/..", "/."):
        if value.endswith(text):
            yield says(path, f"must not end with '{text}'" + LITERAL)
    if not re.search(CHARACTERS, value):
        yield says(
            path, f"must only contain valid characters (matching {CHARACTERS}) for types ['Exact', 'PathPrefix']"
        )


def backends(refs: Sequence[Obj], path: str) -> Wrong:
    """A Service is named with a port."""
    for number, ref in enumerate(refs):
        if (ref.get("group"), ref.get("kind")) == ("", "Service") and "port" not in ref:
            yield says(f"{path}[{number}]", "Must have port for Service reference")


def summary(obj: Obj) -> dict[str, Any]:
    """Its hostnames and parents."""
    refs = [ref["name"] for ref in get(obj, "spec", "parentRefs") or ()]
    return {"hosts": ", ".join(get(obj, "spec", "hostnames") or ()), "parents": ", ".join(refs)}


serve(
    ServedKind(
        HTTP_ROUTE,
        acted_on=True,
        subresources=("status",),
        counted=True,
        defaults=customresource.defaults,
        rules=rules,
        summary=summary,
    )
)
