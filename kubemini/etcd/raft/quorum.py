"""Majorities: which index is on enough disks, which election is decided. Pure arithmetic.

Invariant: any two majorities of one set of voters share a voter. During a change of membership there are two sets
(joint consensus), and a decision needs a majority of each; an empty set objects to nothing.
Ongaro's thesis §4.3; checked against the tables of etcd-io/raft's quorum package.
Models raft quorum MajorityConfig.CommittedIndex, MajorityConfig.VoteResult, JointConfig.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

WON, LOST, PENDING = "won", "lost", "pending"
EVERYTHING = 2**64 - 1  # what no voter at all agrees on

Majorities = Sequence[Collection[int]]  # one set of voters, or two while the membership changes


def committed(majorities: Majorities, match: Callable[[int], int]) -> int:
    """The highest index that a majority of every set has on disk; *match*: how far a voter is known to be."""
    return min(_committed(voters, match) for voters in majorities)


def _committed(voters: Collection[int], match: Callable[[int], int]) -> int:
    if not voters:
        return EVERYTHING
    return sorted(map(match, voters), reverse=True)[len(voters) // 2]


def verdict(majorities: Majorities, votes: Mapping[int, bool]) -> str:
    """Whether the *votes* in so far decide: won needs every set, one lost set is enough to lose."""
    outcome = WON
    for voters in majorities:
        one = _verdict(voters, votes)
        if one == LOST:
            return LOST
        if one == PENDING:
            outcome = PENDING
    return outcome


def _verdict(voters: Collection[int], votes: Mapping[int, bool]) -> str:
    needed = len(voters) // 2 + 1 if voters else 0
    if voters and len(votes) <= len(voters) - needed:
        return PENDING  # so few votes decide nothing, whatever they are
    yes = missing = 0
    for voter in voters:
        vote = votes.get(voter)
        if vote is None:
            missing += 1
        elif vote:
            yes += 1
    return WON if yes >= needed else PENDING if yes + missing >= needed else LOST
