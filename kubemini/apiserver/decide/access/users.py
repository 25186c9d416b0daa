"""Who asks: a name, groups, and what else an authenticator has learned of them. Pure.

    believed("system:node:n1")              a program of the simulation says who it is, and is believed
    service_account("shop", "robot", uid)   what a service account's token makes of its bearer

Models k/apiserver pkg/authentication/user DefaultInfo; pkg/authentication/serviceaccount MakeUsername SplitUsername
MakeGroupNames; pkg/authentication/group AuthenticatedGroupAdder.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from kubemini.api import names

ANONYMOUS = "system:anonymous"
AUTHENTICATED, UNAUTHENTICATED = "system:authenticated", "system:unauthenticated"
MASTERS = "system:masters"  # may do everything, whatever the rules say
NODES = "system:nodes"
NODE = "system:node:"
SERVICE_ACCOUNT = "system:serviceaccount:"
SERVICE_ACCOUNTS = "system:serviceaccounts"
CREDENTIAL = "authentication.kubernetes.io/credential-id"  # in extra: which token or certificate it was


@dataclass(frozen=True, slots=True)
class UserInfo:
    """One user; *extra* holds lists of texts."""

    name: str = ""
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def joins(self, group: str) -> "UserInfo":
        """The same, in *group* as well."""
        return self if group in self.groups else replace(self, groups=(*self.groups, group))

    def shown(self) -> dict[str, object]:
        """As a review tells it."""
        found: dict[str, object] = {"username": self.name, "uid": self.uid, "groups": [*self.groups]}
        found["extra"] = {key: [*values] for key, values in self.extra.items()}
        return {key: value for key, value in found.items() if value}


NOBODY = UserInfo(ANONYMOUS, (UNAUTHENTICATED,))


def authenticated(user: UserInfo) -> UserInfo:
    """*user*, whose credentials are good: one of all who are known."""
    if user.name == ANONYMOUS or UNAUTHENTICATED in user.groups:
        return user
    return user.joins(AUTHENTICATED)


def believed(name: str) -> UserInfo:
    """A program of the simulation that says who it is: a node, a part of the control plane, else an administrator."""
    if name == ANONYMOUS:
        return NOBODY
    if not name.startswith("system:"):
        return UserInfo(name, (MASTERS, AUTHENTICATED))
    return authenticated(UserInfo(name, (NODES,) if name.startswith(NODE) else ()))


def needs_rules(name: str) -> bool:
    """Whether *name* may only do what RBAC allows; all others are administrators, or nodes."""
    return name.startswith("system:") and not name.startswith(NODE)


def service_account(namespace: str, name: str, uid: str, extra: Mapping[str, tuple[str, ...]]) -> UserInfo:
    """The user that a service account is."""
    groups = (*service_account_groups(namespace), AUTHENTICATED)
    return UserInfo(f"{SERVICE_ACCOUNT}{namespace}:{name}", groups, uid, extra)


def service_account_groups(namespace: str) -> tuple[str, ...]:
    """The groups of every service account of *namespace*."""
    return (SERVICE_ACCOUNTS, f"{SERVICE_ACCOUNTS}:{namespace}")


def split_service_account(username: str) -> tuple[str, str] | None:
    """(namespace, name) of a service account's username, or None if it is none."""
    if not username.startswith(SERVICE_ACCOUNT):
        return None
    parts = username.removeprefix(SERVICE_ACCOUNT).split(":")
    fits = len(parts) == 2 and not names.dns_label(parts[0]) and not names.dns_subdomain(parts[1])
    return (parts[0], parts[1]) if fits else None


def node_name(user: UserInfo) -> str | None:
    """The node that *user* speaks for; None if it speaks for none. Models k/k pkg/auth/nodeidentifier"""
    speaks = user.name.startswith(NODE) and NODES in user.groups
    return user.name.removeprefix(NODE) if speaks else None


def names_node(username: str) -> str | None:
    """The node in *username*, or None if it is no node's."""
    name = username.removeprefix(NODE)
    return name if username.startswith(NODE) and not names.dns_subdomain(name) else None
