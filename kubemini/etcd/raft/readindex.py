"""Linearizable reads without a write: the leader notes how far it has committed, then makes sure that it still leads.

Invariant: a request is answered only when a majority has answered a heartbeat that was sent after the request came;
who had been replaced by then would learn of it. A confirmation is worth as much for every earlier request.
Ongaro's thesis §6.4.
Models raft . readOnly.addRequest, readOnly.recvAck, readOnly.maybeAdvance.
"""

from typing import Any

from kubemini.etcd.raft import quorum

Request = tuple[int, Any]  # the member that asks, and its own words


class ReadRequests:
    """The requests of one leader's term, oldest first."""

    def __init__(self) -> None:
        self.early: list[Request] = []  # before the leader knew what is committed
        self._waiting: list[tuple[Request, int, dict[int, bool]]] = []  # request, commit index, who confirmed

    @property
    def none(self) -> bool:
        """Whether nobody waits."""
        return not (self.early or self._waiting)

    @property
    def newest(self) -> Request | None:
        """What a heartbeat carries, if anything waits."""
        return self._waiting[-1][0] if self._waiting else None

    def add(self, request: Request, commit: int, leader: int) -> None:
        """*request* came when the log was committed up to *commit*."""
        self._waiting.append((request, commit, {leader: True}))

    def confirm(self, member: int, context: Request, majorities: quorum.Majorities) -> list[tuple[Request, int]]:
        """*member* still followed after *context* had come: the requests that this settles, with their indexes."""
        for position, (request, _, confirmed) in enumerate(self._waiting):
            if request == context:
                confirmed[member] = True
                if quorum.verdict(majorities, confirmed) == quorum.WON:
                    return self._resolve(position + 1)
                break
        return []

    def _resolve(self, count: int) -> list[tuple[Request, int]]:
        done, self._waiting = self._waiting[:count], self._waiting[count:]
        return [(request, index) for request, index, _ in done]
