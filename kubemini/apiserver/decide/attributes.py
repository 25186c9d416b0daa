"""What admission looks at of one write: the object before and after, who writes, and what may be known beside it.

Plugins (../admission) and the rules that users write (policies/) are asked with the same.
Models k/apiserver pkg/admission Attributes.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from kubemini.api.cel.functions.access import Decision, Question
from kubemini.api.kinds import Kind
from kubemini.api.objects import Obj
from kubemini.apiserver.decide.access.users import NOBODY, UserInfo

CREATE, UPDATE, DELETE = "CREATE", "UPDATE", "DELETE"


class Known(Protocol):
    """The objects that the server has heard of."""

    def items(self, kind: Kind, namespace: str = "") -> Iterable[Obj]:
        """Those of a kind, in one namespace or all."""

    def get(self, kind: Kind, namespace: str, name: str) -> Obj | None:
        """One of them."""


class Nothing:
    """Who has heard of no object."""

    def items(self, kind: Kind, namespace: str = "") -> Iterable[Obj]:
        """None."""
        return ()

    def get(self, kind: Kind, namespace: str, name: str) -> Obj | None:
        """None."""
        return None


NOTHING = Nothing()


def _unheard(*texts: str) -> None:
    """What nobody waits for."""


Witness = Callable[..., None]  # (step, before, after, name of the plugin or webhook): one step of a request is done


def unseen(step: str, before: Any, after: Any, name: str = "") -> None:
    """Nobody looks on: what every request has but those that somebody traces (kubemini.requests)."""


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a plugin looks at. *obj* is None for a DELETE, *old* for a CREATE; *space* is the Namespace of a CREATE.

    *name* may still be empty in a CREATE with a generated name, until it is validated. ``warn`` tells the writer,
    ``annotate`` the audit log.
    """

    operation: str
    kind: Kind
    name: str
    obj: Obj | None = None
    old: Obj | None = None
    space: Obj | None = None
    namespace: str = ""
    subresource: str = ""
    user: UserInfo = NOBODY
    dry: bool = False
    known: Known = NOTHING
    warn: Callable[[str], None] = _unheard
    annotate: Callable[[str, str], None] = _unheard
    toleration_seconds: int = 300
    may: Callable[[Question], Decision] | None = None  # the authorizer
    now: int = 0  # µs
    suffix: Callable[[], str] = str  # five letters that make a name one's own
    witness: Witness = unseen
    off: tuple[str, ...] = ()  # plugins that do not run
