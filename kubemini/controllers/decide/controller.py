"""What a controller is, as data: whose keys it looks at, what it decides, whose changes wake it. Pure.

To add a controller, write one file with ``CONTROLLER = Controller(…)`` and name it in `manager.CONTROLLERS`. Pods are
made, deleted and told of by `podcontrol`, adopted and let go by `claims`.
Models k/k cmd/kube-controller-manager/app NewControllerDescriptors
Invariant: it decides from the caches of its program alone (`Facts`), and from the same facts always the same.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from kubemini.api.kinds import Kind
from kubemini.api.objects import Obj
from kubemini.controllers.decide.actions import Plan, Tell, controller_of
from kubemini.controllers.decide.dialogue import Dialogue, Key


@dataclass(frozen=True, slots=True)
class Facts:
    """What a controller can see: the caches of its program."""

    get: Callable[[Kind, Key], Obj | None]
    of_namespace: Callable[[Kind, str], list[Obj]]
    owned_by: Callable[[Kind, str], list[Obj]]  # by the UID of the controller that manages them; "" is nobody
    defined: Callable[[], list[Kind]] = list  # the kinds that were defined at run time, as far as they are known
    every: Callable[[Kind], list[Obj]] = lambda kind: []  # all of a kind, in all namespaces
    memory: Any = None  # what the last look at this very object left to be kept in mind (`End.memory`)
    recall: Callable[[Key], Any] = lambda key: None  # the same of any other of its controller's objects

    def owned_by_all(self, kind: Kind, owners: Iterable[Obj]) -> list[Obj]:
        """Those that any of *owners* manages, owner by owner."""
        return [obj for owner in owners for obj in self.owned_by(kind, owner["metadata"]["uid"])]

    def orphans(self, kind: Kind, namespace: str) -> list[Obj]:
        """Those of a namespace that nobody manages."""
        return [obj for obj in self.owned_by(kind, "") if obj["metadata"]["namespace"] == namespace]


def _always(old: Obj | None, new: Obj | None) -> bool:
    return True


def _nothing(obj: Obj, facts: Facts) -> Iterable[Tell]:
    return ()


def is_deletion(old: Obj | None, new: Obj | None) -> bool:
    """Whether an object is no more; for `Watch.when`."""
    return new is None


def _at_once(old: Obj | None, new: Obj | None, now: int) -> int:
    return 0


@dataclass(frozen=True, slots=True)
class Watch:
    """A change of an object of *kind* wakes the *keys* that it concerns.

    *made_here*: the controller makes such objects itself, and expects to see them. *when*: which changes (old, new).
    *delay* (µs): how long the key waits for more of the kind, so that one look does for many changes. *latest*: the
    state before a change concerns nobody. *tells*: what is said of an object whenever it changes. *change*: whom a
    change (old, new) concerns, where each of the two does not tell.
    """

    kind: Kind
    keys: Callable[[Obj, Facts], list[Key]]
    made_here: bool = False
    when: Callable[[Obj | None, Obj | None], bool] = _always
    delay: int = 0
    latest: bool = False
    change: Callable[[Obj | None, Obj | None, Facts], Iterable[Key]] | None = None
    tells: Callable[[Obj, Facts], Iterable[Tell]] = _nothing


@dataclass(frozen=True, slots=True)
class Controller:
    """One control loop over the objects of *kind*: (object, facts, caught_up, now in µs) → the next steps.

    They are a `Plan`, or a `Dialogue` where a step depends on what became of the one before.

    *caught_up*: the caches show all that it has asked for before. *remembers*: the kinds whose caches must be as new as
    its own last write before it looks at all. *when*: which changes (old, new) of its own objects wake it. *user*: who
    it is, if the API server must tell it from the others. *defined*: what of a kind defined at run time wakes it.
    *reads*: kinds that it looks at though their changes do not wake it. *delay* (µs): how long a change of its own
    objects (old, new, now) waits for more. *backoff* (µs): the first and the longest wait after a failure, if not the
    usual. *workers*: how many keys it looks at at once, if not as many as all. *source*: the component that its Events
    name. *gone*: what it does about a key whose object is not there. *leftovers*: keys to look at when it begins.
    """

    kind: Kind
    decide: Callable[[Obj, Facts, bool, int], Plan | Dialogue]
    watches: tuple[Watch, ...] = ()
    remembers: tuple[Kind, ...] = ()
    when: Callable[[Obj | None, Obj | None], bool] = _always
    user: str = ""
    defined: Callable[[Kind], Watch] | None = None
    reads: tuple[Kind, ...] = ()
    delay: Callable[[Obj | None, Obj | None, int], int] = _at_once
    backoff: tuple[int, int] | None = None
    workers: int | None = None
    source: str = ""
    retries: int | None = None
    gone: Callable[[Key, Facts], Plan | Dialogue] | None = None
    leftovers: Callable[[Facts], Iterable[Key]] | None = None


def key_of(obj: Obj) -> Key:
    """The key of an object in queues and caches."""
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def owner_key(obj: Obj | None, kind: Kind) -> list[Key]:
    """The key of the controller that manages *obj*, if it is of *kind*."""
    reference = controller_of(obj) if obj is not None else None
    if obj is None or reference is None or reference["kind"] != kind.kind:
        return []
    return [(obj["metadata"]["namespace"], reference["name"])]
