"""Ask both sides about random clusters, and say what became of them: ``python -m tests.real.scheduler``."""

import argparse
import json
import random
import subprocess
import sys
import time

from tests.oracles.build import Missing, program
from tests.real.scheduler.ours import decided
from tests.real.scheduler.scenes import scene

PATIENCE = 1800  # seconds: the machine may be busy
AGAIN = 3  # is a judge asked who differs: his informers may not have told all plugins what there is


def differences(real, ours):
    """[(where, the real one's, ours)]"""
    real = {**real, **_taken(real, ours)}
    found = []
    for part in ("prefilter", "filter", "scores", "totals", "nominated", "message"):
        wanted, got = real[part] or {}, ours[part] or {}
        if part in ("prefilter", "message"):
            wanted, got = {"": wanted}, {"": got}
        for key in sorted(wanted.keys() | got.keys()):
            if (key in wanted, wanted.get(key)) != (key in got, got.get(key)):
                found.append((f"{part} {key}".strip(), wanted.get(key), got.get(key)))
    return found


def _taken(real, ours):
    """Of the nodes where the real one would have made room, by chance, the one that ours has taken, if it is one."""
    node = next(iter(ours["nominated"]), None)
    nominated = real["nominated"] or {}
    if node not in nominated:
        return {}
    return {"nominated": {node: nominated[node]}, "message": nominated[node]}


def told(scenes):
    """What the judge says of them."""
    lines = "".join(json.dumps(one) + "\n" for one in scenes)
    judge = [program("scheduler")]
    done = subprocess.run(judge, input=lines, capture_output=True, text=True, check=True, timeout=PATIENCE)
    return [json.loads(line) for line in done.stdout.splitlines()]


def main(arguments=None):
    """Ask about them; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.real.scheduler")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--clusters", type=int, default=300)
    parser.add_argument("--first", type=int, default=0)
    asked = parser.parse_args(arguments)
    print(f"seed {asked.seed}", flush=True)
    begun, differ, refused = time.monotonic(), 0, 0
    numbers = range(asked.first, asked.first + asked.clusters)
    scenes = [scene(random.Random(f"{asked.seed} {number}")) for number in numbers]
    for number, one, real in zip(numbers, scenes, told(scenes), strict=True):
        refused += not real["totals"]
        ours = decided(one)
        found = differences(real, ours)
        for _ in range(AGAIN if found else 0):
            found = differences(told([one])[0], ours) and found
        if found:
            differ += 1
            again = f"--seed {asked.seed} --first {number} --clusters 1"
            print(f"cluster {number} ({again}): {len(found)} differences", flush=True)
            for where, wanted, got in found[:4]:
                print(f"  {where}: wanted {wanted}, got {got}"[:600], flush=True)
    minutes = (time.monotonic() - begun) / 60
    print(
        f"{asked.clusters - differ} alike ({refused} of all pods fit nowhere), 0 tolerated, {differ} different;"
        f" {minutes:.1f} min"
    )
    return 1 if differ else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Missing as error:
        sys.exit(str(error))
