"""Random sessions at a real API server and at ours: what the real one answers, ours has to answer too.

    python -m tests.real.api.chance [--seed N] [--sessions 200] [--first N]

A session that differs is made as short as it can be, and printed with its first difference; `--keep FOLDER` writes it
there, as a recording that ``python -m tests.oracles`` plays. Those of TOLERATED are counted, each with its reason.
"""

import argparse
import copy
import json
import random
import re
import ssl
import sys
import tempfile
from pathlib import Path

from tests.oracles.build import Missing, program
from tests.oracles.ha.real.programs import Failed
from tests.oracles.sessions import replaying
from tests.real.api import sessions
from tests.real.api.realserver import RealServer

TOLERATED: dict[str, str] = {}  # a regular expression for a difference → why it may be


class Asked:
    """The real server, and how often it was asked."""

    def __init__(self, real):
        self.judge = replaying.judge_of(replaying.OWN_JUDGE)
        tokens = {"admin": "admintoken", "dev": "devtoken"}
        self.server = self.judge.Server(real.url, ssl._create_unverified_context(), tokens)
        self.runs = 0

    def differences(self, session):
        """What ours answers otherwise, the first time that this is asked in a namespace of this name."""
        self.runs += 1
        tried = _renamed(session, f"{_own(session)}-{self.runs:04}")
        recorded = self.judge.record(tried, self.server)
        return replaying.differences(replaying.OWN_JUDGE, recorded), recorded


def _own(session):
    """Its name without the number of the run."""
    return "-".join(session["name"].split("-")[:2])


def _renamed(session, name):
    """The same session in another namespace: nothing is there yet."""
    return json.loads(json.dumps(session).replace(session["name"], name))


def shortest(asked, session, why):
    """The shortest session that we find with the same kind of difference: steps are left out one by one."""
    number = len(session["steps"]) - 1
    while number > 1:
        shorter = {**session, "steps": [*session["steps"][:number], *session["steps"][number + 1 :]]}
        found, recorded = asked.differences(copy.deepcopy(shorter))
        if found and sort_of(found[0]) == sort_of(why[0]):
            session, why = recorded, found
        number = min(number, len(session["steps"])) - 1
    return session, why


def sort_of(line):
    """A difference without what is of this session alone."""
    return re.sub(r"step \d+|chance-[\d-]+|\(.*?\)", "", line)[:60]


def reason(found):
    """Why all these differences may be; "" if one may not."""
    reasons = [next((why for text, why in TOLERATED.items() if re.search(text, line)), "") for line in found]
    return reasons[0] if all(reasons) else ""


def main(arguments=None):
    """Play them; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.real.api.chance")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--sessions", type=int, default=200)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--keep", type=Path)
    said = parser.parse_args(arguments)
    print(f"seed {said.seed}", flush=True)
    differ = tolerated = 0
    with tempfile.TemporaryDirectory() as folder, RealServer(program("kubernetes"), Path(folder)) as real:
        asked = Asked(real)
        for number in range(said.first, said.first + said.sessions):
            made = sessions.session(random.Random(f"{said.seed} {number}"), f"chance-{number}")
            found, recorded = asked.differences(made)
            if not found:
                continue
            if reason(found):
                tolerated += 1
                continue
            differ += 1
            short, found = shortest(asked, recorded, found)
            print(f"session {number} (--seed {said.seed} --first {number} --sessions 1): {found[0]}", flush=True)
            if said.keep:
                said.keep.mkdir(parents=True, exist_ok=True)
                (said.keep / f"chance-{number}.json").write_text(json.dumps(short, indent=1))
    print(f"{said.sessions - differ - tolerated} alike, {tolerated} tolerated, {differ} different")
    return 1 if differ else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Missing, Failed) as error:
        sys.exit(str(error))
