"""PySyncObj on a virtual clock: five members with nothing to do, for a yardstick that nobody here wrote.

Invariant: PySyncObj's own code decides everything; only what touches the machine is exchanged: its clock, its luck, its
wire (`Wire`) and its poller. Each member is ticked every 10 ms, as its thread would do it.
PySyncObj 0.3 on PyPI: syncobj.py doTick, transport.py Transport.
"""

import heapq
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any
from unittest.mock import patch

from pysyncobj import SyncObj, SyncObjConf
from pysyncobj.node import Node
from pysyncobj.transport import Transport

MEMBERS = 5
HEARTBEAT, TIMEOUT = 0.050, (0.4, 0.8)  # seconds
TICK = 0.010
LATENCY = (0.010, 0.015)  # one way


class World:
    """Virtual seconds, what will happen in them, and the members."""

    def __init__(self, seed: int) -> None:
        self.now, self.rng = 0.0, Random(seed)
        self.packets = self._events = 0
        self.wires: dict[Node, Wire] = {}
        self._queue: list[tuple[float, int, Callable[..., Any], tuple[Any, ...]]] = []

    def after(self, delay: float, act: Callable[..., Any], *args: Any) -> None:
        """``act(*args)`` in *delay* seconds."""
        self._events += 1
        heapq.heappush(self._queue, (self.now + delay, self._events, act, args))

    def run(self, seconds: float) -> None:
        """Let so much time pass."""
        while self._queue[0][0] < seconds:
            self.now, _, act, args = heapq.heappop(self._queue)
            act(*args)

    def random(self) -> float:
        """What PySyncObj draws its timeouts from."""
        return self.rng.random()

    def monotonic(self) -> float:
        """What PySyncObj takes for the time."""
        return self.now


class Wire(Transport):
    """Messages take `LATENCY`; everybody is connected from the beginning, nothing is lost."""

    def __init__(self, world: World, self_node: Node, nodes: list[Node]) -> None:
        super().__init__(None, self_node, nodes)
        self.world, self.node, self.nodes = world, self_node, nodes
        world.wires[self_node] = self

    def connect(self) -> None:
        """Tell the member that all others are there."""
        for node in self.nodes:
            self._onNodeConnected(node)

    def send(self, node: Node, message: Any) -> bool:
        """The other member will have it in a while."""
        arrive = self.world.wires[node]._onMessageReceived
        self.world.packets += 1
        self.world.after(self.world.rng.uniform(*LATENCY), arrive, self.node, message)
        return True


class Still:
    """A poller with nothing to poll."""

    def poll(self, timeout: float) -> None:
        """Nothing has come."""


@contextmanager
def virtual(world: World) -> Iterator[None]:
    """PySyncObj lives in *world* meanwhile."""
    with (
        patch("pysyncobj.syncobj.monotonicTime", world.monotonic),
        patch("pysyncobj.syncobj.random", world),
        patch("pysyncobj.syncobj.createPoller", lambda kind: Still()),
    ):
        yield


def idle(seconds: float, seed: int = 1) -> tuple[World, list[SyncObj]]:
    """Five members that have nothing to do, for so long: what happened, and the members, to be asked who leads."""
    world = World(seed)
    nodes = [Node(f"member-{number}") for number in range(MEMBERS)]
    conf = SyncObjConf(
        autoTick=False, appendEntriesPeriod=HEARTBEAT, raftMinTimeout=TIMEOUT[0], raftMaxTimeout=TIMEOUT[1]
    )
    with virtual(world):
        members = []
        for node in nodes:
            others = [other for other in nodes if other != node]
            members.append(SyncObj(node, others, conf, transport=Wire(world, node, others)))
        for wire in world.wires.values():
            wire.connect()
        for member in members:
            world.after(world.rng.uniform(0, TICK), _tick, world, member)
        world.run(seconds)
    return world, members


def _tick(world: World, member: SyncObj) -> None:
    member.doTick(0.0)
    world.after(TICK, _tick, world, member)
