"""The same trial on the real cluster and in the simulator: ``python -m tests.oracles.ha.real.twin`` (`make twin`).

A few trials are chosen by a seed, which is printed; each is run on a real cluster in a room of its own, then by the
simulator as that record says, with several seeds. The judge of the recorded trials (compare.py) holds the real run
against ours, and of what it finds only that counts which a busy machine cannot change: texts and codes of errors,
which check fails, who exits, the order of leaderships, take-overs, who holds the address, nothing acknowledged lost.
A difference that is tolerated is a line below, with its reason. A trial that differs, or whose real cluster did not
come up, is run once more: what only a busy machine made does not come twice. ``--all``: every trial (`make soak`).
"""

import argparse
import random
import re
import sys
import time
from pathlib import Path

from tests.oracles.build import Missing
from tests.oracles.ha import clusters
from tests.oracles.ha.members import judge_beside
from tests.oracles.ha.real import trials
from tests.oracles.ha.real.room import Unfit
from tests.oracles.ha.real.run import Broken, record

SEEDS = range(1, 9)
TRIES = 2
SEEN = r"[\w-]+: errors|checks that fail: |who exits|leases given back|balancer: "
ORDER = r"order of etcd leaderships|take-overs of |virtual address held by|acknowledged_and_missing"
ANY = ".*"
FEWER, MORE = "only ours", "only the real one"
TOLERATED = (  # patterns: the trial, what differs, whose it is, and what that one shows; why it may
    (ANY, "checks that fail: .* other", MORE, "etcd|etcd-readiness|timed out", "a busy server's 2 s check of etcd"),
    (ANY, "checks that fail: .* hit", MORE, "refused|closed|etcd.*", "a server that has just been started"),
    (ANY, "balancer: failing checks other", MORE, "L7STS 500|L.TOUT", "the check of a busy server"),
    (ANY, "balancer: failing checks hit", MORE, "L7STS .*", "a server that has just been started"),
    (ANY, "balancer: DOWN other", MORE, "DOWN", "three checks of a busy server, one after the other"),
    (".*(power_off|cut)", "balancer: failing checks hit", MORE, "L4CON", "nobody answers for the address any more"),
    (ANY, "who exits", MORE, r"(kcm|sched) (hit|other) exit 1", "on a busy machine two lease calls may take over 5 s"),
    (ANY, "take-overs of", MORE, ANY, "on a busy machine a Lease is lost, and a new holder is seen late"),
    (
        ".*etcd_follower_kill",
        "take-overs of",
        FEWER,
        "1",
        "when the API server beside the member dials it again is chance: recorded in one of four such trials",
    ),
    (ANY, "sticky", FEWER, ANY, "whether a kept connection ends at the server that is hit is chance"),
    (ANY, "order of etcd leaderships", MORE, "then .*", "a busy leader loses its leadership once more"),
    (ANY, r".*: errors", MORE, ".*INTERNAL_ERROR; received from peer", "a read's 60 s, on a busy machine"),
    (ANY, r".*: errors", MORE, "500 etcdserver: request timed out", "a busy leader loses its leadership"),
    (
        ".*quorum_kill",
        ".*: errors",
        FEWER,
        "504 the server was unable .*",
        "no read waits 60 s if its server is back sooner",
    ),
    (".*hang_long", "fresh-list: errors", MORE, ".*keepalive ping failed.*", "ours asks again for a LIST as for a GET"),
)


def main(arguments):
    """Run the trials; 1 if one differs, or could not be run."""
    parser = argparse.ArgumentParser(prog="python -m tests.oracles.ha.real.twin")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9), help="chooses the trials")
    parser.add_argument("--trials", type=int, default=3, help="how many")
    parser.add_argument("--all", action="store_true", help="every trial there is")
    parser.add_argument("names", nargs="*", help="these trials")
    chosen = parser.parse_args(arguments)
    names = chosen.names or (list(trials.NAMED) if chosen.all else drawn(chosen.seed, chosen.trials))
    unknown = [name for name in names if name not in trials.NAMED]
    if unknown:
        parser.error(f"there is no trial {unknown[0]}; there are: {', '.join(trials.NAMED)}")
    print(f"seed {chosen.seed}: {', '.join(names)}", flush=True)
    try:
        differing = sum(beside(name) for name in names)
    except (Missing, Unfit) as why:
        print(why, file=sys.stderr)
        return 1
    print(f"{len(names)} trials on a real cluster and in the simulator, {differing} differ")
    return 1 if differing else 0


def drawn(seed, many):
    """The names of *many* trials, chosen by *seed*."""
    return random.Random(seed).sample(list(trials.NAMED), many)


def beside(name):
    """Run a trial on both sides until they agree, at most twice; whether they never do."""
    return all(differs(name) for _ in range(TRIES))


def differs(name):
    """Run a trial on both sides and say what differs; whether anything does that may not."""
    began = time.monotonic()
    try:
        real = record(name)
    except Broken as why:
        print(f"{name}: {why}", flush=True)
        return True
    grave, tolerated = held(name, real)
    load = max(real["loadavg_1m"])
    print(
        f"{name}: {time.monotonic() - began:.0f} s, load {load}, {len(grave)} differences, {len(tolerated)} tolerated"
    )
    for line in (*grave, *tolerated):
        print(f"  {line}", flush=True)
    if grave:
        print(f"again: python -m tests.oracles.ha.real.twin {name}", flush=True)
    return bool(grave)


def held(name, real):
    """`judged` of a *real* run and as many draws of ours as are needed: each can only make fewer differences."""
    ours = []
    for seed in SEEDS:
        ours.append(clusters.replay(real, seed))
        grave, tolerated = judged(name, real, ours)
        if not grave:
            break
    return grave, tolerated


def judged(name, real, ours):
    """(what differs and may not, what differs and may: with the reason) between a *real* run and *ours*."""
    judge = judge_beside(Path(clusters.__file__))
    grave, tolerated = [], []
    for path, whose, shown in differences(judge, judge.Facts(real), [judge.Facts(one) for one in ours]):
        why = reason(name, path, whose, shown)
        line = f"{path}: {whose} has {shown}"
        tolerated.append(f"{line} ({why})") if why else grave.append(line)
    return grave, tolerated


def differences(judge, real, ours):
    """(path, whose, what) of all that every run of ours shows and the real one not, or the other way round."""
    for path in sorted({path for run in (real, *ours) for path in run.may if re.match(SEEN, path)}):
        sure = set.intersection(*(run.sure.get(path, set()) for run in ours))
        may = set.union(*(run.may.get(path, set()) for run in ours))
        there = real.may.get(path, set())
        often = real.sure.get(path, set()) if path.endswith(": errors") else there  # one request may lie badly
        yield from ((path, FEWER, one) for one in sorted(sure - there))
        yield from ((path, MORE, one) for one in sorted(often - may) if not judge.STARTING.search(one))
    for path in sorted({path for run in (real, *ours) for path in run.order if re.match(ORDER, path)}):
        theirs, of_ours = real.order.get(path), [run.order.get(path) for run in ours]
        if isinstance(theirs, list) and path.startswith("order of") and any(theirs[: len(o)] == o for o in of_ours):
            yield from ((path, MORE, f"then {one}") for one in theirs[max(map(len, of_ours)) :])
        elif theirs not in of_ours:
            less = isinstance(theirs, int) and all(theirs < (one or 0) for one in of_ours)
            yield path, FEWER if less else MORE, str(of_ours[0] if less else theirs)


def reason(name, path, whose, shown):
    """Why the two may differ in this; nothing if they may not."""
    for trial, what, who, which, why in TOLERATED:
        if re.match(trial, name) and re.match(what, path) and who == whose and re.fullmatch(which, shown):
            return why
    return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
