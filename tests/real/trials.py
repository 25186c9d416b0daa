"""Losing the leader of real members, again and again: four faults, three and five members, with and without PreVote.

How long it takes says as much about the machine's other work as about etcd, so the suite prints a few trials beside
ours, and holds only that another member leads. ``python -m tests.real.trials 30``, on a machine with nothing else to
do, takes thirty trials of each, plays the stories of `sights`, prints both tables and writes what the book shows of
them; with 0 it only tells anew what ours do. Recorded samples are held against ours in `tests/test_failovers.py`.
"""

import concurrent.futures
import itertools
import json
import random
import sys
import tempfile
import time
from pathlib import Path

from kubemini.study.failovers import compare
from tests.real.namespaces import NamespacedCluster
from tests.real.realetcd import PATIENCE, version
from tests.real.sights import SIGHTS, on_ours, played
from tests.real.trouble import begin, end, sides

TABLE = Path(__file__).resolve().parent.parent / "oracles" / "etcd" / "twin.json"
FAULTS = ("crash", "pause", "terminate", "cut")
SIZES = (3, 5)


def failover(real, fault):
    """Who led, who leads after the *fault*, and the seconds between the fault and the log line of the next leader."""
    leader = steady_leader(real)
    hurt, others = sides(real, leader, fault)
    since = time.time()
    begin(real, hurt, fault)
    new, took = next_leader([real.member(name) for name in others], since)
    time.sleep(random.uniform(0, 0.1))  # or whoever is started again would tick with the one whose log we read
    end(real, hurt, fault)
    return leader, new, round(took, 3)


def steady_leader(real):
    """Who leads, and did a moment ago; some time later, so that trials begin at any time of a tick."""
    while True:
        before = real.leader()
        time.sleep(random.uniform(0.25, 0.35))
        if real.leader() == before:
            return before


def next_leader(members, since):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        said = [(member.said("became leader at term", since), member.name) for member in members]
        if elected := [(at, name) for at, name in said if at is not None]:
            at, name = min(elected)
            return name, at
        time.sleep(0.02)
    raise AssertionError(f"no leader after {PATIENCE} s")


def samples(size, pre_vote, trials):
    """Rows of the table, all faults on one cluster, with how they compare with ours.

    One trial of each fault in turn: a member that was killed starts its ticks anew, so no two rounds are alike.
    """
    with tempfile.TemporaryDirectory() as folder, NamespacedCluster(Path(folder), size, pre_vote) as real:
        rounds = [[failover(real, fault) for fault in FAULTS] for _ in range(trials)]
    rows = []
    for fault, found in zip(FAULTS, zip(*rounds, strict=True), strict=True):
        row = {"fault": fault, "members": size, "pre_vote": pre_vote, "seconds": sorted(took for *_, took in found)}
        rows.append((row, compare(row), [(old, new) for old, new, _ in found]))
    return rows


def all_samples(trials):
    """Four clusters at once: they mostly wait."""
    cells = list(itertools.product(SIZES, (False, True)))
    with concurrent.futures.ThreadPoolExecutor(len(cells)) as pool:
        rows = [row for rows in pool.map(lambda cell: samples(*cell, trials), cells) for row in rows]
    return sorted(rows, key=lambda found: FAULTS.index(found[0]["fault"]))


def in_words(row, found, _):
    return (
        f"{row['fault']:9} {row['members']} members, PreVote {'on, ' if row['pre_vote'] else 'off,'} "
        f"median of {len(row['seconds'])}: {found.real:.3f} s, ours {found.ours:.3f} s, "
        f"distance over critical {found.gap:.2f}"
    )


def measure(trials):
    """What `TABLE` is to say."""
    rows = all_samples(trials)
    print("\n".join(in_words(*row) for row in rows))
    stories = played()
    told = [{"real": sight.tell(stories[sight.story][0])} for sight in SIGHTS.values()]
    return {"etcd": version(), "failovers": [row for row, _, _ in rows], "sights": told}


def main(arguments):
    table = measure(int(arguments[0])) if arguments and arguments[0] != "0" else json.loads(TABLE.read_text())
    for row, sight in zip(table["sights"], SIGHTS.values(), strict=True):
        row |= {"what": sight.what, "ours": sight.tell(on_ours(sight.story))}
        print(f"{row['what']} {row['real']}, ours: {row['ours']}")
    lists = {name: ",\n  ".join(json.dumps(row) for row in table[name]) for name in ("failovers", "sights")}
    written = ",\n".join(f' "{name}": [\n  {rows}\n ]' for name, rows in lists.items())
    TABLE.write_text(f'{{"etcd": "{table["etcd"]}",\n{written}\n}}\n')


if __name__ == "__main__":
    main(sys.argv[1:])
