"""The database is full: rows 31 to 51 of the recorded session with etcd 3.5.1 (ops_3.5.1.json), quota 16 MiB."""

from dataclasses import replace

from kubemini.etcd.store.quota import EMPTY, OBJECT_BYTES, PAGE, Alarms, Backend, cost, length
from kubemini.params import Params
from kubemini.sim.units import SECOND
from kubemini.simulate import run
from tests.worlds.etcd import World

FULL = "etcdserver: mvcc: database space exceeded"
BIG = "x" * 500_000


class Small(World):
    def __init__(self):
        super().__init__(3, params=replace(Params(), etcd_quota_backend_bytes=16 * 1024**2))
        self.written = 0

    def ask(self, method, target=None, **payload):
        self.client.ask(target or self.leader.name, method, payload)
        reply, _ = self.wait()
        return reply.value if reply.ok else reply.error.message

    def fill(self):
        while self.put(self.leader.name, BIG).ok:
            self.written += 1
        return self.written

    def sizes(self):
        return {self.ask("status", m.name)["dbSize"] for m in self.members}


def test_the_quota_is_reached_after_about_as_many_writes_as_on_real_etcd():
    """29 puts of 500 kB on 3.5.1, 34 on 3.4.23, whose files grow by more, or less, than what is in them."""
    world = Small()
    assert 29 <= world.fill() <= 34
    assert world.ask("alarm") == {
        "header": world.ask("alarm")["header"],
        "alarms": [{"memberID": world.leader.id, "alarm": "NOSPACE"}],
    }
    assert world.ask("status", "etcd-1")["errors"] == [f"memberID:{world.leader.id} alarm:NOSPACE "]


def test_a_full_store_still_serves_what_needs_no_room():
    world = Small()
    world.fill()
    follower = world.followers[0].name
    put = {"request_put": {"key": "k", "value": "v"}}
    assert world.ask("put", key="k", value="v") == world.ask("put", follower, key="k", value="v") == FULL
    assert world.ask("txn", success=[put]) == FULL
    assert world.ask("txn", success=[{"request_range": {"key": "k"}}])["succeeded"]
    assert world.ask("lease_grant", TTL=5) == FULL
    assert world.get(follower) == BIG
    assert world.ask("delete_range", key="nothing")["deleted"] == 0
    assert world.ask("compact", revision=5)["header"]["revision"] == world.written + 1


def test_neither_compaction_nor_defragmentation_ends_the_alarm_and_disarming_alone_does_not_last():
    world = Small()
    world.fill()
    revision = world.written + 1
    (full,) = world.sizes()
    world.ask("compact", revision=revision)
    assert world.ask("put", key="k", value="v") == FULL
    assert world.sizes() == {full}
    for member in world.members:
        world.ask("defragment", member.name)
    assert world.sizes() == {524_288}  # as measured: one value of 123 pages, and what an empty file has
    assert world.ask("put", key="k", value="v") == FULL
    for alarm in world.ask("alarm")["alarms"]:
        assert world.ask("alarm", action="DEACTIVATE", **alarm)["alarms"] == [alarm]
    assert world.ask("put", key="k", value="v")["header"]["revision"] == revision + 1
    assert world.ask("alarm")["alarms"] == []


def test_disarming_before_there_is_room_raises_the_alarm_again():
    world = Small()
    world.fill()
    world.ask("alarm", action="DEACTIVATE", memberID=world.leader.id, alarm="NOSPACE")
    assert world.ask("put", key="k", value=BIG) == FULL
    assert world.ask("alarm")["alarms"]


def test_a_member_that_was_not_defragmented_raises_its_own_alarm_over_a_write_that_is_done():
    """Debian's etcd, asked the same: the leader was defragmented and says yes, then both followers raise an alarm."""
    world = Small()
    world.fill()
    world.ask("compact", revision=world.written + 1)
    leader, others = world.leader, [m.id for m in world.followers]
    world.ask("defragment", leader.name)
    world.ask("alarm", action="DEACTIVATE", memberID=leader.id, alarm="NOSPACE")
    assert "header" in world.ask("put", key="a", value=BIG)
    world.run(0.1)
    assert sorted(alarm["memberID"] for alarm in world.ask("alarm")["alarms"]) == sorted(others)
    assert world.ask("range", key="a")["count"] == 1
    assert world.ask("put", key="b", value="1") == FULL
    assert world.ask("range", key="b")["count"] == 0
    world.ask("alarm", action="DEACTIVATE", memberID=others[0], alarm="NOSPACE")
    assert world.ask("put", key="b", value="1") == FULL


def test_who_is_let_in_and_then_finds_no_room_is_told_so_and_it_is_done_all_the_same():
    """apply.go quotaApplierV3: the write is carried out, then refused. Two at once, with room for one."""
    world = Small()
    leader = world.leader
    room = leader.params.etcd_quota_backend_bytes - 700_000
    while leader.data.store.backend.size < room:
        world.put(leader.name, "x" * 100_000)
    for key in ("a", "b"):
        world.client.put(leader.name, BIG, key=key)
    world.wait()
    world.wait()
    replies = [reply for *_, reply in world.client.replies[-2:]]
    assert [reply.ok for reply in replies] == [True, False]
    refused = replies[1].error
    assert refused.message == FULL and not refused.definite
    assert world.ask("range", key="b")["count"] == 1
    assert {alarm["memberID"] for alarm in world.ask("alarm")["alarms"]} == {m.id for m in world.members}


def test_a_full_member_refuses_even_if_its_alarm_cannot_be_raised():
    world = Small()
    world.fill()
    world.ask("alarm", action="DEACTIVATE", memberID=world.leader.id, alarm="NOSPACE")
    survivor = world.followers[0]
    for member in world.members:
        if member is not survivor:
            member.crash()
    world.run(3)
    world.client.put(survivor.name, BIG)
    reply, took = world.wait()
    assert reply.error.message == FULL and reply.error.definite and abs(took - 7) < 0.1


def test_the_alarm_of_one_member_stops_the_writes_of_all_and_survives_a_crash():
    world = Small()
    world.fill()
    world.run(1)
    old = world.leader
    old.crash()
    world.run(4)
    assert world.ask("put", key="small", value="v") == FULL
    old.start()
    world.run(1)
    assert old.data.alarms.raised == {old.id: "NOSPACE"}


def test_sizes_count_pages_and_only_defragmentation_shrinks_the_file():
    backend = Backend()
    assert backend.size == backend.in_use == EMPTY
    backend.add({"key": "k", "value": BIG})
    assert backend.size == EMPTY + 123 * PAGE
    backend.add({"key": "k", "value": BIG}, times=-1)
    assert (backend.size, backend.in_use) == (EMPTY + 123 * PAGE, EMPTY)
    backend.defragment()
    assert backend.size == EMPTY
    large = {"key": "k", "value": "x" * 5000}
    backend.add(large)
    backend.add(large)
    assert backend.size == EMPTY + 4 * PAGE
    backend.add(large, times=-2)
    backend.defragment()
    for _ in range(1000):
        backend.add({"key": "k", "value": "v"})
    assert backend.size == EMPTY + 16 * PAGE  # 62 bytes each


def test_disarming_ends_one_alarm_of_one_member():
    alarms = Alarms()
    for id in (1, 2):
        alarms.apply({"action": "ACTIVATE", "memberID": id, "alarm": "NOSPACE"})
    alarms.apply({"action": "DEACTIVATE", "memberID": 2, "alarm": "NOSPACE"})
    assert alarms.apply({"action": "DEACTIVATE", "memberID": 2, "alarm": "NOSPACE"}) == {"alarms": []}
    assert alarms.apply({"action": "DEACTIVATE", "memberID": 1}) == {"alarms": []}  # alarm NONE is none
    assert alarms.errors() == ["memberID:1 alarm:NOSPACE "]


def test_what_costs_room_is_what_a_full_store_refuses():
    put = {"request_put": {"key": "k", "value": "v"}}
    assert cost("put", {"key": "k", "value": "v"}) == 258
    assert cost("txn", {"success": [put, put], "failure": [put]}) == 516
    assert cost("txn", {"success": [{"request_delete_range": {"key": "k"}}]}) == cost("delete_range", {}) == 0
    assert cost("lease_grant", {"TTL": 5}) == 64


def test_the_scenario_tells_the_alarm_and_its_end():
    trace = run("nospace")
    assert [(r.detail["alarm"], r.detail["raised"]) for r in trace.of("alarm")] == [
        ("NOSPACE", True),
        ("NOSPACE", False),
    ]
    writes = [r.detail["outcome"] for r in trace.of("request") if r.detail["verb"] == "put"]
    assert writes[0] == writes[-1] == "ok" and writes.count("failed") > 50
    assert all(r.detail["outcome"] == "ok" for r in trace.of("request") if r.detail["verb"] == "get")


def test_the_scenario_tells_how_the_file_fills_and_that_only_defragmentation_makes_it_small():
    room = [(r.at // SECOND, r.detail) for r in run("nospace").of("room") if r.actor == "etcd-2"]
    full = [d for at, d in room if at < 15][-1]
    assert full["quota"] - full["size"] < 500_000 + 512 and full["in_use"] == full["size"]
    [compacted] = [d for at, d in room if at == 15]
    assert compacted["size"] == full["size"] and compacted["in_use"] < 2**20
    [defragmented] = [d for at, d in room if at == 20]
    assert defragmented["size"] == defragmented["in_use"] == compacted["in_use"]
    assert run("etcd-3").of("room") == []  # some kilobytes of two gibibytes are not worth a word


def test_without_a_quorum_nothing_is_compacted_and_no_alarm_disarmed():
    down = [(2, "crash", "etcd-2"), (2, "crash", "etcd-3")]
    trace = run("nospace", commands=[*down, (5, "compact"), (6, "alarm_disarm")], until=14)
    fates = {r.detail["verb"]: r.detail["outcome"] for r in trace.of("request") if r.detail["verb"][0] in "ca"}
    assert fates == {"compact": "unknown", "alarm disarm": "unknown"}


def test_an_object_weighs_what_a_typical_one_does_and_its_long_texts():
    plain = {"metadata": {"name": "x"}, "data": {"a": "1"}}
    assert length(plain) == OBJECT_BYTES == length(7)
    assert length({**plain, "data": {"a": "ü" * 2000}}) == OBJECT_BYTES + 4000
