"""Is there one order of the operations that explains every answer, and respects what was over before what began?

Invariant: keys are independent, so each is judged alone (a history is linearizable exactly if that of each key is).
Method: Wing and Gong's search in Lowe's form ("Testing for linearizability", 2017): an operation is placed in the
order only when its return forces that. Three prunings keep unknown fates cheap, each safe because the configuration
that is kept can do all that the other could: a read that fits now is placed now; an operation of unknown fate is
placed, as is a write, only if the next one sees it; what failed with fewer unknown fates used fails with more.
Pure. Herlihy and Wing, "Linearizability" (1990).
"""

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from kubemini.judge.history import Operation, frozen, thawed

ILLEGAL = object()
NOBODY: frozenset[int] = frozenset()
BUDGET = 200_000  # steps for one key: some ten seconds


class Undecided(ValueError):
    """The search was given up; the message says where."""


class SearchState(NamedTuple):
    """A state the register may be in: which pending operations have taken place (*done*), and which unknown ones.

    *wrote* is the return before which somebody last wrote: a write pending then may have come just before, unseen.
    """

    state: Hashable
    done: frozenset[int] = NOBODY
    spent: frozenset[int] = NOBODY
    wrote: int = -1

    def covers(self, other: "SearchState") -> bool:
        """Whether this one can do all that *other* can, states and done being equal."""
        return self.spent <= other.spent and self.wrote >= other.wrote


class Level(NamedTuple):
    """A return: what else is *pending* then, and what of *unknown* fate has been asked for by then."""

    at: int
    depth: int
    returning: int
    pending: tuple[int, ...]
    unknown: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Violation:
    """*operation* cannot have returned what it did: none of *states* can be, whatever *pending* did meanwhile."""

    key: Any
    operation: Operation
    states: tuple[Any, ...]
    pending: tuple[Operation, ...]
    history: tuple[Operation, ...]


def check(operations: Iterable[Operation], initial: Any = None) -> Violation | None:
    """A violation, or None if the history is linearizable; every key begins as *initial*. Raises Undecided."""
    by_key: dict[Any, list[Operation]] = {}
    for operation in operations:
        by_key.setdefault(frozen(operation.key), []).append(operation)
    for history in sorted(by_key.values(), key=len):
        violation = Search(history[0].key, history, frozen(initial)).run()
        if violation:
            return violation
    return None


def _effect(op: Operation, text: bool) -> Callable[[Any], Any]:
    """State → state, or ILLEGAL where *op* could not have happened; *text*: appending makes text, not lists."""
    value = frozen(op.value)
    match op.f:
        case "read":
            return lambda state: state if state == value else ILLEGAL
        case "write":
            return lambda state: value
        case "cas":
            old, new = frozen(op.value[0]), frozen(op.value[1])
            return lambda state: new if state == old else ILLEGAL
    return partial(_appended, value, "" if text else ())


def _appended(value: Hashable, empty: Hashable, state: Hashable) -> Hashable:
    """What *state* is after *value* has been appended; nothing can be appended to a number."""
    state = empty if state is None else state
    if isinstance(state, str):
        return state + str(thawed(value))
    return (*state, value) if isinstance(state, tuple) else ILLEGAL


class Search:
    """The search for one key, depth first: one return after the other, back where none can be explained."""

    def __init__(self, key: Any, history: list[Operation], initial: Hashable):
        self.key, self.history = key, history
        text = any(op.f == "read" and isinstance(op.value, str) for op in history)
        self.effects = [_effect(op, text) for op in history]
        self.levels = list(self._levels())
        self.failed: list[dict[tuple, list[SearchState]]] = [{} for _ in self.levels]
        self.start = SearchState(initial)
        self.steps = 0

    def _levels(self) -> Iterator[Level]:
        """What is open, and what of unknown fate has begun, at each return."""
        moments = [(op.invoked, number) for number, op in enumerate(self.history)]
        moments += [(op.returned, ~number) for number, op in enumerate(self.history) if op.returned is not None]
        pending: dict[int, None] = {}
        unknown: tuple[int, ...] = ()
        depth = 0
        for at, number in sorted(moments):
            if number < 0:
                yield Level(at, depth, ~number, tuple(pending), unknown)
                depth += 1
                del pending[~number]
            elif self.history[number].returned is None:
                unknown = (*unknown, number)
            else:
                pending[number] = None

    def run(self) -> Violation | None:
        """Explain every return; the violation is at the one that no search came past."""
        path: list[Iterator[SearchState]] = []
        here: SearchState | None = self.start
        trail = []
        deepest = 0
        while here is not None and len(path) < len(self.levels):
            deepest = max(deepest, len(path))
            path.append(self._place(len(path), here))
            trail.append(here)
            here = next(path[-1], None)
            while here is None and path:
                self._remember(len(path) - 1, trail.pop())
                path.pop()
                here = next(path[-1], None) if path else None
        return None if here is not None else self._violation(deepest)

    def _place(self, depth: int, here: SearchState) -> Iterator[SearchState]:
        """States with the returning operation placed, others before it where need be; known fates first."""
        level = self.levels[depth]
        seen: set[SearchState] = set()
        if self._was_overwritten(level.returning, here) and not self._fails(depth + 1, here):
            yield here
        for unknown in ((), level.unknown) if level.unknown else ((),):
            for found in self._reach(level, self._place_reads(level, here), unknown):
                if found not in seen and not self._fails(depth + 1, found):
                    seen.add(found)
                    yield found

    def _was_overwritten(self, number: int, here: SearchState) -> bool:
        """Whether *number* is a write that may have come just before another one, so that nobody saw it."""
        op = self.history[number]
        waits = op.f == "write" and number not in here.done
        return waits and here.wrote >= 0 and op.invoked < self.levels[here.wrote].at

    def _reach(self, level: Level, here: SearchState, unknown: tuple[int, ...]) -> Iterator[SearchState]:
        queue = deque([(here, False)])
        visited = {(here, False)}
        while queue:
            here, unseen = queue.popleft()
            if level.returning in here.done:
                yield here._replace(done=here.done - {level.returning})
                continue
            self.steps += 1
            if self.steps > BUDGET:
                raise Undecided(f"key {self.key!r}: undecided after {BUDGET:,} steps; too many fates are unknown")
            for step in self._steps(level, here, unseen, unknown):
                if step not in visited:
                    visited.add(step)
                    queue.append(step)

    def _steps(
        self, level: Level, here: SearchState, unseen: bool, unknown: tuple[int, ...]
    ) -> Iterator[tuple[SearchState, bool]]:
        """What can come next: (configuration, whether its last write still waits for one that sees it).

        An unseen write before another write need not be placed (see `SearchState.wrote`).
        """
        tried = set()
        for number in (*level.pending, *unknown):
            f = self.history[number].f
            if number in here.done or number in here.spent or (unseen and f == "write"):
                continue
            state = self.effects[number](here.state)
            known = self.history[number].returned is not None
            if state is ILLEGAL or (not known and (state == here.state or (f, state) in tried)):
                continue
            done, spent = (here.done | {number}, here.spent) if known else (here.done, here.spent | {number})
            if not known:
                tried.add((f, state))
            moved = SearchState(state, done, spent, level.depth if f == "write" else here.wrote)
            settled = self._place_reads(level, moved)
            blind = number != level.returning and (f == "write" or not known)
            yield settled, blind and settled.done == moved.done

    def _place_reads(self, level: Level, here: SearchState) -> SearchState:
        """Place every pending read that fits now."""
        fits = [
            number
            for number in level.pending
            if number not in here.done
            and self.history[number].f == "read"
            and self.effects[number](here.state) is not ILLEGAL
        ]
        return here._replace(done=here.done | frozenset(fits)) if fits else here

    def _remember(self, depth: int, here: SearchState) -> None:
        self.failed[depth].setdefault((here.state, here.done), []).append(here)

    def _fails(self, depth: int, here: SearchState) -> bool:
        """Whether the same has failed before with no more unknown fates used."""
        if depth == len(self.levels):
            return False
        return any(failed.covers(here) for failed in self.failed[depth].get((here.state, here.done), ()))

    def _violation(self, depth: int) -> Violation:
        level = self.levels[depth]
        states = sorted(map(thawed, dict.fromkeys(state for state, _ in self.failed[depth])), key=repr)
        pending = tuple(self.history[n] for n in (*level.pending, *level.unknown) if n != level.returning)
        return Violation(self.key, self.history[level.returning], tuple(states), pending, tuple(self.history))
