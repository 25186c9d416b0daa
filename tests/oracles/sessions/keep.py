"""Keep recorded sessions that ours answers as they say: what is kept is played in every run of the tests.

    python -m tests.oracles.sessions.keep PATH…      files of sessions, or folders of them

Each goes to recorded/AREA/NAME.json.gz, the same bytes for the same session.
"""

import gzip
import json
import sys
from pathlib import Path

from tests import panics
from tests.oracles.__main__ import recordings
from tests.oracles.sessions import replaying

RECORDED = Path(__file__).parent / "recorded"


def kept():
    """``area/name`` → the session, of all that are kept."""
    files = sorted(RECORDED.rglob("*.json.gz"))
    return {f"{path.parent.name}/{path.name.removesuffix('.json.gz')}": path for path in files}


def read(path):
    """The session in a file."""
    return json.loads(gzip.decompress(path.read_bytes()))


def keep(session):
    """Write it where the tests look."""
    path = RECORDED / session["area"] / f"{session['name']}.json.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(session, ensure_ascii=False, separators=(",", ":"))
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


def main(paths):
    """Keep those that pass; say how many."""
    new, failed, before = 0, 0, kept()
    for path, data in recordings(paths):
        for name, run in replaying.cases(path, data):
            if run():
                failed += 1
            elif name not in before:
                keep(data)
                new += 1
    print(f"{new} kept anew, {len(before)} were there, {failed} are answered otherwise")


if __name__ == "__main__":
    panics.are_failures()
    main(sys.argv[1:])
