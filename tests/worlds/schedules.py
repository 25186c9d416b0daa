"""The nemesis of a few Raft machines: schedules of what happens to them, drawn by chance, shrunk when they fail.

A schedule is a list of actions (name, a, b), so a failure can be replayed, shrunk and read.
``python -m tests.worlds.schedules 100000`` runs so many seeds and prints the shortest schedule of the first failure.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from random import Random

from kubemini.etcd.raft.log import LogLost
from tests.worlds.machines import Kind
from tests.worlds.raft import Action, World

LIKELY = {
    "deliver": 26,
    "work": 26,
    "flow": 12,
    "tick": 8,
    "time": 8,
    "propose": 12,
    "read": 3,
    "duplicate": 3,
    "drop": 3,
    "crash": 1,
    "restart": 3,
    "pause": 1,
    "resume": 3,
    "cut": 1,
    "isolate": 1,
    "strand": 2,
    "heal": 2,
    "transfer": 1,
    "forget": 1,
    "unreachable": 1,
    "compact": 2,
    "change": 3,
}
NAMES, WEIGHTS = list(LIKELY), list(LIKELY.values())
KINDS = (
    Kind(3),
    Kind(5),
    Kind(3, small_messages=True),
    Kind(3, pre_vote=False),
    Kind(3, pre_vote=False, check_quorum=False),
    Kind(3, strangers=2, changes=True),
    Kind(4, strangers=1, changes=True, small_messages=True),
)


def schedule(seed: int, steps: int) -> tuple[Kind, list[Action]]:
    """What happens in the run of *seed*."""
    rng = Random(seed)
    kind = KINDS[seed % len(KINDS)]
    names = rng.choices(NAMES, WEIGHTS, k=steps)
    return kind, [(name, min(rng.randrange(12), rng.randrange(24)), rng.randrange(256)) for name in names]


def run(kind: Kind, actions: Sequence[Action], seed: int, heal: bool = True) -> World:
    """Play *actions*, checking all the while, then heal."""
    world = World(kind, seed)
    if seed % 4:  # most schedules begin with a leader, so that there is something to disturb
        world.members[seed % kind.members].raft.campaign()
        world.drain()
    for action in actions:
        world.act(action)
    if heal:
        world.heal()
    return world


def failure(kind: Kind, actions: Sequence[Action], seed: int) -> str:
    """What goes wrong, or nothing."""
    try:
        run(kind, actions, seed)
    except (AssertionError, LogLost) as error:
        return str(error)
    return ""


def shrink(kind: Kind, actions: Sequence[Action], seed: int) -> list[Action]:
    """A short schedule that still fails: leave out what is not needed, in ever smaller pieces."""
    actions, size = list(actions), len(actions) // 2
    while size:
        at = 0
        while at < len(actions):
            fewer = actions[:at] + actions[at + size :]
            if failure(kind, fewer, seed):
                actions = fewer
            else:
                at += size
        size //= 2
    return actions


def story(kind: Kind, actions: Sequence[Action], seed: int) -> str:
    """A failing schedule to read, and to put into a test."""
    lines = [f"seed {seed}, {kind}", *(f"  {action}" for action in actions), failure(kind, actions, seed)]
    return "\n".join(lines)


def soak(seeds: Iterator[int] | range, steps: int = 150, tell: Callable[[str], None] = lambda text: None) -> str:
    """Run the schedules of *seeds*; the shortest story of the first that fails, or nothing."""
    for count, seed in enumerate(seeds, start=1):
        kind, actions = schedule(seed, steps)
        if failure(kind, actions, seed):
            return story(kind, shrink(kind, actions, seed), seed)
        if count % 10_000 == 0:
            tell(f"{count} schedules")
    return ""


def main(arguments: list[str]) -> int:
    """``COUNT [FIRST SEED [STEPS]]``."""
    count, first, steps = ([int(a) for a in arguments] + [10_000, 0, 150][len(arguments) :])[:3]
    bad = soak(range(first, first + count), steps, lambda text: print(text, flush=True))
    print(bad or f"{count} schedules of {steps} steps: every property held")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
