"""How long is a cluster without a leader? Figure 16 of the Raft paper, from the machine that runs in every etcd here.

`elections` asks the paper's question, `failover` a whole etcd of ours. In the paper's, a leader crashes at a random
moment after a heartbeat that reached everyone; the clock stops when another leads. The machine is `kubemini.etcd.raft`,
with ticks of a microsecond; around it are only the delays of the wire, and of the disk that a vote must reach first.
Set-up: Ongaro and Ousterhout 2014 §9.3 (five servers, logs of different length so that two of the four left cannot win;
about 15 ms for a broadcast). The disk's times were fitted to the published curves: this is *a* model that gives the
figure, not the authors' own numbers. All times in milliseconds.
Simplified: timers are exact, so equal timeouts (150-150) hardly ever part; in the paper jitter parts them at last.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from kubemini.cluster import Cluster
from kubemini.etcd.raft.confchange import Configuration
from kubemini.etcd.raft.log import Entry
from kubemini.etcd.raft.messages import LEADER, Config, HardState, Message
from kubemini.etcd.raft.raft import Raft
from kubemini.scenarios import Scenario
from kubemini.sim.engine import QUIESCENT, Runaway
from kubemini.sim.units import MS, SECOND
from kubemini.simulate import collector_paused

PAPER = (
    (150, 150),
    (150, 151),
    (150, 155),
    (150, 175),
    (150, 200),
    (150, 300),
    (12, 24),
    (25, 50),
    (50, 100),
    (100, 200),
)
GIVE_UP = 15_000 * MS
MOST_EVENTS = 1_000_000  # of one election, or about ten seconds of work


@dataclass(frozen=True, slots=True)
class Setting:
    """A cluster of *servers*, *failed* of them down for good. Ranges are uniform; *logs* None: all equally long."""

    timeout: tuple[float, float] = (150, 300)
    servers: int = 5
    failed: int = 1
    wire: tuple[float, float] = (0.1, 0.4)
    ask: tuple[float, float] = (0.2, 7.9)  # a candidate's own write before it asks
    vote: tuple[float, float] = (3.5, 11.5)  # a voter's write before it answers
    logs: tuple[int, ...] | None = (4, 3, 2, 1)
    following_restarts_timer: bool = False  # True: as etcd does it


WAN = Setting(timeout=(300, 600), wire=(30, 40), ask=(0, 0), vote=(0, 0), logs=None)


class Trial:
    """One crash and the election after it."""

    def __init__(self, setting: Setting, seed: int):
        self.setting, self.rng = setting, Random(f"election/{seed}")
        self.now = 0
        self.queue: list[tuple[int, int, int, Message | None]] = []
        self.number = 0
        alive = range(1, setting.servers - setting.failed + 1)
        logs = setting.logs or (4,) * len(alive)
        self.rafts = {id: self._follower(id, length) for id, length in zip(alive, logs, strict=False)}
        self.seen = {id: self._draw(setting.wire) for id in alive}  # when each last counted its ticks
        for id in alive:
            self._arm(id)

    def _draw(self, low_high: tuple[float, float]) -> int:
        low, high = low_high
        return round(self.rng.uniform(low * MS, high * MS))

    def _follower(self, id: int, length: int) -> Raft:
        everyone = Configuration(voters=frozenset(range(1, self.setting.servers + 1)))
        return Raft(
            Config(
                id=id,
                timeout=lambda _: self._draw(self.setting.timeout),
                configuration=everyone,
                election_tick=round(self.setting.timeout[0] * MS),
                heartbeat_tick=round(self.setting.timeout[0] * MS),
                pre_vote=False,
                check_quorum=False,
                following_restarts_timer=self.setting.following_restarts_timer,
                hard_state=HardState(1, self.setting.servers, 1),
                entries=[Entry(1, index) for index in range(1, length + 1)],
                applied=1,
            )
        )

    def run(self) -> float:
        """Milliseconds from the crash to the next leader; infinite if there is none in 15 s."""
        crash = self.rng.uniform(0, self.setting.timeout[0] / 2 * MS)
        while self.queue:
            self.now, number, id, message = heapq.heappop(self.queue)
            if number > MOST_EVENTS:
                raise Runaway(f"an election with timeouts of {self._timeouts()} asks too often: make them longer")
            if self.now > GIVE_UP:
                break
            self._act(id, message)
            if self.rafts[id].role == LEADER:
                return (self.now - crash) / MS
        return float("inf")

    def _timeouts(self) -> str:
        return "-".join(f"{end:g}" for end in self.setting.timeout) + " ms"

    def _act(self, id: int, message: Message | None) -> None:
        raft = self.rafts[id]
        passed, self.seen[id] = self.now - self.seen[id], self.now
        if passed and passed >= raft.ticks_to_action():
            raft.skip(passed - 1)
            raft.tick()
        elif passed > 0:
            raft.skip(passed)
        else:
            self.seen[id] -= passed  # a message may come in the moment before the heartbeat did
        if message is not None:
            raft.step(message)
        while raft.has_ready():
            ready = raft.ready()
            asked, answered = self._draw(self.setting.ask), self._draw(self.setting.vote)
            for sent in ready.messages:
                self._send(sent, asked if sent.type == "MsgVote" else answered)
            raft.advance(ready)
        self._arm(id)

    def _send(self, message: Message, written: int) -> None:
        if message.target in self.rafts:
            self._push(self.now + written + self._draw(self.setting.wire), message.target, message)

    def _arm(self, id: int) -> None:
        self._push(self.seen[id] + self.rafts[id].ticks_to_action(), id, None)

    def _push(self, at: int, id: int, message: Message | None) -> None:
        self.number += 1
        heapq.heappush(self.queue, (at, self.number, id, message))


def elections(setting: Setting, trials: int = 1000, seed: int = 0) -> list[float]:
    """The milliseconds without a leader of *trials* crashes, sorted."""
    return sorted(Trial(setting, seed * 1_000_000 + n).run() for n in range(trials))


@collector_paused()
def failover(scenario: Scenario, seed: int, fault: str = "crash") -> float | None:
    """The milliseconds until the next leader when the one of *scenario*'s members, some seconds old, meets *fault*.

    *fault* is crash, pause, terminate or cut; None if there is no leader within 15 s.
    """
    cluster = Cluster(scenario.topology, seed, scenario.params, QUIESCENT)
    crash = 3 * SECOND + Random(f"failover/{seed}").randrange(SECOND)
    cluster.run_until(crash)
    roles = {r.actor: r.detail for r in cluster.trace.of("role")}
    leading = [name for name, detail in roles.items() if detail["role"] == LEADER]
    if not leading:
        return None
    strike(cluster, max(leading, key=lambda name: roles[name]["term"]), fault)
    for instant in range(crash + SECOND, crash + GIVE_UP + 1, SECOND):
        cluster.run_until(instant)
        since = (r.at for r in cluster.trace.of("role") if r.at > crash and r.detail["role"] == LEADER)
        if (elected := next(since, None)) is not None:
            return (elected - crash) / MS
    return None


def strike(cluster: Cluster, leader: str, fault: str) -> None:
    """The *leader* crashes, pauses, is told to terminate, or is cut off with as many others as leave a majority."""
    if fault != "cut":
        getattr(cluster.components[leader], fault)()
        return
    members = cluster.topology.members
    others = [name for name in members if name != leader]
    split = len(members) - (len(members) // 2 + 1) - 1
    minority = [leader, *others[:split]]
    hosts = {name: cluster.components[name].host.name for name in members}
    cluster.net.cut([hosts[name] for name in minority], [hosts[name] for name in members if name not in minority])


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value below which *share* of the sorted *ordered* lies."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
