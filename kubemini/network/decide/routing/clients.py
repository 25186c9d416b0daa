"""What clients do to servers: pools of kept connections, HTTP/2 on one of them, retries with and without jitter. Pure.

A Service picks an endpoint for a **connection**; a client decides how many it opens and how long it keeps them. So the
client, not the Service, decides how requests are shared:
    HTTP/1.1, nothing kept     a connection a request: every request is dealt anew
    HTTP/1.1 with a pool       as many connections as requests at once; an idle one is taken before a new one is made
    HTTP/2 (gRPC)              one connection for everything, until it ends

A retry is a request that nobody asked for. `storm` deals the requests of many clients to servers that are down for a
while and have a limit: what arrives, what is served, what is given up, in steps of time. All connections break at the
instant when the servers go down, so all clients fail together; without jitter they also come back together.
Models go net/http Transport.queueForIdleConn, Transport.tryPutIdleConn
The storm is ours, with full jitter as M. Brooker describes it, "Exponential Backoff And
Jitter" (2015).
Simplified: a request is served in the step in which it arrives, or refused at once; no queues.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Draw = Callable[[int], int]  # the n-th draw, uniform below WHOLE
WHOLE = 1 << 64


@dataclass(frozen=True, slots=True)
class Pool:
    """How a client treats connections: how many requests run *at_once*, whether idle connections are *kept*, and
    whether one connection carries them all (*multiplexed*, HTTP/2); *most*: requests on a connection, 0 for any."""

    at_once: int = 1
    kept: bool = True
    multiplexed: bool = False
    most: int = 0


def dealt(endpoints: Sequence[str], pools: Sequence[Pool], requests: int, draw: Draw) -> Counter[str]:
    """How many requests each endpoint gets, if each client of *pools* sends *requests*; a Service deals connections."""
    got: Counter[str] = Counter(dict.fromkeys(endpoints, 0))
    opened = 0
    for pool in pools:
        wanted = 1 if pool.multiplexed else pool.at_once
        connections: list[tuple[str, int]] = []  # endpoint, requests it has carried
        for number in range(requests):
            slot = number % wanted
            fresh = slot >= len(connections) or not (pool.kept or pool.multiplexed)
            if fresh or (pool.most and connections[slot][1] >= pool.most):
                connection = (endpoints[draw(opened) * len(endpoints) // WHOLE], 0)
                opened += 1
                connections[slot : slot + 1] = [connection]
            endpoint, carried = connections[slot]
            connections[slot] = (endpoint, carried + 1)
            got[endpoint] += 1
    return got


@dataclass(frozen=True, slots=True)
class Patience:
    """What a client does when a request fails: how often it tries again, and how long it waits before (ms).

    The n-th wait is *base* · 2ⁿ, at most *cap*; with *jitter* a time drawn between 0 and that.
    """

    retries: int = 0
    base: int = 100
    cap: int = 10_000
    jitter: bool = False

    def wait(self, failures: int, drawn: int) -> int:
        """How long (ms) before the next try after so many *failures*; *drawn* is uniform below `WHOLE`."""
        most = min(self.cap, self.base << (failures - 1))
        return drawn * (most + 1) // WHOLE if self.jitter else most


@dataclass(frozen=True, slots=True)
class Step:
    """What happened in one step of time: requests that arrived (*again*: of these retries), were served, were lost."""

    at: int  # ms
    arrived: int
    again: int
    served: int
    lost: int


def storm(
    clients: int,
    every: int,
    capacity: int,
    down: tuple[int, int],
    patience: Patience,
    draw: Draw,
    until: int,
    step: int = 100,
) -> list[Step]:
    """*clients* send a request every *every* ms, in turn, and one more when their connection breaks.

    The servers take *capacity* requests a *step* and are *down* from one instant to another. What arrived in each step
    up to *until* (ms).
    """
    due: list[tuple[int, int, int]] = []  # when (ms), the number of the request, failures so far
    number = 0
    for client in range(clients):
        for at in (*range(client * every // clients, until, every), down[0]):
            number += 1
            heapq.heappush(due, (at, number, 0))
    drawn, steps = 0, []
    for begin in range(0, until, step):
        arrived = again = served = lost = 0
        while due and due[0][0] < begin + step:
            at, name, failures = heapq.heappop(due)
            arrived += 1
            again += failures > 0
            if not down[0] <= at < down[1] and served < capacity:
                served += 1
            elif failures < patience.retries:
                drawn += 1
                wait = patience.wait(failures + 1, draw(drawn))
                heapq.heappush(due, (max(at + wait, at + 1), name, failures + 1))
            else:
                lost += 1
        steps.append(Step(begin, arrived, again, served, lost))
    return steps
