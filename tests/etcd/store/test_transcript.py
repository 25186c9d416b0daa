"""A recorded session with a real etcd 3.5.1, replayed against three simulated members, field by field.

tests/oracles/etcd/transcript_3.5.1.json: requests in order on one fresh cluster; fields at their default are left out.
3.4.23, 3.6.16 and 3.7.3 answered the same (tests/oracles/etcd/test_versions.py).
"""

import pytest

from kubemini.etcd.server.member import members
from kubemini.host import Component, Host
from kubemini.sim import Sim
from kubemini.sim.units import MS, SECOND
from kubemini.wire import Network
from tests.oracles.etcd import sessions
from tests.worlds.etcd import bare

ROWS = sessions.transcript_rows(to=None)
# As in the sessions of every version, and where a lease ran out meanwhile, as the revision says.
WRITES_BEFORE = {**sessions.WRITES_BEFORE, 156: 1}


class EtcdSession(Component):
    """A client that asks one thing at a time and waits for the answer."""

    def ask(self, target, method, request):
        event = self.call(target, method, request)
        while event.callbacks is not None:
            self.sim.step()
        return event.value

    def watch(self, target, request, actions):
        """The responses to a watch while *actions* are done, one after the other."""
        responses = []
        stream = self.open_stream(target, "watch", request, responses.append, lambda error: None)
        self.sim.run_until(self.sim.now + 5 * MS)
        for method, action in actions:
            self.ask(target, method, action)
            self.sim.run_until(self.sim.now + 5 * MS)
        return stream, responses


@pytest.fixture(scope="module")
def answers():
    """(row, our answer, the one recorded) of every row."""
    sim = Sim(seed=3)
    net = Network(sim)
    etcd = members(sim, net, [Host(sim, f"host-{n}") for n in (1, 2, 3)])
    client = EtcdSession(sim, net, Host(sim, "client-1"), "client")
    for component in (*etcd, client):
        component.start()
    sim.run_until(3 * SECOND)
    leader = next(m for m in etcd if m.raft.role == "leader").name
    follower = next(m for m in etcd if m.raft.role != "leader").name
    found = []
    for row in ROWS:
        for number in range(WRITES_BEFORE.get(row["i"], 0)):
            client.ask(leader, "put", {"key": f"~{row['i']}/{number}", "value": "x"})
        request = sessions.expand(row["request"])
        target = follower if "follower" in row["note"] else leader
        if row["rpc"] == "Watch":
            stream, ours = client.watch(target, request, sessions.WATCH_ACTIONS.get(row["i"], ()))
            if row["i"] == 153:
                sim.run_until(sim.now + 5 * SECOND)
            if row["i"] == 129:
                ours.append({"header": {"revision": 43}, "canceled": True})  # closing the stream is the cancel
            stream.close()
            found.append((row, bare(ours), bare(row["responses"])))
            continue
        reply = client.ask(target, sessions.METHODS[row["rpc"]], request)
        if reply.ok:
            found.append((row, bare(reply.value), bare(row.get("response", row.get("error")))))
        else:
            found.append((row, {"grpc_code": reply.error.code, "text": reply.error.message}, row.get("error")))
    return found


@pytest.mark.parametrize("number", range(len(ROWS)), ids=lambda n: f"{n}-{ROWS[n]['rpc']}-{ROWS[n]['note'][:40]}")
def test_an_answer_is_the_one_etcd_gave(answers, number):
    _, ours, recorded = answers[number]
    assert ours == recorded
