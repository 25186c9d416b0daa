"""What the chapter *etcd as the memory* says in prose, and the answer keys of its predictions, measured."""

from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from kubemini.cluster import Cluster
from kubemini.lab import check, quiz
from kubemini.lab.memory.list_at import held, history
from kubemini.lab.memory.nospace import Full
from kubemini.lab.memory.talkers import STORES
from kubemini.lab.questions import of_chapter
from kubemini.sim.units import SECOND
from kubemini.simulate import run
from kubemini.study.etcdctl import MIB, Etcd, Unknown
from kubemini.study.talkers import looks

FULL = "Error: etcdserver: mvcc: database space exceeded"
COMPACTED = "etcdserver: mvcc: required revision has been compacted"
FUTURE = "Error: etcdserver: mvcc: required revision is a future revision"


# -- etcdctl -----------------------------------------------------------------------------------------------------------
def test_the_six_lines_of_the_sheet_make_the_revisions_2_to_5():
    etcd = Etcd()
    lines = ("put color red", "put size 4", "put color blue", "del size", "del size")
    assert [etcd(line).split()[-1] for line in lines] == ["2", "3", "4", "5", "5"]
    assert etcd("get color") == "blue (created 2, modified 4, version 2)"
    assert etcd("get size --rev=3") == "4 (created 3, modified 3, version 1)" and etcd("get size") == "(nothing)"
    assert etcd("watch color --rev=2") == "2: PUT color red, 4: PUT color blue"
    assert etcd("watch size --rev=4") == "5: DELETE size" and etcd("watch color") == "(silence)"


def test_compaction_takes_the_past_and_no_newest_value():
    etcd = Etcd()
    etcd.session("put old 1", "put color red", "put color blue")
    assert etcd("compact 4") == "compacted revision 4"
    assert etcd("get old").startswith("1 (created 2") and etcd("get color --rev=4").startswith("blue")
    assert etcd("get color --rev=3") == f"Error: {COMPACTED}" == etcd("compact 4")
    assert etcd("watch color --rev=4") == "4: PUT color blue"
    assert etcd("watch color --rev=2") == f"watch was canceled ({COMPACTED})"
    assert etcd("compact 9") == FUTURE


def test_every_member_answers_the_same():
    etcd = Etcd(3)
    etcd("put color red", "etcd-3")
    assert len({etcd("get color", member) for member in etcd.members}) == 1


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("pot color red", "here it knows put, get"),
        ("put color", "lacks something"),
        ("compact now", "lacks something"),
        ("defrag --endpoints=etcd-9", "there is no member 'etcd-9'"),
    ],
)
def test_a_line_that_is_none_is_answered_in_one_sentence(line, words):
    with pytest.raises(Unknown, match=words):
        Etcd(1)(line)


# -- the idle cluster ------------------------------------------------------------------------------------------------
def test_an_idle_cluster_writes_leases_and_nothing_else():
    cluster = Cluster.stacked()
    cluster.run("60s")
    store = cluster.components["etcd-1"].data.store
    before = store.revision
    cluster.run("60s")
    keys = [change.kv["key"] for change in store.history(before + 1)]
    assert {key.split("/")[2] for key in keys} == {"leases"} and not store.lessor.leases
    nodes = [key for key in keys if "kube-node-lease" in key]
    assert {nodes.count(key) for key in nodes} == {6}
    leaders = [key for key in keys if "kube-system" in key]
    assert {leaders.count(key) for key in leaders} == {30}


# -- the full store --------------------------------------------------------------------------------------------------
def test_writes_are_accepted_again_when_the_alarm_is_disarmed_and_reads_never_failed():
    trace = run("nospace")
    writes = [r.detail for r in trace.of("request") if r.detail["verb"] == "put"]
    raised, disarmed = (r.at for r in trace.of("alarm"))
    shut = {d["outcome"] for d in writes if raised < d["started"] < disarmed}
    then = {d["outcome"] for d in writes if d["started"] > disarmed}
    assert shut == {"failed"} and then == {"ok"} and 25 * SECOND < disarmed < 25.1 * SECOND
    assert of_chapter("memory")["predictions"]["full"]["answer"].startswith("From 25 s")
    assert {r.detail["outcome"] for r in trace.of("request") if r.detail["verb"] == "get"} == {"ok"}


def test_the_desk_has_the_counter_with_its_length_in_each_of_its_revisions():
    told = [(r.detail["key"], r.detail["value"], r.detail["revision"]) for r in run("nospace", until=10).of("kv")]
    assert told == [("counter", "(500,000 bytes)", revision) for revision in range(2, 35)]


def filled():
    etcd = Etcd(etcd_quota_backend_bytes=16 * MIB)
    while etcd("put counter " + "x" * 500_000).startswith("OK"):
        pass
    return etcd


def test_a_full_store_refuses_what_needs_room_until_it_is_compacted_defragmented_and_disarmed():
    etcd = filled()
    assert etcd("put color red") == etcd("lease grant 5") == FULL
    assert etcd("get counter").startswith("500,000 bytes") and etcd("del color").startswith("0 deleted")
    assert etcd("watch counter --rev=33").count("PUT") == 2 and etcd("alarm list") == "NOSPACE of etcd-1"
    length = etcd("endpoint status").split()[1]
    etcd("compact 34")
    assert etcd("put color red") == FULL and etcd("endpoint status").split()[1] == length
    etcd("defrag --cluster")
    assert etcd("put color red") == FULL and etcd("endpoint status").split()[1] == "0.5"
    assert etcd("alarm disarm") == "1 disarmed" and etcd("put color red") == "OK, revision 35"


def test_room_inside_the_file_is_no_room_and_an_alarm_disarmed_too_early_is_raised_again():
    etcd = filled()
    assert etcd.session("compact 34", "alarm disarm").endswith("1 disarmed") and etcd("alarm list") == "none"
    assert etcd("put color " + "x" * 500_000) == FULL == etcd("put color red")
    assert etcd("alarm list") == "NOSPACE of etcd-1"


# -- leases ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", range(4))
def test_a_lease_is_never_over_too_soon_and_much_too_late_after_the_leader_crashed(seed):
    lived = {}
    for crash in (False, True):
        etcd = Etcd(3, seed)
        etcd.session("lease grant 5", "put lock red --lease=1")
        granted = etcd.now
        if crash:
            etcd.wait(1)
            etcd.crash(etcd.leader)
        while etcd("get lock") != "(nothing)":
            etcd.wait(0.1)
        lived[crash] = etcd.now - granted
    assert 5 <= lived[False] < 5.8 and 8 < lived[True] < 11.1


def test_who_keeps_a_lease_alive_keeps_its_keys():
    etcd = Etcd()
    etcd.session("lease grant 5", "put lock red --lease=1")
    for _ in range(4):
        etcd.wait(3)
        assert etcd("lease keep-alive 1") == "lease 1 kept alive with TTL(5)"
    assert etcd("get lock").startswith("red")


# -- exercises -------------------------------------------------------------------------------------------------------
def list_at(changes, revision):
    last = {key: (kind, value) for at, kind, key, value in changes if at <= revision}
    return {key: value for key, (kind, value) in last.items() if kind == "PUT"}


def test_the_histories_have_several_changes_a_revision_and_deletions():
    stores = [history(seed) for seed in range(50)]
    assert all(held(store, store.revision) == list_at(log, store.revision) for store, log in stores)
    assert any(len({c[0] for c in log}) < len(log) for _, log in stores)
    assert any(c[1] == "DELETE" for _, log in stores for c in log)


@pytest.mark.parametrize(
    ("function", "hint"),
    [
        (lambda c, r: list_at(c, r - 1), "one revision too early"),
        (lambda c, r: {k: v for at, kind, k, v in c if at <= r}, "a key that was not there"),
        (lambda c, r: list_at(c, r + 1), "a key that was not there"),
        (lambda c, r: {k: v for at, kind, k, v in reversed(c) if at <= r and k in list_at(c, r)}, "not what the store"),
        (lambda c, r: sorted(list_at(c, r)), "Return a dict"),
    ],
)
def test_a_wrong_past_is_told_what_is_wrong_with_it(function, hint):
    report = check("memory.list-at", function)
    assert not report.passed and hint in report.hint


ORDERS = [
    lambda r, m: [f"compact {r}", "defrag --cluster", "alarm disarm"],
    lambda r, m: ["alarm disarm", f"compact {r}", *(f"etcdctl defrag --endpoints={name}" for name in m)],
    lambda r, m: f"compact {r}\ndefrag --cluster\nalarm disarm",
]


@pytest.mark.parametrize("repair", ORDERS)
def test_several_ways_out_of_a_full_store_are_accepted(repair):
    assert check("memory.nospace", repair).passed


@pytest.mark.parametrize(
    ("repair", "hint"),
    [
        (lambda r, m: ["alarm disarm"], "Every old revision is still kept"),
        (lambda r, m: ["defrag --cluster", f"compact {r}", "alarm disarm"], "the quota counts the file"),
        (lambda r, m: [f"compact {r}", "defrag", "alarm disarm"], "one member at a time"),
        (lambda r, m: [f"compact {r}", "defrag --cluster"], "until somebody disarms it"),
        (lambda r, m: ["del key-1"], "Nothing may be deleted"),
        (lambda r, m: [f"compact {r + 1}"], "future revision"),
        (lambda r, m: ["put key-1 x"], "is not for you here"),
        (lambda r, m: ["compact"], "does not understand you"),
        (lambda r, m: ["alarm list"] * 21, "more than this needs"),
        (lambda r, m: 7, "Return a list of lines"),
        (lambda r, m: None, "returned nothing yet"),
    ],
)
def test_a_repair_that_repairs_nothing_is_told_why(repair, hint):
    report = check("memory.nospace", repair)
    assert not report.passed and hint in report.hint


def test_no_two_full_clusters_are_alike():
    found = [Full(seed) for seed in range(4)]
    assert {len(full.names) for full in found} == {3, 5}
    assert len({tuple(map(len, full.values.values())) for full in found}) == 4
    assert all(full.etcd("put k v") == FULL for full in found)


def loudest(before, after, forget=False, sums=False):
    old = {kv["key"]: kv for kv in before}
    writes = Counter()
    for kv in after:
        then = old.get(kv["key"], {"version": 0, "create_revision": kv["create_revision"]})
        same = forget or then["create_revision"] == kv["create_revision"]
        writes[kv["key"].split("/")[2]] += kv["version"] - (then["version"] if same and not sums else 0)
    return writes.most_common(1)[0][0]


def most_keys(before, after):
    return Counter(kv["key"].split("/")[2] for kv in after).most_common(1)[0][0]


def test_who_writes_most_can_be_seen_in_every_store_and_is_not_who_seems_to():
    found = [looks(seed) for seed in STORES]
    right = [look.revisions.most_common(1)[0][0] for look in found]
    assert [loudest(look.before, look.after) for look in found] == right and len(set(right)) == 5
    for wrong in (partial(loudest, sums=True), partial(loudest, forget=True), most_keys):
        assert sum(wrong(look.before, look.after) != best for look, best in zip(found, right, strict=True)) >= 3
    assert check("memory.talkers", loudest).passed


@pytest.mark.parametrize(
    ("function", "hint"),
    [
        (partial(loudest, sums=True), "since its keys were created"),
        (partial(loudest, forget=True), "begins at version 1"),
        (most_keys, "has the most keys"),
        (lambda b, a: "nodes", "Another was written more"),
        (lambda b, a: max(a, key=lambda kv: kv["mod_revision"]), "Return the name of a kind"),
    ],
)
def test_who_names_the_wrong_writer_is_told_what_was_counted(function, hint):
    report = check("memory.talkers", function)
    assert not report.passed and hint in report.hint


def claim(key, owner, lease, **compare):
    free = {"key": key, **(compare or {"target": "CREATE", "create_revision": 0})}
    return {"compare": [free], "success": [{"request_put": {"key": key, "value": owner, "lease": lease}}]}


@pytest.mark.parametrize("target", ["CREATE", "MOD", "VERSION", "LEASE"])
@pytest.mark.some(1)
def test_every_compare_that_finds_a_free_lock_is_accepted(target):
    assert check("memory.lock", lambda k, o, lease: claim(k, o, lease, target=target)).passed


@pytest.mark.parametrize(
    ("transaction", "hint"),
    [
        (lambda k, o, lease: claim(k, o, lease) | {"compare": []}, "Two programs hold the lock at once"),
        (lambda k, o, lease: claim(k, o, lease, target="VERSION", result="LESS", version=2), "Two programs"),
        (lambda k, o, lease: claim(k, o, 0), "stays with the dead"),
        (lambda k, o, lease: claim(k, o, lease, target="VALUE", value=""), "your compare never holds"),
        (lambda k, o, lease: claim(k, o, lease, target="REVISION"), "names its target"),
        (lambda k, o, lease: claim(k, "me", lease), "put the owner's name"),
        (lambda k, o, lease: claim("/other", o, lease), "under the lock's key"),
        (lambda k, o, lease: claim(k, o, lease) | {"failure": claim(k, o, lease)["success"]}, "nothing may be written"),
        (lambda k, o, lease: claim(k, o, lease) | {"success": [{"request_delete_range": {"key": k}}]}, "nothing else"),
        (lambda k, o, lease: [], "Return a dict"),
    ],
)
def test_a_lock_that_is_none_is_told_why(transaction, hint):
    report = check("memory.lock", transaction)
    assert not report.passed and hint in report.hint


def test_no_answer_at_all_is_told_so():
    for name in ("list-at", "nospace", "talkers", "lock"):
        assert "no answer yet" in check(f"memory.{name}", None).hint


@pytest.mark.parametrize("name", ["warm-up", "seen-revisions", "seen-compaction", "seen-full", "quiz"])
def test_the_questions_are_there(name):
    assert quiz(f"memory.{name}").questions


def test_the_page_shows_the_recording():
    page = (Path(__file__).parents[2] / "chapters" / "memory.ipynb").read_text(encoding="utf-8")
    assert page.count('"show(') == 1 and page.count("recording ") >= 1
