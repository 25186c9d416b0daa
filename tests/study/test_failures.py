"""A node fails, and a stopwatch reads what becomes of its pods: read off the trace of a story."""

import pytest

from kubemini import session
from kubemini.params import ParamError
from kubemini.study.failures import FAULTS, OWNERS, TIMERS, stopwatch

GRACE, TOLERATION, RENEWS, LOOKS = 50, 300, 10.4, 5.5  # s, each with what requests and rounds take on top
WRITES = 0.3  # s


@pytest.fixture(scope="module")
def watches():
    """Each failure, with a node that is back after seven minutes."""
    return {fault: stopwatch(fault) for fault in FAULTS}


@pytest.mark.parametrize("fault", ["crash", "partition", "pause"])
def test_a_node_that_falls_silent_is_missed_tainted_and_given_up_after_the_same_time(watches, fault):
    watch = watches[fault]
    node, web = watch.node, watch.copy("Deployment").marks
    assert -RENEWS < node["renewed"] <= 0
    assert GRACE < node["not-ready"] - node["renewed"] < GRACE + 2 * LOOKS
    assert 0 < node["tainted"] - node["not-ready"] < WRITES
    assert web["marked"] - node["tainted"] == pytest.approx(TOLERATION, abs=WRITES)
    assert web["marked"] < web["created"] < web["scheduled"] < web["ready"] < web["gone"]
    assert web["gone"] > watch.back, "nobody confirms before"


@pytest.mark.parametrize("fault", ["crash", "partition", "pause"])
def test_a_statefulset_waits_for_the_old_pod_to_be_gone_and_a_daemonset_never_gives_up(watches, fault):
    watch = watches[fault]
    db, agent = watch.copy("StatefulSet"), watch.copy("DaemonSet")
    assert watch.back < db.marks["gone"] < db.marks["created"] and db.heir == db.name
    assert "marked" not in agent.marks and not agent.heir
    assert "again" in agent.marks


def test_after_a_crash_nothing_runs_and_behind_a_cut_the_old_copy_serves_beside_the_new_one(watches):
    web = watches["crash"].copy("Deployment")
    assert web.answered is None and all(end == 0 for _, end in web.runs)
    web = watches["partition"].copy("Deployment")
    assert web.answered[0] > web.marks["ready"] and web.answered[1] == "visitor@worker-2"
    assert web.runs[0][1] > watches["partition"].back


def test_a_stopped_kubelet_stops_no_container_but_nobody_new_is_sent_there_once_it_is_missed(watches):
    watch = watches["pause"]
    web = watch.copy("Deployment")
    assert web.runs[0][1] > watch.back and 0 < web.answered[0] < watch.node["not-ready"] + 1


def test_a_drain_leaves_nothing_to_miss(watches):
    web, db = (watches["reboot"].copy(kind).marks for kind in ("Deployment", "StatefulSet"))
    assert web["ready"] < 5 and db["ready"] < 5
    assert db["gone"] < db["created"], "one of an identity, also here"


@pytest.mark.parametrize("fault", FAULTS)
def test_a_short_failure_is_noticed_by_nobody(fault):
    watch = stopwatch(fault, back=30)
    assert "not-ready" not in watch.node
    assert fault == "reboot" or not any("marked" in copy.marks for copy in watch.copies)


@pytest.mark.parametrize(
    ("timer", "value", "moved"),
    [
        ("node_lease_duration", "8s", lambda watch: watch.node["renewed"]),
        ("node_monitor_period", "1s", lambda watch: watch.node["not-ready"]),
        ("node_monitor_grace_period", "20s", lambda watch: watch.node["not-ready"]),
        ("toleration_seconds", "30s", lambda watch: watch.copy("Deployment").marks["marked"]),
        ("pod_start", ["20s", "20s"], lambda watch: watch.copy("Deployment").marks["ready"]),
    ],
)
def test_each_timer_moves_its_mark(watches, timer, value, moved):
    assert timer in TIMERS
    assert abs(moved(stopwatch(**{timer: value})) - moved(watches["crash"])) > 0.5


def test_other_luck_is_another_age_of_the_lease_and_the_same_rules():
    watch = stopwatch(seed=4)
    assert [copy.kind for copy in watch.copies] == list(OWNERS.values())
    assert 40 < watch.node["not-ready"] < 56


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"fault": "flood"}, "fault: expected one of crash, partition"),
        ({"fault": ["crash"]}, "fault: expected one of crash, partition"),
        ({"back": 5}, "back: expected 20 to 600 seconds"),
        ({"back": True}, "back: expected 20 to 600 seconds"),
        ({"seed": 1.5}, "seed: expected a whole number"),
        ({"pods": "3s"}, "timers: .pods. is none of"),
        ({"toleration_seconds": "-3s"}, "toleration_seconds"),
    ],
)
def test_what_is_no_failure_or_timer_is_named(asked, error):
    with pytest.raises((ValueError, ParamError), match=error):
        stopwatch(**asked)


def test_a_widget_asks_by_message():
    asked = {"op": "stopwatch", "id": 1, "fault": "crash", "back": 120, "timers": {"toleration_seconds": 30}}
    watch = session.handle(asked)["watch"]
    assert watch["timers"]["toleration_seconds"] == 30 and watch["back"] == 120
    for wrong in ({"timers": 3}, {"timers": {"pod_start": "soon"}}, {"timers": {"pod_start": 0}}, {"fault": 7}):
        assert session.handle(asked | wrong)["op"] == "error"
