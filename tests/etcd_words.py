"""How etcd's Go library writes things down: entries, messages, Ready, progress, and what it logs while it works.

`WORDS` gives etcd's wording to what our machine notes (`Config.observe`); everything here only reads.
"""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from kubemini.etcd.confchange import (
    AUTO,
    EXPLICIT,
    IMPLICIT,
    LEARNER,
    REMOVE,
    UPDATE,
    VOTER,
    ConfChange,
    Configuration,
)
from kubemini.etcd.log import Entry, Snapshot
from kubemini.etcd.messages import CANDIDATE, FOLLOWER, LEADER, PRE_CANDIDATE, HardState, Message, Ready
from kubemini.etcd.progress import PROBE, REPLICATE, SNAPSHOT, Progress
from kubemini.etcd.raft import Raft

LEVELS = ("DEBUG", "INFO", "WARN", "ERROR", "FATAL", "NONE")
APPEND_THREAD, APPLY_THREAD = -1, -2

STATES = {
    FOLLOWER: "StateFollower",
    PRE_CANDIDATE: "StatePreCandidate",
    CANDIDATE: "StateCandidate",
    LEADER: "StateLeader",
    PROBE: "StateProbe",
    REPLICATE: "StateReplicate",
    SNAPSHOT: "StateSnapshot",
}
LETTERS = {"v": VOTER, "l": LEARNER, "r": REMOVE, "u": UPDATE}
KINDS = {letter: kind for kind, letter in LETTERS.items()}
GO_KINDS = {VOTER: "AddNode", LEARNER: "AddLearnerNode", REMOVE: "RemoveNode", UPDATE: "UpdateNode"}
TRANSITIONS = {AUTO: "Auto", IMPLICIT: "JointImplicit", EXPLICIT: "JointExplicit"}


def ids(members: Iterable[int]) -> str:
    return " ".join(map(str, sorted(members)))


def describe_configuration(c: Configuration) -> str:
    parts = [f"voters=({ids(c.voters)})" + (f"&&({ids(c.outgoing)})" if c.outgoing else "")]
    parts += [f"learners=({ids(c.learners)})"] if c.learners else []
    parts += [f"learners_next=({ids(c.learners_next)})"] if c.learners_next else []
    return " ".join(parts + (["autoleave"] if c.auto_leave else []))


def describe_progress(p: Progress, learner: bool) -> str:
    parts = [f"{STATES[p.state]} match={p.match} next={p.next}"]
    parts += ["learner"] if learner else []
    parts += ["paused"] if p.waits else []
    parts += [f"pendingSnap={p.pending_snapshot}"] if p.pending_snapshot else []
    parts += [] if p.active else ["inactive"]
    parts += [f"inflight={len(p.inflight)}" + ("[full]" if p.full else "")] if p.inflight else []
    return " ".join(parts)


def describe_snapshot(s: Snapshot) -> str:
    c = s.configuration
    return (
        f"Index:{s.index} Term:{s.term} ConfState:Voters:[{ids(c.voters)}] VotersOutgoing:[{ids(c.outgoing)}] "
        f"Learners:[{ids(c.learners)}] LearnersNext:[{ids(c.learners_next)}] AutoLeave:{str(c.auto_leave).lower()}"
    )


def describe_entry(e: Entry) -> str:
    if isinstance(e.data, ConfChange):
        kind = "EntryConfChange" if e.data.simple else "EntryConfChangeV2"
        changes = [f"{KINDS[change.kind]}{change.member}" for change in e.data.changes]
        return " ".join([f"{e.term}/{e.index} {kind}", *changes])
    return f"{e.term}/{e.index} EntryNormal {json.dumps(e.data or '', ensure_ascii=False)}"


def describe_hard_state(s: HardState) -> str:
    return f"HardState Term:{s.term}" + (f" Vote:{s.vote}" if s.vote else "") + f" Commit:{s.commit}"


def name(member: int) -> str:
    return {APPEND_THREAD: "AppendThread", APPLY_THREAD: "ApplyThread"}.get(member, f"{member:x}")


class StorageMessage(Message):
    """What goes to the two threads of asynchronous storage: something to do, and the answers to give when done."""

    __slots__ = ("responses", "vote")

    def __init__(self, *args: Any, responses: Iterable[Message], vote: int = 0, **more: Any):
        super().__init__(*args, **more)
        self.responses, self.vote = list(responses), vote


def describe_message(m: Message, indent: str = "", responses: bool = True) -> str:
    text = f"{indent}{name(m.source)}->{name(m.target)} {m.type} Term:{m.term} Log:{m.log_term}/{m.index}"
    text += f" Rejected (Hint: {m.hint})" if m.reject else ""
    text += f" Commit:{m.commit}" if m.commit else ""
    text += f" Vote:{m.vote}" if isinstance(m, StorageMessage) and m.vote else ""
    text += _describe_entries(m.entries, indent)
    text += f"\n{indent}  Snapshot: {describe_snapshot(m.snapshot)}" if m.snapshot else ""
    if isinstance(m, StorageMessage) and m.responses and responses:
        inner = [describe_message(response, indent + "  ") for response in m.responses]
        text += "\n".join([" Responses:[", *inner, f"{indent}]"])
    return text


def _describe_entries(entries: Iterable[Entry], indent: str) -> str:
    lines = list(map(describe_entry, entries))
    if len(lines) < 2:
        return f" Entries:[{lines[0]}]" if lines else ""
    return "\n".join([" Entries:[", *(f"{indent}  {line}" for line in lines), f"{indent}]"])


def describe_ready(r: Ready, messages: list[Message]) -> list[str]:
    lines = [f"Lead:{r.leadership[0]} State:{STATES[r.leadership[1]]}"] if r.leadership else []
    lines += [describe_hard_state(r.hard_state)] if r.hard_state else []
    lines += ["Entries:", *map(describe_entry, r.entries)] if r.entries else []
    lines += [f"Snapshot {describe_snapshot(r.snapshot)}"] if r.snapshot else []
    lines += ["CommittedEntries:", *map(describe_entry, r.committed)] if r.committed else []
    lines += ["Messages:", *map(describe_message, messages)] if messages else []
    return [f"Ready MustSync={str(r.must_sync).lower()}:", *lines] if lines else ["<empty Ready>"]


# -- what etcd says while it works ------------------------------------------------------------------------------------

Facts = Callable[..., tuple]


def about(raft: Raft, peer: int) -> str:
    return describe_progress(raft.progress[peer], peer in raft.configuration.learners)


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
    return log.commit, log.applied, log.applying, log.stable + 1, log.handed + 1, unstable, s.index, s.term


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
        lambda r, s: (r.id, describe_snapshot(s).split("ConfState:")[1]),
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
