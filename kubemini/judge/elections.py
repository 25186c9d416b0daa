"""Closed forms of Raft's elections: how often votes split, how long a cluster waits.

Times are shares of the timeout range, which is as long as its lower end: 150-300 ms has range and base 150 ms.
Ongaro, *Consensus: Bridging Theory and Practice* (2014), chapter 9.
Simplified: one latency for all, disks and logs of no account.
"""

from math import comb


def first_timeout(servers: int) -> float:
    """When the first of *servers* times out, on average, after the range has begun."""
    return 1 / (servers + 1)


def timed_out_by(moment: float, servers: int) -> float:
    """The probability that the first of *servers* has timed out by *moment*."""
    return 1 - (1 - moment) ** servers


def split_vote(members: int, available: int, latency: float) -> float:
    """The probability that nobody gets a majority of *members*, with *available* of them up.

    Votes split when so many candidates stand up within one *latency* of the first that too few voters are left.
    """
    candidates = available - members // 2 + 1
    return sum(
        comb(available, k) * latency**k * (1 - latency) ** (available - k) for k in range(candidates - 1, available + 1)
    )


def terms_needed(members: int, available: int, latency: float) -> float:
    """How many elections it takes on average."""
    return 1 / (1 - split_vote(members, available, latency))
