"""The authorizer, asked from an expression: `authorizer.group('apps').resource('deployments').check('get').allowed()`.

The value of `authorizer` is made by who runs the expression, with the function that knows the answer.
Models k/apiserver pkg/cel/library Authz AuthzSelectors.
Simplified: no selectors.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from kubemini.api.cel.functions.overloads import function
from kubemini.api.cel.types import BOOL, STRING, Type


class Decision(NamedTuple):
    """What the authorizer says."""

    allowed: bool
    reason: str = ""

    @property
    def cel_type(self) -> Type:
        """What it is in an expression."""
        return DECISION


@dataclass(frozen=True, slots=True)
class Question:
    """Who may do what to what; *ask* knows. ``form`` is how far the question has come."""

    ask: "Callable[[Question], Decision]"
    form: str = "Authorizer"
    user: tuple[str, str] = ("", "")  # namespace and name of a service account; none: who makes the request
    path: str = ""
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    verb: str = ""
    request: "Question | None" = None  # what the request itself is about

    @property
    def cel_type(self) -> Type:
        """What it is in an expression."""
        return _type(self.form)


def _type(form: str) -> Type:
    return Type(f"kubernetes.authorization.{form}")


AUTHORIZER = Type("kubernetes.authorization.Authorizer", fields={"requestResource": _type("ResourceCheck")})
PATH, GROUP, RESOURCE, DECISION = (_type(name) for name in ("PathCheck", "GroupCheck", "ResourceCheck", "Decision"))


def _step(name: str, here: Type, there: Type, *fields: str) -> None:
    form = there.name.rpartition(".")[2]

    def run(question: Question, *said: str) -> Question:
        known: dict[str, Any] = dict(zip(fields, said, strict=True))
        return replace(question, form=form, **known)

    function(name, here, *(STRING for _ in fields), gives=there, method=True)(run)


_step("path", AUTHORIZER, PATH, "path")
_step("group", AUTHORIZER, GROUP, "group")
_step("resource", GROUP, RESOURCE, "resource")
_step("subresource", RESOURCE, RESOURCE, "subresource")
_step("namespace", RESOURCE, RESOURCE, "namespace")
_step("name", RESOURCE, RESOURCE, "name")


@function("serviceAccount", AUTHORIZER, STRING, STRING, gives=AUTHORIZER, method=True)
def service_account(question: Question, namespace: str, name: str) -> Question:
    """The same asked for a service account."""
    return replace(question, user=(namespace, name))


@function("check", PATH, STRING, gives=DECISION, method=True)
@function("check", RESOURCE, STRING, gives=DECISION, method=True)
def check(question: Question, verb: str) -> Decision:
    """Ask."""
    return question.ask(replace(question, verb=verb))


@function("allowed", DECISION, gives=BOOL, method=True)
def allowed(decision: Decision) -> bool:
    """Whether they may."""
    return decision.allowed


@function("reason", DECISION, gives=STRING, method=True)
def reason(decision: Decision) -> str:
    """Why."""
    return decision.reason


@function("errored", DECISION, gives=BOOL, method=True)
def errored(decision: Decision) -> bool:
    """Whether the authorizer failed: it never does."""
    return False


@function("error", DECISION, gives=STRING, method=True)
def error(decision: Decision) -> str:
    """How it failed."""
    return ""
