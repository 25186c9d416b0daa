"""What controllers decide: Kubernetes' own test tables, and a sentence each for the rules they leave out."""

import json
from pathlib import Path

import pytest

from kubemini.api.objects import evolve, evolve_many, freeze, get
from kubemini.api.quantity import QuantityError
from kubemini.api.timestamps import timestamp
from kubemini.api.tolerations import compares, tolerates, untolerated
from kubemini.controllers.decide import (
    deployment,
    endpointslice,
    garbagecollector,
    nodelifecycle,
    podgc,
    replicaset,
    tainteviction,
)
from kubemini.controllers.decide.actions import Create, Delete, Patch, Update, UpdateStatus, owner_reference
from kubemini.controllers.decide.expectations import Expectations
from kubemini.params import Params
from kubemini.sim.units import MINUTE, SECOND

DATA = Path(__file__).parent / "oracles/kubernetes"


def vectors(name, kind=None):
    rows = json.loads((DATA / f"{name}.json").read_text())["vectors"]
    return [row for row in rows if kind is None or row["kind"] == kind]


def kinds_of(plan):
    return [type(step).__name__ for step in plan.actions]


# -- Deployment ------------------------------------------------------------------------------------------------------


def a_deployment(replicas=10, surge="25%", unavailable="25%", kind="RollingUpdate", image="v1", **status):
    strategy = {"type": kind}
    if kind == "RollingUpdate":
        strategy["rollingUpdate"] = {"maxSurge": surge, "maxUnavailable": unavailable}
    return freeze(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "default", "uid": "d", "generation": 1},
            "spec": {
                "replicas": replicas,
                "strategy": strategy,
                "selector": {"matchLabels": {"app": "web"}},
                "template": {
                    "metadata": {"labels": {"app": "web"}},
                    "spec": {"containers": [{"name": "c", "image": image}]},
                },
            },
            **({"status": status} if status else {}),
        }
    )


def its_replicaset(owner, size=0, ready=None, old=0, at=0):
    """A ReplicaSet of *owner*; *old* > 0 gives it an older template."""
    if old:
        owner = evolve(owner, ("spec", "template", "spec", "containers", 0, "image"), f"v0.{old}")
    made = deployment.new_replicaset(owner, [], size)
    meta = {"uid": f"rs-{old}", "creationTimestamp": timestamp(at), "generation": 1}
    made = evolve_many(made, *((("metadata", key), value) for key, value in meta.items()))
    ready = size if ready is None else ready
    status = {"replicas": size, "readyReplicas": ready, "availableReplicas": ready, "observedGeneration": 1}
    return evolve(made, ("status",), status)


@pytest.mark.parametrize("v", vectors("deployment_rollout", "resolveFenceposts"))
def test_surge_rounds_up_unavailable_rounds_down(v):
    if v["error"]:
        with pytest.raises(QuantityError):
            deployment.fenceposts(v["maxSurge"], v["maxUnavailable"], v["desired"])
    else:
        assert deployment.fenceposts(v["maxSurge"], v["maxUnavailable"], v["desired"]) == (v["surge"], v["unavailable"])


@pytest.mark.parametrize("v", vectors("deployment_rollout", "newRSNewReplicas"), ids=lambda v: v["name"])
def test_the_new_replicaset_grows_as_far_as_the_surge_allows(v):
    surge = v["maxSurge"] if v["strategy"] == "RollingUpdate" else 10**9
    assert deployment.grown(v["newRSReplicas"], 5, v["deploymentReplicas"], surge) == v["expected"]


@pytest.mark.parametrize("v", vectors("deployment_rollout", "reconcileNewReplicaSet"))
def test_the_new_replicaset_is_sized(v):
    owner = a_deployment(v["deploymentReplicas"], v["maxSurge"], v["maxUnavailable"])
    new, old = its_replicaset(owner, v["newReplicas"]), its_replicaset(owner, v["oldReplicas"], old=1)
    size = deployment.next_size(owner, new, [old])
    assert (size != v["newReplicas"]) == v["scaled"]
    assert size == (v["newReplicasAfter"] if v["scaled"] else v["newReplicas"])


@pytest.mark.parametrize("v", vectors("deployment_rollout", "reconcileOldReplicaSets"))
def test_old_replicasets_shrink_as_far_as_enough_pods_serve(v):
    owner = a_deployment(v["deploymentReplicas"], v["maxSurge"], v["maxUnavailable"])
    new = its_replicaset(owner, v["newReplicas"], v["readyNew"])
    old = its_replicaset(owner, v["oldReplicas"], v["readyOld"], old=1)
    sizes = [step.obj["spec"]["replicas"] for step in deployment.shrink(owner, new, [old])]
    assert sizes == ([v["oldReplicasAfter_declaredButNotAsserted"]] if v["scaled"] else [])


@pytest.mark.parametrize("v", vectors("deployment_rollout", "cleanupUnhealthyReplicas"))
def test_pods_that_do_not_serve_go_first(v):
    (size,) = deployment.drop_unhealthy([(v["oldReplicas"], v["readyPods"])], v["maxCleanupCount"])
    assert v["oldReplicas"] - size == v["cleaned"]


@pytest.mark.parametrize("v", vectors("deployment_rollout", "scaleDownOldReplicaSetsForRollingUpdate"))
def test_healthy_old_pods_go_last(v):
    owner = a_deployment(v["deploymentReplicas"], v["maxSurge"], v["maxUnavailable"])
    _, unavailable = deployment.limits(owner)
    (size,) = deployment.drop_healthy([v["oldReplicas"]], v["readyPods"] - v["deploymentReplicas"] + unavailable)
    assert size == (v["oldReplicasAfter"] if v["scaled"] else v["oldReplicas"])


@pytest.mark.parametrize("v", vectors("deployment_rollout", "deploymentComplete"), ids=lambda v: v["name"])
def test_a_rollout_is_complete_when_all_pods_are_new_and_available(v):
    counts = {"replicas": v["current"], "updatedReplicas": v["updated"], "availableReplicas": v["available"]}
    assert deployment.complete(a_deployment(v["desired"]), counts) == v["complete"]


@pytest.mark.parametrize("v", vectors("deployment_rollout", "deploymentProgressing"), ids=lambda v: v["name"])
def test_a_rollout_progresses_when_a_number_moves(v):
    spelled = {"replicas": "replicas", "updated": "updatedReplicas", "ready": "readyReplicas"}
    spelled["available"] = "availableReplicas"
    before, counts = ({spelled[key]: v[part][key] for key in spelled} for part in ("old", "new"))
    assert deployment.progressing(before, counts) == v["progressing"]


@pytest.mark.parametrize(("replicas", "up", "down"), [(10, 3, 2), (4, 1, 1), (3, 1, 0)])
def test_a_quarter_of_ten_is_three_up_and_two_down(replicas, up, down):
    assert deployment.limits(a_deployment(replicas)) == (up, down)


def play(owner, replicasets, pick, steps=200):
    """Carry plans out and let pods become ready, in an order that *pick* chooses; yields each state."""
    sets = {rs["metadata"]["name"]: rs for rs in replicasets}
    for number in range(steps):
        plan = deployment.plan(owner, list(sets.values()), [], True, number * SECOND)
        for step in plan.actions:
            if isinstance(step, UpdateStatus):
                owner = step.obj
            elif isinstance(step, Create):
                made = evolve_many(
                    step.obj,
                    (("metadata", "uid"), f"new-{number}"),
                    (("metadata", "creationTimestamp"), timestamp(number * SECOND)),
                )
                sets[made["metadata"]["name"]] = made
            elif isinstance(step, Delete):
                del sets[step.obj["metadata"]["name"]]
            elif step.obj["kind"] == "ReplicaSet":
                sets[step.obj["metadata"]["name"]] = step.obj
            else:
                owner = step.obj
        slow = [name for name, rs in sets.items() if deployment.available(rs) != rs["spec"]["replicas"]]
        yield owner, list(sets.values())
        if not slow and not plan.actions:
            return
        for name in slow[:: max(1, pick(number))]:
            rs, size = sets[name], sets[name]["spec"]["replicas"]
            now = min(size, get(rs, "status", "availableReplicas", default=0) + 1)
            status = {"replicas": size, "readyReplicas": now, "availableReplicas": now, "observedGeneration": 9}
            sets[name] = evolve(rs, ("status",), status)


@pytest.mark.parametrize(("replicas", "seed"), [(n, seed) for n in (1, 3, 4, 10) for seed in range(5)])
def test_a_rollout_never_leaves_its_limits(replicas, seed):
    """ready >= replicas - maxUnavailable and total <= replicas + maxSurge, at every step."""
    owner = a_deployment(replicas)
    up, down = deployment.limits(owner)
    last = None
    for last in play(owner, [its_replicaset(owner, replicas, old=1)], lambda n: (n * 7 + seed) % 3):
        sizes = [rs["spec"]["replicas"] for rs in last[1]]
        serving = sum(min(rs["spec"]["replicas"], get(rs, "status", "availableReplicas", default=0)) for rs in last[1])
        assert sum(sizes) <= replicas + up
        assert serving >= replicas - down
    new, old = deployment.divide(*last)
    assert deployment.replicas(new) == replicas and not any(map(deployment.replicas, old))
    progress = next(c for c in last[0]["status"]["conditions"] if c["type"] == "Progressing")
    assert progress["reason"] == "NewReplicaSetAvailable"


def test_a_status_that_lags_costs_no_pod_too_many():
    """The old ReplicaSet was told to shrink to 8 and still reports 10: nothing more may go."""
    owner = a_deployment(10, surge=0, unavailable=2)
    old = evolve(its_replicaset(owner, 10, old=1), ("spec", "replicas"), 8)
    assert deployment.shrink(owner, its_replicaset(owner, 2, 0), [old]) == []


def test_recreate_waits_until_the_old_pods_are_gone():
    owner = a_deployment(3, kind="Recreate")
    old = its_replicaset(owner, 3, old=1)
    (down,) = [s for s in deployment.plan(owner, [old], [], True, 0).actions if isinstance(s, Update)]
    assert down.obj["spec"]["replicas"] == 0
    pod = freeze({"metadata": {"name": "p", "ownerReferences": [owner_reference(old)]}, "status": {"phase": "Running"}})
    emptied = evolve(down.obj, ("status",), {"replicas": 0})
    assert "Create" not in kinds_of(deployment.plan(owner, [emptied], [pod], True, 0))
    assert "Create" in kinds_of(deployment.plan(owner, [emptied], [], True, 0))


def test_a_template_that_comes_back_gets_the_next_revision():
    owner = a_deployment(3)
    first = its_replicaset(owner, 0)
    second = evolve(its_replicaset(owner, 3, old=1), ("metadata", "annotations", deployment.REVISION), "2")
    steps = deployment.plan(owner, [first, second], [], True, 0).actions
    assert [(s.obj["kind"], deployment.revision(s.obj)) for s in steps] == [("ReplicaSet", 3), ("Deployment", 3)]


def test_scaling_amid_a_rollout_is_shared_by_size():
    """10 replicas as 8 old + 5 new (surge 3), scaled to 15: kubernetes.io adds 3 and 2."""
    owner = a_deployment(10, surge=3, unavailable=2)
    old, new = its_replicaset(owner, 8, old=1), its_replicaset(owner, 5, 0, at=SECOND)
    owner = evolve(owner, ("spec", "replicas"), 15)
    sizes = {s.obj["metadata"]["name"]: s.obj["spec"]["replicas"] for s in deployment.scale(owner, new, [old])}
    assert sizes == {old["metadata"]["name"]: 11, new["metadata"]["name"]: 7}


def test_a_paused_deployment_still_scales_but_rolls_nothing_out():
    owner = evolve(a_deployment(3), ("spec", "paused"), True)
    old = its_replicaset(owner, 3, old=1)
    assert [s for s in deployment.plan(owner, [old], [], True, 0).actions if not isinstance(s, UpdateStatus)] == []
    steps = deployment.plan(evolve(owner, ("spec", "replicas"), 5), [old], [], True, 0).actions
    assert [s.obj["spec"]["replicas"] for s in steps if isinstance(s, Update)] == [5]


def test_a_rollout_that_stands_still_for_ten_minutes_has_failed():
    owner = a_deployment(2)
    new = its_replicaset(owner, 2, 0)
    owner = evolve(owner, ("metadata", "annotations"), {deployment.REVISION: "1"})
    started = deployment.plan(owner, [new], [], True, 0)
    stuck = evolve(owner, ("status",), started.actions[-1].obj["status"])
    assert started.again_at == 10 * MINUTE + SECOND
    quiet = deployment.plan(stuck, [new], [], True, 5 * MINUTE)
    assert kinds_of(quiet) == []
    late = deployment.plan(stuck, [new], [], True, started.again_at)
    progress = next(c for c in late.actions[-1].obj["status"]["conditions"] if c["type"] == "Progressing")
    assert (progress["status"], progress["reason"]) == ("False", "ProgressDeadlineExceeded")


def test_old_empty_replicasets_beyond_the_history_limit_go():
    owner = evolve(a_deployment(1), ("spec", "revisionHistoryLimit"), 2)
    number = lambda n: (("metadata", "annotations", deployment.REVISION), str(n))  # noqa: E731
    olds = [evolve(its_replicaset(owner, 0, old=n), *number(n)) for n in (1, 2, 3, 4)]
    steps = deployment.clean_up(owner, olds)
    assert [deployment.revision(s.obj) for s in steps] == [1, 2]


# -- ReplicaSet ------------------------------------------------------------------------------------------------------


def a_replicaset(replicas=3, **spec):
    return freeze(
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {"name": "web-1", "namespace": "default", "uid": "rs", "generation": 1},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": {"app": "web"}},
                "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": []}},
                **spec,
            },
        }
    )


def a_pod(name, owner=None, phase="Running", node="n1", ready=True, since=0, born=0, restarts=0, **meta):
    conditions = [{"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": timestamp(since)}]
    return freeze(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": name,
                "namespace": "default",
                "uid": name,
                "labels": {"app": "web"},
                "creationTimestamp": timestamp(born),
                "ownerReferences": [owner_reference(owner)] if owner else [],
                **meta,
            },
            "spec": {"containers": [], **({"nodeName": node} if node else {})},
            "status": {
                "phase": phase,
                "conditions": conditions,
                "podIP": "10.0.0.1",
                "containerStatuses": [{"restartCount": restarts}],
            },
        }
    )


def test_missing_pods_are_made_and_surplus_ones_deleted():
    rs = a_replicaset(3)
    pods = [a_pod(f"p{i}", rs) for i in range(5)]
    assert kinds_of(replicaset.plan(rs, pods[:1], pods[:1], True, 0)) == ["Create", "Create", "UpdateStatus"]
    assert kinds_of(replicaset.plan(rs, pods, pods, True, 0)) == ["Delete", "Delete", "UpdateStatus"]


def test_while_the_cache_lags_only_the_status_is_written():
    assert kinds_of(replicaset.plan(a_replicaset(3), [], [], False, 0)) == ["UpdateStatus"]


def test_a_second_look_at_the_same_facts_changes_nothing():
    rs = a_replicaset(2)
    pods = [a_pod(f"p{i}", rs) for i in range(2)]
    (step,) = replicaset.plan(rs, pods, pods, True, 0).actions
    assert replicaset.plan(step.obj, pods, pods, True, SECOND).actions == ()


def test_pods_on_their_way_out_or_finished_do_not_count():
    rs = a_replicaset(2)
    pods = [a_pod("a", rs), a_pod("b", rs, deletionTimestamp=timestamp(0)), a_pod("c", rs, phase="Failed")]
    assert kinds_of(replicaset.plan(rs, pods, pods, True, 0)) == ["Create", "UpdateStatus"]


def test_five_hundred_pods_at_most_in_one_go():
    assert kinds_of(replicaset.plan(a_replicaset(2000), [], [], True, 0)).count("Create") == 500


def test_an_orphan_with_the_right_labels_is_adopted_and_a_stranger_let_go():
    rs = a_replicaset(1)
    (adopt,) = [s for s in replicaset.plan(rs, [a_pod("o")], [], True, 0).actions if isinstance(s, Patch)]
    assert adopt.body["metadata"]["ownerReferences"][0]["uid"] == "rs"
    stranger = a_pod("s", rs, labels={"app": "other"})
    (release,) = [s for s in replicaset.plan(rs, [stranger], [], True, 0).actions if isinstance(s, Patch)]
    assert release.body["metadata"]["ownerReferences"] is None


GOES_FIRST = {
    "not scheduled": ({"node": ""}, {}),
    "Pending before Running": ({"phase": "Pending"}, {}),
    "Unknown before Running": ({"phase": "Unknown"}, {}),
    "not ready": ({"ready": False}, {}),
    "cheap": ({"annotations": {replicaset.DELETION_COST: "-5"}}, {}),
    "crowded on its node": ({"node": "crowded"}, {}),
    "ready for a shorter time": ({"since": 4000 * SECOND}, {}),
    "restarted more often": ({"restarts": 3}, {}),
    "younger": ({"born": 4000 * SECOND}, {}),
}


@pytest.mark.parametrize("name", GOES_FIRST)
def test_the_least_useful_pod_goes_first(name):
    worse, better = GOES_FIRST[name]
    rs = a_replicaset()
    loser, winner = a_pod("z", rs, **worse), a_pod("a", rs, **better)
    related = [loser, winner, a_pod("c1", rs, node="crowded"), a_pod("c2", rs, node="crowded")]
    assert replicaset.least_useful_first([winner, loser], related, 5000 * SECOND)[0] is loser


def test_nearly_the_same_age_counts_as_the_same():
    """LogarithmicScaleDown: 80 or 100 minutes ready is one order of two, and the UID decides."""
    rs = a_replicaset()
    pods = [a_pod("a", rs, since=0), a_pod("b", rs, since=20 * MINUTE)]
    assert [p["metadata"]["name"] for p in replicaset.least_useful_first(pods, pods, 100 * MINUTE)] == ["a", "b"]


def test_a_pod_is_available_after_min_ready_seconds():
    rs = a_replicaset(1, minReadySeconds=10)
    plan = replicaset.plan(rs, [a_pod("a", rs)], [], True, 4 * SECOND)
    status = plan.actions[-1].obj["status"]
    assert (status["readyReplicas"], status.get("availableReplicas", 0)) == (1, 0)
    assert plan.again_at == 10 * SECOND
    later = replicaset.plan(rs, [a_pod("a", rs)], [], True, 10 * SECOND)
    assert later.actions[-1].obj["status"]["availableReplicas"] == 1


def test_expectations_hold_until_all_is_seen_or_five_minutes_have_passed():
    timeout = Params().expectations_timeout
    ledger = Expectations(timeout)
    ledger.expect("rs", 2, ["x"], 0)
    ledger.created("rs")
    ledger.deleted("rs", "x")
    assert not ledger.satisfied("rs", 0) and ledger.satisfied("rs", timeout + 1) and timeout == 5 * MINUTE
    ledger.created("rs")
    assert ledger.satisfied("rs", 0)


# -- EndpointSlice ---------------------------------------------------------------------------------------------------


def a_service(ports=({"port": 80, "targetPort": 8080},), **spec):
    return freeze(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web", "namespace": "default", "uid": "svc"},
            "spec": {"selector": {"app": "web"}, "ports": list(ports), **spec},
        }
    )


def made(plan):
    """The slices of a plan, as the API server would keep them."""
    kept = [step.obj for step in plan.actions if not isinstance(step, Delete)]
    named = [evolve(obj, ("metadata", "name"), obj["metadata"].get("name", f"web-{i}")) for i, obj in enumerate(kept)]
    return [evolve(obj, ("metadata", "uid"), str(i)) for i, obj in enumerate(named)]


@pytest.mark.parametrize(
    ("pod", "ready", "serving", "terminating"),
    [
        ({}, True, True, False),
        ({"ready": False}, False, False, False),
        ({"deletionTimestamp": timestamp(0)}, False, True, True),
        ({"ready": False, "deletionTimestamp": timestamp(0)}, False, False, True),
    ],
)
def test_ready_is_serving_and_not_terminating(pod, ready, serving, terminating):
    (slice,) = made(endpointslice.plan(a_service(), [a_pod("a", **pod)], [], True, 0))
    assert slice["endpoints"][0]["conditions"] == {"ready": ready, "serving": serving, "terminating": terminating}
    assert slice["ports"] == [{"name": "", "port": 8080, "protocol": "TCP"}]
    assert slice["endpoints"][0]["targetRef"]["name"] == "a" and slice["endpoints"][0]["nodeName"] == "n1"


def test_a_pod_without_ip_or_at_its_end_is_not_listed():
    pods = [evolve(a_pod("a"), ("status",), {"phase": "Pending"}), a_pod("b", phase="Failed")]
    (slice,) = made(endpointslice.plan(a_service(), pods, [], True, 0))
    assert slice["endpoints"] == []


def test_a_service_without_endpoints_keeps_one_empty_slice():
    service = a_service()
    slices = made(endpointslice.plan(service, [a_pod("a")], [], True, 0))
    emptied = endpointslice.plan(service, [], slices, True, 0)
    assert kinds_of(emptied) == ["Update"]
    assert endpointslice.plan(service, [], made(emptied), True, 0).actions == ()
    refilled = endpointslice.plan(service, [a_pod("a")], made(emptied), True, 0)
    assert kinds_of(refilled) == ["Update"] and made(refilled)[0]["ports"]


def test_a_hundred_endpoints_a_slice_and_an_endpoint_stays_where_it_is():
    service, pods = a_service(), [a_pod(f"p{i:03}") for i in range(250)]
    slices = made(endpointslice.plan(service, pods, [], True, 0))
    assert [len(s["endpoints"]) for s in slices] == [100, 100, 50]
    fewer = endpointslice.plan(service, pods[:100] + pods[150:], slices, True, 0)
    assert [len(s["endpoints"]) for s in made(fewer)] == [50]
    assert endpointslice.plan(service, pods, slices, True, 0).actions == ()


def test_a_named_port_is_looked_up_in_each_pod():
    service = a_service([{"name": "http", "port": 80, "targetPort": "web"}])
    containers = lambda n: [{"name": "c", "ports": [{"name": "web", "containerPort": n}]}]  # noqa: E731
    pods = [evolve(a_pod(f"p{n}"), ("spec", "containers"), containers(n)) for n in (8080, 9090)]
    slices = made(endpointslice.plan(service, pods, [], True, 0))
    assert [s["ports"][0]["port"] for s in slices] == [8080, 9090]


def test_publish_not_ready_addresses_makes_everything_ready():
    service = a_service(publishNotReadyAddresses=True)
    (slice,) = made(endpointslice.plan(service, [a_pod("a", ready=False)], [], True, 0))
    assert slice["endpoints"][0]["conditions"]["ready"] is True


# -- nodes -----------------------------------------------------------------------------------------------------------


def a_node(name="n1", ready="True", zone="a", taints=(), **spec):
    conditions = [{"type": "Ready", "status": ready, "reason": "KubeletReady", "lastTransitionTime": timestamp(0)}]
    return freeze(
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "uid": name, "labels": {nodelifecycle.ZONE: zone}},
            "spec": {"taints": list(taints), **spec},
            "status": {"conditions": conditions},
        }
    )


def lease(renewed):
    return freeze({"spec": {"renewTime": timestamp(renewed)}})


GRACE = Params().node_monitor_grace_period


def test_a_node_is_unknown_after_the_grace_period_of_silence():
    node = a_node()
    health = nodelifecycle.observe(None, node, lease(0), 100 * SECOND)
    assert nodelifecycle.judge(node, health, 100 * SECOND + GRACE, GRACE) is node
    judged = nodelifecycle.judge(node, health, 100 * SECOND + GRACE + 1, GRACE)
    ready = judged["status"]["conditions"][0]
    assert (ready["status"], ready["reason"]) == ("Unknown", "NodeStatusUnknown")
    assert ready["message"] == "Kubelet stopped posting node status."
    assert [c["type"] for c in judged["status"]["conditions"]] == list(nodelifecycle.WATCHED)
    assert nodelifecycle.judge(judged, health, 200 * SECOND, GRACE) is judged


def test_silence_counts_from_when_this_controller_last_saw_a_change():
    """The kubelet's own clock, in renewTime, may be hours off."""
    node = a_node()
    health = nodelifecycle.observe(None, node, lease(99_999 * SECOND), 0)
    assert nodelifecycle.observe(health, node, lease(99_999 * SECOND), 30 * SECOND) is health
    assert nodelifecycle.observe(health, node, lease(5 * SECOND), 30 * SECOND).at == 30 * SECOND


@pytest.mark.parametrize(
    ("ready", "taint"), [("True", None), ("False", nodelifecycle.NOT_READY), ("Unknown", nodelifecycle.UNREACHABLE)]
)
def test_taints_follow_the_condition(ready, taint):
    node = a_node(ready=ready)
    both = nodelifecycle.with_no_execute(nodelifecycle.with_no_schedule(node, 0), 0)
    found = [(t["key"], t["effect"]) for t in both["spec"]["taints"]]
    assert found == ([(taint, "NoSchedule"), (taint, "NoExecute")] if taint else [])
    back = evolve(both, ("status", "conditions", 0, "status"), "True")
    clean = nodelifecycle.without_no_execute(nodelifecycle.with_no_schedule(back, 0))
    assert clean["spec"]["taints"] == []


def test_other_peoples_taints_stay():
    mine = {"key": "gpu", "effect": "NoSchedule"}
    node = nodelifecycle.with_no_schedule(a_node(taints=[mine], unschedulable=True), 0)
    assert [t["key"] for t in node["spec"]["taints"]] == ["gpu", nodelifecycle.UNSCHEDULABLE]


def test_a_zone_is_disturbed_from_55_percent_and_more_than_two_nodes_on():
    def state(ready, silent):
        nodes = [a_node(f"r{i}") for i in range(ready)] + [a_node(f"s{i}", "Unknown") for i in range(silent)]
        return nodelifecycle.zone_states(nodes, 0.55)["a"]

    assert [state(5, 0), state(1, 2), state(4, 4), state(3, 4), state(0, 1)] == [
        "Normal",
        "Normal",
        "Normal",
        "PartialDisruption",
        "FullDisruption",
    ]


def test_evictions_stop_where_a_small_zone_is_disturbed_and_everywhere_if_all_zones_are_silent():
    params = Params()
    nodes = (
        [a_node(f"s{i}", "Unknown") for i in range(4)] + [a_node(f"r{i}") for i in range(3)] + [a_node("b", zone="b")]
    )
    states = nodelifecycle.zone_states(nodes, 0.55)
    assert nodelifecycle.eviction_rates(states, nodes, params) == {"a": 0.0, "b": 0.1}
    silent = [a_node(f"s{i}", "Unknown", zone="ab"[i % 2]) for i in range(4)]
    states = nodelifecycle.zone_states(silent, 0.55)
    assert nodelifecycle.all_disrupted(states)
    assert nodelifecycle.eviction_rates(states, silent, params) == {"a": 0.0, "b": 0.0}


def test_one_node_in_ten_seconds_the_first_at_once():
    taken = []
    for second in range(30):
        if nodelifecycle.may_evict(taken[-1] * SECOND if taken else None, 0.1, second * SECOND):
            taken.append(second)
    assert taken == [0, 10, 20]
    assert not nodelifecycle.may_evict(None, 0.0, 0)


def test_a_pod_of_a_silent_node_is_not_ready():
    changed = nodelifecycle.not_ready(a_pod("a"), SECOND)
    assert changed["status"]["conditions"][0]["status"] == "False"
    assert nodelifecycle.not_ready(changed, SECOND) is None


@pytest.mark.parametrize("v", vectors("taints_tolerations", "toleratesTaint"), ids=lambda v: v["description"])
def test_a_toleration_tolerates_a_taint(v):
    assert tolerates(v["toleration"], v["taint"]) == v["tolerated"]


@pytest.mark.parametrize("v", vectors("taints_tolerations", "numeric"), ids=lambda v: v["description"])
def test_numbers_are_compared(v):
    assert compares(v["operator"], v["toleration"], v["taint"]) == v["out"]


@pytest.mark.parametrize("v", vectors("taints_tolerations", "findUntolerated"), ids=lambda v: v["description"])
def test_the_first_untolerated_taint_is_found(v):
    effects = ("NoExecute",) if v["description"].startswith("tolerations match taints") else ("NoSchedule", "NoExecute")
    assert (untolerated(v["taints"], v["tolerations"], effects) is None) == v["tolerated"]


def test_a_pod_stays_as_long_as_its_shortest_applicable_toleration():
    taints = [{"key": "a", "effect": "NoExecute"}, {"key": "b", "effect": "NoExecute"}]
    pod = lambda *t: freeze({"spec": {"tolerations": list(t)}})  # noqa: E731
    a, b = ({"key": k, "operator": "Exists", "effect": "NoExecute"} for k in "ab")
    assert tainteviction.stay(pod(a), taints) == 0
    assert tainteviction.stay(pod(a, b), taints) is None
    assert tainteviction.stay(pod({**a, "tolerationSeconds": 300}, b), taints) == 300 * SECOND
    assert (
        tainteviction.stay(pod({**a, "tolerationSeconds": 300}, {**b, "tolerationSeconds": 20}), taints) == 20 * SECOND
    )
    assert tainteviction.stay(pod({**a, "tolerationSeconds": -5}, b), taints) == 0


# -- garbage ---------------------------------------------------------------------------------------------------------


def test_an_object_goes_when_all_its_owners_are_gone():
    rs = a_replicaset()
    pod = a_pod("a", rs)
    assert kinds_of(garbagecollector.plan(pod, {"rs": True})) == []
    assert kinds_of(garbagecollector.plan(pod, {"rs": False})) == ["Delete"]
    other = {**owner_reference(rs), "uid": "x", "controller": False}
    two = evolve(pod, ("metadata", "ownerReferences"), [owner_reference(rs), other])
    (patch,) = garbagecollector.plan(two, {"rs": True, "x": False}).actions
    assert [reference["uid"] for reference in patch.body["metadata"]["ownerReferences"]] == ["rs"]


def test_pods_of_a_node_that_does_not_exist_go_without_grace():
    assert podgc.collect([a_pod("a")], a_node()) == []
    (step,) = podgc.collect([a_pod("a"), a_pod("b", node="")], None)
    assert (step.obj["metadata"]["name"], step.grace) == ("a", 0)
