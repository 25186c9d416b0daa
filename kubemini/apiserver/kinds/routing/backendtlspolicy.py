"""BackendTLSPolicies: a custom resource of Gateway API.

Models kubernetes-sigs/gateway-api apis/v1 BackendTLSPolicySpec, BackendTLSPolicyValidation, SubjectAltName; its CRD of
release 1.5.1 and the rules in CEL there.
"""

from collections.abc import Sequence
from typing import Any

from kubemini.api.kinds import BACKEND_TLS_POLICY
from kubemini.api.objects import Obj, get
from kubemini.apiserver.rules import customresource
from kubemini.apiserver.rules.causes import Wrong, indexed
from kubemini.apiserver.rules.customresource import says
from kubemini.apiserver.served import ServedKind, serve

TAIL = "when targetRefs includes 2 or more references to the same target"
FIELDS = {"Hostname": "hostname", "URI": "uri"}


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    yield from customresource.complaints(obj, _cel)


def _cel(obj: Obj) -> Wrong:
    spec = obj["spec"]
    yield from _targets(spec["targetRefs"], "spec.targetRefs")
    path, wanted = "spec.validation", spec["validation"]
    named, known = bool(wanted.get("caCertificateRefs")), bool(wanted.get("wellKnownCACertificates"))
    if named and known:
        yield says(path, "must not contain both CACertificateRefs and WellKnownCACertificates")
    if not named and not known:
        yield says(path, "must specify either CACertificateRefs or WellKnownCACertificates")
    yield from indexed(wanted.get("subjectAltNames"), f"{path}.subjectAltNames", _name)


def _targets(refs: Sequence[Obj], path: str) -> Wrong:
    """Two references to the same target name different sections of it."""
    for ref in refs:
        same = [r for r in refs if all(r[key] == ref[key] for key in ("group", "kind", "name"))]
        sections = [r.get("sectionName") or "" for r in same]
        if any(sections) and not all(sections):
            yield says(path, f"sectionName must be specified {TAIL}")
            return
    for ref in refs:
        key = [ref.get(field) or "" for field in ("group", "kind", "name", "sectionName")]
        if sum([r.get(field) or "" for field in ("group", "kind", "name", "sectionName")] == key for r in refs) > 1:
            yield says(path, f"sectionName must be unique {TAIL}")
            return


def _name(name: Obj, path: str) -> Wrong:
    for kind, field in FIELDS.items():
        if name["type"] == kind and not name.get(field):
            yield says(path, f"SubjectAltName element must contain {kind}, if Type is set to {kind}")
        if name["type"] != kind and name.get(field):
            yield says(path, f"SubjectAltName element must not contain {kind}, if Type is not set to {kind}")


def summary(obj: Obj) -> dict[str, Any]:
    """Which Services it is for, and the name that their certificates must have."""
    targets = [ref["name"] for ref in get(obj, "spec", "targetRefs") or ()]
    return {"targets": ", ".join(targets), "hostname": get(obj, "spec", "validation", "hostname") or ""}


serve(
    ServedKind(
        BACKEND_TLS_POLICY,
        subresources=("status",),
        counted=True,
        defaults=customresource.defaults,
        rules=rules,
        summary=summary,
    )
)
