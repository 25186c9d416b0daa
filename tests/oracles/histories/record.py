"""Tell our own stories to a real control plane and keep what it does: ``python -m tests.oracles.histories.record``.

    --match TEXT     only those of which the name has it, a regular expression
    --check          keep nothing; say which are played otherwise than they are kept, and by whom

Each is told three times, side by side with others, and what all runs agree on goes to recorded/AREA/NAME.json.gz.
"""

import argparse
import concurrent.futures
import gzip
import json
import re
import string
import sys
import tempfile
from pathlib import Path

from tests.oracles import histories
from tests.oracles.build import Missing, program
from tests.oracles.ha.real.programs import Failed
from tests.oracles.histories import stories
from tests.oracles.histories.playing import judge_of, module
from tests.oracles.histories.telling import agreeing, metrics
from tests.oracles.histories.telling.outside import Outside
from tests.oracles.histories.telling.teller import Telling
from tests.real.workloads.realplane import RealPlane

HERE = Path(__file__).parent
RECORDED = HERE / "recorded"
AT_ONCE, RUNS = 4, 3  # stories side by side, each in so many namespaces
LETTERS = string.ascii_lowercase[6:]  # in no hexadecimal number


def kept():
    """``area/name`` → the file of a history that is kept."""
    files = sorted(RECORDED.rglob("*.json.gz"))
    return {f"{path.parent.name}/{path.name.removesuffix('.json.gz')}": path for path in files}


def read(path):
    """The recording in a file."""
    return json.loads(gzip.decompress(path.read_bytes()))


def keep(name, recording):
    """Write it where the tests look."""
    path = RECORDED / f"{name}.json.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(recording, ensure_ascii=False, separators=(",", ":"))
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


def space(number, run):
    """The name of a namespace: letters that stand nowhere else."""
    return f"zq{LETTERS[number // len(LETTERS)]}{LETTERS[number % len(LETTERS)]}{'xyz'[run]}q"


def told(server, number, story):
    """The recording of *story*, told RUNS times. Raises Unstable."""
    judge, until = judge_of(HERE / "compare.py"), module(HERE / "until.py")
    worlds = [Outside(server, space(number, run)) for run in range(RUNS)]
    try:
        with concurrent.futures.ThreadPoolExecutor() as pool:
            runs = [*pool.map(lambda world: Telling(judge, until, world, story).run(), worlds)]
    finally:
        for world in worlds:
            world.close()
    return agreeing.recording(judge, story, runs)


def recorded(chosen):
    """(name, its recording, or None, why there is none) of each of the stories *chosen*, told to one control plane."""
    with (
        tempfile.TemporaryDirectory() as folder,
        RealPlane(program("kubernetes"), Path(folder)) as server,
        concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        metrics.define(Outside(server, space(0, 0)))
        jobs = {pool.submit(told, server, number, chosen[name]): name for number, name in enumerate(chosen)}
        for done in concurrent.futures.as_completed(jobs):
            try:
                yield jobs[done], done.result(), ""
            except (agreeing.Unstable, TimeoutError) as error:
                yield jobs[done], None, str(error)


def main(arguments):
    """Record or compare; the exit status."""
    chosen = {name: story for name, story in stories.told().items() if re.search(arguments.match, name)}
    lost = 0
    for name, recording, why in recorded(chosen):
        if recording is not None:
            if not arguments.check:
                keep(name, recording)
            why = "".join(histories.differences(HERE / "compare.py", recording)[:1])
        lost += bool(why)
        print(f"{name}: {why or 'ours does the same'}", flush=True)
    print(f"{len(chosen) - lost} of {len(chosen)} stories: ours does what the real one does")
    return int(lost > 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.oracles.histories.record")
    parser.add_argument("--match", default="", help="only those of which the name has this, a regular expression")
    parser.add_argument("--check", action="store_true", help="keep nothing")
    try:
        sys.exit(main(parser.parse_args()))
    except (Missing, Failed) as error:
        sys.exit(str(error))
