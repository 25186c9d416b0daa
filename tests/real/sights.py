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
    (answer,) = cluster.together([(0, other(cluster, leader), "put", KEY | {"value": "lost"})])
    return {"seconds": answer[2], "told": answer[1].get("message")}


def late_commit(cluster):
    """Two of three die, a write times out at the third; one comes back, and there is the write."""
    leader = cluster.leader()
    dead = [name for name in cluster.names if name != leader]
    for name in dead:
        cluster.strike(name, "crash")
    cluster.rest(0.05)
    (answer,) = cluster.together([(0, leader, "put", KEY | {"value": "committed"})])
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


def seconds(name):
    """A number of seconds, or its range."""

    def tell(outcomes):
        low, high = (f"{pick(outcome[name] for outcome in outcomes):.2f}" for pick in (min, max))
        return f"{low}\N{NO-BREAK SPACE}s" if low == high else f"{low} to {high}\N{NO-BREAK SPACE}s"

    return tell


def yes_if(test):
    return lambda outcomes: "yes" if all(test(outcome) for outcome in outcomes) else "no"


SIGHTS = {
    "naive": Sight(
        "The leader dies. So long a client waits that has asked one of the others, to be told: request timed out.",
        naive_client,
        seconds("seconds"),
    ),
    "late commit": Sight(
        "Two of three die. A write at the third times out, and is there when one comes back.",
        late_commit,
        yes_if(lambda seen: seen["there"] == "committed"),
    ),
    "two leaders": Sight(
        "The leader is cut off. There are two at once, and yet no linearizable read tells the old value.",
        two_leaders,
        yes_if(lambda seen: seen["both lead"] and seen["linearizable"] != seen["stale"]),
    ),
    "stale read": Sight(
        "A serializable read of the one that was cut off tells the old value.",
        two_leaders,
        yes_if(lambda seen: seen["stale"].startswith("old")),
    ),
    "lease": Sight(
        f"The leader dies. So long after the next one is elected, a lease of {TTL} s that was half a second old ends.",
        lease_lives_on,
        seconds("after the new leader"),
    ),
    "watch": Sight(
        "Two of three die. So much later a watch at the third that requires a leader ends with: no leader.",
        watch_dies,
        seconds("seconds"),
    ),
}


def on_real_members(story):
    with tempfile.TemporaryDirectory() as folder, NamespacedCluster(Path(folder)) as real:
        return story(real)


def on_ours(story):
    """Twenty times: once a seed."""
    return [story(SimulatedCluster(3, seed)) for seed in range(20)]


def played():
    """For each story what came of it on real members (all stories at once), and on ours."""
    stories = list(dict.fromkeys(sight.story for sight in SIGHTS.values()))
    with concurrent.futures.ThreadPoolExecutor(len(stories)) as pool:
        real = pool.map(on_real_members, stories)
        return {story: ([seen], on_ours(story)) for story, seen in zip(stories, real, strict=True)}


def other(cluster, name):
    return next(n for n in cluster.names if n != name)


def value(answer):
    """Of the one key that was asked for; None if there was none, or no answer."""
    ok, found = answer
    return found["kvs"][0]["value"] if ok and found.get("kvs") else None
