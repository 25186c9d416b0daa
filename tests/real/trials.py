"""Losing the leader of real members, again and again: four faults, three and five members, with and without PreVote.

Each sample is held against ours at once. Chance alone puts one good sample in twenty outside the critical value, so a
sample that lies outside is taken again; a wrong one stays outside. ``python -m tests.real.trials 20`` takes twenty
trials of each and the stories of `sights`, and writes the tables that the book shows.
"""

import concurrent.futures
import itertools
import random
import tempfile
import time
from pathlib import Path
from statistics import median

from kubemini.study.failovers import STEPS, critical, distance, failovers
from tests.real.namespaces import NamespacedCluster

TABLE = Path(__file__).resolve().parent.parent / "testdata" / "etcd" / "twin.json"
FAULTS = ("crash", "pause", "terminate", "cut")
SIZES = (3, 5)
ATTEMPTS = 3


def failover(real, fault):
    """Seconds from the *fault* to the log line of the next leader."""
    leader = steady_leader(real)
    others = [name for name in real.names if name != leader]
    alone = [leader, *others[: real.size // 2 - 1]]  # as many as leave the others a majority
    since = time.time()
    real.cut(alone) if fault == "cut" else real.strike(leader, fault)
    took = next_leader([real.member(name) for name in others if fault != "cut" or name not in alone], since)
    real.heal() if fault == "cut" else real.mend(leader)
    return round(took, 3)


def steady_leader(real):
    """Who leads, and did half a second ago; a little later, so that trials begin at any time of a tick."""
    while True:
        before = real.leader()
        time.sleep(random.uniform(0.4, 0.5))
        if real.leader() == before:
            return before


def next_leader(members, since):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        elected = [at for member in members if (at := member.said("became leader at term", since)) is not None]
        if elected:
            return min(elected)
        time.sleep(0.02)
    raise AssertionError("no leader after 20 s")


def sample(real, pre_vote, fault, trials):
    """A row of the table: the times of *real*, and how far from ours they are."""
    ours = failovers(real.size, fault, pre_vote)
    for attempt in range(1, ATTEMPTS + 1):
        measured = sorted(failover(real, fault) for _ in range(trials))
        row = {"fault": fault, "members": real.size, "pre_vote": pre_vote, "attempt": attempt, "seconds": measured}
        row |= held_against(ours, measured, fault)
        if row["distance"] < row["critical"]:
            break
    return row


def held_against(ours, measured, fault):
    return {
        "ours": round(median(ours), 3),
        "distance": round(distance(ours, measured, STEPS.get(fault, 0)), 2),
        "critical": round(critical(len(ours), len(measured)), 2),
    }


def samples(size, pre_vote, trials):
    """All faults on one cluster."""
    with tempfile.TemporaryDirectory() as folder, NamespacedCluster(Path(folder), size, pre_vote) as real:
        return [sample(real, pre_vote, fault, trials) for fault in FAULTS]


def all_samples(trials):
    """Four clusters at once: they mostly wait."""
    cells = list(itertools.product(SIZES, (True, False)))
    with concurrent.futures.ThreadPoolExecutor(len(cells)) as pool:
        return [row for rows in pool.map(lambda cell: samples(*cell, trials), cells) for row in rows]


def in_words(row):
    times = f"{row['members']} members, PreVote {'on' if row['pre_vote'] else 'off'}, {row['fault']}:"
    return (
        f"{times:38} median {median(row['seconds']):.3f} s of {len(row['seconds'])}, ours {row['ours']:.3f} s, "
        f"distance {row['distance']:.2f}, critical {row['critical']:.2f}"
    )
