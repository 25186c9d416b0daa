"""The strip of a Deployment follows from what the API says of its pods, and their kubelets of what runs in them."""

import pytest

from kubemini.lab.practices.stories import changed
from kubemini.sim import Record, Trace
from kubemini.sim.units import SECOND
from kubemini.simulate import run
from kubemini.view.rollouts import bounds, strip_of, strips, told

DEPLOYMENT = {"replicas": 2, "ready": 0, "surge": "25%", "unavailable": "25%", "paused": False}
MAKER = {"replicas": 2, "ready": 0, "container": "web", "image": "shop/web:1.0"}
POD = "web-5d4-abcde"


def stored(second, kind, name, summary, verb="MODIFIED"):
    detail = {"verb": verb, "kind": kind, "namespace": "default", "name": name, "revision": 1, "summary": summary}
    return Record(round(second * SECOND), "apiserver-1", "object", detail)


def pod(second, verb="MODIFIED", **said):
    plain = {"node": "worker-1", "phase": "Pending", "ready": False, "ip": "", "deleting": False}
    return stored(second, "Pod", POD, plain | said, verb)


def kubelet(second, state):
    detail = {"name": POD, "namespace": "default", "app": "web", "state": state, "ready": False, "ip": ""}
    return Record(round(second * SECOND), "kubelet@worker-1", "pod", detail)


def life(*records):
    first = [stored(1, "Deployment", "web", DEPLOYMENT, "ADDED"), stored(1, "ReplicaSet", "web-5d4", MAKER, "ADDED")]
    trace = Trace({"until": 60 * SECOND}, [*first, *sorted(records, key=lambda record: record.at)])
    return [(at / SECOND, state) for at, state in strip_of(trace, "web").pods[POD].spans]


def test_a_pod_is_made_runs_is_ready_leaves_and_is_gone():
    leaving = pod(5, phase="Running", ready=True, deleting=True)
    spans = life(pod(1), kubelet(2, "running"), pod(3, phase="Running", ready=True), leaving, pod(6, "DELETED"))
    assert spans == [(1, "made"), (2, "runs"), (3, "ready"), (5, "leaving"), (6, "gone")]


def test_what_its_kubelet_sees_end_has_exited_and_what_leaves_does_nothing_else():
    ready = pod(3, phase="Running", ready=True)
    assert life(pod(1), kubelet(2, "running"), ready, kubelet(4, "exited"))[-1] == (4, "exited")
    leaving = pod(4, phase="Running", ready=True, deleting=True)
    assert life(pod(1), kubelet(2, "running"), ready, leaving, kubelet(5, "exited"))[-1] == (4, "leaving")


def test_pods_of_nobody_belong_to_no_strip():
    alone = Trace({"until": 60 * SECOND}, [pod(1)])
    assert strips(alone) == []
    with pytest.raises(ValueError, match="there is no Deployment web in the namespace default of this trace"):
        strip_of(alone, "web")


@pytest.mark.parametrize(
    ("written", "replicas", "found"),
    [(("25%", "25%"), 10, (3, 2)), (("25%", "25%"), 3, (1, 0)), ((0, 0), 3, (0, 1)), ((None, None), 3, (0, 3))],
)
def test_surge_rounds_up_unavailable_rounds_down_and_where_nothing_rolls_all_may_be_away(written, replicas, found):
    assert bounds(*written, replicas) == found


def test_the_strip_of_the_story_counts_what_the_story_tells():
    trace = run("rollouts")
    strip = strip_of(trace, "web")
    assert [one.image for one in strip.sets.values()] == [
        "shop/web:1.0",
        "shop/web:2.0",
        "registry.invalid/shop/web:3.0",
    ]
    stuck, opened = strip.counts(40 * SECOND), strip.counts(14 * SECOND)
    assert opened == {"ready": 4} and stuck == {"ready": 3, "made": 2}
    allowed = {number for _, number, *_ in strip.budgets["web"]}
    assert allowed == {0, 1}
    assert "Deployment web" in told(trace)


def test_a_paused_rollout_and_other_bounds_stand_in_the_strip():
    faults = [
        ["15s", "kubectl", "rollout pause deployment/web"],
        ["16s", "kubectl", 'patch deployment web -p \'{"spec":{"strategy":{"rollingUpdate":{"maxSurge":3}}}}\''],
    ]
    strip = strip_of(run(changed("rollouts", faults=faults, until="20s")), "web")
    assert [row[1:] for row in strip.bounds] == [[4, 1, 1, False], [4, 1, 1, True], [4, 3, 1, True]]
