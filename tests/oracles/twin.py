"""Ours and theirs side by side, on what nobody has seen before: ``python -m tests.oracles.twin`` (`make twin`).

Random conversations go through etcd-io/raft's library and through our machines, byte for byte; random histories are
judged by porcupine and by our judge. The seed is printed; ``--seed`` chooses it. 1 if anything differs.
"""

import argparse
import random
import sys
import time
import traceback

from kubemini.judge import Operation, check, from_events
from kubemini.judge.linearizability import Undecided
from tests.oracles.build import Missing
from tests.oracles.porcupine.histories import history
from tests.oracles.porcupine.judge import Porcupine
from tests.oracles.raft.compare import difference
from tests.oracles.raft.library import Library
from tests.oracles.raft.scripts import conversation

RARE = 500  # histories to each one that our judge may give up


def conversations(seeds: range) -> int:
    """Let both sides have the conversations of *seeds*; how many differ."""
    differing = lines = cut_short = 0
    with Library() as library:
        for seed in seeds:
            try:
                blocks, why = library.answer(conversation(seed))
                found = difference(blocks, f"conversation {seed}")
            except Exception:  # ours broke down where the library went on: as good as another answer
                found, why, blocks = [f"conversation {seed}: {traceback.format_exc()}"], "", []
            lines += sum(len(block.expected) for block in blocks)
            cut_short += bool(why)
            differing += bool(found)
            _show(found, f"--conversations 1 --histories 0 --seed {seed}")
    print(
        f"{len(seeds)} conversations with etcd-io/raft's library, {lines} lines, {differing} differ"
        f" ({cut_short} ended early: a change of the members that it refuses)"
    )
    return differing


def histories(seeds: range) -> int:
    """Let both judge the histories of *seeds*; how many verdicts differ, or are missing where that is not rare."""
    differing, undecided, verdicts = 0, 0, {True: 0, False: 0}
    with Porcupine() as porcupine:
        for seed in seeds:
            operations = from_events(enumerate(history(seed), start=1))
            theirs, ours = porcupine.linearizable(operations), verdict(operations)
            verdicts[theirs] += 1
            if ours is None:
                undecided += 1
            elif theirs != ours:
                differing += 1
                _show([f"history {seed}: porcupine says {theirs}, we say {ours}"], f"--conversations 0 --seed {seed}")
    print(
        f"{len(seeds)} histories judged by porcupine too, {verdicts[True]} linearizable, {verdicts[False]} not,"
        f" {differing} verdicts differ, {undecided} given up (at most one of {RARE} may be)"
    )
    return differing + max(0, undecided - len(seeds) // RARE)


def verdict(operations: list[Operation]) -> bool | None:
    """Whether our judge finds *operations* linearizable; None: it gives up, as too many fates are unknown."""
    try:
        return check(operations) is None
    except Undecided:
        return None


def _show(found: list[str], how: str) -> None:
    for line in found[:40]:
        print(line)
    if found:
        print(f"again: python -m tests.oracles.twin {how}")


def main(arguments: list[str]) -> int:
    """Both comparisons; 1 if anything differs or cannot be compared."""
    parser = argparse.ArgumentParser(prog="python -m tests.oracles.twin")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9), help="of the first one")
    parser.add_argument("--conversations", type=int, default=300)
    parser.add_argument("--histories", type=int, default=2000)
    chosen = parser.parse_args(arguments)
    print(f"seed {chosen.seed}", flush=True)
    began = time.monotonic()
    try:
        differing = conversations(range(chosen.seed, chosen.seed + chosen.conversations))
        differing += histories(range(chosen.seed, chosen.seed + chosen.histories))
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 1
    print(f"{time.monotonic() - began:.0f} s")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
