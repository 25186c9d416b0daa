"""What a client sees when its etcd is in trouble: stories that are played on a real cluster and on ours alike.

Each takes three members, does something to them and returns what came of it, in numbers and in etcd's own words.
"""

import concurrent.futures
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.real.namespaces import NamespacedCluster
from tests.real.twin import SimulatedCluster

KEY = {"key": "k"}
LEASE, TTL = 7, 3
TRIES = 8  # of ten cut-off leaders, six or seven are still leaders when there is another


def naive_client(cluster):
    """The leader dies; a client that asks one member and waits has its write forwarded to the dead."""
    leader = cluster.leader()
    cluster.strike(leader, "crash")
    cluster.rest(0.05)
    (answer,) = cluster.together([(other(cluster, leader), "put", KEY | {"value": "lost"})])
    return {"seconds": answer[2], "told": answer[1].get("message")}


def late_commit(cluster):
    """Two of three die, a write times out at the third; one comes back, and there is the write."""
    leader = cluster.leader()
    dead = [name for name in cluster.names if name != leader]
    for name in dead:
        cluster.strike(name, "crash")
    cluster.rest(0.05)
    (answer,) = cluster.together([(leader, "put", KEY | {"value": "committed"})])
    cluster.mend(dead[0])
    new = cluster.leader([leader, dead[0]])
    return {"seconds": answer[2], "told": answer[1].get("message"), "there": value(cluster.ask(new, "range", KEY))}


def two_leaders(cluster):
    """The leader is cut off. Are there two for a moment? What does the old one answer?"""
    for tries in range(1, TRIES + 1):
        seen = cut_off(cluster, f"old {tries}", f"new {tries}")
        cluster.heal()
        cluster.leader()
        cluster.rest(0.5)
        if seen["both lead"]:
            break
    return seen | {"tries": tries}


def cut_off(cluster, old_value, new_value):
    """One partition: what old and new leader say at the same time."""
    old = cluster.leader()
    cluster.ask(old, "put", KEY | {"value": old_value})
    rest = [name for name in cluster.names if name != old]
    cluster.cut([old])
    new = cluster.leader(rest)
    cluster.ask(new, "put", KEY | {"value": new_value})
    stale = value(cluster.ask(old, "range", KEY | {"serializable": True}))
    fresh = cluster.ask(old, "range", KEY, timeout=0.2)
    return {"both lead": cluster.leads(old) and cluster.leads(new), "stale": stale, "linearizable": value(fresh)}


def lease_lives_on(cluster):
    """A lease is half a second old when the leader dies: when is its key gone?"""
    leader = cluster.leader()
    cluster.ask(leader, "lease_grant", {"ID": LEASE, "TTL": TTL})
    granted = cluster.now()
    cluster.ask(leader, "put", KEY | {"value": "leased", "lease": LEASE})
    cluster.rest(0.5)
    cluster.strike(leader, "crash")
    new = cluster.leader([name for name in cluster.names if name != leader])
    elected = cluster.now()
    while value(cluster.ask(new, "range", KEY | {"serializable": True})):
        cluster.rest(0.02)
    return {"after the grant": cluster.now() - granted, "after the new leader": cluster.now() - elected}


def watch_dies(cluster):
    """Two of three die: what a watch at the third that requires a leader (an API server's does) is told, and when."""
    leader = cluster.leader()
    survivor = other(cluster, leader)

    def majority_dies():
        for name in cluster.names:
            if name != survivor:
                cluster.strike(name, "crash")

    told, seconds = cluster.end_of_watch(survivor, KEY, majority_dies)
    return {"seconds": seconds, "told": told}


@dataclass(frozen=True)
class Sight:
    """*what* a client sees; *tell* puts in words what came of one telling of the *story*, or of several."""

    what: str
    story: Callable
    tell: Callable


def spread(name, form="{}"):
    """The range of a number of seconds, in words."""

    def tell(outcomes):
        low, high = (f"{pick(outcome[name] for outcome in outcomes):.2f}" for pick in (min, max))
        return form.format(f"{low} s" if low == high else f"{low} to {high} s")

    return tell


def all_of(name, test, yes):
    return lambda outcomes: yes if all(test(outcome[name], outcome) for outcome in outcomes) else "no"


SIGHTS = {
    "naive": Sight(
        "the leader dies; how long a client that asks one other member waits for `request timed out`",
        naive_client,
        spread("seconds"),
    ),
    "late commit": Sight(
        "a write that timed out turns out committed when a member comes back",
        late_commit,
        all_of("there", lambda there, _: there == "committed", "it is there"),
    ),
    "two leaders": Sight(
        "two leaders at once, and no linearizable read of the old value",
        two_leaders,
        all_of("both lead", lambda both, seen: both and seen["linearizable"] != seen["stale"], "so it is"),
    ),
    "stale read": Sight(
        "a serializable read of a leader that was cut off tells the old value",
        two_leaders,
        all_of("stale", lambda stale, _: stale.startswith("old"), "it does"),
    ),
    "lease": Sight(
        f"a lease of {TTL} s after the leader's death: it ends so long after the next election",
        lease_lives_on,
        spread("after the new leader"),
    ),
    "watch": Sight(
        "two of three die; how long until a watch at the third ends with `no leader`", watch_dies, spread("seconds")
    ),
}


def on_real_members(story):
    with tempfile.TemporaryDirectory() as folder, NamespacedCluster(Path(folder)) as real:
        return story(real)


def played(seeds):
    """For each story what came of it, (on real members, all at once; on ours, once a seed)."""
    stories = list(dict.fromkeys(sight.story for sight in SIGHTS.values()))
    with concurrent.futures.ThreadPoolExecutor(len(stories)) as pool:
        real = pool.map(on_real_members, stories)
        return {
            story: ([seen], [story(SimulatedCluster(3, seed)) for seed in seeds])
            for story, seen in zip(stories, real, strict=True)
        }


def other(cluster, name):
    return next(n for n in cluster.names if n != name)


def value(answer):
    """Of the one key that was asked for; None if there was none, or no answer."""
    ok, found = answer
    return found["kvs"][0]["value"] if ok and found.get("kvs") else None
