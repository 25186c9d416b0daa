"""What ours did of a history, version by version: ``python -m tests.oracles.histories FILE…``."""

import json
import sys
from pathlib import Path

from tests.oracles.histories.playing import judge_of, played


def main(paths):
    """Play each and print steps, versions and Events."""
    for path in paths:
        judge, recorded = judge_of(path), json.loads(Path(path).read_text())
        got = played(path, recorded)
        for step in got["steps"]:
            print(json.dumps(step)[:300])
        for key, entry in got["objects"].items():
            print(key)
            before = {}
            for step, type, state in judge.versions(key, entry):
                print(f"  step {step} {type}", *judge.leaves(before, state or {})[:12], sep="\n      ")
                before = state or {}
        for event in got["events"]:
            print(*judge.event(event).values())


if __name__ == "__main__":
    main(sys.argv[1:])
