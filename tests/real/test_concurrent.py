"""Clients that write, read and swap at once while the leader dies, hangs, stops or is cut off: real etcd and ours.

Nobody's answers can be compared one by one here, so both histories go before the same judge.
"""

import random
import threading
import time

import pytest

from kubemini.host import Component, Host
from kubemini.judge import check, draw, from_events
from kubemini.sim.units import MS, SECOND
from tests.real.namespaces import NamespacedCluster
from tests.real.trouble import begin, end, sides
from tests.real.twin import SimulatedCluster

CLIENTS, SECONDS, WAITS = 5, 5, 1
DEEDS = [(3, "crash"), (3, "pause"), (3, "terminate"), (3, "cut"), (5, "crash"), (5, "cut")]


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


@pytest.mark.needs("etcd", "namespaces")
@pytest.mark.parametrize("size, how", DEEDS)
@pytest.mark.some(2)
def test_what_clients_of_real_etcd_saw_is_linearizable(size, how, tmp_path):
    events, lock = [], threading.Lock()
    with NamespacedCluster(tmp_path, size) as real:
        until = time.monotonic() + SECONDS
        threads = [threading.Thread(target=real_client, args=(real, n, until, events, lock)) for n in range(CLIENTS)]
        for thread in threads:
            thread.start()
        trouble(real, how)
        for thread in threads:
            thread.join()
    judge(events, how, enough=20)


def trouble(cluster, how):
    """Half a second of peace, two without the leader."""
    cluster.rest(0.5)
    hurt, _ = sides(cluster, cluster.leader(), how)
    begin(cluster, hurt, how)
    cluster.rest(2)
    end(cluster, hurt, how)


def real_client(real, number, until, events, lock):
    luck, process, count = random.Random(number), number, 0
    while time.monotonic() < until:
        count += 1
        f, key, value = deed(luck, 10_000 * number + count)
        member = luck.choice(real.members)
        with lock:
            events.append({"process": process, "type": "invoke", "f": f, "key": key, "value": value})
        ok, answer = member.ask(*as_request(f, key, value), timeout=WAITS)
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
            reply = yield self.call(target, *as_request(f, key, value), timeout=WAITS * SECOND)
            end = completion(process, f, key, value, reply.ok, reply.value, not reply.ok and reply.error.definite)
            self.events.append(end)
            process += CLIENTS if end["type"] == "info" else 0
            yield self.timeout(5 * MS)


@pytest.mark.parametrize("size, how", DEEDS)
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.some(4)
def test_what_clients_of_ours_saw_is_linearizable(size, how, seed):
    ours, clients = with_clients(size, seed)
    trouble(ours, how)
    ours.rest(3)
    judge(clients.events, how, enough=200)


def with_clients(size, seed):
    ours = SimulatedCluster(size, seed)
    clients = Clients(ours.sim, ours.client.net, Host(ours.sim, "client-2"), "clients")
    clients.members = ours.members
    clients.start()
    return ours, clients


def judge(events, how, enough):
    """Linearizable, and there was something to judge: many answers, and after a cut some whose fate nobody knows."""
    operations = from_events(enumerate(events, start=1))
    assert sum(op.returned is not None for op in operations) > enough
    assert how != "cut" or any(event["type"] == "info" for event in events)
    violation = check(operations)
    assert violation is None, draw(violation)


def test_a_stale_read_slipped_into_the_history_is_noticed():
    ours, clients = with_clients(3, seed=1)
    ours.rest(3)
    reads = [e for e in clients.events if e["f"] == "read" and e["type"] == "ok" and e["key"] == "x"]
    reads[-1]["value"] = reads[0]["value"]
    assert check(from_events(enumerate(clients.events, start=1))) is not None
