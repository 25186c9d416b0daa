"""Has etcd-io/raft's library answer our conversations anew: ``python -m tests.oracles.raft.record`` (`make record`).

The scripts in recorded/ are ours, and stay as they are; what is expected of each directive is the library's. Beside
them stand random ones, written by `scripts.py` for a few seeds.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from tests.oracles.build import Missing
from tests.oracles.raft.grammar import Block, parse, render
from tests.oracles.raft.library import Library
from tests.oracles.raft.scripts import conversation

RECORDED = Path(__file__).parent / "recorded"
SEEDS = (3, 11, 26, 83, 125, 142, 187, 209, 249, 293, 414, 550)


def files() -> list[Path]:
    """The recordings, in order."""
    found = sorted(RECORDED.glob("*.txt"))
    assert found, f"there are no conversations in {RECORDED}: make record"
    return found


def main() -> int:
    """Write every recording; 1 without the library, or if it would not carry on a script of ours to its end."""
    unfinished = 0
    try:
        with Library() as library:
            for seed in SEEDS:
                _keep(RECORDED / f"random-{seed}.txt", library.answer(conversation(seed))[0])
            for path in files():
                blocks, why = library.answer(parse(path.read_text(encoding="utf-8")))
                unfinished += bool(why)
                print(f"{path.name}: the library does not carry on: {why}") if why else _keep(path, blocks)
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 1
    return 1 if unfinished else 0


def _keep(path: Path, blocks: Iterable[Block]) -> None:
    text = render(blocks)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
        print(f"{path.name} is new")


if __name__ == "__main__":
    sys.exit(main())
