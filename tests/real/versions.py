"""The etcd twin with the versions that are built: ``python -m tests.real.versions`` (part of `make twin`).

Debian's etcd is 3.4, and the suite asks that one. Here 3.6 and 3.7 are asked too: the same files of the suite, and as
many random sessions as one likes that nobody has seen before (``--sessions``, from ``--seed`` on). 1 if anything
differs; what the older one answers otherwise is known from versions.json and from nowhere else.
"""

import argparse
import os
import random
import shlex
import subprocess
import sys

from tests.oracles.build import Missing
from tests.oracles.etcd import sessions
from tests.oracles.etcd.record import CALM, asked, cluster, commands
from tests.real.test_sequential import tell
from tests.real.twin import SimulatedCluster, requests

INSTALLED = "3.4"
SUITE = ("tests/real/test_sequential.py", "tests/real/test_members.py")


def suite(kinds):
    """Run the suite's files with each of *kinds*, all at once, as they mostly wait; how many failed."""
    test = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *SUITE]
    running = {}
    for kind, command in kinds.items():
        env = {**os.environ, "KUBEMINI_ETCD": shlex.join(command), "KUBEMINI_REQUIRE": "1"}
        running[kind] = subprocess.Popen(test, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    failed = 0
    for kind, process in running.items():
        told, _ = process.communicate()
        failed += process.returncode != 0
        print(f"etcd {kind}: {told.strip().splitlines()[-1]}" if process.returncode == 0 else f"etcd {kind}:\n{told}")
    return failed


def fresh(kinds, seeds):
    """Put random requests to each of *kinds* and to ours; how many answers differ."""
    differing = 0
    for kind, command in kinds.items():
        for seed in seeds:
            with asked(command), cluster(CALM) as real:
                found = differences(real, seed)
            print(*(f"etcd {kind}, session {seed}, {line}" for line in found), sep="\n", end="\n" if found else "")
            differing += len(found)
    print(f"{len(seeds)} sessions of {sessions.LENGTH} requests with etcd {' and '.join(kinds)}, {differing} differ")
    return differing


def differences(real, seed):
    """The answers to one session that are not the same."""
    ours = SimulatedCluster(seed=seed)
    found, leads, mine = [], real.leader(), ours.leader()
    for number, (method, request) in enumerate(requests(seed, sessions.LENGTH, odd=True)):
        here, theirs = (tell(c.ask(who, method, request), request) for c, who in ((ours, mine), (real, leads)))
        if here != theirs:
            found.append(f"request {number}, {method} {request}: {theirs}, ours {here}")
    return found


def main(arguments):
    """Both comparisons; 1 if anything differs or cannot be compared."""
    parser = argparse.ArgumentParser(prog="python -m tests.real.versions")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9), help="of the first session")
    parser.add_argument("--sessions", type=int, default=3)
    chosen = parser.parse_args(arguments)
    try:
        kinds = {kind: command for kind, command in commands().items() if kind != INSTALLED}
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 1
    print(f"seed {chosen.seed}", flush=True)
    differing = fresh(kinds, range(chosen.seed, chosen.seed + chosen.sessions))
    return 1 if differing + suite(kinds) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
