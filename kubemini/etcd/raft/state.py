"""What a member of Raft knows, whatever its role, and the one way in which roles change. Pure.

Invariant: every change of role goes through `State.become`, every change of the members through `State.switch`. A term
never goes back, and a vote is forgotten only with its term.
Models raft . raft.becomeFollower, raft.becomeCandidate, raft.reset, raft.promotable, raft.switchToConfig.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from kubemini.etcd.raft.confchange import Configuration
from kubemini.etcd.raft.log import Log
from kubemini.etcd.raft.messages import FOLLOWER, PRE_CANDIDATE, Config, Message
from kubemini.etcd.raft.progress import Progress
from kubemini.etcd.raft.readindex import ReadRequests


def _unheard(what: str, *facts: Any) -> None:
    """Nobody listens."""


class State:
    """One member's memory. The files of the roles read and write it; the driver sees `raft.Raft`."""

    def __init__(self, config: Config):
        self.config = config
        # tells who listens what happens, in words that nothing depends on
        self.note: Callable[..., None] = partial(config.observe, self) if config.observe is not None else _unheard
        self.id = config.id
        self.term, self.vote = config.hard_state.term, config.hard_state.vote
        batch = config.max_committed_size_per_ready
        self.log = Log(config.snapshot, config.entries, config.hard_state.commit, config.applied, self.note, batch)
        self.role, self.lead = FOLLOWER, 0
        self.messages: list[Message] = []
        self.promises: list[Message] = []  # sent when what was stepped before them is on disk
        self.reads: list[tuple[Any, int]] = []
        self.votes: dict[int, bool] = {}
        self.draws = 0
        self.switch(config.configuration)
        self.become(FOLLOWER, self.term)

    @property
    def last_index(self) -> int:
        """The index of the last entry of the log."""
        return self.log.last_index

    @property
    def commit(self) -> int:
        """How far the log is committed, as far as this member knows."""
        return self.log.commit

    def become(self, role: str, term: int, lead: int = 0) -> None:
        """Change role, and term if it is a new one. A pre-candidate changes nothing else: it may yet go back."""
        self.role, self.lead, self.votes = role, lead, {}
        if role != PRE_CANDIDATE:
            if term != self.term:
                self.term, self.vote = term, 0
            self._start_over()
        self.note(role)

    def _start_over(self) -> None:
        if self.role != FOLLOWER or self.config.following_restarts_timer or not self.draws:
            self.elapsed = 0
            self.draws += 1
            self.timeout = self.config.timeout(self.draws)
        self.heartbeat_elapsed = 0
        self.progress: dict[int, Progress] = {}  # of every member, on a leader
        self.beat_answer: Message | None = None  # the last answer to a heartbeat
        self.transferee = self.pending_change = self.uncommitted = 0
        self.read_requests = ReadRequests()

    def new_progress(self, next_index: int) -> Progress:
        """What is known of a member of which nothing is known."""
        return Progress(next_index, self.config.max_inflight, self.config.max_inflight_bytes)

    @property
    def promotable(self) -> bool:
        """Whether this member may ask for votes: a voter, with no snapshot half installed."""
        return self._votes_here and self.log.snapshot is None

    def switch(self, configuration: Configuration) -> None:
        """Go by *configuration* from now on. A leader must `leader.rearrange` after that."""
        self.configuration = configuration
        self._members = frozenset(configuration.members)
        self._votes_here = self.id in configuration.all_voters
        self.peers = tuple(member for member in configuration.members if member != self.id)
        self.note("configuration")
