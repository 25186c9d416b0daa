"""The kept sessions at a fresh real API server: ``python -m tests.oracles.sessions.record [--check]``.

Those that it answers otherwise than they say are recorded anew; with --check they are only named, and the status is 1.
Sessions that need controllers, or fast compaction, were recorded beside these and stay as they are.
"""

import contextlib
import copy
import ssl
import sys
import tempfile
from pathlib import Path

from tests.oracles.build import Missing, program
from tests.oracles.ha.real.programs import Failed
from tests.oracles.sessions import keep, replaying
from tests.real.api.realserver import RealServer


def server_of(judge, real):
    """A real server as run.py asks one."""
    tokens = {"admin": "admintoken", "dev": "devtoken"}
    return judge.Server(real.url, ssl._create_unverified_context(), tokens)


@contextlib.contextmanager
def at_a_real_one():
    """A fresh real API server, for a `with` block."""
    with tempfile.TemporaryDirectory() as folder, RealServer(program("kubernetes"), Path(folder)) as real:
        yield real


def main(check):
    """Record or compare; the exit status."""
    judge, found = replaying.judge_of(replaying.OWN_JUDGE), {}
    sessions = {name: keep.read(path) for name, path in keep.kept().items()}
    plain = {name: one for name, one in sessions.items() if one["needs"] == ["api"] and not one.get("params")}
    with at_a_real_one() as real:
        for name, session in plain.items():
            if [*judge.replay(copy.deepcopy(session), server_of(judge, real), ())]:
                found[name] = session
                print(f"answered otherwise: {name}", flush=True)
    if found and not check:
        with at_a_real_one() as real:
            for session in found.values():
                keep.keep(judge.record(session, server_of(judge, real)))
    print(f"{len(plain)} of {len(sessions)} kept sessions were asked, {len(found)} are answered otherwise")
    return int(check and bool(found))


if __name__ == "__main__":
    try:
        sys.exit(main("--check" in sys.argv))
    except (Missing, Failed) as error:
        sys.exit(str(error))
