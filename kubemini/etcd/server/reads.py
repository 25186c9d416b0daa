"""Linearizable reads: one confirmation by the leader serves all the reads that were waiting for it.

Invariant: a read is answered from a store that has applied at least what was committed when the read arrived. One batch
is under way at a time; a read that comes later waits for the next batch, even if this one is stuck, so after the loss
of a majority a read can wait nearly twice the timeout. etcd 3.7 v3_server.go linearizableReadLoop, requestCurrentIndex.
Models etcd server/etcdserver EtcdServer.linearizableReadLoop, EtcdServer.requestCurrentIndex.
"""

from collections.abc import Callable

from kubemini.etcd.errors import LEADER_CHANGED, TIMEOUT, EtcdError
from kubemini.etcd.server.driver import Driver
from kubemini.wire import Call


class Reads:
    """The read loop of one member."""

    def __init__(self, member: Driver, serve: Callable[[Call], None]):
        self.member, self.serve = member, serve
        self.waiting: list[Call] = []  # for the next batch
        self.batch: list[Call] = []  # under way
        self.number = 0  # of the batch under way
        self.started = 0
        self.index: int | None = None  # confirmed: the batch waits only for the store to get there
        self._retry_armed = False

    def ask(self, call: Call) -> None:
        """A client wants a linearizable read."""
        self.waiting.append(call)
        self._begin()

    def _begin(self) -> None:
        if self.batch or not self.waiting:
            return
        self.batch, self.waiting = self.waiting, []
        self.number += 1
        self.started, self.index = self.member.sim.now, None
        if not self._retry_armed:
            self._arm()
        self._request()

    def _request(self) -> None:
        self.member.ask_read_index((self.member.incarnation, self.number))

    def _arm(self) -> None:
        """At the next multiple of the retry time since the batch began."""
        self._retry_armed = True
        period = self.member.params.etcd_read_index_retry
        self.member.after(period - (self.member.sim.now - self.started) % period, self._retry)

    def _retry(self) -> None:
        self._retry_armed = False
        if not self.batch or self.index is not None:
            return
        age, period = self.member.sim.now - self.started, self.member.params.etcd_read_index_retry
        if age >= self.member.params.etcd_request_timeout:
            self._fail(TIMEOUT)
            return
        self._arm()
        if age and age % period == 0:  # else: a newer batch, not yet due
            self._request()

    def confirmed(self, context: tuple[int, int], index: int) -> None:
        """The leader says: what is applied up to *index* is fresh enough for that batch."""
        if context == (self.member.incarnation, self.number) and self.batch and self.index is None:
            self.index = index
            self.applied(self.member.data.applied)

    def applied(self, index: int) -> None:
        """The store has reached *index*."""
        if self.index is not None and index >= self.index:
            done, self.batch, self.index = self.batch, [], None
            for call in done:
                self.serve(call)
            self._begin()

    def leader_changed(self) -> None:
        """The leader that was asked may be another one now."""
        if self.batch and self.index is None:
            self._fail(LEADER_CHANGED)

    def _fail(self, error: EtcdError) -> None:
        failed, self.batch = self.batch, []
        for call in failed:
            call.fail(error.of_a_read())
        self._begin()
