"""Where a conversation and our machines differ: ``python -m tests.oracles.raft.compare FILE…`` prints it.

Everything is compared byte for byte. Log lines are etcd's own words: `WORDS` gives them to what our machine notes; an
expected log line of another wording is passed over, since nothing of ours says it. A conversation that etcd's
interpreter would not carry on (it panics, or finds the script at fault) is as long as what it answered.
"""

import difflib
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.oracles.raft.grammar import Block, parse
from tests.oracles.raft.tables import Tables
from tests.oracles.raft.words import LOG_LINE, SAYABLE

PROTOBUF = re.compile(
    "ignoring conf change|not in the ConfState"
)  # it puts in spaces, so that nobody relies on its text


def replay(blocks: Iterable[Block]) -> tuple[list[str], list[str]]:
    """The lines that *blocks* expect and those that are said, with what stands between them."""
    cluster = Tables()
    expected, said = [], []
    for block in blocks:
        if block.head:
            frame = [*block.before, *block.head, "----"]
            expected += [*frame, *_comparable(block.expected)]
            said += [*frame, *_comparable(cluster.handle(block))]
    return expected, said


def _comparable(lines: list[str]) -> list[str]:
    kept = [line for line in lines if not LOG_LINE.match(line) or SAYABLE.match(line)]
    return [re.sub(r"(?<=\S)  +", " ", line) if PROTOBUF.search(line) else line for line in kept] or ["ok"]


def difference(blocks: Iterable[Block], name: str) -> list[str]:
    """A diff of what the *blocks* of the conversation called *name* expect and what is said; empty if there is none."""
    expected, said = replay(blocks)
    return list(difflib.unified_diff(expected, said, f"{name} (expected)", f"{name} (said)", lineterm=""))


def difference_in(path: Path) -> list[str]:
    """The same for the file at *path*."""
    return difference(parse(path.read_text(encoding="utf-8")), str(path))


def main(paths: list[str]) -> int:
    """Replay each file; 1 if any differs."""
    differing = 0
    for path in paths:
        lines = difference_in(Path(path))
        differing += bool(lines)
        for line in lines:
            print(line)
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
