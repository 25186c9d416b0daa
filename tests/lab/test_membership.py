"""What the chapter *Changing the members* says in prose, the answer keys of its predictions, and its checkers."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from kubemini.cluster import build
from kubemini.lab import check, quiz
from kubemini.lab.membership import replace as replacing
from kubemini.lab.questions import of_chapter
from kubemini.scenarios import load
from kubemini.sim.units import SECOND
from kubemini.simulate import run
from kubemini.study.etcdctl import Etcd, Unknown

UNHEALTHY = "Error: etcdserver: unhealthy cluster"
GONE = "Error: context deadline exceeded"
NOT_STARTED = "Error: etcdserver: re-configuration failed due to not enough started members"
ADD = "member add etcd-4 --peer-urls=http://etcd-4:2380"
TYPO = "member add etcd-4 --peer-urls=http://etcd-44:2380"


@pytest.fixture(autouse=True)
def in_the_book(monkeypatch):
    monkeypatch.delenv("KUBEMINI_STRICT", raising=False)


# -- etcdctl member ----------------------------------------------------------------------------------------------------
def test_the_list_says_id_state_name_urls_and_learner():
    etcd = Etcd(spares=1)
    assert etcd("member list").splitlines()[0] == "1, started, etcd-1, http://etcd-1:2380, http://etcd-1:2379, false"
    assert etcd(f"{ADD} --learner") == "Member 4 added"
    assert etcd("member list").splitlines()[3] == "4, unstarted, , http://etcd-4:2380, , true"
    assert etcd.launch("etcd-4") == "etcd-4 runs, as member 4" and etcd.launch("etcd-4") == "etcd-4 runs already"
    assert etcd("member list").splitlines()[3].startswith("4, started, etcd-4, ")


def test_a_machine_that_nobody_was_told_of_does_not_run():
    said = Etcd(spares=1).launch("etcd-4")
    said = " ".join(said.split())
    assert said.startswith("etcd-4 has ended: error validating peerURLs {") and said.endswith(
        "}: member count is unequal"
    )


@pytest.mark.parametrize("line", ["member add etcd-4", "member remove", "member promote four"])
def test_a_line_that_lacks_something_says_so(line):
    with pytest.raises(Unknown, match="lacks something"):
        Etcd(1)(line)


def test_the_list_is_a_linearizable_read_and_waits_for_a_majority():
    etcd = Etcd()
    etcd.crash("etcd-2")
    etcd.crash("etcd-3")
    assert etcd("member list") == GONE


# -- what the page shows -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", range(5))
def test_while_one_is_down_nobody_is_added_not_even_a_learner(seed):
    etcd = Etcd(3, seed, spares=1)
    etcd.crash("etcd-3")
    etcd.wait(3)
    assert etcd(ADD) == etcd(f"{ADD} --learner") == UNHEALTHY and etcd("put color red").startswith("OK")


@pytest.mark.parametrize("seed", range(5))
def test_added_first_with_a_typo_the_next_failure_wedges_the_cluster_until_it_is_undone(seed):
    etcd = Etcd(3, seed, spares=1)
    assert etcd(TYPO) == "Member 4 added" and "no match found" in etcd.launch("etcd-4")
    assert etcd("put color red").startswith("OK")
    follower = next(name for name in ("etcd-3", "etcd-2") if name != etcd.leader)
    etcd.crash(follower)
    assert etcd("put color blue") == "Error: etcdserver: request timed out" and etcd("member remove 4") == GONE
    etcd.restart(follower)
    etcd.wait(3)
    assert etcd("get color").startswith("blue") and etcd("put color green").startswith("OK")


@pytest.mark.parametrize("seed", range(5))
def test_removed_first_the_same_typo_can_be_taken_back(seed):
    etcd = Etcd(3, seed, spares=1)
    dead = next(name for name in ("etcd-3", "etcd-2") if name != etcd.leader)
    etcd.crash(dead)
    assert etcd(f"member remove {dead[-1]}").endswith("removed")
    assert etcd(TYPO) == "Member 4 added" and "no match found" in etcd.launch("etcd-4")
    assert etcd("put color red").startswith("OK") and etcd(ADD) == NOT_STARTED
    assert etcd("member remove 4") == "Member 4 removed" and etcd(f"{ADD} --learner") == "Member 5 added"
    assert "in sync with leader" in etcd("member promote 5")
    assert etcd.launch("etcd-4") == "etcd-4 runs, as member 5" and etcd("member promote 5") == "Member 5 promoted"


def test_a_mistyped_learner_costs_no_quorum():
    etcd = Etcd(spares=1)
    assert etcd(f"{TYPO} --learner") == "Member 4 added"
    etcd.crash("etcd-3")
    assert etcd("put color red").startswith("OK") and etcd("member remove 4") == "Member 4 removed"


def test_one_member_that_adds_a_second_with_a_typo_is_lost():
    etcd = Etcd(1, spares=1)
    assert etcd("member add etcd-2 --peer-urls=http://etcd-22:2380") == "Member 2 added"
    assert etcd("put color red") == "Error: etcdserver: request timed out" and etcd("member remove 2") == GONE


def test_another_member_may_fail_again_when_three_vote_again_and_no_write_failed():
    trace = run("members")
    first, learner, promoted = trace.of("membership")
    assert [r.at // SECOND for r in (first, learner, promoted)] == [14, 22, 26]
    assert "From 26 s" in of_chapter("membership")["predictions"]["replace"]["answer"]
    assert {r.detail["outcome"] for r in trace.of("request")} == {"ok"}
    for at, last in ((15, {"unknown", "failed"}), (24, {"unknown", "failed"}), (30, {"ok"})):
        later = run("members", commands=[(at, "crash", "etcd-2")])
        assert {r.detail["outcome"] for r in later.of("request") if r.detail["started"] > 32 * SECOND} <= last


# -- replace a member --------------------------------------------------------------------------------------------------
def rows(etcdctl):
    return [line.split(", ") for line in etcdctl("member list").splitlines()]


def leave(etcdctl, failing):
    for id, _, name, *_ in rows(etcdctl):
        if name == failing:
            etcdctl(f"member remove {id}")


def join(etcdctl, start, spare, kind=""):
    """Until it runs; the id."""
    while True:
        id = etcdctl(f"member add {spare} --peer-urls=http://{spare}:2380{kind}").split()[1]
        if "runs" in start(spare):
            return id
        etcdctl(f"member remove {id}")


def careful(etcdctl, start, failing, spare):
    leave(etcdctl, failing)
    etcdctl(f"member promote {join(etcdctl, start, spare, ' --learner')}")


def as_a_voter(etcdctl, start, failing, spare):
    leave(etcdctl, failing)
    join(etcdctl, start, spare)
    return "done"


def learner_first(etcdctl, start, failing, spare):
    """A learner before the removal, where etcd allows it; what fails is taken back."""
    said = etcdctl(f"etcdctl member add {spare} --peer-urls=http://{spare}:2380 --learner")
    runs = "added" in said and "runs" in start(spare)
    if "added" in said and not runs:
        etcdctl(f"member remove {said.split()[1]}")
    leave(etcdctl, failing)
    id = said.split()[1] if runs else join(etcdctl, start, spare, " --learner")
    etcdctl(f"member promote {id}")


@pytest.mark.parametrize("answer", [careful, as_a_voter, learner_first])
def test_every_order_that_can_be_taken_back_is_accepted(answer):
    report = check("membership.replace", answer)
    assert report.passed, report
    served = report.facts[1].split("writes: ")[1].split(" of ")
    assert report.facts[0].startswith("24 of 24 clusters") and int(served[0]) == int(served[1].split(" ")[0])


def added_first(etcdctl, start, failing, spare):
    if "added" in etcdctl(f"member add {spare} --peer-urls=http://{spare}:2380"):
        start(spare)
        leave(etcdctl, failing)
    else:
        careful(etcdctl, start, failing, spare)


def not_promoted(etcdctl, start, failing, spare):
    leave(etcdctl, failing)
    join(etcdctl, start, spare, " --learner")


def not_looked(etcdctl, start, failing, spare):
    leave(etcdctl, failing)
    etcdctl(f"member add {spare} --peer-urls=http://{spare}:2380")
    start(spare)


def the_wrong_one(etcdctl, start, failing, spare):
    healthy = next(id for id, _, name, *_ in rows(etcdctl) if name != failing)
    careful(etcdctl, start, failing, spare)
    etcdctl(f"member remove {healthy}")


def swallows_everything(etcdctl, start, failing, spare):
    while True:
        try:
            etcdctl("member list")
        except Exception:
            continue


@pytest.mark.parametrize(
    ("answer", "status", "hint"),
    [
        (added_first, "fail", "4 members need 3, and 2 are alive: no write, and no member remove either (M7, M8)."),
        (lambda ctl, start, failing, spare: leave(ctl, failing), "hint", "is no member: "),
        (lambda ctl, start, failing, spare: ctl("member list"), "hint", "is still a member: dead, and counted"),
        (not_promoted, "hint", "only listens: promote it"),
        (not_looked, "hint", "has never started, and counts all the same."),
        (the_wrong_one, "hint", "was well, and you removed it."),
        (lambda ctl, start, failing, spare: ctl("put order-001 free"), "hint", "'put order-001 free' is not for you"),
        (lambda ctl, start, failing, spare: ctl("defrag"), "hint", "'defrag' is not for you here"),
        (lambda ctl, start, failing, spare: start(failing), "hint", "start() is for the new machine"),
        (lambda ctl, start, failing, spare: [ctl("member list") for _ in range(99)], "hint", "is there a loop?"),
        (lambda ctl, start, failing, spare: None, "hint", "Nothing was typed"),
        (lambda ctl, start, failing, spare: ctl("member update 1"), "hint", "is still a member"),
        (lambda ctl, start, failing, spare: ctl(None), "hint", "'None' is not for you here"),
        (lambda ctl, start, failing, spare: 1 / 0, "hint", "raised ZeroDivisionError"),
        (lambda ctl: None, "hint", "takes 1 positional argument but 4 were given"),
        (swallows_everything, "hint", "did not end"),
        (["member list"], "hint", "Give check() the function itself"),
        (None, "hint", "There is no answer yet"),
    ],
)
def test_a_replacement_that_is_none_is_told_why(answer, status, hint):
    report = check("membership.replace", answer)
    assert (report.status, hint in report.hint) == (status, True), report


def test_the_facts_of_a_wedge_are_the_learners_own_lines():
    report = check("membership.replace", added_first)
    assert report.facts[0].startswith("cluster 1: 3 members, etcd-3 about to die; you: member add etcd-4 --peer-urls=")
    assert report.facts[0].endswith("member list (context deadline exceeded)")


def test_no_two_clusters_of_the_exercise_are_alike_in_what_matters():
    incidents = [replacing.Incident(seed) for seed in replacing.SEEDS]
    assert len(incidents) >= 20 and {i.size for i in incidents} == {3, 5}
    kinds = {(i.size, i.dead, i.slips) for i in incidents}
    assert kinds >= {(3, dead, slips) for dead in (True, False) for slips in (True, False)}
    assert all(i.failing != i.etcd.leader and i.asked != i.failing for i in incidents)


# -- the page ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["warm-up", "seen-replace", "seen-wedge", "quiz"])
def test_the_questions_are_there(name):
    assert quiz(f"membership.{name}").questions


def test_the_page_shows_one_desk_and_its_second_put_timed_out_and_is_there():
    path = Path(__file__).parents[2] / "chapters" / "membership.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert sum(cell["cell_type"] == "code" and "show(" in "".join(cell["source"]) for cell in cells) == 1
    outputs = "".join("".join(output.get("text", [])) for cell in cells for output in cell.get("outputs", []))
    assert "put color blue   Error: etcdserver: request timed out" in outputs
    assert "get color        blue (created 2, modified 3, version 2)" in outputs


def test_the_topology_of_the_recording_has_a_spare():
    assert build("etcd", members=3, spares=1).spares == ("etcd-4",)


def restored(*save):
    """What the new cluster answers when it is asked for what was written before and after yesterday's snapshot."""
    story = [
        *((3, "put", "early", "1"), (4, "snapshot_save", "etcd-1"), (5, "put", "late", "1")),
        *((6, "lose_disk", "etcd-host-2"), (6, "lose_disk", "etcd-host-3"), *save, (20, "crash", "etcd-1")),
        *((21, "snapshot_restore", "etcd-1,etcd-2,etcd-3", 1_000_000), (25, "get", "early"), (25, "get", "late")),
    ]
    quiet = replace(load("etcd-3"), faults=(), workload={})
    asked = run(quiet, seed=1, commands=story, until=30).of("request")
    return {r.detail["path"]: r.detail["answer"] for r in asked if r.detail["verb"].endswith("get")}


def test_a_majority_of_disks_gone_loses_what_yesterday_s_file_lacks_and_the_survivor_s_has():
    assert restored() == {"early": "1", "late": "(nothing)"}
    assert restored((15, "snapshot_save", "etcd-1")) == {"early": "1", "late": "1"}
