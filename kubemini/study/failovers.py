"""How long do members of etcd go without a leader when theirs is gone? A sample, to be held against measured ones.

Two samples are compared by the Kolmogorov-Smirnov distance: the largest gap between their distribution functions. If
it is below `critical`, chance alone explains it in 95 of 100 cases.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace

from kubemini.etcd.member import Member, members
from kubemini.host import Host
from kubemini.net import Network
from kubemini.params import Params
from kubemini.sim import Sim
from kubemini.sim.units import SECOND

SETTLED = 4 * SECOND  # by then a fresh cluster has a leader and is quiet


def failovers(size: int = 3, fault: str = "crash", pre_vote: bool = True, trials: int = 120) -> list[float]:
    """Seconds from the *fault* (crash or pause) of the leader of *size* members to the next one, sorted."""
    params = replace(Params(), etcd_pre_vote=pre_vote)
    return sorted(_failover(size, fault, params, seed) for seed in range(trials))


def _failover(size: int, fault: str, params: Params, seed: int) -> float:
    sim = Sim(seed)
    hosts = [Host(sim, f"host-{number}") for number in range(1, size + 1)]
    cluster = members(sim, Network(sim, params), hosts, params)
    for member in cluster:
        member.start()
    sim.run_until(SETTLED + seed * 13_700)  # faults hit every phase of a heartbeat
    leader = _leader(cluster)
    assert leader is not None, "a quiet cluster has a leader"
    getattr(leader, fault)()
    since = sim.now
    others = [member for member in cluster if member is not leader]
    while _leader(others) is None:
        sim.step()
    return (sim.now - since) / SECOND


def _leader(cluster: Sequence[Member]) -> Member | None:
    return next((member for member in cluster if member.up and member.raft.role == "leader"), None)


def distance(one: Sequence[float], other: Sequence[float]) -> float:
    """The Kolmogorov-Smirnov distance of two samples."""
    one, other = sorted(one), sorted(other)
    return max(abs(bisect_right(one, x) / len(one) - bisect_right(other, x) / len(other)) for x in [*one, *other])


def critical(one: int, other: int) -> float:
    """The distance that chance exceeds in 5 of 100 cases, for samples of these sizes."""
    return 1.36 * (1 / one + 1 / other) ** 0.5
