"""Clients that write, read and compare-and-swap at once while the leader dies, hangs or stops: real etcd and ours.

Nobody's answers can be compared one by one here, so both histories go before the same judge.
"""

import random
import signal
import threading
import time

import pytest

from kubemini.check import check, draw, from_events
from kubemini.host import Component, Host
from kubemini.sim.units import MS, SECOND
from tests.real.realetcd import RealCluster
from tests.real.twin import SimulatedCluster

CLIENTS, SECONDS = 5, 6
DEEDS = ("dies", "pauses", "stops")


def deed(luck, unique):
    """What a client does next: (f, key, value)."""
    f = luck.choice(["write", "read", "read", "cas"])
    value = unique if f == "write" else [luck.randrange(max(1, unique)), unique] if f == "cas" else None
    return f, luck.choice(["x", "y"]), value


def as_request(f, key, value):
    if f == "read":
        return "range", {"key": key}
    if f == "write":
        return "put", {"key": key, "value": str(value)}
    same = {"key": key, "target": "VALUE", "result": "EQUAL", "value": str(value[0])}
    return "txn", {"compare": [same], "success": [{"request_put": {"key": key, "value": str(value[1])}}], "failure": []}


def completion(process, f, key, value, ok, answer, definite):
    """The event that ends an operation."""
    event = {"process": process, "type": "ok", "f": f, "key": key, "value": value}
    if not ok:
        return event | {"type": "fail" if definite or f == "read" else "info"}
    if f == "read":
        kvs = answer.get("kvs") or []
        return event | {"value": int(kvs[0]["value"]) if kvs else None}
    return event | {"type": "ok" if f == "write" or answer.get("succeeded") else "fail"}


@pytest.mark.needs("etcd")
@pytest.mark.parametrize("how", DEEDS)
def test_what_clients_of_real_etcd_saw_is_linearizable(how, tmp_path):
    events, lock = [], threading.Lock()
    with RealCluster(tmp_path) as real:
        until = time.monotonic() + SECONDS
        threads = [threading.Thread(target=real_client, args=(real, n, until, events, lock)) for n in range(CLIENTS)]
        for thread in threads:
            thread.start()
        time.sleep(1)
        leader = real.wait_for_leader()
        leader.signal({"dies": signal.SIGKILL, "pauses": signal.SIGSTOP, "stops": signal.SIGTERM}[how])
        time.sleep(2.5)
        leader.signal(signal.SIGCONT) if how == "pauses" else leader.start()
        for thread in threads:
            thread.join(timeout=40)
    judge(events)


def real_client(real, number, until, events, lock):
    luck, process, count = random.Random(number), number, 0
    while time.monotonic() < until:
        count += 1
        f, key, value = deed(luck, 10_000 * number + count)
        member = luck.choice(real.members)
        with lock:
            events.append({"process": process, "type": "invoke", "f": f, "key": key, "value": value})
        ok, answer = member.ask(*as_request(f, key, value), timeout=3)
        end = completion(process, f, key, value, ok, answer, not ok and answer["code"] == "REFUSED")
        with lock:
            events.append(end)
        process += CLIENTS if end["type"] == "info" else 0
        time.sleep(0.002)


class Clients(Component):
    """Several clients in one program."""

    members = ()

    def boot(self):
        self.events = []
        for number in range(CLIENTS):
            self.spawn(self.client(number))

    def client(self, number):
        luck, process, count = random.Random(number), number, 0
        while True:
            count += 1
            f, key, value = deed(luck, 10_000 * number + count)
            self.events.append({"process": process, "type": "invoke", "f": f, "key": key, "value": value})
            target = luck.choice(self.members).name
            reply = yield self.call(target, *as_request(f, key, value), timeout=3 * SECOND)
            end = completion(process, f, key, value, reply.ok, reply.value, not reply.ok and reply.error.definite)
            self.events.append(end)
            process += CLIENTS if end["type"] == "info" else 0
            yield self.timeout(5 * MS)


@pytest.mark.parametrize("how", DEEDS)
@pytest.mark.parametrize("seed", range(3))
def test_what_clients_of_ours_saw_is_linearizable(how, seed):
    ours = SimulatedCluster(3, seed)
    clients = Clients(ours.sim, ours.client.net, Host(ours.sim, "client-2"), "clients")
    clients.members = ours.members
    clients.start()
    ours.sim.run_until(ours.sim.now + SECOND)
    leader = next(m for m in ours.members if m.raft.role == "leader")
    {"dies": leader.crash, "pauses": leader.pause, "stops": leader.terminate}[how]()
    ours.sim.run_until(ours.sim.now + 2500 * MS)
    leader.resume() if how == "pauses" else leader.start()
    ours.sim.run_until(ours.sim.now + 3 * SECOND)
    judge(clients.events)


def judge(events):
    """Linearizable, and there was something to judge: many answers, and some whose fate nobody knows."""
    operations = from_events(enumerate(events, start=1))
    assert sum(op.returned is not None for op in operations) > 500
    violation = check(operations)
    assert violation is None, draw(violation)


def test_a_stale_read_slipped_into_the_history_is_noticed():
    ours = SimulatedCluster(3, seed=1)
    clients = Clients(ours.sim, ours.client.net, Host(ours.sim, "client-2"), "clients")
    clients.members = ours.members
    clients.start()
    ours.sim.run_until(ours.sim.now + 3 * SECOND)
    reads = [e for e in clients.events if e["f"] == "read" and e["type"] == "ok" and e["key"] == "x"]
    reads[-1]["value"] = reads[0]["value"]
    assert check(from_events(enumerate(clients.events, start=1))) is not None
