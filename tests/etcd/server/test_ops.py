"""A recorded session of an operator with etcd 3.5.1, done again here: each answer is yes, or no with code and words.

tests/oracles/etcd/ops_3.5.1.json (3.4.23 answered the same). Rows 6 to 26 are one cluster of three, rows 35 to 51
another with a quota of 16 MiB. `SINCE_36` is what newer ones answer otherwise (tests/oracles/etcd/versions.json; the
code of learners: `tests/real/test_members.py`, with `make twin`).
"""

import json
from pathlib import Path

import pytest

from tests.etcd.store.test_quota import Small
from tests.worlds.etcd import Growing

ROWS = {
    row["i"]: row for row in json.loads((Path(__file__).parents[2] / "oracles/etcd/ops_3.5.1.json").read_text())["rows"]
}
LEARNER = ("FAILED_PRECONDITION", "etcdserver: rpc not supported for learner")
# three of four are there, a quorum of five too: a fifth may come
SINCE_36 = {14: LEARNER, 15: LEARNER, 17: LEARNER, 24: None, 25: None}
PUT = {"request_put": {"key": "k", "value": "v"}}
REACH = {"request_range": {"key": "k"}}


class Members(Growing):
    """Rows 6 to 26, from a cluster that is too young to change."""

    def between(self, i):
        """What happens before row *i*."""
        if i == 7:
            self.run(5)
        if i == 14:
            self.spares["etcd-4"].join(["etcd-1", "etcd-2", "etcd-3", "etcd-4"])
            self.run(1)
        if i == 24:
            self.run(6)
            self.killed = self.followers[0]
            self.killed.crash()
        if i in (25, 26):
            self.take_back("etcd-5")
            self.run(7 if i == 25 else 0)

    def take_back(self, name):
        """What 3.5 did not allow is undone, so that the next row finds what it found there."""
        for member in self.ask("member_list")[0]["members"]:
            if member["peerURLs"] == [f"http://{name}:2380"]:
                assert self.ask("member_remove", ID=member["ID"])[1] is None

    def request(self, i):
        """(method, target, payload)"""
        lead, follower = self.leader.name, self.followers[-1].name
        promote = ("member_promote", lead, {"ID": 4})
        fourth = ("member_add", lead, {"peerURLs": ["http://etcd-4:2380"], "isLearner": True})
        fifth = {"peerURLs": ["http://etcd-5:2380"]}
        return {
            6: fourth,
            7: ("member_add", lead, {"peerURLs": ["http://etcd-1:2380"]}),
            8: ("member_remove", lead, {"ID": 0xDEADBEEF}),
            9: fourth,
            10: ("member_list", lead, {"linearizable": True}),
            11: promote,
            12: ("member_add", lead, {**fifth, "isLearner": True}),
            14: ("put", "etcd-4", {"key": "k", "value": "v"}),
            15: ("range", "etcd-4", {"key": "k"}),
            16: ("range", "etcd-4", {"key": "k", "serializable": True}),
            17: ("lease_grant", "etcd-4", {"TTL": 5}),
            18: ("move_leader", lead, {"targetID": 4}),
            19: ("move_leader", follower, {"targetID": 1}),
            20: promote,
            21: promote,
            23: ("put", lead, {"key": "k", "value": "v"}),
            24: ("member_add", lead, fifth),
            25: ("member_add", lead, fifth),
            26: ("member_remove", follower, {"ID": self.leader.id}),
        }[i]


class Full(Small):
    """Rows 35 to 51, after the quota has been reached."""

    def __init__(self):
        super().__init__()
        self.fill()

    def between(self, i):
        if i == 48:
            for member in self.members:
                self.ask("defragment", member.name)

    def request(self, i):
        lead, put = self.leader.name, ("put", self.leader.name, {"key": "small", "value": "1"})
        alarms = [{"memberID": id, "alarm": alarm} for id, alarm in self.leader.data.alarms.raised.items()]
        return {
            35: put,
            36: ("range", lead, {"key": "k"}),
            37: ("put", self.followers[0].name, {"key": "small", "value": "1"}),
            38: ("txn", lead, {"success": [PUT]}),
            39: ("txn", lead, {"success": [REACH]}),
            40: ("lease_grant", lead, {"TTL": 60}),
            41: ("delete_range", lead, {"key": "nothing"}),
            42: ("compact", lead, {"revision": self.leader.data.store.revision}),
            43: put,
            48: put,
            49: ("alarm", lead, {"action": "DEACTIVATE", **(alarms or [{}])[0]}),
            50: put,
            51: ("alarm", lead, {"action": "GET"}),
        }[i]

    def disarm_the_rest(self):
        for id, alarm in list(self.leader.data.alarms.raised.items()):
            self.ask("alarm", action="DEACTIVATE", memberID=id, alarm=alarm)


def answers(world, rows):
    """Row → (code, text) or None."""
    found = {}
    for i in rows:
        world.between(i)
        method, target, payload = world.request(i)
        world.client.ask(target, method, payload)
        reply, _ = world.wait()
        found[i] = None if reply.ok else (reply.error.code, reply.error.message)
        if i == 49:
            world.disarm_the_rest()
        if i == 51:
            assert reply.value["alarms"] == []
    return found


@pytest.fixture(scope="module")
def ours():
    return answers(Members(settle=0), [i for i in ROWS if i <= 26]) | answers(Full(), [i for i in ROWS if i > 26])


@pytest.mark.parametrize("i", ROWS, ids=lambda i: f"{i}-{ROWS[i]['note'][:50]}")
def test_an_operator_hears_what_etcd_said(ours, i):
    row = ROWS[i]
    assert ours[i] == SINCE_36.get(i, (row["code"], row["text"]) if "code" in row else None)
