"""What goes into the Raft machine and comes out of it: values without behaviour.

Follows etcd-io/raft: the types of messages and their fields, HardState, Ready, Config.
Models raft . Config, Ready; raft raftpb Message, HardState.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from kubemini.etcd.raft.confchange import NOBODY, Configuration
from kubemini.etcd.raft.log import Entry, Snapshot

FOLLOWER, PRE_CANDIDATE, CANDIDATE, LEADER = "follower", "pre-candidate", "candidate", "leader"
DROPPED = "raft proposal dropped"
UNKNOWN_PEER = "raft: cannot step as peer not found"


class Message:
    """What members say to each other; the types and fields are those of etcd-io/raft's messages.

    *term* 0 is that of a request on its way to the leader, which belongs to no term. *force*: a vote asked for at the
    leader's own wish.
    """

    __slots__ = (
        "commit",
        "context",
        "entries",
        "force",
        "hint",
        "index",
        "log_term",
        "reject",
        "snapshot",
        "source",
        "target",
        "term",
        "type",
    )

    def __init__(
        self,
        type: str,
        source: int,
        target: int,
        term: int,
        index: int = 0,
        log_term: int = 0,
        commit: int = 0,
        entries: Sequence[Entry] = (),
        reject: bool = False,
        hint: int = 0,
        context: Any = None,
        snapshot: Snapshot | None = None,
        force: bool = False,
    ):
        self.type, self.source, self.target, self.term = type, source, target, term
        self.index, self.log_term, self.commit, self.entries = index, log_term, commit, entries
        self.reject, self.hint, self.context = reject, hint, context
        self.snapshot, self.force = snapshot, force

    def __repr__(self) -> str:
        return f"{self.source}->{self.target} {self.type} Term:{self.term} Log:{self.log_term}/{self.index}"


PROPOSAL = "MsgProp"
HEARTBEATS = ("MsgHeartbeat", "MsgHeartbeatResp")
ANSWERS = frozenset(("MsgAppResp", "MsgVoteResp", "MsgPreVoteResp", "MsgHeartbeatResp", "MsgReadIndexResp"))
FROM_LEADER = ("MsgApp", "MsgHeartbeat", "MsgSnap")


@dataclass(frozen=True, slots=True)
class HardState:
    """What must survive a crash, besides the log."""

    term: int = 0
    vote: int = 0
    commit: int = 0


@dataclass(slots=True)
class Ready:
    """The effects of what has been stepped: persist, send, apply, answer reads.

    *promises* hold only once everything here is on disk; without ``async_storage`` those to others are in *messages*
    already. *written* and *applied* are to be stepped when this has been written and applied; `Raft.advance` does both.
    """

    hard_state: HardState | None
    entries: list[Entry]
    messages: list[Message]
    committed: list[Entry]
    reads: list[tuple[Any, int]]
    must_sync: bool
    snapshot: Snapshot | None = None
    leadership: tuple[int, str] | None = None  # the leader and our role, if they changed
    promises: Sequence[Message] = ()
    written: Message | None = None
    applied: Message | None = None


@dataclass(slots=True)
class Config:
    """A member's identity and settings, and what its disk holds. The names are those of etcd-io/raft's Config.

    Timeouts are in ticks; *timeout* gives the n-th randomized one, of [election, 2 election - 1]. Sizes are in bytes,
    None is no limit. *take_snapshot* makes a snapshot of what has been applied. *observe* is told what happens.
    """

    id: int
    timeout: Callable[[int], int]
    configuration: Configuration = NOBODY
    election_tick: int = 10
    heartbeat_tick: int = 1
    pre_vote: bool = True
    check_quorum: bool = True
    following_restarts_timer: bool = True  # as in etcd; in the paper only a vote given or a leader heard does
    lease_reads: bool = False
    step_down_on_removal: bool = False
    disable_conf_change_validation: bool = False
    async_storage: bool = False
    max_inflight: int | None = 512
    max_inflight_bytes: int | None = None
    max_size_per_message: int | None = None
    max_committed_size_per_ready: int | None = None
    max_uncommitted_size: int | None = None
    hard_state: HardState = field(default_factory=HardState)
    snapshot: Snapshot | None = None
    entries: Sequence[Entry] = ()
    applied: int = 0
    take_snapshot: Callable[[], Snapshot | None] = lambda: None
    observe: Callable[..., None] | None = None

    def __post_init__(self) -> None:
        sure = self.check_quorum or not self.lease_reads
        assert sure, "reads on the lease alone need CheckQuorum: who is cut off would serve them for ever"
