"""A lost disk, a full database, a restore: the stories say what a real cluster was seen to do."""

from kubemini import run
from kubemini.sim.units import SECOND
from tests.oracles.etcd.sessions import general


def test_every_wrong_way_back_from_a_lost_disk_ends_with_its_own_words():
    trace = run("lost-disk")
    assert [general(record.detail["why"]) for record in trace.of("exit")] == [
        "member ID has already been bootstrapped",
        "panic: tocommit(N) is out of range [lastIndex(0)]. Was the raft log corrupted, truncated, or lost?",
        "error validating peerURLs {…}: member count is unequal",
        "the member has been permanently removed from the cluster",
    ]
    asked = [r.detail for r in trace.of("request") if r.detail["verb"].startswith("member")]
    assert [(d["verb"], d["why"]) for d in asked] == [
        ("member add", "etcdserver: unhealthy cluster"),
        ("member remove", ""),
        ("member add", ""),
    ]
    applied = {record.actor: record.detail["revision"] for record in trace.of("apply")}
    assert len(set(applied.values())) == 1 and len(applied) == 3


def test_a_full_database_takes_the_leading_managers_and_no_probe_notices():
    trace = run("full")
    full = next(r.at for r in trace.of("request") if "database space exceeded" in r.detail["why"])
    lost = [r for r in trace.of("note") if "leader election lost" in r.detail["text"]]
    assert len(lost) == 2 and all(8 * SECOND < r.at - full < 17 * SECOND for r in lost)
    assert not [r for r in trace.of("ready") if r.at > full]
    later = [r.detail for r in trace.of("request") if r.detail["kind"] == "api" and r.detail["started"] > full + SECOND]
    refused = [d for d in later if d["started"] < 66 * SECOND and d["outcome"] != "ok"]
    assert {(d["code"], d["why"]) for d in refused} == {(500, "etcdserver: mvcc: database space exceeded")}
    assert all(d["outcome"] == "ok" for d in later if d["started"] > 67 * SECOND)
    assert any(63 * SECOND < d["started"] < 65 * SECOND for d in refused)  # compacted, defragmented, and still


def test_after_a_plain_restore_a_change_is_stored_and_nobody_acts():
    after = run("restore").of("object")
    kinds = {(r.detail["kind"], r.detail["verb"]) for r in after if r.at > 60 * SECOND}
    assert ("Deployment", "MODIFIED") in kinds and not [kind for kind, _ in kinds if kind in ("Pod", "ReplicaSet")]
