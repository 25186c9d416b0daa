"""Hold the simulator against recordings: ``python -m tests.oracles [--all] PATH…`` (files, folders, also unseen ones).

Each recording is run by the simulator and judged by the compare.py (of sessions: run.py) that lies beside it. One line
a failing case, with the first difference, or with all; then ``N passed, M failed, K tolerated``, and exit status 1 if
one failed. What is no recording that can be run here is passed over, and counted; so are some
trials with forms of their own, which compare.py does not read: connections, apf, scale, etcd_upgrade. For others,
lost_disk, nospace and snapshot_restore, `ha/special.py` has the rules. Those of networking: `network/parts.py`.
Tables of upstream's tests: a file in `kubernetes/vectors/` each; a row is a case.
"""

import gzip
import json
import sys
from pathlib import Path

from tests import panics
from tests.oracles import histories, scheduler
from tests.oracles.ha import clusters, members, special, tolerated
from tests.oracles.kubelet import playing
from tests.oracles.kubernetes import vectors
from tests.oracles.network import parts
from tests.oracles.sessions import replaying

FAMILIES = (members, clusters, special, parts, histories, scheduler, replaying, vectors, playing)  # `cases(path, data)`


def recordings(paths):
    """(file, what it holds) of every JSON file in *paths*, compressed or not; None for what is no JSON."""
    for path in map(Path, paths):
        for file in sorted([*path.rglob("*.json"), *path.rglob("*.json.gz")]) if path.is_dir() else [path]:
            try:
                data = file.read_bytes()
                yield file, json.loads(gzip.decompress(data) if file.suffix == ".gz" else data)
            except (ValueError, gzip.BadGzipFile):
                yield file, None


def cases(paths):
    """(name, how to run it) of every case in *paths*; (file, None) for a file that holds none."""
    for file, data in recordings(paths):
        found = [(name, run) for family in FAMILIES for name, run in family.cases(file, data)]
        yield from found or [(file.name, None)]


def told(run):
    """What differs in one case; a case of which the simulator dies differs, too."""
    try:
        return run()
    except Exception as error:
        return [f"it cannot be run: {type(error).__name__}: {error}"]


def main(paths, all=False):
    """Run them all and say what became of them, and with *all* every difference; the exit status."""
    counts = {"passed": 0, "failed": 0, "tolerated": 0}
    over = 0
    for name, run in cases(paths):
        if run is None:
            over += 1
            continue
        differences = told(run)
        grave = [found for found in differences if not tolerated.reason(name, found)]
        fate = "failed" if grave else "tolerated" if differences else "passed"
        counts[fate] += 1
        for found in differences if all else grave[:1] or differences:
            why = tolerated.reason(name, found)
            print(f"{name}: {found}" + (f" (tolerated: {why})" if why else ""), flush=True)
    if over:
        print(f"{over} files passed over: nothing in them can be run here")
    print(", ".join(f"{count} {fate}" for fate, count in counts.items()))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    named = [word for word in sys.argv[1:] if word != "--all"]
    missing = [path for path in named if not Path(path).exists()]
    if missing or not named:
        print(f"there is no {missing[0]}: name files or folders of recordings" if missing else __doc__, file=sys.stderr)
        sys.exit(2)
    panics.are_failures()
    sys.exit(main(named, all="--all" in sys.argv))
