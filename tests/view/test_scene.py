"""What is on screen follows from the trace alone: sentences, table, strips, summary."""

import gzip
import json
import re
from itertools import accumulate, pairwise

import pytest

from kubemini.scenarios import names
from kubemini.sim import Record, Trace
from kubemini.sim.units import SECOND
from kubemini.view.columns import pack
from kubemini.view.scene import present, request_strip, text_summary
from kubemini.view.story import story
from kubemini.view.words import rows
from tests.runs import run_once

TOPOLOGY = {
    "kind": "stacked",
    "hosts": [
        *(
            {"name": f"cp-{i}", "role": "control-plane", "components": [f"etcd-{i}", f"apiserver-{i}"]}
            for i in (1, 2, 3)
        ),
        {"name": "worker-1", "role": "worker", "components": ["kubelet@worker-1"]},
        {"name": "lb-1", "role": "lb", "components": ["haproxy-1"]},
    ],
    "etcd": ["etcd-1", "etcd-2", "etcd-3"],
    "quorum": 2,
}
LEADER = Record(1, "etcd-1", "role", {"role": "leader", "term": 2, "lead": "etcd-1"})
READY = [Record(2, f"apiserver-{i}", "ready", {"ready": True, "why": ""}) for i in (1, 2, 3)]


def trace(*records, topology=TOPOLOGY, until=10 * SECOND):
    return Trace({"topology": topology, "seed": 1, "until": until, "title": "a test"}, list(records))


def last(*records):
    """The last line of the story: level, first sentence, second sentence."""
    return story(trace(*records))[-1][1:]


def visit(at, outcome="ok", why=""):
    return Record(
        at,
        "visitor@worker-1",
        "request",
        {"kind": "service", "verb": "GET", "path": "web", "outcome": outcome, "started": at - 1000, "why": why},
    )


def pod(at, name, state="running", ready=True):
    detail = {"name": name, "namespace": "default", "app": "web", "state": state, "ready": ready, "ip": "10.244.1.2"}
    return Record(at, "kubelet@worker-1", "pod", detail)


# -- who can write ---------------------------------------------------------------------------------------------------
def test_all_is_well_when_a_leader_has_its_majority_and_every_server_is_ready():
    assert last(LEADER, *READY)[:2] == ("ok", "3 of 3 members up, quorum is 2: writes accepted")


def test_one_member_down_is_a_warning_and_two_are_the_end_of_writes():
    one = [LEADER, *READY, Record(5, "etcd-3", "crash", {})]
    assert last(*one)[:2] == ("warn", "2 of 3 members up, quorum is 2: writes accepted")
    two = [*one, Record(6, "etcd-2", "crash", {})]
    assert last(*two)[:2] == ("bad", "1 of 3 members up, quorum is 2: no write succeeds")


def test_a_dead_leader_leaves_a_majority_without_one():
    level, first, _ = last(LEADER, *READY, Record(5, "etcd-1", "crash", {}))
    assert (level, first) == ("warn", "2 of 3 members up, quorum is 2, no leader yet: writes wait")


def test_a_paused_member_counts_as_one_that_is_not_there():
    paused = [LEADER, *READY, Record(5, "etcd-2", "pause", {}), Record(6, "etcd-3", "pause", {})]
    assert "1 of 3 members up" in last(*paused)[1]
    assert "2 of 3 members up" in last(*paused, Record(7, "etcd-2", "resume", {}))[1]


def test_power_takes_all_programs_of_a_host_with_it():
    dark = [LEADER, *READY, Record(5, "cp-2", "power_off", {})]
    assert last(*dark)[1] == "2 of 3 members up, quorum is 2, 2 of 3 API servers ready: writes accepted"


def test_members_behind_a_cut_are_up_but_do_not_count_together():
    cut = Record(5, "network", "cut", {"a": ["cp-1"], "b": ["cp-2", "cp-3"], "one_way": False})
    assert "3 of 3 members up, 2 can talk to each other, quorum is 2, no leader yet" in last(LEADER, *READY, cut)[1]
    assert last(LEADER, *READY, cut, Record(6, "network", "heal", {}))[0] == "ok"


def test_without_an_api_server_nobody_changes_the_cluster_whatever_etcd_says():
    down = [Record(5, f"apiserver-{i}", "crash", {}) for i in (1, 2, 3)]
    assert last(LEADER, *READY, *down)[:2] == ("bad", "All API servers are down: nobody can change the cluster")


def test_without_the_load_balancer_nobody_reaches_them():
    level, first, _ = last(LEADER, *READY, Record(5, "haproxy-1", "crash", {}))
    assert (level, first) == ("bad", "The load balancer is down: nobody reaches the API servers")


# -- who is served ---------------------------------------------------------------------------------------------------
def test_pods_run_and_their_service_answers_whatever_the_control_plane_does():
    late = 9 * SECOND + 700_000
    dead = [Record(5, m, "crash", {}) for m in ("etcd-1", "etcd-2", "etcd-3")]
    said = last(LEADER, *READY, *dead, pod(6, "web-1"), pod(7, "web-2"), visit(late), visit(late + 1))
    assert said == (
        "bad",
        "0 of 3 members up, quorum is 2: no write succeeds",
        "2 pods run; web answers every visitor",
    )


def test_a_share_of_failed_visits_is_said_as_a_share():
    late = 9 * SECOND + 700_000
    fates = [visit(late, "failed", "no endpoint"), visit(late), visit(late), visit(late)]
    assert last(LEADER, pod(1, "web-1"), *fates)[2] == "1 pod runs; web answers 80 % of its visitors"
    assert last(LEADER, *fates[:1])[2] == "No pods run; web answers no visitor"


def test_pods_of_a_host_without_power_do_not_run():
    assert last(LEADER, pod(1, "web-1"), Record(5, "worker-1", "power_off", {}))[2] == "No pods run"


def test_the_story_speaks_only_when_something_changes():
    told = story(trace(LEADER, *READY, pod(5, "web-1")))
    assert [a[1:] != b[1:] for a, b in pairwise(told)] == [True] * (len(told) - 1)
    assert [line[0] for line in told] == sorted({line[0] for line in told})


# -- what happened ---------------------------------------------------------------------------------------------------
def test_a_deed_is_told_once_not_again_as_its_effect():
    deed = Record(5_000_000, "you", "command", {"action": "crash", "args": ["etcd-2"]})
    assert rows(trace(deed, Record(5_000_000, "etcd-2", "crash", {}))) == [("5.000", "you", "crashed etcd-2")]


def test_what_happens_without_a_deed_is_told():
    assert rows(trace(Record(5_000_000, "etcd-2", "crash", {}))) == [("5.000", "etcd-2", "crashes")]


def test_a_boot_is_told_once_not_for_each_program():
    boot = [Record(7, "cp-1", "power_on", {}), Record(7, "etcd-1", "start", {}), Record(7, "apiserver-1", "start", {})]
    assert [words for _, _, words in rows(trace(*boot))] == ["boots"]


def test_requests_are_told_when_their_fate_changes_for_good():
    fates = [(1, "ok"), (2, "failed"), (3, "ok"), (4, "failed"), (5, "ok"), (6, "ok")]
    visits = [visit(at * SECOND, fate, "" if fate == "ok" else "no endpoint") for at, fate in fates]
    assert [(time, words) for time, _, words in rows(trace(*visits))] == [
        ("2.000", "✕ GET web fails: no endpoint"),
        ("5.000", "● GET web is always answered again"),
    ]


def test_a_leader_that_follows_nobody_has_stepped_down():
    follower = Record(9, "etcd-1", "role", {"role": "follower", "term": 2, "lead": None})
    assert [words for _, _, words in rows(trace(LEADER, follower))] == ["★ is leader of term 2", "steps down"]


# -- strips and recordings -------------------------------------------------------------------------------------------
def test_a_request_counts_in_the_bucket_in_which_it_began():
    late = Record(
        9 * SECOND, "c", "request", {"kind": "etcd", "verb": "put", "path": "k", "outcome": "unknown", "started": 0}
    )
    drawn = request_strip(trace(visit(5 * SECOND), late, until=10 * SECOND))
    assert drawn["bucket"] == SECOND
    assert [(row["name"], sum(row["ok"]), sum(row["unknown"])) for row in drawn["series"]] == [
        ("visits", 1, 0),
        ("writes", 0, 1),
    ]
    assert drawn["series"][1]["unknown"][0] == 1


def test_requests_that_are_all_refused_are_not_said_to_have_no_answer():
    seconds = {second for _, _, _, second in present(run_once("nospace"))["story"]}
    assert "Writes: all refused. Reads: all answered" in seconds
    assert not any("no answer" in second for second in seconds)


@pytest.fixture(scope="module", params=names())
def shown(request):
    """What a page shows of a scenario."""
    return present(run_once(request.param))


def test_a_recording_is_small_enough_for_a_page(shown):
    recording = json.dumps(shown, separators=(",", ":"), ensure_ascii=False)
    assert len(gzip.compress(recording.encode())) < 60_000


def test_every_row_and_sentence_of_a_scenario_lies_within_its_time_and_says_something(shown):
    until = shown["header"]["until"]
    assert all(0 <= at <= until and level in ("ok", "warn", "bad") and first for at, level, first, _ in shown["story"])
    assert all(words and who and 0 <= float(time) * SECOND <= until + 1000 for time, who, words in shown["table"])
    assert {"start", "role"} <= set(shown["records"]["fields"])


def test_the_summary_tells_a_run_to_somebody_without_a_screen():
    text = text_summary(run_once("etcd-3"))
    assert "  20.000s  ✕ 1 of 3 members up, quorum is 2: no write succeeds." in text
    assert "  20.000s  scenario: crashed etcd-3" in text
    assert re.search(r"^writes: 239 asked, \d{3} ok, \d\d slow, 0 failed, \d\d unknown$", text, re.MULTILINE)


def test_instants_of_a_recording_add_up_to_those_of_the_run():
    trace = run_once("quorum")
    records = present(trace)["records"]
    instants = list(accumulate(records["at"]))
    requests = [at for at, what in zip(instants, records["what"], strict=True) if records["names"][what] == "request"]
    started = [at + ago for at, ago in zip(requests, records["fields"]["request"]["started"], strict=True)]
    assert requests == [r.at for r in trace.of("request")]
    assert started == [r.detail["started"] for r in trace.of("request")]


def test_a_running_number_is_told_by_how_far_it_has_come_since_the_same_actor_told_it():
    rows = [[5, who, "apply", {"index": index}] for who, index in (("a", 7), ("b", 3), ("a", 8), ("b", 5))]
    assert pack(rows)["fields"] == {"apply": {"index": [7, 3, 1, 2]}}
    assert pack([[0, "a", "x", {"p": 1}], [0, "a", "x", {"q": None}]])["fields"] == {
        "x": {"p": [1, None], "q": [None] * 2}
    }
