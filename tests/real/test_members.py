"""The same changes of the members, asked of a real etcd and of ours: what is allowed, and what is refused how."""

import time

import pytest

from kubemini.etcd.server.member import Member
from kubemini.host import Host
from tests.real.realetcd import PATIENCE, RealCluster, release
from tests.real.twin import SimulatedCluster

pytestmark = pytest.mark.needs("etcd")
UNKNOWN = 0xDEADBEEF


def described(answer):
    """What both can agree on: who has started and who only listens, without ids, names and URLs."""
    ok, value = answer
    if not ok:
        return value
    listed = sorted((bool(m.get("name")), bool(m.get("isLearner"))) for m in value.get("members", ()))
    return {"members": listed, "member": bool(value.get("member"))}


class Pair:
    """One cluster of each kind, asked the same; ``url`` and ``id`` translate."""

    def __init__(self, real):
        self.real, self.ours = real, SimulatedCluster(3)
        self.leads, self.mine = real.wait_for_leader(), self.ours.settle().name
        self.rest()

    def rest(self):
        """Until connections count as healthy."""
        time.sleep(8)
        self.ours.sim.run_until(self.ours.sim.now + 6_000_000)

    def ask(self, method, real, ours):
        theirs, here = self.leads.ask(method, real), self.ours.ask(self.mine, method, ours)
        assert described(here) == described(theirs), (method, real)
        return theirs[1], here[1]

    def add(self, real_url, our_url, learner=False):
        return self.ask(
            "member_add",
            {"peerURLs": [real_url], "isLearner": learner},
            {"peerURLs": [our_url], "isLearner": learner},
        )

    def change(self, method, real_id, our_id):
        return self.ask(method, {"ID": real_id}, {"ID": our_id})


def test_a_learner_joins_listens_and_is_promoted_as_the_real_one_does(tmp_path):
    with RealCluster(tmp_path) as real:
        pair = Pair(real)
        newcomer, url = real.newcomer("etcd-4")
        ours = Member(pair.ours.sim, pair.ours.client.net, Host(pair.ours.sim, "host-4"), "etcd-4", ["etcd-1"])
        added, _ = pair.add(url, "http://etcd-4:2380", learner=True)
        id = added["member"]["ID"]
        pair.change("member_promote", id, 4)
        newcomer.start()
        ours.join(["etcd-1", "etcd-2", "etcd-3", "etcd-4"])
        deadline = time.monotonic() + PATIENCE
        while not newcomer.ask("range", {"key": "k", "serializable": True}, timeout=5)[0]:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        pair.rest()
        for method, request in [
            ("put", {"key": "k", "value": "v"}),
            ("range", {"key": "k"}),
            ("lease_grant", {"TTL": 60}),
            ("move_leader", {"targetID": 4}),
        ]:
            here, theirs = pair.ours.ask("etcd-4", method, request), newcomer.ask(method, request)
            if release() < (3, 6) and theirs[1]["code"] == "UNAVAILABLE":
                theirs[1]["code"] = "FAILED_PRECONDITION"  # since 3.6, so that clients do not try it elsewhere
            assert here == theirs, (method, request)
        pair.ask("move_leader", {"targetID": id}, {"targetID": 4})
        pair.ask("member_list", {}, {})
        pair.change("member_promote", id, 4)
        pair.change("member_promote", id, 4)
        pair.ask("member_list", {}, {})
        time.sleep(1)
        pair.ours.sim.run_until(pair.ours.sim.now + 1_000_000)
        for cluster in (newcomer.ask("put", {"key": "k", "value": "v"}), pair.ours.ask("etcd-4", "put", {"key": "k"})):
            assert cluster[0]


def test_what_is_refused_and_what_is_allowed_is_the_same(tmp_path):
    with RealCluster(tmp_path) as real:
        pair = Pair(real)
        theirs, _ = pair.ask("member_list", {}, {})
        taken = theirs["members"][0]["peerURLs"][0]
        pair.add(taken, "http://etcd-1:2380")
        for method in ("member_remove", "member_promote"):
            pair.change(method, UNKNOWN, UNKNOWN)
        leader = next(m["ID"] for m in theirs["members"] if m["name"] == pair.leads.name)
        pair.change("member_promote", leader, int(pair.mine[-1]))
        added, _ = pair.add("http://127.0.0.1:9", "http://etcd-9:2380", learner=True)
        pair.add("http://127.0.0.1:7", "http://etcd-7:2380", learner=True)
        pair.change("member_promote", added["member"]["ID"], 4)
        pair.change("member_remove", added["member"]["ID"], 4)
        pair.change("member_remove", added["member"]["ID"], 4)
        wrong, _ = pair.add("http://127.0.0.1:11", "http://etcd-11:2380")  # the id is made of URL and second: a new one
        if release() >= (3, 6):  # before, nobody was added while one was not there
            again, _ = pair.add("http://127.0.0.1:7", "http://etcd-7:2380")
            pair.change("member_remove", again["member"]["ID"], 6)
        pair.change("member_remove", wrong["member"]["ID"], 5)
        down = next(m for m in real.members if m is not pair.leads)
        our_down = next(m for m in pair.ours.members if m.name != pair.mine)
        down.stop()
        our_down.crash()
        pair.ours.sim.run_until(pair.ours.sim.now + 1_000_000)
        pair.add("http://127.0.0.1:9", "http://etcd-9:2380")
        gone = next(m["ID"] for m in theirs["members"] if m["name"] == down.name)
        pair.change("member_remove", gone, our_down.id)
