"""How etcd's Go library writes down entries, messages, Ready, progress and configurations."""

import json
from collections.abc import Iterable
from typing import Any

from kubemini.etcd.raft.confchange import (
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
from kubemini.etcd.raft.log import Entry, Snapshot
from kubemini.etcd.raft.messages import CANDIDATE, FOLLOWER, LEADER, PRE_CANDIDATE, HardState, Message, Ready
from kubemini.etcd.raft.progress import PROBE, REPLICATE, SNAPSHOT, Progress
from kubemini.etcd.raft.raft import Raft

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


def describe_members(c: Configuration) -> str:
    """A ConfState as protobuf writes it."""
    halves = {
        "voters": c.voters,
        "learners": c.learners,
        "voters_outgoing": c.outgoing,
        "learners_next": c.learners_next,
    }
    parts = [f"{name}:{member}" for name, members in halves.items() for member in sorted(members)]
    return " ".join([*parts, f"auto_leave:{str(c.auto_leave).lower()}"])


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


def about(raft: Raft, peer: int) -> str:
    return describe_progress(raft.progress[peer], peer in raft.configuration.learners)
