"""A database that is full: Debian's etcd and ours refuse the same and are healed by the same, in the same words."""

from dataclasses import replace

import pytest

from kubemini.params import Params
from tests.real.realetcd import RealCluster
from tests.real.twin import SimulatedCluster
from tests.worlds.etcd import bare

pytestmark = pytest.mark.needs("etcd")
QUOTA = 16 * 1024**2
BIG, SMALL = {"key": "k", "value": "x" * 500_000}, {"key": "small", "value": "1"}


def fill(ask):
    """How many puts of 500 kB are taken."""
    taken = 0
    while True:
        ok, answer = ask("put", BIG)
        if not ok:
            return taken, answer
        taken += 1


def outcome(answer):
    ok, value = answer
    return (True, value.get("succeeded", False), value.get("count", 0), value.get("deleted", 0)) if ok else value


def test_a_full_store_refuses_and_recovers_as_the_real_one(tmp_path, record_property):
    ours = SimulatedCluster(3, params=replace(Params(), etcd_quota_backend_bytes=QUOTA))
    with RealCluster(tmp_path, flags=["--quota-backend-bytes", str(QUOTA)]) as real:
        leads, mine = real.wait_for_leader(), ours.settle().name

        def our_ask(method, request):
            return ours.ask(mine, method, request)

        theirs, here = fill(leads.ask), fill(our_ask)
        assert bare(here[1]) == bare(theirs[1])
        # its file has holes, the more the slower it writes: so many puts are a report
        record_property("twin", f"puts of 500 kB that 16 MiB take: {theirs[0]}, ours: {here[0]}")

        def both(method, request, our_request=None):
            got = our_ask(method, our_request or request), leads.ask(method, request)
            assert outcome(got[0]) == outcome(got[1]), (method, request)

        put, reach = {"request_put": SMALL}, {"request_range": {"key": "k"}}
        both("put", SMALL)
        both("txn", {"success": [put]})
        both("txn", {"success": [reach]})
        both("lease_grant", {"TTL": 60})
        both("range", {"key": "k", "count_only": True})
        both("delete_range", {"key": "nothing"})
        newest = [ask("range", {"key": "k"})[1]["header"]["revision"] for ask in (leads.ask, our_ask)]
        both("compact", {"revision": newest[0], "physical": True}, {"revision": newest[1]})
        both("put", SMALL)
        for member, our_member in zip(real.members, ours.members, strict=True):
            member.ask("defragment", {})
            ours.ask(our_member.name, "defragment", {})
        both("put", SMALL)
        disarm(leads.ask)
        disarm(our_ask)
        both("put", SMALL)
        sizes = leads.ask("status", {})[1]["dbSize"], our_ask("status", {})[1]["dbSize"]
        assert abs(sizes[0] - sizes[1]) <= 64 * 1024


def disarm(ask):
    for alarm in ask("alarm", {"action": "GET"})[1].get("alarms", ()):
        ask("alarm", {"action": "DEACTIVATE", **alarm})


def test_leadership_moves_on_request_or_not_in_the_same_words(tmp_path):
    ours = SimulatedCluster(3)
    with RealCluster(tmp_path) as real:
        leads, mine = real.wait_for_leader(), ours.settle()
        follower = next(m for m in real.members if m is not leads)
        our_follower = next(m for m in ours.members if m is not mine)
        heir = follower.ask("status", {})[1]["header"]["member_id"]
        for asked, our_asked, target, our_target in [
            (follower, our_follower, heir, our_follower.id),
            (leads, mine, 99, 99),
            (leads, mine, heir, our_follower.id),
        ]:
            theirs = asked.ask("move_leader", {"targetID": target})
            here = ours.ask(our_asked.name, "move_leader", {"targetID": our_target})
            assert (here[0], here[0] or here[1]) == (theirs[0], theirs[0] or theirs[1])
        assert real.wait_for_leader() is follower and ours.settle() is our_follower
