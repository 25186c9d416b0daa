"""Roles: what may be done in one namespace.

Models k/k pkg/registry/rbac/role strategy; k/k pkg/apis/rbac/validation ValidateRole.
"""

from kubemini.api import names
from kubemini.api.kinds import KNOWN
from kubemini.apiserver.kinds.rbac.common import GROUP, policy_rules, verbs_are_given
from kubemini.apiserver.served import ServedKind, serve

serve(
    ServedKind(
        KNOWN[f"{GROUP}/v1", "Role"],
        name_rule=names.path_segment,
        created_by_put=True,
        rules=lambda obj: policy_rules(obj, namespaced=True),
        declared=verbs_are_given,
    )
)
