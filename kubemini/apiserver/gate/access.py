"""Who asks, and may they? The facts that the pure deciders of decide/access need, out of the watch caches.

Rules come from the caches, as the real server's informers hear of them: a role that was just written counts a moment
later. The authorizers are asked in order, and the first that allows has the word; members of system:masters are never
refused.
Models k/apiserver pkg/authorization/union unionAuthzHandler.Authorize; k/k pkg/kubeapiserver/authorizer Config.New;
k/apiserver pkg/authentication/request/bearertoken Authenticator.AuthenticateRequest.
"""

from collections.abc import Callable, Mapping

from kubemini.api import errors
from kubemini.api.errors import ApiError
from kubemini.api.kinds import KNOWN, NODE, POD, SECRET, Kind
from kubemini.api.objects import Obj
from kubemini.api.timestamps import EPOCH
from kubemini.apiserver.caching import WatchCache
from kubemini.apiserver.decide.access import attributes, escalation, impersonation, nodes, rbac, tokens, users
from kubemini.apiserver.decide.access.attributes import Attributes, Decision
from kubemini.apiserver.decide.access.rbac import GROUP, Roles
from kubemini.apiserver.decide.access.users import MASTERS, NOBODY, UserInfo
from kubemini.apiserver.flags import NODE as NODE_MODE
from kubemini.apiserver.flags import RBAC, Flags
from kubemini.host import Component
from kubemini.sim.units import SECOND

_RBAC = f"{GROUP}/v1"
CLUSTER_ROLE, ROLE = KNOWN[_RBAC, "ClusterRole"], KNOWN[_RBAC, "Role"]
CLUSTER_ROLE_BINDING, ROLE_BINDING = KNOWN[_RBAC, "ClusterRoleBinding"], KNOWN[_RBAC, "RoleBinding"]
RULES = (CLUSTER_ROLE, ROLE, CLUSTER_ROLE_BINDING, ROLE_BINDING)
SERVICE_ACCOUNT = KNOWN["v1", "ServiceAccount"]
VOLUME, ATTACHMENT = KNOWN["v1", "PersistentVolume"], KNOWN["storage.k8s.io/v1", "VolumeAttachment"]
BOUND = {"ServiceAccount": SERVICE_ACCOUNT, "Pod": POD, "Node": NODE, "Secret": SECRET}
ALLOWED = Decision(True)


class Access:
    """What one incarnation of an API server knows of rights."""

    def __init__(self, component: Component, flags: Flags, cache: Callable[[Kind], WatchCache]):
        self.component, self.flags, self.cache = component, flags, cache
        self._heard: tuple[int, ...] = ()
        self._roles = Roles()

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Those whose caches must be filled before anybody is let in."""
        rules = RULES if RBAC in self.flags.authorization else ()
        graph = (POD, VOLUME, ATTACHMENT) if NODE_MODE in self.flags.authorization else ()
        return (*rules, *graph, SERVICE_ACCOUNT) if rules or graph else ()

    # -- who ---------------------------------------------------------------------------------------
    def authenticate(self, headers: Mapping[str, str], certificate: UserInfo | None) -> "UserInfo | ApiError":
        """Who shows this token, or this certificate; nobody, without either; 401 for a token that is not good."""
        if certificate is not None:
            return users.authenticated(certificate)
        scheme, _, rest = headers.get("authorization", "").strip().partition(" ")
        token = rest.partition(" ")[0]
        if scheme.lower() != "bearer" or not token:
            return NOBODY
        found = self.bearer(token)
        return found if isinstance(found, UserInfo) else errors.unauthorized()

    def bearer(self, token: str, audiences: tuple[str, ...] = (tokens.ISSUER,)) -> "UserInfo | str":
        """Whose token it is, or why nobody's."""
        if token in self.flags.tokens:
            return users.authenticated(self.flags.tokens[token])
        claims = tokens.claims_of(token)
        if claims is None:
            return tokens.INVALID
        wrong = tokens.problem(token, claims, self.epoch, self.find, self.flags.service_account_key)
        if wrong and wrong != tokens.INVALID:
            return f"[{tokens.INVALID}, {wrong}]"
        if wrong:
            return wrong
        if "aud" in claims and not set(claims["aud"]) & set(audiences):
            shown = " ".join(f'"{one}"' for one in claims["aud"])
            wanted = " ".join(f'"{one}"' for one in audiences)
            text = f"token audiences [{shown}] is invalid for the target audiences [{wanted}]"
            return f"[{tokens.INVALID}, {text}]"
        return tokens.bearer(claims)

    @property
    def epoch(self) -> int:
        """Seconds of the Unix epoch."""
        return (EPOCH + self.component.sim.wall) // SECOND

    def find(self, kind: str, namespace: str, name: str) -> Obj | None:
        """An object that a token is about, as last heard of."""
        return self.cache(BOUND[kind]).get(namespace, name)

    def impersonated(self, asked: Attributes, headers: Mapping[str, str]) -> "UserInfo | ApiError | None":
        """The user that a request acts as, if its headers ask for another."""
        other = impersonation.wanted(headers)
        if not isinstance(other, UserInfo):
            return other
        return impersonation.become(asked, other, self.authorize)

    # -- may they ----------------------------------------------------------------------------------
    def authorize(self, asked: Attributes) -> Decision:
        """The word of the first authorizer that allows it, else all their reasons."""
        if MASTERS in asked.user.groups or not self.flags.authorization:
            return ALLOWED
        reasons = []
        for mode in self.flags.authorization:
            decision = nodes.authorize(self._bound, asked) if mode == NODE_MODE else rbac.authorize(self.roles(), asked)
            if decision.allowed:
                return decision
            if decision.reason:
                reasons.append(f"{mode.lower()}: {decision.reason}")
        return Decision(False, "\n".join(reasons))

    def roles(self) -> Roles:
        """All rules, as last heard of."""
        caches = [self.cache(kind) for kind in RULES]
        heard = tuple(cache.revision for cache in caches)
        if heard != self._heard:
            self._heard, self._roles = heard, _roles(*(cache.items() for cache in caches))
        return self._roles

    def _bound(self) -> nodes.Bound:
        """What the node authorizer has heard of."""
        role = self.cache(CLUSTER_ROLE).get("", "system:node") or {}
        pods, volumes, attachments = (self.cache(kind).items() for kind in (POD, VOLUME, ATTACHMENT))
        return nodes.Bound(pods, volumes, attachments, role.get("rules") or ())

    # -- nobody grants what he has not -------------------------------------------------------------
    def granted(self, user: UserInfo, kind: Kind, namespace: str, new: Obj, old: Obj | None) -> ApiError | None:
        """Why *user* may not write a role, or a binding: 403, or 404 for a role that is not there."""
        if (
            kind.group != GROUP
            or MASTERS in user.groups
            or not self.flags.authorization
            or escalation.only_fades(new, old)
        ):
            return None
        name = new["metadata"].get("name", "")
        if kind.plural in ("roles", "clusterroles"):
            right = escalation.right_to_escalate(user, kind.plural, namespace, name if old else "")
            why = "" if self.authorize(right).allowed else self._role_refusal(user, namespace, new, old)
        else:
            right = escalation.right_to_bind(user, new["roleRef"], namespace)
            if self.authorize(right).allowed:
                return None
            rules, missing = self.roles().referenced(new["roleRef"], namespace)
            if missing:
                return errors.not_found(kind, new["roleRef"]["name"])
            why = escalation.refusal(self.roles(), user, namespace, rules)
        return attributes.forbidden_object(kind.group, kind.plural, name, why) if why else None

    def _role_refusal(self, user: UserInfo, namespace: str, new: Obj, old: Obj | None) -> str:
        return escalation.role_refusal(self.roles(), user, namespace, new, old)


def _roles(cluster_roles: list[Obj], roles: list[Obj], cluster_bindings: list[Obj], bindings: list[Obj]) -> Roles:
    by_space: dict[str, list[Obj]] = {}
    for binding in bindings:
        by_space.setdefault(binding["metadata"]["namespace"], []).append(binding)
    return Roles(
        {role["metadata"]["name"]: role for role in cluster_roles},
        {(role["metadata"]["namespace"], role["metadata"]["name"]): role for role in roles},
        cluster_bindings,
        by_space,
    )
