"""Acting as another: what the headers ask for, and which rights that takes. Pure.

There are five ways (modes). Four are constrained: they take the right to be somebody, and beside it the right to do
just this as somebody (`impersonate-on:MODE:VERB`); each is for one kind of user. The last, the old way, takes only the
verb `impersonate`. They are tried in order; when none is allowed, the first refusal is the answer.
Models k/apiserver pkg/endpoints/filters/impersonation processImpersonationHeaders impersonationModesTracker
constrainedImpersonationModeState.check impersonationModeState.check validateExtra.
Simplified: nothing is remembered from one request to the next, which changes only how often authorizers are asked.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import unquote

from kubemini.api import errors, names
from kubemini.api.errors import ApiError
from kubemini.apiserver.decide.access.attributes import Attributes, Decision, forbidden
from kubemini.apiserver.decide.access.users import (
    ANONYMOUS,
    AUTHENTICATED,
    MASTERS,
    NODES,
    UNAUTHENTICATED,
    UserInfo,
    names_node,
    service_account_groups,
    split_service_account,
)

USER, UID, GROUP, EXTRA = "impersonate-user", "impersonate-uid", "impersonate-group", "impersonate-extra-"
AUTHENTICATION = "authentication.k8s.io"
NODE_KEY = "authentication.kubernetes.io/node-name"
KEYS_KEY = "authentication.kubernetes.io/associated-node-keys"
MANY = 4  # so many checks of one kind, and a star is tried first
REPEATED = "\n"  # between the values of a header that came more than once
Authorize = Callable[[Attributes], Decision]


def wanted(headers: Mapping[str, str]) -> "UserInfo | ApiError | None":
    """Whom the headers ask to be; None: nobody else; 400 if it is not said who."""
    name, uid = headers.get(USER, ""), headers.get(UID, "")
    groups = tuple(headers[GROUP].split(REPEATED)) if GROUP in headers else ()
    extra = {
        unquote(key.removeprefix(EXTRA)): tuple(value.split(REPEATED))
        for key, value in headers.items()
        if key.startswith(EXTRA)
    }
    if name:
        return UserInfo(name, groups, uid, extra)
    if not (uid or groups or extra):
        return None
    return errors.bad_request(f"requested {_go(uid, groups, extra)} without impersonating a user name")


def _go(uid: str, groups: tuple[str, ...], extra: Mapping[str, tuple[str, ...]]) -> str:
    """A user as Go's %#v shows it."""
    shown_groups = "[]string{" + ", ".join(f'"{one}"' for one in groups) + "}" if groups else "[]string(nil)"
    pairs = ", ".join(
        f'"{key}":[]string{{' + ", ".join(f'"{one}"' for one in values) + "}" for key, values in sorted(extra.items())
    )
    shown_extra = f"map[string][]string{{{pairs}}}" if extra else "map[string][]string(nil)"
    return f'&user.DefaultInfo{{Name:"", UID:"{uid}", Groups:{shown_groups}, Extra:{shown_extra}}}'


def become(asked: Attributes, other: UserInfo, authorize: Authorize) -> "UserInfo | ApiError":
    """The user that *asked*.user acts as from now on, or 403."""
    first: ApiError | None = None
    for mode in (_associated_node, _arbitrary_node, _service_account, _user_info, _legacy):
        found = mode(asked, other, authorize)
        if isinstance(found, UserInfo):
            return found
        first = first or found
    assert first is not None, "the old way applies to everybody"
    return first


# -- the modes ---------------------------------------------------------------------------------------------------------


def _associated_node(asked: Attributes, other: UserInfo, authorize: Authorize) -> "UserInfo | ApiError | None":
    """A service account whose pod runs on the node."""
    me = asked.user
    here = me.extra.get(NODE_KEY, ())
    if not _only_name(other) or split_service_account(me.name) is None or names_node(other.name) is None:
        return None
    if len(here) != 1 or here[0] != names_node(other.name):
        return None
    nobody = replace(me, extra={KEYS_KEY: tuple(sorted(me.extra))})
    return _constrained("associated-node", replace(asked, user=nobody), other, authorize)


def _arbitrary_node(asked: Attributes, other: UserInfo, authorize: Authorize) -> "UserInfo | ApiError | None":
    if not _only_name(other) or names_node(other.name) is None:
        return None
    return _constrained("arbitrary-node", asked, other, authorize)


def _service_account(asked: Attributes, other: UserInfo, authorize: Authorize) -> "UserInfo | ApiError | None":
    if not _only_name(other) or split_service_account(other.name) is None:
        return None
    return _constrained("serviceaccount", asked, other, authorize)


def _user_info(asked: Attributes, other: UserInfo, authorize: Authorize) -> "UserInfo | ApiError | None":
    if names_node(other.name) is not None or split_service_account(other.name) is not None:
        return None
    return _constrained("user-info", asked, other, authorize)


def _legacy(asked: Attributes, other: UserInfo, authorize: Authorize) -> "UserInfo | ApiError | None":
    return _as(asked.user, other, "impersonate", "", authorize)


def _only_name(other: UserInfo) -> bool:
    return not (other.uid or other.groups or other.extra)


def _constrained(mode: str, asked: Attributes, other: UserInfo, authorize: Authorize) -> "UserInfo | ApiError":
    on = replace(asked, verb=f"impersonate-on:{mode}:{asked.verb}")
    return _refused(on, authorize) or _as(asked.user, other, f"impersonate:{mode}", AUTHENTICATION, authorize)


# -- the right to be somebody ------------------------------------------------------------------------------------------


def _refused(asked: Attributes, authorize: Authorize) -> ApiError | None:
    decision = authorize(asked)
    return None if decision.allowed else forbidden(asked, decision.reason)


def _as(me: UserInfo, other: UserInfo, verb: str, group: str, authorize: Authorize) -> "UserInfo | ApiError":
    """*other* with the groups that belong to it; *group*: the API group of users, which the old way has not."""
    name, groups = _name(me, other, verb, group)
    wrong = _refused(name, authorize)
    if wrong is None and other.uid:
        wrong = _refused(Attributes(me, verb, AUTHENTICATION, "uids", name=other.uid), authorize)
    wrong = wrong or _groups_refused(me, other, verb, group, authorize)
    wrong = wrong or _extra_refused(me, other, verb, bool(group), authorize)
    if wrong is not None:
        return wrong
    actual = replace(other, groups=groups)
    if actual.name == ANONYMOUS:
        return actual.joins(UNAUTHENTICATED)
    return actual if UNAUTHENTICATED in groups else actual.joins(AUTHENTICATED)


def _name(me: UserInfo, other: UserInfo, verb: str, group: str) -> tuple[Attributes, tuple[str, ...]]:
    """The question about the name, and the groups that come with it."""
    account, node = split_service_account(other.name), names_node(other.name) if group else None
    if account is not None:
        asked = Attributes(me, verb, group, "serviceaccounts", namespace=account[0], name=account[1])
        return asked, other.groups or service_account_groups(account[0])
    if node is not None:
        any_node = "*" if verb == "impersonate:associated-node" else node
        return Attributes(me, verb, group, "nodes", name=any_node), (NODES,)
    return Attributes(me, verb, group, "users", name=other.name), other.groups


def _groups_refused(me: UserInfo, other: UserInfo, verb: str, group: str, authorize: Authorize) -> ApiError | None:
    asked = Attributes(me, verb, group, "groups")
    if group and "" in other.groups:
        return forbidden(asked, "impersonating the empty string group is not allowed")
    if group and MASTERS in other.groups:
        return forbidden(replace(asked, name=MASTERS), "impersonating the system:masters group is not allowed")
    if group and len(other.groups) >= MANY and authorize(replace(asked, name="*")).allowed:
        return None
    refusals = (_refused(replace(asked, name=one), authorize) for one in other.groups)
    return next((wrong for wrong in refusals if wrong is not None), None)


def _extra_refused(me: UserInfo, other: UserInfo, verb: str, strict: bool, authorize: Authorize) -> ApiError | None:
    asked = Attributes(me, verb, AUTHENTICATION, "userextras")
    wrong = _wrong_extra(other.extra) if strict else ""
    if wrong:
        return forbidden(asked, wrong)
    count = sum(map(len, other.extra.values()))
    if strict and count >= MANY and authorize(replace(asked, subresource="*", name="*")).allowed:
        return None
    for key, values in other.extra.items():
        for value in values:
            refused = _refused(replace(asked, subresource=key, name=value), authorize)
            if refused is not None:
                return refused
    return None


def _wrong_extra(extra: Mapping[str, tuple[str, ...]]) -> str:
    for key, values in extra.items():
        if not key:
            return "impersonating the empty string key in extra is not allowed"
        if wrong := names.domain_prefixed_path(key):
            why = ", ".join(f'extra.key: Invalid value: "{key}": {text}' for text in wrong)
            return f"impersonating an invalid key in extra is not allowed: {why}"
        if key != key.lower():
            return f'impersonating a non-lowercase key in extra is not allowed: "{key}"'
        if "" in values:
            return "impersonating the empty string value in extra is not allowed"
    return ""
