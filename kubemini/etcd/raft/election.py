"""Asking for votes and giving them: what a member does to become leader, and what stops it.

Invariant: a member votes once a term, only for a log at least as up to date as its own, and its vote, also the one for
itself, counts when it is on disk. So a term has one leader at most, and that leader has every committed entry.
Ongaro and Ousterhout 2014 §5.2, §5.4.1; Ongaro's thesis §6.2 (leases), §9.6 (PreVote).
Models raft . raft.hup, raft.campaign, raft.poll.
"""

from kubemini.etcd.raft import leader, quorum
from kubemini.etcd.raft.confchange import ConfChange
from kubemini.etcd.raft.messages import CANDIDATE, FOLLOWER, LEADER, PRE_CANDIDATE, Message
from kubemini.etcd.raft.state import State


def campaign(raft: State, force: bool = False) -> None:
    """Ask for votes, or with PreVote ask whether there would be any. *force*: the leader wants it, ask at once."""
    if raft.role == LEADER:
        raft.note("leads-already")
    elif not raft.promotable:
        raft.note("unpromotable")
    elif _change_unapplied(raft):
        raft.note("change-unapplied")
    else:
        raft.note("election")
        canvass(raft, PRE_CANDIDATE if raft.config.pre_vote and not force else CANDIDATE, force)


def _change_unapplied(raft: State) -> bool:
    """Whether there is a committed change of membership that we do not go by yet."""
    log = raft.log
    return any(isinstance(entry.data, ConfChange) for entry in log.between(log.applied + 1, log.commit))


def canvass(raft: State, role: str, force: bool = False) -> None:
    """Become a (pre-)candidate and ask every voter; the own vote is a promise to ourselves."""
    type, term = ("MsgPreVote" if role == PRE_CANDIDATE else "MsgVote"), raft.term + 1
    raft.become(role, raft.term if role == PRE_CANDIDATE else term)
    if role == CANDIDATE:
        raft.vote = raft.id
    last, last_term = raft.log.last_index, raft.log.last_term
    for voter in raft.configuration.all_voters:
        if voter == raft.id:
            raft.promises.append(Message(type + "Resp", raft.id, raft.id, term))
        else:
            raft.note("canvass", type, voter)
            raft.messages.append(Message(type, raft.id, voter, term, last, last_term, force=force))


def on_vote(raft: State, m: Message) -> None:
    """Vote once a term (§5.2), for a log at least as up to date as ours (§5.4.1); a pre-vote binds nobody."""
    real = m.type == "MsgVote"
    free = raft.vote == m.source or (raft.vote == 0 and raft.lead == 0) or (not real and m.term > raft.term)
    granted = free and raft.log.up_to_date(m.index, m.log_term)
    raft.note("vote", m, granted)
    term = m.term if granted else raft.term
    raft.promises.append(Message(m.type + "Resp", raft.id, m.source, term, reject=not granted))
    if granted and real:
        raft.elapsed, raft.vote = 0, m.source


def in_lease(raft: State, m: Message) -> bool:
    """Whether *m* asks for a vote while a leader is heard of, and not at that leader's wish (thesis §6.2)."""
    if m.type not in ("MsgVote", "MsgPreVote") or m.force:
        return False
    return raft.config.check_quorum and raft.lead != 0 and raft.elapsed < raft.config.election_tick


def on_ballot(raft: State, m: Message) -> None:
    """A (pre-)vote is in: won, lost, or still open."""
    if m.type != ("MsgPreVoteResp" if raft.role == PRE_CANDIDATE else "MsgVoteResp"):
        return
    raft.note("ballot", m)
    raft.votes.setdefault(m.source, not m.reject)
    raft.note("tally", m)
    outcome = quorum.verdict(raft.configuration.majorities, raft.votes)
    if outcome == quorum.LOST:
        raft.become(FOLLOWER, raft.term)
    elif outcome == quorum.WON and raft.role == PRE_CANDIDATE:
        canvass(raft, CANDIDATE)
    elif outcome == quorum.WON:
        leader.begin_term(raft)


def on_timeout_now(raft: State, m: Message) -> None:
    """The leader wants us to take over: campaign without asking first (thesis §3.10)."""
    if raft.role == FOLLOWER:
        raft.note("timeout-now", m)
        campaign(raft, force=True)
    else:
        raft.note("timeout-now-ignored", m)
