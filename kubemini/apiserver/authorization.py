"""Who may do what: all are trusted, once the server knows the rules; until then only administrators and nodes are.

A server that has just begun to listen has not read the rules of RBAC yet, so whoever lives by them is refused: the
balancer's check, which comes without a name, and the managers.
Models k/k plugin/pkg/auth/authorizer/rbac RBACAuthorizer.Authorize, k/apiserver pkg/endpoints/handlers/responsewriters
Forbidden.
Simplified: no roles and bindings; once they are known, they allow everything.
"""

from kubemini.api import errors
from kubemini.api.errors import ApiError
from kubemini.apiserver.decide.request import RequestInfo

NODE = "system:node:"  # the Node authorizer speaks for these


def needs_rules(user: str) -> bool:
    """Whether *user* may only do what RBAC allows; all others are administrators (group system:masters)."""
    return user.startswith("system:") and not user.startswith(NODE)


def refused(info: RequestInfo, user: str) -> ApiError:
    """The answer to *user* while there are no rules."""
    kind = info.kind
    if kind is None:
        return ApiError(403, "Forbidden", f'forbidden: User "{user}" cannot {info.verb} path "{info.path}"')
    return errors.not_permitted(user, info.verb, kind, info.namespace, info.name, info.subresource)
