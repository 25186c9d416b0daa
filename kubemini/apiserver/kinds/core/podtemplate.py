"""PodTemplates: pods to be, that nobody makes.

Models k/k pkg/registry/core/podtemplate strategy; k/k pkg/apis/core/validation ValidatePodTemplate;
columns: k/k pkg/printers/internalversion printPodTemplate.
"""

from kubemini.api import kinds
from kubemini.api.objects import Obj, get
from kubemini.apiserver.columns import NAME, Column, pairs
from kubemini.apiserver.columns.workloads import containers
from kubemini.apiserver.rules.causes import Wrong
from kubemini.apiserver.rules.workloads import replicated
from kubemini.apiserver.served import ServedKind, serve


def defaults(obj: Obj) -> Obj:
    """*obj* with every default of its pod."""
    return {**obj, "template": replicated.template_defaults(obj.get("template"))}


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    yield from replicated.pod_template(obj.get("template") or {}, "template")


COLUMNS = (
    NAME,
    Column("Containers", containers("name", "template")),
    Column("Images", containers("image", "template")),
    Column("Pod Labels", lambda obj, now: pairs(get(obj, "template", "metadata", "labels"))),
)
serve(
    ServedKind(
        kinds.KNOWN["v1", "PodTemplate"],
        counted=True,
        counts=lambda obj: obj.get("template"),
        returned=True,
        defaults=defaults,
        rules=rules,
        columns=COLUMNS,
        said=False,
        not_simulated=("template",),
    )
)
