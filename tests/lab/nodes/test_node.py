"""Chapter *The node*: what the page says happens under other seeds too, and the checkers tell why not."""

import pytest

from kubemini.lab import check
from kubemini.lab.node.blips import blip
from kubemini.lab.node.plugs import replaced, zone_out
from kubemini.lab.node.pressure import squeezed
from kubemini.lab.node.window import rule
from kubemini.lab.questions import of_chapter
from kubemini.lab.report import NotSolved
from kubemini.sim.units import SECOND
from kubemini.simulate import run

STRUCK = 40  # s: the story's node loses its power
USUAL = {
    "node_lease_duration": "40s",
    "node_monitor_period": "5s",
    "node_monitor_grace_period": "50s",
    "toleration_seconds": "300s",
}


@pytest.fixture(autouse=True)
def lenient(monkeypatch):
    """A report, not an exception."""
    monkeypatch.delenv("KUBEMINI_STRICT", raising=False)


# -- what the cells say ----------------------------------------------------------------------------
def test_the_predicted_answer_is_what_happens_and_visitors_are_well_long_before():
    trace, answer = run("node"), of_chapter("node")["predictions"]["plug"]["answer"]
    made = [r for r in trace.of("object") if r.detail["kind"] == "Pod" and r.at > STRUCK * SECOND]
    heirs = [r.detail["name"] for r in made if r.detail["verb"] == "ADDED" and r.detail["name"].startswith("web-")]
    ready = [r.at / SECOND - STRUCK for r in made if r.detail["name"] in heirs and r.detail["summary"]["ready"]]
    assert answer == "After five and a half to six minutes" and 330 < ready[0] < 360
    visits = [r for r in trace.of("request") if r.detail["kind"] == "service" and r.at > STRUCK * SECOND]
    failed = [r.at / SECOND - STRUCK for r in visits if r.detail["outcome"] != "ok"]
    assert len(failed) > 4 and max(failed) < 56


@pytest.mark.parametrize("grace", [40, 50])
@pytest.mark.some(1)
def test_the_window_of_the_rule_is_that_of_the_control_plane(grace):
    earliest, latest = rule(grace, 10)
    timers = {"node_monitor_grace_period": f"{grace}s", "toleration_seconds": "10s"}
    found = [replaced(seed, **timers) for seed in range(20, 28)]
    assert all(earliest - 0.5 < one.marked < latest + 0.7 for one in found)
    assert max(one.marked for one in found) - min(one.marked for one in found) > 5, "luck shows"
    assert all(0 < one.ready - one.marked < 2 for one in found)


@pytest.mark.parametrize("seed", [11, 12])
@pytest.mark.some(1)
def test_how_many_of_a_zone_are_silent_decides_who_is_given_up(seed):
    few, most, zone, all_ = (zone_out(silent, seed) for silent in (2, 3, 4, 6))
    assert (few.pods, most.pods, all_.pods) == (2, 0, 0) and zone.pods >= 4
    assert (most.missed, all_.missed) == (3, 6)
    apart = [later - before for before, later in zip(zone.given_up, zone.given_up[1:])]
    assert len(apart) == 3 and all(9.8 < gap < 10.3 for gap in apart)


def test_a_blip_of_the_database_is_three_times_as_long_if_liveness_asks_it():
    ask = lambda path, **more: {"httpGet": {"path": path, "port": 8080}, "periodSeconds": 5, **more}  # noqa: E731
    start = {"startupProbe": ask("/livez", failureThreshold=30)}
    alive = blip(start | {"livenessProbe": ask("/readyz", failureThreshold=2)}, seed=5)
    ready = blip(start | {"livenessProbe": ask("/livez"), "readinessProbe": ask("/readyz")}, seed=5)
    assert alive.restarts == 3 and alive.last > 40
    assert ready.restarts == 0 and 13 < ready.last < 25


def test_who_is_furthest_above_what_it_asked_for_goes_first_whatever_its_class():
    found = {pod.name: pod for pod in squeezed()}
    assert [pod.qos for pod in found.values()] == ["Guaranteed", "Burstable", "BestEffort"]
    assert found["modest"].ended.startswith("Evicted: The node was low on resource: memory.")
    assert found["exact"].ended == found["free"].ended == "Running"


# -- between when and when -------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda grace, toleration: (grace + toleration, grace + 5 + toleration), "you say earliest: 350 s"),
        (lambda grace, toleration: (grace - 10 + toleration, grace + toleration), "you say latest: 350 s"),
        (lambda grace, toleration: (40 + toleration, 55 + toleration), "a grace period of 40 s"),
        (lambda grace, toleration: grace, "return two numbers"),
        (lambda grace, toleration: ("a", "b"), "return two numbers"),
        (7, "Give check() the function itself"),
    ],
)
def test_a_window_that_is_wrong_is_told_where(answer, hint):
    report = check("node.window", answer)
    assert not report.passed and hint in report.hint


# -- probes ----------------------------------------------------------------------------------------
def probes(**changed):
    """Good ones but for what is *changed*; None: left out."""
    ask = lambda path, **more: {"httpGet": {"path": path, "port": 8080}, **more}  # noqa: E731
    good = {
        "startupProbe": ask("/livez", periodSeconds=5, failureThreshold=20),
        "livenessProbe": ask("/livez"),
        "readinessProbe": ask("/readyz", periodSeconds=5),
    }
    return {name: probe for name, probe in (good | changed).items() if probe is not None}


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (probes(startupProbe=None), "had been restarted"),
        (probes(livenessProbe={"httpGet": {"path": "/readyz", "port": 8080}, "periodSeconds": 5}), "was away for 15 s"),
        (probes(livenessProbe=None), "nobody had ended it"),
        (probes(livenessProbe=probes()["livenessProbe"] | {"periodSeconds": 60}), "nobody had ended it"),
        (probes(readinessProbe={"httpGet": {"path": "/readyz", "port": 9}}), "is not Ready"),
        (
            {"livenessProbe": probes()["livenessProbe"] | {"initialDelaySeconds": 70}},
            "and its process listens from",
        ),
        (probes(readinessProbe={"httpGot": 3}), "did you mean httpGet"),
        ({"aliveProbe": {}}, "is no probe"),
        ("liveness", "Hand over a map"),
    ],
)
@pytest.mark.some(5)
def test_probes_that_do_not_do_are_told_what_the_kubelet_did(answer, hint):
    report = check("node.probes", answer)
    assert not report.passed and hint in report.hint


@pytest.mark.soak
def test_probes_are_right_whichever_way_they_are_written():
    patient = {"tcpSocket": {"port": 8080}, "periodSeconds": 1, "failureThreshold": 120}
    assert check("node.probes", probes(startupProbe=patient, readinessProbe=None)).passed


# -- timers ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("changed", "hint"),
    [
        ({"node_monitor_grace_period": "45s", "toleration_seconds": "20s"}, "It may take 72.1 s"),
        pytest.param(
            {"node_monitor_grace_period": "15s", "toleration_seconds": "0s"},
            "were evicted from nodes that were cut off",
            marks=pytest.mark.soak,
        ),
        ({"node_lease_duration": "8s"}, "are enough for an API server"),
        ({"toleration_seconds": "soon"}, "toleration_seconds"),
    ],
)
def test_timers_that_do_not_do_are_told_what_they_cost(changed, hint):
    report = check("node.timers", USUAL | changed)
    assert not report.passed and hint in report.hint


@pytest.mark.soak
def test_timers_are_right_whichever_way_the_minute_is_divided():
    divided = {"node_monitor_grace_period": "40s", "toleration_seconds": "10s"}
    assert check("node.timers", USUAL | divided).passed


def test_what_is_no_set_of_timers_is_told_so():
    assert "Hand over the four timers" in check("node.timers", {"toleration_seconds": "9s"}).hint


# -- never two -------------------------------------------------------------------------------------
def forced(site):
    site.kubectl("delete pod db-0 --force --grace-period=0")


def node_deleted(site):
    site.power_off(site.node)
    site.kubectl(f"delete node {site.node}")


def patient(site):
    site.wait(10)


def endless(site):
    while True:
        site.wait(20)


def elsewhere(site):
    site.power_off("worker-9")


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (forced, "two processes of db-0 wrote to one volume"),
        (patient, "nobody writes to the volume"),
        pytest.param(node_deleted, "two processes of db-0 wrote to one volume", marks=pytest.mark.soak),
        pytest.param(endless, "had not ended after", marks=pytest.mark.soak),
        (elsewhere, "there is no machine"),
        (None, "There is no answer yet"),
        (3, "Give check() the function itself"),
    ],
)
def test_a_procedure_that_guesses_or_waits_for_ever_is_told_so(answer, hint):
    report = check("node.split-brain", answer)
    assert not report.passed and hint in report.hint


@pytest.mark.soak
def test_a_taint_says_it_as_well_as_force():
    def recover(site):
        if site.power_off(site.node):
            site.kubectl(f"taint node {site.node} node.kubernetes.io/out-of-service=off:NoExecute")

    assert check("node.split-brain", recover).passed


def test_a_report_that_does_not_pass_ends_a_test_run(monkeypatch):
    monkeypatch.setenv("KUBEMINI_STRICT", "1")
    with pytest.raises(NotSolved, match="Hand over a map"):
        check("node.probes", 7)
