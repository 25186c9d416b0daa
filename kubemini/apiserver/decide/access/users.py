"""Who asks: a name, groups, and what else an authenticator has learned of them. Pure.

Models k/apiserver pkg/authentication/user DefaultInfo.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

ANONYMOUS = "system:anonymous"
AUTHENTICATED, UNAUTHENTICATED = "system:authenticated", "system:unauthenticated"
MASTERS = "system:masters"  # may do everything, whatever the rules say


@dataclass(frozen=True, slots=True)
class UserInfo:
    """One user; *extra* holds lists of texts."""

    name: str = ""
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


NOBODY = UserInfo(ANONYMOUS, (UNAUTHENTICATED,))
