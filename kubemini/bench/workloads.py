"""What is measured: etcd idle, etcd through a year of faults, whole clusters, a click; bare SimPy is the yardstick."""

import json
from random import Random
from typing import Any

import simpy

from kubemini.cluster import Cluster, build
from kubemini.params import Params
from kubemini.scenarios import load
from kubemini.session import handle
from kubemini.sim.engine import FULL, QUIESCENT
from kubemini.sim.units import DAY, HOUR, MINUTE, SECOND
from kubemini.simulate import advance, run

STORY = 120  # seconds
YEAR = 365 * DAY


def bare_simpy(events: int) -> None:
    """The yardstick: a thousand timeouts in flight, each scheduling the next from a callback."""
    env = simpy.Environment()
    left = [events]

    def fire(_: simpy.Event) -> None:
        if left[0] > 0:
            left[0] -= 1
            env.timeout(1000).callbacks.append(fire)

    for _ in range(20):
        env.timeout(1000).callbacks.append(fire)
    env.run()


def idle_etcd(seconds: int, params: Params | None = None, fidelity: str = FULL) -> Cluster:
    """Five members with nothing to do."""
    cluster = Cluster(build("etcd", members=5), seed=1, params=params, fidelity=fidelity)
    advance(cluster, seconds * SECOND, None, 10**9)
    return cluster


def faulty_year(seed: int = 7) -> Cluster:
    """Five members, fifty faults and fifty writes in a year, quiescent: crashes, cuts, now and then no majority."""
    cluster, rng = Cluster(build("etcd", members=5), seed, fidelity=QUIESCENT), Random(seed)
    members = [cluster.components[name] for name in cluster.topology.members]
    command = cluster.sim.command
    for _ in range(50):
        at, kind, some = rng.randrange(HOUR, YEAR), rng.random(), rng.sample(members, 3)
        lasts = int(rng.choice((10, 60, 300, 1800)) * (0.5 + rng.random()) * SECOND)
        if kind < 0.7:
            command(at, _crash_for, cluster, None if kind < 0.4 else some[0], lasts)
        elif kind < 0.85:
            hosts = [member.host.name for member in some[: rng.choice((1, 2))]]
            command(at, cluster.net.cut, hosts, [host for host in cluster.hosts if host not in hosts])
            command(at + min(lasts, 5 * MINUTE), cluster.net.heal)
        else:
            for member in some:
                command(at + rng.randrange(5 * SECOND), _crash_for, cluster, member, min(lasts, 2 * MINUTE))
    for number in range(50):
        command(rng.randrange(HOUR, YEAR), cluster.user.put, f"key-{number}", "value", "")
    advance(cluster, YEAR, None, 10**9)
    return cluster


def _crash_for(cluster: Cluster, who: Any, lasts: int) -> None:
    """*who*, or else the leader, crashes and is back after a time."""
    members: list[Any] = [cluster.components[name] for name in cluster.topology.members]
    victim = who or next(member for member in members if member.raft.role == "leader")
    victim.crash()
    cluster.sim.command(cluster.sim.now + lasts, victim.start)


def write_events() -> float:
    """How many events a write in a quiet cluster takes, on average."""
    cluster, rng, writes = idle_etcd(10, fidelity=QUIESCENT), Random(1), 50
    before = cluster.sim.events
    for number in range(writes):
        at = cluster.sim.now + rng.randrange(SECOND)
        cluster.sim.command(at, cluster.user.put, f"key-{number}", "value", "")
        cluster.sim.run_until(at + 20 * SECOND)
    return (cluster.sim.events - before) / writes


def busy(fidelity: str) -> None:
    """A whole cluster, whose etcd is hardly ever quiet."""
    run("external", until=60, fidelity=fidelity)


def leaderless(fidelity: str) -> None:
    """Three of five members are gone: the others campaign for ever."""
    cluster = idle_etcd(5, fidelity=fidelity)
    for name in cluster.topology.members[:3]:
        cluster.components[name].crash()
    advance(cluster, 15 * MINUTE, None, 10**9)


def lossy(fidelity: str) -> None:
    """Heartbeats get lost, so none may be left out."""
    cluster = idle_etcd(5, fidelity=fidelity)
    cluster.net.set_loss("etcd-host-1", "etcd-host-2", 0.01)
    advance(cluster, 2 * MINUTE, None, 10**9)


def click(name: str) -> dict[str, Any]:
    """The message a widget sends when the reader crashes something in the two-minute story of *name*."""
    scenario = load(name)
    target = scenario.topology.members[0]
    return {
        "op": "simulate",
        "id": 1,
        "spec": {"scenario": name, "commands": [[15.5, "crash", target]], "until": STORY},
    }


def answer(message: dict[str, Any]) -> str:
    """What a widget gets back."""
    return json.dumps(handle(message))
