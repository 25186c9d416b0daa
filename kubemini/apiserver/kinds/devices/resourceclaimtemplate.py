"""ResourceClaimTemplates: the claims that pods get, each its own.

Models k/k pkg/registry/resource/resourceclaimtemplate strategy; k/k pkg/apis/resource/validation
ValidateResourceClaimTemplate, ValidateResourceClaimTemplateUpdate.
"""

from kubemini.api.kinds import KNOWN
from kubemini.api.objects import Obj, get
from kubemini.apiserver.columns import AGE, NAME
from kubemini.apiserver.kinds.devices import claims
from kubemini.apiserver.rules import metadata
from kubemini.apiserver.rules.causes import IMMUTABLE, Wrong, invalid
from kubemini.apiserver.rules.gostructs import internal
from kubemini.apiserver.served import ServedKind, serve


def defaults(obj: Obj) -> Obj:
    """*obj* with one device a request."""
    spec = obj.get("spec") or {}
    return {**obj, "spec": {**spec, "spec": claims.with_defaults(spec.get("spec"))}}


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    meta = get(obj, "spec", "metadata") or {}
    yield from metadata.annotations(meta.get("annotations"), "spec.metadata.annotations")
    yield from metadata.label_pairs(meta.get("labels"), "spec.metadata.labels")
    yield from claims.claim(get(obj, "spec", "spec"), "spec.spec")


def changes(new: Obj, old: Obj) -> Wrong:
    """Nothing of it changes."""
    if new.get("spec") != old.get("spec"):
        yield invalid("spec", internal(new.get("spec"), "resource.ResourceClaimTemplateSpec"), IMMUTABLE)


serve(
    ServedKind(
        KNOWN["resource.k8s.io/v1", "ResourceClaimTemplate"],
        returned=True,
        defaults=defaults,
        rules=rules,
        changes=changes,
        columns=(NAME, AGE),
        not_simulated=("spec",),
    )
)
