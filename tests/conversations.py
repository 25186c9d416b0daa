"""Replays etcd-io/raft's conversations: ``python -m tests.conversations FILE…`` prints a diff for each that differs.

A file is a list of blocks: a directive, perhaps lines of input, ``----``, and what is expected to be said. The blocks
drive a cluster of machines (`Cluster`), or ask the quorum arithmetic and the membership changes (`Tables`).
Everything is compared byte for byte. Log lines are etcd's own words: `WORDS` gives them to what our machine notes; an
expected log line of another wording is passed over, since nothing of ours says it.
"""

import difflib
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubemini.etcd import confchange, quorum
from kubemini.etcd.confchange import (
    AUTO,
    EXPLICIT,
    IMPLICIT,
    LEARNER,
    REMOVE,
    UPDATE,
    VOTER,
    Change,
    ConfChange,
    ConfChangeError,
    Configuration,
    configuration,
)
from kubemini.etcd.log import Entry, Snapshot
from kubemini.etcd.messages import CANDIDATE, FOLLOWER, LEADER, PRE_CANDIDATE, Config, HardState, Message, Ready
from kubemini.etcd.progress import PROBE, REPLICATE, SNAPSHOT, Progress
from kubemini.etcd.raft import Raft

ELECTION, HEARTBEAT = 3, 1  # ticks
LEVELS = ("DEBUG", "INFO", "WARN", "ERROR", "FATAL", "NONE")
APPEND_THREAD, APPLY_THREAD = -1, -2

# -- the file --------------------------------------------------------------------------------------------------------


@dataclass
class Block:
    """One directive with its input and what is expected of it; *before* are the lines above it, kept as they are."""

    before: list[str]
    head: list[str]
    input: str
    expected: list[str]
    command: str = ""
    args: list[tuple[str, list[str]]] = field(default_factory=list)

    def ids(self) -> list[int]:
        """The arguments that stand alone, as numbers."""
        return [int(key) for key, values in self.args if not values and key.isdigit()]

    def get(self, name: str, default: str = "") -> str:
        return next((values[0] for key, values in self.args if key == name and values), default)

    def all(self, name: str) -> list[str]:
        return [value for key, values in self.args if key == name for value in values]

    def flag(self, name: str) -> bool:
        return self.get(name) == "true"


ARGUMENT = re.compile(r"([^\s=]+)(?:=(\([^)]*\)|\S*))?")


def parse_arguments(text: str) -> list[tuple[str, list[str]]]:
    """``a b=c d=(e,f)`` as [("a", []), ("b", ["c"]), ("d", ["e", "f"])]."""
    found = []
    for key, value in ARGUMENT.findall(text):
        if value.startswith("("):
            found.append((key, [part.strip() for part in value[1:-1].split(",") if part.strip()]))
        else:
            found.append((key, [value] if value else []))
    return found


def parse(text: str) -> Iterator[Block]:
    """The blocks of a file; the last may hold nothing but *before*."""
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        before, at = _while(lines, at, lambda line: not line.strip() or line.startswith("#"))
        if at == len(lines):
            yield Block(before, [], "", [])
            return
        head, at = _while(lines, at, lambda line: line != "----")
        at += 1
        if at < len(lines) and lines[at] == "----":  # twice: the output may hold empty lines
            expected, at = _while(lines, at + 1, lambda line: line != "----")
            at += 2
        else:
            expected, at = _while(lines, at, bool)
        yield _block(before, head, expected)


def _while(lines: list[str], at: int, wanted: Callable[[str], Any]) -> tuple[list[str], int]:
    end = at
    while end < len(lines) and wanted(lines[end]):
        end += 1
    return lines[at:end], end


def _block(before: list[str], head: list[str], expected: list[str]) -> Block:
    line, count = head[0], 1
    while line.endswith("\\") and count < len(head):
        line, count = line[:-1] + head[count], count + 1
    command, _, rest = line.strip().partition(" ")
    return Block(before, head, "\n".join(head[count:]), expected, command, parse_arguments(rest))


# -- how etcd writes things down -----------------------------------------------------------------------------------------

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


# -- what etcd says while it works ---------------------------------------------------------------------------------------

Facts = Callable[..., tuple]


def _about(raft: Raft, peer: int) -> str:
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
    return r.id, r.log.start + 1, r.log.commit, s.index, s.term, peer, _about(r, peer)


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
        lambda r, m: (*_voter(r, m), m.type, m.source, m.log_term, m.index, r.term, ELECTION - r.elapsed),
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
    "went-back": ("DEBUG", "%x decreased progress of %x to [%s]", lambda r, peer: (r.id, peer, _about(r, peer))),
    "unreachable": (
        "DEBUG",
        "%x failed to send message to %x because it is unreachable [%s]",
        lambda r, peer: (r.id, peer, _about(r, peer)),
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
        lambda r, peer: (r.id, peer, _about(r, peer)),
    ),
    "snapshot-recovered": (
        "DEBUG",
        "%x recovered from needing snapshot, resumed sending replication messages to %x [%s]",
        lambda r, peer: (r.id, peer, _about(r, peer)),
    ),
    "snapshot-reported": (
        "DEBUG",
        "%x snapshot %s, resumed sending replication messages to %x [%s]",
        lambda r, peer, fine: (r.id, "succeeded" if fine else "failed", peer, _about(r, peer)),
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

# -- a cluster -----------------------------------------------------------------------------------------------------------


class Refusal(Exception):
    """A directive that cannot be carried out; its text is the answer."""


@dataclass
class Node:
    """A machine with its disk: what was written, and every state that was applied."""

    raft: Raft
    history: list[Snapshot]
    entries: list[Entry]
    start: int
    timeout: int = 5
    to_append: list[StorageMessage] = field(default_factory=list)
    to_apply: list[StorageMessage] = field(default_factory=list)

    def write(self, entries: Iterable[Entry], snapshot: Snapshot | None) -> None:
        if snapshot is not None:
            self.entries, self.start = [], snapshot.index
        for entry in entries:
            if entry.index > self.start:
                del self.entries[entry.index - self.start - 1 :]
                self.entries.append(entry)

    def compact(self, index: int) -> None:
        if index <= self.start:
            raise Refusal("requested index is unavailable due to compaction")
        self.raft.compact(index)
        del self.entries[: index - self.start]
        self.start = index

    def apply(self, entries: Iterable[Entry]) -> None:
        """An appender: its state is all that was ever proposed."""
        for entry in entries:
            latest = self.history[-1]
            now, data = latest.configuration, latest.data or ""
            if isinstance(entry.data, ConfChange):
                now = self.raft.apply_conf_change(entry.data)
            else:
                data += entry.data or ""
            self.history.append(Snapshot(entry.index, entry.term, now, data))


class Cluster:
    """A cluster that does what the directives say, one handler a directive."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.messages: list[Message] = []
        self.lines: list[str] = []
        self.level = 0

    def handle(self, block: Block) -> list[str]:
        """What the cluster says to *block*."""
        self.lines = []
        handler = getattr(self, "do_" + block.command.lstrip("_").replace("-", "_"), None)
        try:
            if handler is None:
                raise Refusal("unknown command")
            handler(block)
        except Refusal as refusal:
            self.lines.append(str(refusal))  # whatever the level
        return self.lines or ["ok"]

    # -- output --------------------------------------------------------------------------------------------------
    def say(self, *lines: str) -> None:
        if LEVELS[self.level] != "NONE":
            for line in lines:
                self.lines += line.split("\n")

    def observe(self, raft: Raft, what: str, *facts: Any) -> None:
        """The machine notes something: in etcd's words."""
        level, template, values = WORDS[what]
        if LEVELS.index(level) >= self.level:
            self.say(f"{level} {template % values(raft, *facts)}")

    def indented(self, act: Callable[..., None], *args: Any) -> None:
        outer, self.lines = self.lines, []
        try:
            act(*args)
        finally:
            self.lines = outer + ["  " + line for line in self.lines]

    # -- directives ------------------------------------------------------------------------------------------------
    def do_breakpoint(self, block: Block) -> None:
        """For a debugger."""

    def do_log_level(self, block: Block) -> None:
        self._set_level(block.args[0][0])

    def _set_level(self, text: str) -> None:
        if text.upper() not in LEVELS:
            raise Refusal(f"log levels must be either of {list(LEVELS)}")
        self.level = LEVELS.index(text.upper())

    def do_add_nodes(self, block: Block) -> None:
        index = int(block.get("index", "0"))
        members = configuration(map(int, block.all("voters")), map(int, block.all("learners")))
        snapshot = Snapshot(index, 1 if index else 0, members, block.get("content"))
        if (members.members or index or snapshot.data) and index <= 1:
            raise Refusal("index must be specified as > 1 due to bootstrap")
        for _ in range(int(block.args[0][0])):
            self._add_node(block, snapshot)

    def _add_node(self, block: Block, snapshot: Snapshot) -> None:
        number = len(self.nodes) + 1
        window, batch = block.get("inflight"), block.get("max-committed-size-per-ready")
        config = Config(
            id=number,
            timeout=lambda draw: 5,
            configuration=snapshot.configuration,
            election_tick=ELECTION,
            heartbeat_tick=HEARTBEAT,
            pre_vote=block.flag("prevote"),
            check_quorum=block.flag("checkquorum"),
            lease_reads=block.get("read-only") == "lease-based",
            step_down_on_removal=block.flag("step-down-on-removal"),
            disable_conf_change_validation=block.flag("disable-conf-change-validation"),
            async_storage=block.flag("async-storage-writes"),
            max_inflight=int(window) if window else None,
            max_committed_size_per_ready=int(batch) if batch else None,
            snapshot=snapshot,
            applied=snapshot.index,
            take_snapshot=lambda: self.nodes[number - 1].history[-1],
            observe=self.observe,
        )
        self.nodes.append(Node(Raft(config), [snapshot], [], snapshot.index))

    def do_campaign(self, block: Block) -> None:
        self._node(block).campaign()

    def do_propose(self, block: Block) -> None:
        self._propose(block, block.args[1][0] if len(block.args) > 1 else "")

    def do_propose_conf_change(self, block: Block) -> None:
        changes = tuple(Change(LETTERS[word[0]], int(word[1:])) for word in block.input.split())
        transition, simple = block.get("transition", AUTO), block.flag("v1")
        if simple and (len(changes) > 1 or transition != AUTO):
            raise Refusal("v1 conf change can only have one operation and no transition")
        self._propose(block, ConfChange(changes, transition, simple))

    def _propose(self, block: Block, data: Any) -> None:
        if not self._node(block).propose(data):
            raise Refusal("raft proposal dropped")

    def _node(self, block: Block) -> Raft:
        return self.nodes[block.ids()[0] - 1].raft

    def do_tick_election(self, block: Block) -> None:
        for _ in range(ELECTION):
            self._node(block).tick()

    def do_tick_heartbeat(self, block: Block) -> None:
        for _ in range(HEARTBEAT):
            self._node(block).tick()

    def do_set_randomized_election_timeout(self, block: Block) -> None:
        self._node(block).timeout = int(block.get("timeout"))

    def do_transfer_leadership(self, block: Block) -> None:
        self.nodes[int(block.get("from")) - 1].raft.transfer_leader(int(block.get("to")))

    def do_forget_leader(self, block: Block) -> None:
        self._node(block).forget_leader()

    def do_report_unreachable(self, block: Block) -> None:
        self._node(block).report_unreachable(block.ids()[1])

    def do_compact(self, block: Block) -> None:
        number, index = block.ids()
        self.nodes[number - 1].compact(index)
        self.do_raft_log(block)

    def do_send_snapshot(self, block: Block) -> None:
        source, target = block.ids()
        node = self.nodes[source - 1]
        message = Message("MsgSnap", source, target, node.raft.term, snapshot=node.history[-1])
        self.messages.append(message)
        self.say(describe_message(message))

    # -- looking -----------------------------------------------------------------------------------------------------
    def do_raft_log(self, block: Block) -> None:
        node = self.nodes[block.ids()[0] - 1]
        if node.entries:
            self.say(*map(describe_entry, node.entries))
        else:
            self.say(f"log is empty: first index={node.start + 1}, last index={node.start}")

    def do_raft_state(self, block: Block) -> None:
        for raft in (node.raft for node in self.nodes):
            voter = "Voter" if raft.id in raft.configuration.all_voters else "Non-Voter"
            self.say(f"{raft.id}: {STATES[raft.role]} ({voter}) Term:{raft.term} Lead:{raft.lead}")

    def do_status(self, block: Block) -> None:
        raft = self._node(block)
        self.say(*(f"{peer}: {_about(raft, peer)}" for peer in raft.progress))

    # -- doing -------------------------------------------------------------------------------------------------------
    def do_process_ready(self, block: Block) -> None:
        numbers = block.ids() or [node.raft.id for node in self.nodes]
        for number in numbers:
            if len(numbers) > 1:
                self.say(f"> {number} handling Ready")
                self.indented(self._process_ready, self.nodes[number - 1])
            else:
                self._process_ready(self.nodes[number - 1])

    def _process_ready(self, node: Node) -> None:
        ready = node.raft.ready()
        if node.raft.config.async_storage:
            work = list(self._storage_work(node, ready))
            self.say(*describe_ready(ready, ready.messages + work))
            self.messages += ready.messages
            return
        self.say(*describe_ready(ready, ready.messages))
        node.write(ready.entries, ready.snapshot)
        node.apply(ready.committed)
        self.messages += ready.messages
        node.raft.advance(ready)

    def _storage_work(self, node: Node, ready: Ready) -> Iterator[StorageMessage]:
        """What a node with asynchronous storage tells its two threads."""
        me, state = node.raft.id, ready.hard_state or HardState()
        if ready.entries or ready.hard_state or ready.snapshot or ready.promises:
            if ready.written:
                ready.written.source = APPEND_THREAD
            responses = [*ready.promises, *([ready.written] if ready.written else [])]
            work = StorageMessage(
                "MsgStorageAppend",
                me,
                APPEND_THREAD,
                state.term,
                commit=state.commit,
                entries=ready.entries,
                snapshot=ready.snapshot,
                responses=responses,
                vote=state.vote,
            )
            node.to_append.append(work)
            yield work
        if ready.applied:
            ready.applied.source = APPLY_THREAD
            work = StorageMessage(
                "MsgStorageApply", me, APPLY_THREAD, 0, entries=ready.committed, responses=[ready.applied]
            )
            node.to_apply.append(work)
            yield work

    def do_process_append_thread(self, block: Block) -> None:
        for number in block.ids():
            self._append_thread(self.nodes[number - 1])

    def do_process_apply_thread(self, block: Block) -> None:
        for number in block.ids():
            self._apply_thread(self.nodes[number - 1])

    def _append_thread(self, node: Node) -> None:
        if not node.to_append:
            self.say("no append work to perform")
            return
        work = node.to_append.pop(0)
        self.say("Processing:", describe_message(work, responses=False))
        node.write(work.entries, work.snapshot)
        self._respond(work)

    def _apply_thread(self, node: Node) -> None:
        if not node.to_apply:
            self.say("no apply work to perform")
            return
        work = node.to_apply.pop(0)
        self.say("Processing:", describe_message(work, responses=False))
        node.apply(work.entries)
        self._respond(work)

    def _respond(self, work: StorageMessage) -> None:
        self.say("Responses:", *map(describe_message, work.responses))
        self.messages += work.responses

    def do_deliver_msgs(self, block: Block) -> None:
        kind = block.get("type")
        targets = [(number, False) for number in block.ids()]
        for number in map(int, block.all("drop")):
            if (number, False) in targets:
                raise Refusal(f"can't both deliver and drop msgs to {number}")
            targets.append((number, True))
        if not sum(self._deliver(target, kind, drop) for target, drop in targets):
            self.say("no messages")

    def _deliver(self, target: int, kind: str = "", drop: bool = False) -> int:
        chosen = [m for m in self.messages if _is_for(m, target, kind, drop)]
        self.messages = [m for m in self.messages if not _is_for(m, target, kind, drop)]
        for message in chosen:
            self.say(("dropped: " if drop else "") + describe_message(message))
            if not drop:
                refusal = self.nodes[target - 1].raft.step(message)
                if refusal:
                    self.say(refusal)
        return len(chosen)

    def do_stabilize(self, block: Block) -> None:
        nodes = [self.nodes[number - 1] for number in block.ids()] or self.nodes
        level = self.level
        if block.get("log-level"):
            self._set_level(block.get("log-level"))
        try:
            while self._round(nodes):
                pass
        finally:
            self.level = level

    def _round(self, nodes: list[Node]) -> bool:
        """One round of everything that can happen; whether anything did."""
        acts: list[tuple[str, Callable[[Node], Any], Callable[[Node], Any]]] = [
            ("handling Ready", lambda node: node.raft.has_ready(), self._process_ready),
            ("receiving messages", self._has_mail, lambda node: self._deliver(node.raft.id)),
            ("processing append thread", lambda node: node.to_append, self._drain_append),
            ("processing apply thread", lambda node: node.to_apply, self._drain_apply),
        ]
        moved = False
        for title, wanted, act in acts:
            for node in nodes:
                if wanted(node):
                    moved = True
                    self.say(f"> {node.raft.id} {title}")
                    self.indented(act, node)
        return moved

    def _has_mail(self, node: Node) -> bool:
        return any(m.target == node.raft.id for m in self.messages)

    def _drain_append(self, node: Node) -> None:
        while node.to_append:
            self._append_thread(node)

    def _drain_apply(self, node: Node) -> None:
        while node.to_apply:
            self._apply_thread(node)


def _is_for(m: Message, target: int, kind: str, drop: bool) -> bool:
    local = m.source == m.target or m.source < 0
    return m.target == target and not (drop and local) and kind in ("", m.type)


# -- tables of the two pure packages ---------------------------------------------------------------------------------------


class Tables(Cluster):
    """Also answers what the files of the quorum and of the membership changes ask."""

    def __init__(self) -> None:
        super().__init__()
        self.configuration = Configuration()
        self.progress: dict[int, Progress] = {}
        self.asked = 0  # stands for the last index of the log

    # -- membership --------------------------------------------------------------------------------------------------
    def do_simple(self, block: Block) -> None:
        self._change(lambda: confchange.simple(self.configuration, _changes(block)))

    def do_enter_joint(self, block: Block) -> None:
        auto_leave = block.flag("autoleave")
        self._change(lambda: confchange.enter_joint(self.configuration, _changes(block), auto_leave))

    def do_leave_joint(self, block: Block) -> None:
        self._change(lambda: (confchange.leave_joint(self.configuration), frozenset()))

    def _change(self, act: Callable[[], tuple[Configuration, frozenset[int]]]) -> None:
        index, self.asked = max(self.asked, 1), self.asked + 1
        try:
            self.configuration, anew = act()
        except ConfChangeError as error:
            raise Refusal(str(error)) from None
        before = self.progress
        self.progress = {m: Progress(index) if m in anew else before[m] for m in self.configuration.members}
        self.say(describe_configuration(self.configuration))
        for member, progress in self.progress.items():
            progress.active = True
            self.say(f"{member}: {describe_progress(progress, member in self.configuration.learners)}")

    # -- quorums -----------------------------------------------------------------------------------------------------
    def do_committed(self, block: Block) -> None:
        majorities, voters = _majorities(block)
        known = {v: int(text) for v, text in zip(voters, block.all("idx")) if text != "_"}
        match: Callable[[int], int] = lambda voter: known.get(voter, 0)  # noqa: E731
        index = quorum.committed(majorities, match)
        self.say(*_picture(voters, known), "∞" if index == quorum.EVERYTHING else str(index))
        if not voters:
            self.lines = ["<empty majority quorum>∞"]

    def do_vote(self, block: Block) -> None:
        majorities, voters = _majorities(block)
        votes = {v: text == "y" for v, text in zip(voters, block.all("votes")) if text != "_"}
        words = {quorum.WON: "VoteWon", quorum.LOST: "VoteLost", quorum.PENDING: "VotePending"}
        self.say(words[quorum.verdict(majorities, votes)])


def _changes(block: Block) -> list[Change]:
    return [Change(LETTERS[word[0]], int(word[1:])) for word in block.input.split()]


def _majorities(block: Block) -> tuple[list[list[int]], list[int]]:
    halves = [[int(v) for v in block.all(half) if v != "zero"] for half in ("cfg", "cfgj")]
    voters = list(dict.fromkeys(halves[0] + halves[1]))
    return (halves if halves[1] or block.get("cfgj") else halves[:1]), voters


def _picture(voters: list[int], known: dict[int, int]) -> list[str]:
    """A bar a voter, as long as the number of voters that are behind it."""
    count = len(voters)
    lines = [" " * (count + 4) + "idx"]
    for voter in sorted(voters):
        index = known.get(voter, 0)
        behind = sum(known.get(other, 0) < index for other in voters)
        bar = "x" * behind + ">" if voter in known else "?"
        lines.append(f"{bar:{count + 1}} {index:5d}    (id={voter})")
    return lines


# -- comparing ---------------------------------------------------------------------------------------------------------------


def replay(text: str) -> tuple[list[str], list[str]]:
    """The lines that *text* expects and those that are said, with what stands between them."""
    cluster = Tables()
    expected, said = [], []
    for block in parse(text):
        if block.head:
            frame = [*block.before, *block.head, "----"]
            expected += [*frame, *_comparable(block.expected)]
            said += [*frame, *_comparable(cluster.handle(block))]
    return expected, said


def _comparable(lines: list[str]) -> list[str]:
    kept = [line.rstrip() for line in lines if not LOG_LINE.match(line) or SAYABLE.match(line)]
    return [re.sub(r"(?<=\S)  +", " ", line) if "ignoring conf change" in line else line for line in kept] or ["ok"]


def difference(path: Path) -> list[str]:
    """A diff of what *path* expects and what is said; empty if there is none."""
    expected, said = replay(path.read_text(encoding="utf-8"))
    return list(difflib.unified_diff(expected, said, f"{path} (expected)", f"{path} (said)", lineterm=""))


def main(paths: list[str]) -> int:
    """Replay each file; 1 if any differs."""
    differing = 0
    for path in paths:
        lines = difference(Path(path))
        differing += bool(lines)
        for line in lines:
            print(line)
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
