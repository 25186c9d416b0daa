"""Random sessions at a real API server and at ours: what the real one answers, ours has to answer too.

    python -m tests.real.api.chance [--seed N] [--sessions 200] [--first N]

A session that differs is made as short as it can be, and printed with its first difference; `--keep FOLDER` writes it
there, as a recording that ``python -m tests.oracles`` plays. Those of TOLERATED are counted, each with its reason.
"""

import argparse
import json
import random
import re
import ssl
import sys
import tempfile
from pathlib import Path

from kubemini.apiserver.rules.volumes.sources import NEEDED
from tests.oracles.build import Missing, program
from tests.oracles.ha.real.programs import Failed
from tests.oracles.sessions import replaying
from tests.real.api import sessions
from tests.real.api.realserver import RealServer

EMPTY = "a list or map that is given, but empty, is the same here as none"
TOLERATED = {  # a regular expression for a difference → why it may be
    r"networkpolicies.*metadata.generation": EMPTY,
    r"roles.*managedFields": EMPTY,
    r"configmaps.*answer.code: wanted 422": EMPTY,  # where it is immutable
    r'persistentvolumeclaims.*resourceVersion: wanted "rv-': "a claim's phase is stored from its second write on",
    r"warnings: wanted .*spec\.": "what a writer is warned of in a pod's template is said of few fields",
    rf"volumes\[\d+\]\.({'|'.join(NEEDED)})\.": "of volume plugins that are no more only the needed fields are judged",
}
SHOWN = re.compile(r"wanted (?P<wanted>.*), got (?P<got>.*)$", re.DOTALL)
ATTEMPTS = 20  # at an answer that may depend on the order in which Go walks a map


class Asked:
    """The real server, and how often it was asked."""

    def __init__(self, real):
        self.judge = replaying.judge_of(replaying.OWN_JUDGE)
        self.judge.short = lambda value: json.dumps(value, ensure_ascii=False)
        tokens = {"admin": "admintoken", "dev": "devtoken"}
        self.server = self.judge.Server(real.url, ssl._create_unverified_context(), tokens)
        self.runs = 0

    def differences(self, session):
        """What ours answers otherwise, each time that it is asked: Go walks maps in no order, so it is asked again."""
        for _ in range(ATTEMPTS):
            found, recorded = self._once(session)
            if not found:
                break
        return found, recorded

    def _once(self, session):
        """The same, asked in a namespace of a new name."""
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
    """The shortest session that we find with the same kind of difference: what can go, goes, part by part."""
    number, why = 0, untold(why)
    while number < len(parts(session)):
        shorter = without(session, parts(session)[number])
        found, recorded = asked.differences(shorter)
        left = untold(found)
        if left and sort_of(left[0]) == sort_of(why[0]):
            session, why = recorded, left
        else:
            number += 1
    return session, why


def parts(session):
    """Where what might be left out stands, largest first: steps from the last, then all that bodies hold."""
    steps = range(len(session["steps"]) - 1, 0, -1)
    bodies = [(number, "body", *at) for number in steps for at in _inside(session["steps"][number].get("body"))]
    return [(number,) for number in steps] + sorted(bodies, key=len)


def _inside(value):
    """Paths to all that lies in *value*."""
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [at for key in keys for at in [(key,), *((key, *deeper) for deeper in _inside(value[key]))]]


def without(session, at):
    """A copy without what stands at *at*."""
    shorter = json.loads(json.dumps({**session, "steps": session["steps"]}))
    where = shorter["steps"]
    for key in at[:-1]:
        where = where[key]
    del where[at[-1]]
    return shorter


def sort_of(line):
    """A difference without what is of this session alone."""
    return re.sub(r"step \d+|chance-[\d-]+|\(.*?\)", "", line)[:60]


def untold(found):
    """Those that nothing tolerates."""
    return [line for line in found if not line.startswith("step 0:") and not _reason(line)] or found


def reason(found):
    """Why all these differences may be; "" if one may not. How versions follow each other is told with the first."""
    reasons = [_reason(line) for line in found if not line.startswith("step 0:")]
    return reasons[0] if reasons and all(reasons) else ""


def _reason(line):
    shown = SHOWN.search(line)
    if shown and _emptied(shown["wanted"]) == _emptied(shown["got"]):
        return EMPTY
    return next((why for text, why in TOLERATED.items() if re.search(text, line)), "")


def _emptied(text):
    return re.sub(r"\[\]|\{\}", "null", text)


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
            print(f"session {number} (--seed {said.seed} --first {number} --sessions 1): {found[0][:500]}", flush=True)
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
