"""The queues of one priority level: who waits, who sits, who is next. A pure machine; whoever drives it knows the time.

Theory of operation. A level has so many seats, and a request takes one or more. While there are seats, requests sit
down at once. Then they queue: each flow has a hand of queues, and a request goes to the one with the least work in it.
Whose turn it is decides virtual time, as if all queues were served at once, each a bit at a time: R grows by what each
active queue would get. A queue remembers in R when its next request would start; the queue whose first request would
end soonest is next. Since one cannot know how long a request will take, 3 ms are booked when it starts, and put right
when it ends.
A request is refused if all seats are taken and its queue is full, or if it has waited too long.
Invariant: no more seats are taken than there are, but for one request alone that is wider than all of them.
Models k/apiserver pkg/util/flowcontrol/fairqueuing/queueset queueSet.StartRequest shuffleShardLocked
findDispatchQueueToBoundLocked finishRequestLocked getVirtualTimeRatioLocked.
Simplified: seats are not lent to other levels.
"""

from collections import deque
from dataclasses import dataclass, field

from kubemini.apiserver.decide.fairness.flows import dealt
from kubemini.apiserver.decide.fairness.seats import Work
from kubemini.sim.units import MS

BOOKED = 3 * MS  # µs that a request is thought to run
FULL, NO_SEAT = "queue-full", "concurrency-limit"


@dataclass(slots=True, eq=False)
class Ticket:
    """One request at a level: waiting, sitting, or gone."""

    work: Work
    arrived: float = 0  # R
    started: int = 0  # µs
    queue: "Queue | None" = None
    sits: bool = False

    @property
    def total(self) -> int:
        """Seats × µs that are booked for it."""
        return self.work.first * BOOKED + self.work.last * self.work.more


@dataclass(slots=True, eq=False)
class Queue:
    """One queue: who waits in it, and who of it sits."""

    waiting: deque[Ticket] = field(default_factory=deque)
    running: int = 0
    seats: int = 0
    next: float = 0  # R at which its next request would start

    @property
    def active(self) -> bool:
        """Whether anybody of it waits or sits."""
        return bool(self.waiting) or self.running > 0

    def bound(self) -> None:
        """Who has just come cannot start before."""
        if self.waiting:
            self.next = max(self.next, self.waiting[0].arrived)


class Level:
    """One priority level with *limit* seats; without queues nobody waits; *exempt*: nobody is refused."""

    def __init__(self, limit: int, queues: int = 0, hand: int = 0, length: int = 0, exempt: bool = False):
        self.limit, self.hand, self.length, self.exempt = limit, hand, length, exempt
        self.queues = [Queue() for _ in range(queues)]
        self.seats = self.running = self.waiting = 0
        self._now, self._virtual, self._arrivals, self._robin = 0, 0.0, 0, 0

    def arrive(self, work: Work, flow: int, now: int) -> "Ticket | str":
        """A request has come: its ticket, or why there is no room; *flow* is the number of its flow."""
        self._tick(now)
        if self.exempt or not self.queues:
            if not self.exempt and not self._has_room(work.seats):
                return NO_SEAT
            ticket = Ticket(work, self._virtual)
            self._sit(ticket)
            return ticket
        queue = self._chosen(flow)
        if self.seats >= self.limit and len(queue.waiting) >= self.length:
            return FULL
        if not queue.active:
            queue.next = self._virtual
        ticket = Ticket(work, self._virtual, queue=queue)
        queue.waiting.append(ticket)
        self.waiting += 1
        queue.bound()
        return ticket

    def seated(self, now: int) -> list[Ticket]:
        """Those who may sit down now."""
        self._tick(now)
        found = []
        while self.waiting and self.seats < self.limit and (ticket := self._next()) is not None:
            found.append(ticket)
        return found

    def ran(self, ticket: Ticket, now: int) -> None:
        """A request has ended; its seats are free once `released` is called."""
        self._tick(now)
        self.running -= 1
        if ticket.queue is not None:
            ticket.queue.running -= 1
            ticket.queue.next -= ticket.work.first * (BOOKED - (now - ticket.started))
            ticket.queue.bound()

    def released(self, ticket: Ticket, now: int) -> None:
        """The seats of a request that has ended are free."""
        self._tick(now)
        self.seats -= ticket.work.seats
        if ticket.queue is not None:
            ticket.queue.seats -= ticket.work.seats

    def leave(self, ticket: Ticket, now: int) -> None:
        """Somebody has waited too long, or is gone."""
        self._tick(now)
        if ticket.queue is not None and ticket in ticket.queue.waiting:
            ticket.queue.waiting.remove(ticket)
            self.waiting -= 1
            ticket.queue.bound()

    # -- inside ------------------------------------------------------------------------------------
    def _tick(self, now: int) -> None:
        """Virtual time goes on: by what each active queue would have got."""
        active = [queue for queue in self.queues if queue.active]
        if active:
            asked = sum(queue.seats + sum(one.work.seats for one in queue.waiting) for queue in active)
            self._virtual += min(asked, self.limit) / len(active) * (now - self._now)
        self._now = now

    def _chosen(self, flow: int) -> Queue:
        """Of the hand that a flow is dealt, the queue with the least work in it."""
        hand = dealt(flow, len(self.queues), self.hand)
        offset = self._arrivals % self.hand
        self._arrivals += 1
        order = [self.queues[hand[(offset + place) % self.hand]] for place in range(self.hand)]
        return min(order, key=lambda queue: sum(one.total for one in queue.waiting))

    def _has_room(self, seats: int) -> bool:
        return self.running == 0 if seats > self.limit else self.seats + seats <= self.limit

    def _next(self) -> Ticket | None:
        """Let the request sit down that would end soonest; None if there is no room for it."""
        best: tuple[float, int, Queue] | None = None
        for _ in self.queues:
            self._robin = (self._robin + 1) % len(self.queues)
            queue = self.queues[self._robin]
            if queue.waiting:
                ends = queue.next + queue.waiting[0].total
                if best is None or ends < best[0]:
                    best = ends, self._robin, queue
        if best is None or not self._has_room(best[2].waiting[0].work.seats):
            return None
        _, self._robin, queue = best
        ticket = queue.waiting.popleft()
        self.waiting -= 1
        self._sit(ticket)
        queue.running, queue.seats = queue.running + 1, queue.seats + ticket.work.seats
        queue.next += ticket.total
        queue.bound()
        return ticket

    def _sit(self, ticket: Ticket) -> None:
        ticket.sits, ticket.started = True, self._now
        self.running, self.seats = self.running + 1, self.seats + ticket.work.seats
