"""What goes into the Raft machine and comes out of it, and what it keeps: values without behaviour.

Follows etcd-io/raft: the types of messages and their fields, HardState, Ready, the leader's Progress of a follower.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

FOLLOWER, PRE_CANDIDATE, CANDIDATE, LEADER = "follower", "pre-candidate", "candidate", "leader"
PROBE, REPLICATE = "probe", "replicate"


class Entry:
    """One slot of the log. *data* None is the empty entry a new leader begins its term with."""

    __slots__ = ("data", "index", "term")

    def __init__(self, term: int, index: int, data: Any = None):
        self.term, self.index, self.data = term, index, data

    def __repr__(self) -> str:
        return f"{self.term}/{self.index} {self.data!r}"


class Message:
    """What members say to each other; the types and fields are those of etcd-io/raft's messages."""

    __slots__ = (
        "commit",
        "context",
        "entries",
        "force",
        "hint",
        "index",
        "log_term",
        "reject",
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
    ):
        self.type, self.source, self.target, self.term = type, source, target, term
        self.index, self.log_term, self.commit, self.entries = index, log_term, commit, entries
        self.reject, self.hint, self.context = reject, hint, context
        self.force = False

    def __repr__(self) -> str:
        return f"{self.source}->{self.target} {self.type} Term:{self.term} Log:{self.log_term}/{self.index}"


HEARTBEATS = ("MsgHeartbeat", "MsgHeartbeatResp")


@dataclass(frozen=True, slots=True)
class HardState:
    """What must survive a crash, besides the log."""

    term: int = 0
    vote: int = 0
    commit: int = 0


@dataclass(slots=True)
class Ready:
    """The effects of what has been stepped: persist, send, apply, answer reads."""

    hard_state: HardState | None
    entries: list[Entry]
    messages: list[Message]
    committed: list[Entry]
    reads: list[tuple[Any, int]]
    must_sync: bool


@dataclass(slots=True)
class Config:
    """A member's identity and settings. Timeouts are in ticks; *timeout* draws from [election, 2 election - 1]."""

    id: int
    peers: Sequence[int]
    timeout: Callable[[int], int]  # the n-th randomized election timeout
    election_tick: int = 10
    heartbeat_tick: int = 1
    pre_vote: bool = True
    check_quorum: bool = True
    max_inflight: int = 512
    hard_state: HardState = field(default_factory=HardState)
    entries: Sequence[Entry] = ()


class Progress:
    """What a leader believes about one follower."""

    __slots__ = ("active", "match", "next", "paused", "state")

    def __init__(self, next_index: int):
        self.match, self.next, self.state = 0, next_index, PROBE
        self.active = self.paused = False
