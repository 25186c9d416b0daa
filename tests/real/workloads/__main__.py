"""Tell random stories to a real control plane and to ours, and say what became of them."""

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from tests.oracles.build import Missing, program
from tests.oracles.ha.real.programs import Failed
from tests.real.workloads import judging, stories
from tests.real.workloads.plane import Plane


def in_process(judges, recorded):
    """What ours does otherwise, found by another process: who tells must not wait for it."""
    return judges.submit(judging.differences, recorded).result()


def tell(story, fate, said):
    """Print what became of a story, unless it is alike, and keep a recording of it."""
    number = story["name"].rsplit("-", 1)[1]
    if fate.word != "alike":
        again = f"--seed {said.seed} --first {number} --stories 1{' --kill' * said.kill}"
        print(f"story {number} ({again}), {fate.word}: {fate.why[:900]}", flush=True)
    if fate.word == "different" and said.keep:
        said.keep.mkdir(parents=True, exist_ok=True)
        (said.keep / f"{story['name']}.json").write_text(json.dumps(fate.recorded, indent=1))


def main(arguments=None):
    """Tell them; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.real.workloads")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--stories", type=int, default=20)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--together", type=int, default=10, help="stories that are told at a time")
    parser.add_argument("--kill", action="store_true", help="stories of nodes that are lost in the midst of it")
    parser.add_argument("--keep", type=Path, help="where recordings of those that differ are written")
    said = parser.parse_args(arguments)
    print(f"seed {said.seed}", flush=True)
    begun, counts, held = time.monotonic(), {"alike": 0, "tolerated": 0, "different": 0}, Counter()
    doubtful = []  # stories that differ: each is told again by itself, as what a busy machine made does not come again
    numbers = range(said.first, said.first + said.stories)
    made = [stories.story(random.Random(f"{said.seed} {number}"), f"chance-{number}", said.kill) for number in numbers]
    with (
        tempfile.TemporaryDirectory() as folder,
        Plane(program("kubernetes"), Path(folder)) as plane,
        ProcessPoolExecutor(1, get_context("spawn")) as judges,
        ThreadPoolExecutor(said.together) as pool,
    ):
        judging.begin(plane)
        judged = partial(in_process, judges)
        told = {pool.submit(judging.fate, plane, story, judged): story for story in made}
        for done in as_completed(told):
            fate = done.result()
            tell(told[done], fate, said)
            if fate.word == "different":
                doubtful.append(told[done])
                continue
            counts[fate.word] += 1
            held += fate.held
        for story in doubtful:
            fate = judging.fate(plane, story, judged)
            print(f"{story['name']}, told again: {fate.word}", flush=True)
            counts[fate.word] += 1
            held += fate.held
    minutes = (time.monotonic() - begun) / 60
    print(
        f"objects: {held['sequence']} held write by write, {held['settled']} by their states, {held['partly']} in part"
    )
    print(f"{', '.join(f'{many} {word}' for word, many in counts.items())}; {minutes:.1f} min")
    return 1 if counts["different"] else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Missing, Failed) as error:
        sys.exit(str(error))
