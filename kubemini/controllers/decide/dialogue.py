"""A decision in steps, where the next one depends on what became of the one before. Pure.

A decider that must know the name a new object was given, or go on when a creation is refused, is a generator: it
yields one step, is sent its `Answer`, and returns an `End`. It asks nobody else, so the same facts and the same answers
give the same steps; a test plays the API server and sends the answers (tests/controllers/workloads/talking.py).

    answer = yield Create(pod)
    if answer.error: ...
"""

from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kubemini.api.errors import ApiError
from kubemini.api.kinds import Kind
from kubemini.api.objects import Obj, evolve
from kubemini.controllers.decide.actions import Action, Create, Delete

Key = tuple[str, str]  # namespace, name


@dataclass(frozen=True, slots=True)
class Read:
    """The object as the API server has it at this moment, past every cache."""

    kind: Kind
    key: Key


@dataclass(frozen=True, slots=True)
class Ask:
    """Any request, of what has a path and is no object of its own: a list, a scale, metrics."""

    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    verb: str = "GET"
    body: Obj | None = None


@dataclass(frozen=True, slots=True)
class Together:
    """Parts of a dialogue that go on at once, each in its own order; the answer has one of each (`Answer.parts`)."""

    parts: tuple["Steps", ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a step: the object as it is now, if there is one, or the error."""

    obj: Any = None
    error: Any = None
    parts: tuple["Answer", ...] = ()


@dataclass(frozen=True, slots=True)
class End:
    """How a look at an object ended.

    *again_at*: the instant (µs) at which to look again though nothing has changed. *error*: what calls for another
    look after the back-off. *memory*: what to keep in mind of the object; it is lost with the program.
    """

    again_at: int | None = None
    error: Any = None
    memory: Any = None


Step = Action | Read | Ask | Together
Dialogue = Generator[Step, Answer, End]
Steps = Generator[Step, Answer, Any]  # a part of a dialogue


class Refused(Exception):
    """A step went wrong without which this look at the object cannot go on."""

    def __init__(self, error: Any):
        super().__init__(error)
        self.error = error


def at_once(parts: Iterable["Steps"]) -> Steps:
    """Take all of them at once; returns an `Answer` of each: what it came to, or why it was refused."""
    return (yield Together(tuple(parts))).parts


def must(step: Step) -> Steps:
    """Do it; returns the object as it is then. Raises Refused."""
    answer = yield step
    if answer.error is not None:
        raise Refused(answer.error)
    return answer.obj


def in_turn(actions: Iterable[Action]) -> Generator[Step, Answer, Any]:
    """One after the other until one fails; returns the error, or None.

    A write of what was written before is a write upon that: it is guarded by the version that came of it.
    """
    versions: dict[str, str] = {}
    for action in actions:
        uid = action.obj["metadata"].get("uid", "")
        if uid in versions:
            action = replace(action, obj=evolve(action.obj, ("metadata", "resourceVersion"), versions[uid]))
        answer = yield action
        if answer.error is not None and not (isinstance(action, Delete) and not_found(answer.error)):
            return answer.error
        if answer.obj is not None and not isinstance(action, Create | Delete):
            versions[uid] = answer.obj["metadata"]["resourceVersion"]
    return None


def words(error: Any) -> str:
    """An error as a sentence in an Event, without the prefix that kubectl puts before it."""
    return error.message if isinstance(error, ApiError) else str(error)


def not_found(error: Any) -> bool:
    """Whether what was asked for is not there."""
    return isinstance(error, ApiError) and error.code == 404


def exists_already(error: Any) -> bool:
    """Whether the name is taken."""
    return isinstance(error, ApiError) and error.reason == "AlreadyExists"


def namespace_is_ending(error: Any) -> bool:
    """Whether it was refused because its namespace is on its way out. Models k/api core/v1 NamespaceTerminatingCause"""
    causes = error.details.get("causes") or () if isinstance(error, ApiError) else ()
    return any(cause.get("reason") == "NamespaceTerminating" for cause in causes)
