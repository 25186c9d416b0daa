"""What a leader believes about one member, and how much it dares to send it.

Invariant: ``match`` never goes back, and ``match < next``. While probing, one message is under way at a time, because
nobody knows yet whether it fits; while replicating, as many as the window allows; while a snapshot is under way, none.
Ongaro's thesis §10.2.1 (pipelining); checked against the conversations of etcd-io/raft.
Models raft tracker Progress, Inflights.
"""

from collections import deque

from kubemini.etcd.raft.messages import Message

PROBE, REPLICATE, SNAPSHOT = "probe", "replicate", "snapshot"


class Progress:
    """One member, seen from the leader. *window* and *window_bytes* limit what is under way (None: no limit)."""

    __slots__ = (
        "active",
        "heartbeat",
        "inflight",
        "inflight_bytes",
        "match",
        "next",
        "paused",
        "pending_snapshot",
        "sent_commit",
        "state",
        "window",
        "window_bytes",
    )

    def __init__(self, next_index: int, window: int | None = None, window_bytes: int | None = None, match: int = 0):
        self.match, self.next, self.state = match, next_index, PROBE
        self.window, self.window_bytes = window, window_bytes
        self.active = False  # heard of since the last check of the quorum
        self.paused = False  # nothing more until an answer, or a heartbeat's
        self.pending_snapshot = self.sent_commit = 0
        self.heartbeat: Message | None = None  # the last one sent
        self.inflight: deque[tuple[int, int]] = deque()  # (last index, bytes) of each message under way
        self.inflight_bytes = 0

    @property
    def waits(self) -> bool:
        """Whether nothing may be sent now."""
        return self.paused or self.state == SNAPSHOT

    @property
    def full(self) -> bool:
        """Whether the window is used up."""
        if self.window is not None and len(self.inflight) >= self.window:
            return True
        return self.window_bytes is not None and self.inflight_bytes >= self.window_bytes

    def become(self, state: str) -> None:
        """Probe or replicate, from what is known to match."""
        past = self.pending_snapshot if self.state == SNAPSHOT and state == PROBE else 0
        self._enter(state)
        self.next = max(self.match, past) + 1
        if state == PROBE:
            self.sent_commit = min(self.sent_commit, self.next - 1)

    def await_snapshot(self, index: int) -> None:
        """A snapshot up to *index* is on its way."""
        self._enter(SNAPSHOT)
        self.pending_snapshot = self.sent_commit = index
        self.next = index + 1

    def _enter(self, state: str) -> None:
        self.state, self.paused, self.pending_snapshot = state, False, 0
        self.inflight.clear()
        self.inflight_bytes = 0

    def sent(self, entries: int, size: int) -> None:
        """A message with so many entries is on its way."""
        if self.state == PROBE:
            self.paused = self.paused or entries > 0
            return
        if entries:
            self.next += entries
            self.inflight.append((self.next - 1, size))
            self.inflight_bytes += size
        self.paused = self.full

    def matched(self, index: int) -> bool:
        """The member has everything up to *index*; False if that is no news."""
        if index <= self.match:
            return False
        self.match, self.next, self.paused = index, max(self.next, index + 1), False
        return True

    def free(self, index: int) -> None:
        """The messages up to *index* have been answered."""
        while self.inflight and self.inflight[0][0] <= index:
            self.inflight_bytes -= self.inflight.popleft()[1]

    def refused(self, index: int, hint: int) -> bool:
        """The member lacks the entry at *index* and may have the one at *hint*; False if that is an old story."""
        if self.state == REPLICATE:
            if index <= self.match:
                return False
            self.next = self.match + 1
        else:
            if index != self.next - 1:
                return False
            self.next = max(min(index, hint + 1), self.match + 1)
            self.paused = False
        self.sent_commit = min(self.sent_commit, self.next - 1)
        return True

    def lacks_commit(self, commit: int) -> bool:
        """Whether a message with *commit* could tell the member something new."""
        return commit > self.sent_commit and self.sent_commit < self.next - 1
