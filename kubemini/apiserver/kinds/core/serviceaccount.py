"""ServiceAccounts: who a pod's programs are.

Models k/k pkg/registry/core/serviceaccount strategy; columns: k/k pkg/printers/internalversion printServiceAccount.
"""

from kubemini.api import kinds
from kubemini.api.objects import Obj, evolve
from kubemini.apiserver.columns import AGE, NAME
from kubemini.apiserver.served import ServedKind, serve

ENFORCED = "kubernetes.io/enforce-mountable-secrets"
BLANK: Obj = {"metadata": {}}
SECRETS = (
    "metadata.annotations[{}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets"
)


def bare(obj: Obj) -> Obj:
    """*obj* with nothing but the names of its secrets."""
    if not obj.get("secrets"):
        return obj
    return evolve(obj, ("secrets",), [{key: s[key] for key in ("name",) if key in s} for s in obj["secrets"]])


def warnings(new: Obj, old: Obj | None) -> list[str]:
    """What its writer is warned of, once."""
    enforced, before = (ENFORCED in (o["metadata"].get("annotations") or {}) for o in (new, old or BLANK))
    return [SECRETS.format(ENFORCED)] if enforced and not before else []


serve(
    ServedKind(
        kinds.KNOWN["v1", "ServiceAccount"],
        subresources=("token",),
        returned=True,
        begun=lambda obj, now: bare(obj),
        prepare=lambda new, old: bare(new),
        warnings=warnings,
        columns=(NAME, AGE),
        said=False,
        not_simulated=("secrets", "imagePullSecrets"),
    )
)
