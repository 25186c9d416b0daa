"""RoleBindings: who has a role, in one namespace.

Models k/k pkg/registry/rbac/rolebinding strategy; k/k pkg/apis/rbac/validation ValidateRoleBinding,
ValidateRoleBindingUpdate.
"""

from kubemini.api import names
from kubemini.api.kinds import KNOWN
from kubemini.apiserver.kinds.rbac.common import (
    BINDING_COLUMNS,
    GROUP,
    all_are_named,
    binding_defaults,
    binding_rules,
    role_stays,
)
from kubemini.apiserver.served import ServedKind, serve

serve(
    ServedKind(
        KNOWN[f"{GROUP}/v1", "RoleBinding"],
        name_rule=names.path_segment,
        created_by_put=True,
        defaults=binding_defaults,
        rules=binding_rules(("Role", "ClusterRole"), namespaced=True),
        changes=role_stays,
        declared=all_are_named,
        columns=BINDING_COLUMNS,
    )
)
