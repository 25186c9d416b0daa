"""ClusterRoles: what may be done everywhere, or in the namespace of a binding.

Models k/k pkg/registry/rbac/clusterrole strategy; k/k pkg/apis/rbac/validation ValidateClusterRole.
"""

from kubemini.api import names
from kubemini.api.kinds import KNOWN
from kubemini.api.objects import Obj
from kubemini.apiserver.kinds.rbac.common import GROUP, policy_rules, verbs_are_given
from kubemini.apiserver.rules.causes import Wrong, indexed, invalid, required
from kubemini.apiserver.rules.metadata import label_selector
from kubemini.apiserver.served import ServedKind, serve

NO_SELECTOR = "at least one clusterRoleSelector required if aggregationRule is non-nil"


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    yield from policy_rules(obj, namespaced=False)
    if obj.get("aggregationRule") is None:
        return
    selectors, path = obj["aggregationRule"].get("clusterRoleSelectors"), "aggregationRule.clusterRoleSelectors"
    if not selectors:
        yield required(path, NO_SELECTOR)
    yield from indexed(selectors, path, _selector)


def _selector(selector: Obj, path: str) -> Wrong:
    wrong = [*label_selector(selector, path)]
    yield from wrong
    if wrong:
        yield invalid(path, None, "invalid label selector.")


serve(
    ServedKind(
        KNOWN[f"{GROUP}/v1", "ClusterRole"],
        name_rule=names.path_segment,
        created_by_put=True,
        rules=rules,
        declared=verbs_are_given,
    )
)
