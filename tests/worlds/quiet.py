"""Random stories, each told twice: in full, and quiescent. Nothing but the number of events may differ.

``python -m tests.worlds.quiet 2000`` tries so many seeds and prints the first difference, if there is one.
A story has 3 to 7 members, everything that can happen to them, clients that write, read, hold leases and watch, and
deeds that come exactly at a tick of the leader, or one journey away from it.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random
from typing import Any

from kubemini import faults
from kubemini.cluster import Cluster, build
from kubemini.etcd.server.member import Member
from kubemini.host import Component, Host
from kubemini.params import Params
from kubemini.sim import Record, Steps
from kubemini.sim.engine import FULL, QUIESCENT, TIMER
from kubemini.sim.units import MS, SECOND
from kubemini.simulate import advance
from tests import panics

PICTURES = {"timer"}  # words that say how something looked, when somebody happened to look
LATENCIES = [
    (1 * MS, 1 * MS),  # constant: many things happen at one instant
    (2 * MS, 2 * MS),
    (500, 5 * MS),
    (10 * MS, 15 * MS),
    (200, 3 * MS),
    (20 * MS, 30 * MS),  # longer, there and back, than some heartbeat intervals
]
DISKS = [(400, 800), (1 * MS, 1 * MS), (5 * MS, 40 * MS), (30 * MS, 150 * MS)]
LATE = TIMER + (1 << 76)  # after everything else of its instant


KINDS = ["crash", "power", "pause", "stop", "late", "timer", "cut", "cut", "one-way", "loss", "latency", "slow_disk"]
KINDS += ["put", "put", "write", "write", "read", "read", "stale", "lease", "watch"]
KINDS += ["move_leader", "move_leader", "members", "compact"]
Deed = tuple[Any, ...]  # kind, name, span, group, number


class Client(Component):
    """Somebody with a lease and a watch, who asks members by name."""

    def handle(self, call: Any) -> None:
        raise AssertionError("nobody calls a client")

    def ask(self, target: str, method: str, payload: dict[str, Any]) -> None:
        """Send a request; what comes of it is recorded."""
        self.spawn(self._ask(target, method, payload))

    def _ask(self, target: str, method: str, payload: dict[str, Any]) -> Steps:
        reply = yield self.call(target, method, payload, 10 * SECOND)
        answer = reply.value if reply.ok else str(reply.error)
        self.sim.record(self.name, "note", text=f"{method} at {target}: {answer}")

    def watch(self, target: str, key: str) -> None:
        """Open a watch; what it brings is recorded."""
        self.listen(target, "watch", {"key": key})

    def listen(self, target: str, method: str, payload: dict[str, Any]) -> None:
        """Open a stream; what it brings is recorded, and why it ends."""
        self.open_stream(
            target, method, payload, lambda item: self._note("watch", item), lambda why: self._note("closed", why)
        )

    def _note(self, what: str, thing: Any) -> None:
        self.sim.record(self.name, "note", text=f"{what}: {thing}")


class Telling:
    """One telling of a story: etcd members alone, with a client besides the usual one."""

    def __init__(self, fidelity: str, members: int, seconds: int, params: Params, seed: int = 1, spares: int = 0):
        self.horizon = seconds * SECOND
        self.cluster = Cluster(build("etcd", members=members, spares=spares), seed, params, fidelity)
        self.sim, self.net = self.cluster.sim, self.cluster.net
        self.machines = [m for m in self.cluster.components.values() if isinstance(m, Member)]
        self.client = Client(self.sim, self.net, Host(self.sim, "client-2"), "client")
        self.client.start()

    def run(self) -> None:
        """Tell the story to its end."""
        advance(self.cluster, self.horizon, None, 10**9)

    def leader(self) -> Member | None:
        """Who leads, and knows it."""
        leading = (m for m in self.machines if m.up and not m.paused and m.serving and m.raft.role == "leader")
        return next(leading, None)

    # -- what came of it ---------------------------------------------------------------------------------------------
    def history(self) -> list[Record]:
        """Every record but the pictures."""
        return [record for record in self.cluster.trace if record.what not in PICTURES]

    def state(self) -> Iterator[Any]:
        """Everything that decides what would happen next."""
        for member in self.machines:
            yield member.name, member.up, member.paused, member.incarnation, member.serving
            if member.up and member.serving:
                yield from self._memory(member)
            yield member.data.hard_state, len(member.data.entries), member.data.store.revision
        now = self.sim.now
        yield self.net.packets
        for pair, channel in sorted(self.net.channels.items()):
            yield pair, channel.sent, [max(last, now) for last in channel.last]

    def _memory(self, member: Member) -> Iterator[Any]:
        if not member.paused:
            member.catch_up()
        raft, log = member.raft, member.raft.log
        yield raft.role, raft.term, raft.vote, raft.lead, raft.elapsed, raft.heartbeat_elapsed, raft.timeout, raft.draws
        yield log.start, log.last_index, log.commit, log.applied, raft.transferee, raft.read_requests.newest
        yield member.next_tick, member.due(), member.writing, member.server.lessor.next_expiry()
        for id, p in sorted(raft.progress.items()):
            yield id, p.match, p.next, p.state, p.active, p.paused, p.sent_commit, list(p.inflight)


class RandomTelling(Telling):
    """The story of a seed, which decides everything but the fidelity."""

    def __init__(self, seed: int, fidelity: str):
        self.rng = rng = Random(seed)
        interval = rng.choice((50, 100)) * MS
        self.latency = rng.choice(LATENCIES)
        params = replace(
            Params(),
            etcd_heartbeat_interval=interval,
            etcd_election_timeout=rng.choice((5, 10, 20)) * interval,
            network_latency=self.latency,
            disk_fsync=rng.choice(DISKS),
            etcd_pre_vote=rng.random() < 0.6,
            etcd_check_quorum=rng.random() < 0.7,
            etcd_snapshot_count=rng.choice((10, 100_000)),
            etcd_snapshot_catchup_entries=5,
        )
        members, seconds, spares = rng.choice((3, 5, 5, 7)), rng.choice((10, 30, 60)), rng.choice((0, 0, 1))
        super().__init__(fidelity, members, seconds, params, seed, spares)
        for _ in range(rng.randrange(0, 16)):
            self._plan(self._instant(), self._deed())
        for _ in range(rng.randrange(0, 12)):
            aim = rng.choice((self._aim_at_tick, self._aim_at_tick, self._cut_leader_off))
            self.sim.command(self._instant(), aim, self._offset(), self._deed())

    # -- what happens, and when ------------------------------------------------------------------------------------
    def _instant(self) -> int:
        """Some instant, often a round one."""
        at = self.rng.randrange(1, self.horizon)
        step = self.rng.choice((1, 1, 1, self.cluster.params.etcd_heartbeat_interval, SECOND))
        return max(1, at - at % step)

    def _offset(self) -> int:
        low, high = self.latency
        return self.rng.choice((0, 0, 1, -1, low, high, low + high, 2 * low, -low, -2 * low))

    def _deed(self) -> Deed:
        """Something to do, drawn now, so that both fidelities draw alike."""
        rng, names = self.rng, [m.name for m in self.machines]
        name, span = rng.choice(names), rng.choice((1, 50 * MS, 400 * MS, 2 * SECOND, 15 * SECOND))
        group = rng.sample(names, rng.randrange(1, len(names) // 2 + 1))
        return rng.choice(KINDS), name, span, ",".join(group), rng.randrange(100)

    def _aim_at_tick(self, offset: int, deed: Deed) -> None:
        """Do *deed* exactly *offset* after a tick of the present leader, some ticks from now."""
        leader = self.leader()
        if leader is not None:
            tick = leader.next_tick + 3 * leader.tick_length
            self._plan(max(self.sim.now + 1, tick + offset), deed)

    def _cut_leader_off(self, offset: int, deed: Deed) -> None:
        """Cut the leader off for some ticks, exactly, while somebody asks it for *deed*."""
        leader = self.leader()
        if leader is not None:
            number = deed[4]
            begin = leader.next_tick + leader.tick_length
            end = begin + (1 + number % 25) * leader.tick_length + min(offset, 0)
            others = ",".join(machine.host.name for machine in self.machines if machine is not leader)
            self._schedule(begin, [(0, "cut", leader.host.name, others), (end - begin, "heal")])
            self._plan(begin + 1 + number * MS, (deed[0], leader.name, *deed[2:]))

    def _plan(self, at: int, deed: Deed) -> None:
        kind, name, span, _, number = deed
        machine = self.cluster.components[name]
        match kind:
            case "read" | "stale" | "lease" | "watch" | "write":
                self.client.after(at - self.sim.now, self._ask, kind, name, number)
            case "late":  # not as a command, and after everything else of its instant
                self.sim.at(at, LATE, machine.crash)
                self.sim.at(at + span, LATE, machine.start)
            case "timer":  # by a timer of the member's own
                machine.after(at - self.sim.now, machine.crash)
                self.sim.at(at + span, LATE, machine.start)
            case _:
                self._schedule(at, self._commands(deed))

    def _schedule(self, at: int, plan: list[tuple[Any, ...]]) -> None:
        faults.schedule(self.cluster, faults.parse_all([f"{at + after}us", *words] for after, *words in plan))

    def _commands(self, deed: Deed) -> list[tuple[Any, ...]]:
        kind, name, span, group, number = deed
        others = [machine.name for machine in self.machines if machine.name != name]
        far = ",".join([other for other in group.split(",") if other != name] or others[:1])  # a link has two ends
        host, member = self.cluster.topology.host_of(name), name if name in self.cluster.topology.members else ""
        return {
            "crash": [(0, "crash", name), (span, "restart", name)],
            "power": [(0, "power_off", host), (span, "power_on", host)],
            "pause": [(0, "pause", name), (span, "resume", name)],
            "stop": [(0, "stop", name), (span + SECOND, "restart", name)],
            "cut": [(0, "cut", group), (span, "heal")],
            "one-way": [(0, "cut", name, far, "one-way"), (span, "heal")],
            "loss": [(0, "loss", name, far, 0.3), (span, "loss", name, far, 0)],
            "latency": [(0, "latency", name, far, "30ms", "70ms"), (span, "latency", name, far, "1ms", "1ms")],
            "slow_disk": [(0, "slow_disk", host, "80ms"), (span, "slow_disk", host, "0ms")],
            "put": [(0, "put", f"key-{number}", "value", member)],
            "move_leader": [(0, "move_leader", name)],
            "compact": [(0, "compact")],
            "members": self._membership(name, number),
        }[kind]

    def _membership(self, name: str, number: int) -> list[tuple[Any, ...]]:
        spares = self.cluster.topology.spares
        if not spares:
            return [(0, "member_remove", name)]
        kind = ("voter", "learner")[number % 2]
        return [(0, "member_add", spares[0], kind), (5 * SECOND, "member_promote", spares[0])]

    def _ask(self, kind: str, name: str, number: int) -> None:
        match kind:
            case "lease":
                self.client.ask(name, "lease_grant", {"ID": number + 1, "TTL": 2 + number % 5})
                self.client.ask(name, "put", {"key": f"leased-{number}", "value": "v", "lease": number + 1})
                self.client.ask(name, "lease_keepalive", {"ID": number + 1})
            case "watch":
                self.client.watch(name, f"key-{number}")
            case "write":
                self.client.ask(name, "put", {"key": f"key-{number}", "value": "w"})
            case _:
                self.client.ask(name, "range", {"key": f"key-{number}", "serializable": kind == "stale"})


Tell = Callable[[str], Telling]  # from a fidelity


def differs(tell: Tell) -> tuple[str, int, int]:
    """("" or the first thing that differs, events in full, events quiescent)."""
    full, quiet = tell(FULL), tell(QUIESCENT)
    events = full.sim.events, quiet.sim.events
    for what, a, b in (("record", full.history(), quiet.history()), ("state", list(full.state()), list(quiet.state()))):
        for number, (one, other) in enumerate(zip(a, b, strict=False)):
            if one != other:
                return f"{what} {number} is {one} in full, {other} quiescent", *events
        if len(a) != len(b):
            return f"{len(a)} {what}s in full, {len(b)} quiescent", *events
    return "", *events


def difference(seed: int) -> tuple[str, int, int]:
    """`differs` of the story of *seed*."""

    def tell(fidelity: str) -> Telling:
        telling = RandomTelling(seed, fidelity)
        telling.run()
        return telling

    return differs(tell)


def main(count: int, first: int = 0) -> int:
    """Try *count* seeds from *first* on; 1 at the first that differs."""
    full = quiet = 0
    for seed in range(first, first + count):
        told, *events = difference(seed)
        if told:
            print(f"seed {seed}: {told}")
            return 1
        full, quiet = full + events[0], quiet + events[1]
    print(f"{count} stories, each the same in full and quiescent; {full:,} events against {quiet:,}")
    return 0


if __name__ == "__main__":
    panics.are_failures()
    sys.exit(main(*map(int, sys.argv[1:])))
