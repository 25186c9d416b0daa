"""What etcd's Go library logs while it works: its wording, for what our machine notes (`Config.observe`)."""

import re
from collections.abc import Callable

from kubemini.etcd.raft.confchange import ConfChange
from kubemini.etcd.raft.log import Snapshot
from kubemini.etcd.raft.messages import CANDIDATE, FOLLOWER, LEADER, PRE_CANDIDATE, Message
from kubemini.etcd.raft.raft import Raft
from tests.oracles.raft.describe import (
    GO_KINDS,
    LEVELS,
    STATES,
    TRANSITIONS,
    about,
    describe_configuration,
    describe_members,
)

Facts = Callable[..., tuple]


def _last(raft: Raft) -> tuple[int, int]:
    return raft.log.last_term, raft.log.last_index


def _terms(raft: Raft, m: Message) -> tuple:
    return raft.id, raft.term, m.type, m.source, m.term


def _voter(raft: Raft, m: Message) -> tuple:
    return raft.id, *_last(raft), raft.vote


def _start(raft: Raft) -> tuple:
    peers, log = ",".join(f"{voter:x}" for voter in raft.configuration.all_voters), raft.log
    return raft.id, peers, raft.term, log.commit, log.applied, log.last_index, log.last_term


def _verb(m: Message, granted: bool) -> str:
    return f"cast {m.type} for" if granted else f"rejected {m.type} from"


def _tally(raft: Raft, m: Message) -> tuple:
    counted = [vote for voter, vote in raft.votes.items() if voter in raft.configuration.all_voters]
    return raft.id, sum(counted), m.type, len(counted) - sum(counted)


def _change(raft: Raft, change: ConfChange, reason: str) -> tuple:
    changes = [f"changes:{{type:ConfChange{GO_KINDS[c.kind]} node_id:{c.member}}}" for c in change.changes]
    text = " ".join([f"transition:ConfChangeTransition{TRANSITIONS[change.transition]}", *changes])
    return raft.id, text, describe_configuration(raft.configuration), reason


def _dropped(raft: Raft, m: Message) -> tuple:
    what = {"MsgProp": "proposal", "MsgTransferLeader": "leader transfer msg", "MsgReadIndex": "index reading msg"}
    return raft.id, raft.term, what[m.type]


def _restoring(raft: Raft, s: Snapshot) -> tuple:
    log = raft.log
    unstable = log.last_index - log.stable
    return log.commit, log.applied, log.applying, log.stable + 1, log.given + 1, unstable, s.index, s.term


def _snapshot_sent(r: Raft, peer: int, s: Snapshot) -> tuple:
    return r.id, r.log.start + 1, r.log.commit, s.index, s.term, peer, about(r, peer)


def _log_and_snapshot(r: Raft, s: Snapshot) -> tuple:
    return r.id, r.log.commit, r.log.last_index, r.log.last_term, s.index, s.term


WORDS: dict[str, tuple[str, str, Facts]] = {
    # life
    "new": (
        "INFO",
        "newRaft %x [peers: [%s], term: %d, commit: %d, applied: %d, lastindex: %d, lastterm: %d]",
        _start,
    ),
    "configuration": (
        "INFO",
        "%x switched to configuration %s",
        lambda r: (r.id, describe_configuration(r.configuration)),
    ),
    FOLLOWER: ("INFO", "%x became follower at term %d", lambda r: (r.id, r.term)),
    PRE_CANDIDATE: ("INFO", "%x became pre-candidate at term %d", lambda r: (r.id, r.term)),
    CANDIDATE: ("INFO", "%x became candidate at term %d", lambda r: (r.id, r.term)),
    LEADER: ("INFO", "%x became leader at term %d", lambda r: (r.id, r.term)),
    # terms
    "higher-term": ("INFO", "%x [term: %d] received a %s message with higher term from %x [term: %d]", _terms),
    "lower-term": ("INFO", "%x [term: %d] ignored a %s message with lower term from %x [term: %d]", _terms),
    "quorum-lost": ("WARN", "%x stepped down to follower since quorum is not active", lambda r: (r.id,)),
    # elections
    "election": ("INFO", "%x is starting a new election at term %d", lambda r: (r.id, r.term)),
    "leads-already": ("DEBUG", "%x ignoring MsgHup because already leader", lambda r: (r.id,)),
    "unpromotable": ("WARN", "%x is unpromotable and can not campaign", lambda r: (r.id,)),
    "change-unapplied": (
        "WARN",
        "%x cannot campaign at term %d since there are still pending configuration changes to apply",
        lambda r: (r.id, r.term),
    ),
    "canvass": (
        "INFO",
        "%x [logterm: %d, index: %d] sent %s request to %x at term %d",
        lambda r, kind, voter: (r.id, *_last(r), kind, voter, r.term),
    ),
    "vote": (
        "INFO",
        "%x [logterm: %d, index: %d, vote: %x] %s %x [logterm: %d, index: %d] at term %d",
        lambda r, m, yes: (*_voter(r, m), _verb(m, yes), m.source, m.log_term, m.index, r.term),
    ),
    "lease": (
        "INFO",
        "%x [logterm: %d, index: %d, vote: %x] ignored %s from %x [logterm: %d, index: %d] at term %d: "
        "lease is not expired (remaining ticks: %d)",
        lambda r, m: (*_voter(r, m), m.type, m.source, m.log_term, m.index, r.term, r.config.election_tick - r.elapsed),
    ),
    "ballot": (
        "INFO",
        "%x received %s%s from %x at term %d",
        lambda r, m: (r.id, m.type, " rejection" if m.reject else "", m.source, r.term),
    ),
    "tally": ("INFO", "%x has received %d %s votes and %d vote rejections", _tally),
    # replication
    "append-refused": (
        "DEBUG",
        "%x [logterm: %d, index: %d] rejected MsgApp [logterm: %d, index: %d] from %x",
        lambda r, m: (r.id, r.log.term(m.index) or 0, m.index, m.log_term, m.index, m.source),
    ),
    "refused": (
        "DEBUG",
        "%x received MsgAppResp(rejected, hint: (index %d, term %d)) from %x for index %d",
        lambda r, m: (r.id, m.hint, m.log_term, m.source, m.index),
    ),
    "went-back": ("DEBUG", "%x decreased progress of %x to [%s]", lambda r, peer: (r.id, peer, about(r, peer))),
    "unreachable": (
        "DEBUG",
        "%x failed to send message to %x because it is unreachable [%s]",
        lambda r, peer: (r.id, peer, about(r, peer)),
    ),
    "no-progress": ("DEBUG", "%x no progress available for %x", lambda r, peer: (r.id, peer)),
    "no-leader": ("INFO", "%x no leader at term %d; dropping %s", _dropped),
    "too-much-uncommitted": (
        "WARN",
        "%x appending new entries to log would exceed uncommitted entry size limit; dropping proposal",
        lambda r: (r.id,),
    ),
    "conflict": (
        "INFO",
        "found conflict at index %d [existing term: %d, conflicting term: %d]",
        lambda r, index, ours, theirs: (index, ours, theirs),
    ),
    "replaced": ("INFO", "replace the unstable entries from index %d", lambda r, index: (index,)),
    "truncated": ("INFO", "truncate the unstable entries before index %d", lambda r, index: (index,)),
    "missing": ("INFO", "entry at index %d missing from unstable log; ignoring", lambda r, index: (index,)),
    "snapshot-matched": ("INFO", "entry at index %d matched unstable snapshot; ignoring", lambda r, index: (index,)),
    "mismatched": (
        "INFO",
        "entry at (index,term)=(%d,%d) mismatched with entry at (%d,%d) in unstable log; ignoring",
        lambda r, term, index, ours: (index, term, index, ours),
    ),
    "written-before": (
        "INFO",
        "%x [term: %d] ignored entry appends from a MsgStorageAppendResp message with lower term [term: %d]",
        lambda r, m: (r.id, r.term, m.term),
    ),
    # snapshots
    "snapshot-inactive": (
        "DEBUG",
        "ignore sending snapshot to %x since it is not recently active",
        lambda r, peer: (peer,),
    ),
    "snapshot-unavailable": (
        "DEBUG",
        "%x failed to send snapshot to %x because snapshot is temporarily unavailable",
        lambda r, peer: (r.id, peer),
    ),
    "snapshot-sent": (
        "DEBUG",
        "%x [firstindex: %d, commit: %d] sent snapshot[index: %d, term: %d] to %x [%s]",
        _snapshot_sent,
    ),
    "snapshot-waits": (
        "DEBUG",
        "%x paused sending replication messages to %x [%s]",
        lambda r, peer: (r.id, peer, about(r, peer)),
    ),
    "snapshot-recovered": (
        "DEBUG",
        "%x recovered from needing snapshot, resumed sending replication messages to %x [%s]",
        lambda r, peer: (r.id, peer, about(r, peer)),
    ),
    "snapshot-reported": (
        "DEBUG",
        "%x snapshot %s, resumed sending replication messages to %x [%s]",
        lambda r, peer, fine: (r.id, "succeeded" if fine else "failed", peer, about(r, peer)),
    ),
    "restoring": (
        "INFO",
        "log [committed=%d, applied=%d, applying=%d, unstable.offset=%d, unstable.offsetInProgress=%d, "
        "len(unstable.Entries)=%d] starts to restore snapshot [index: %d, term: %d]",
        _restoring,
    ),
    "restored": (
        "INFO",
        "%x [commit: %d, lastindex: %d, lastterm: %d] restored snapshot [index: %d, term: %d]",
        _log_and_snapshot,
    ),
    "fast-forward": (
        "INFO",
        "%x [commit: %d, lastindex: %d, lastterm: %d] fast-forwarded commit to snapshot [index: %d, term: %d]",
        _log_and_snapshot,
    ),
    "snapshot-restored": (
        "INFO",
        "%x [commit: %d] restored snapshot [index: %d, term: %d]",
        lambda r, s: (r.id, r.log.commit, s.index, s.term),
    ),
    "snapshot-ignored": (
        "INFO",
        "%x [commit: %d] ignored snapshot [index: %d, term: %d]",
        lambda r, s: (r.id, r.log.commit, s.index, s.term),
    ),
    "snapshot-of-strangers": (
        "WARN",
        "%x attempted to restore snapshot but it is not in the ConfState %s; should never happen",
        lambda r, s: (r.id, describe_members(s.configuration)),
    ),
    # membership
    "change-ignored": ("INFO", "%x ignoring conf change %s at config %s: %s", _change),
    "leaving": (
        "INFO",
        "initiating automatic transition out of joint configuration %s",
        lambda r: (describe_configuration(r.configuration),),
    ),
    "not-leaving": (
        "DEBUG",
        "not initiating automatic transition out of joint configuration %s: raft proposal dropped",
        lambda r: (describe_configuration(r.configuration),),
    ),
    # transfer
    "transfer": ("INFO", "%x [term %d] starts to transfer leadership to %x", lambda r, to: (r.id, r.term, to)),
    "transfer-at-once": (
        "INFO",
        "%x sends MsgTimeoutNow to %x immediately as %x already has up-to-date log",
        lambda r, to: (r.id, to, to),
    ),
    "transfer-caught-up": ("INFO", "%x sent MsgTimeoutNow to %x after received MsgAppResp", lambda r, to: (r.id, to)),
    "transfer-drops": (
        "DEBUG",
        "%x [term %d] transfer leadership to %x is in progress; dropping proposal",
        lambda r: (r.id, r.term, r.transferee),
    ),
    "transfer-again": (
        "INFO",
        "%x [term %d] transfer leadership to %x is in progress, ignores request to same node %x",
        lambda r: (r.id, r.term, r.transferee, r.transferee),
    ),
    "transfer-aborted": (
        "INFO",
        "%x [term %d] abort previous transferring leadership to %x",
        lambda r: (r.id, r.term, r.transferee),
    ),
    "transfer-to-learner": ("DEBUG", "%x is learner. Ignored transferring leadership", lambda r: (r.id,)),
    "transfer-to-self": (
        "DEBUG",
        "%x is already leader. Ignored transferring leadership to self",
        lambda r: (r.id,),
    ),
    "timeout-now": (
        "INFO",
        "%x [term %d] received MsgTimeoutNow from %x and starts an election to get leadership.",
        lambda r, m: (r.id, r.term, m.source),
    ),
    "timeout-now-ignored": (
        "DEBUG",
        "%x [term %d state %s] ignored MsgTimeoutNow from %x",
        lambda r, m: (r.id, r.term, STATES[r.role], m.source),
    ),
    "forgetting": ("INFO", "%x forgetting leader %x at term %d", lambda r: (r.id, r.lead, r.term)),
    "forget-refused": ("ERROR", "ignoring MsgForgetLeader due to ReadOnlyLeaseBased", lambda r: ()),
}


def _pattern(level: str, template: str) -> str:
    return re.escape(f"{level} {template}").replace("%x", "[0-9a-f]+").replace("%d", r"\d+").replace("%s", ".*")


LOG_LINE = re.compile(rf" *(?:{'|'.join(LEVELS)}) ")
SAYABLE = re.compile(" *(?:" + "|".join(_pattern(level, template) for level, template, _ in WORDS.values()) + ")$")
