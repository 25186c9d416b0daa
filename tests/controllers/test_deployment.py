"""The Deployment controller: Kubernetes' own test tables, and a sentence each for the rules they leave out."""

import pytest

from kubemini.api.objects import evolve, evolve_many, freeze, get
from kubemini.api.quantity import QuantityError
from kubemini.api.timestamps import timestamp
from kubemini.controllers.decide.actions import Create, Delete, Update, UpdateStatus, owner_reference
from kubemini.controllers.decide.workloads import deployment, progress, rollout
from kubemini.sim.units import MINUTE, SECOND
from tests.controllers.parts import kinds_of, vectors


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
    made = rollout.new_replicaset(owner, [], size)
    meta = {"uid": f"rs-{old}", "creationTimestamp": timestamp(at), "generation": 1}
    made = evolve_many(made, *((("metadata", key), value) for key, value in meta.items()))
    ready = size if ready is None else ready
    status = {"replicas": size, "readyReplicas": ready, "availableReplicas": ready, "observedGeneration": 1}
    return evolve(made, ("status",), status)


@pytest.mark.parametrize("v", vectors("deployment_rollout", "resolveFenceposts"))
def test_surge_rounds_up_unavailable_rounds_down(v):
    if v["error"]:
        with pytest.raises(QuantityError):
            rollout.fenceposts(v["maxSurge"], v["maxUnavailable"], v["desired"])
    else:
        assert rollout.fenceposts(v["maxSurge"], v["maxUnavailable"], v["desired"]) == (v["surge"], v["unavailable"])


@pytest.mark.parametrize("v", vectors("deployment_rollout", "newRSNewReplicas"), ids=lambda v: v["name"])
def test_the_new_replicaset_grows_as_far_as_the_surge_allows(v):
    surge = v["maxSurge"] if v["strategy"] == "RollingUpdate" else 10**9
    assert rollout.grown(v["newRSReplicas"], 5, v["deploymentReplicas"], surge) == v["expected"]


@pytest.mark.parametrize("v", vectors("deployment_rollout", "reconcileNewReplicaSet"))
def test_the_new_replicaset_is_sized(v):
    owner = a_deployment(v["deploymentReplicas"], v["maxSurge"], v["maxUnavailable"])
    new, old = its_replicaset(owner, v["newReplicas"]), its_replicaset(owner, v["oldReplicas"], old=1)
    size = rollout.next_size(owner, new, [old])
    assert (size != v["newReplicas"]) == v["scaled"]
    assert size == (v["newReplicasAfter"] if v["scaled"] else v["newReplicas"])


@pytest.mark.parametrize("v", vectors("deployment_rollout", "reconcileOldReplicaSets"))
def test_old_replicasets_shrink_as_far_as_enough_pods_serve(v):
    owner = a_deployment(v["deploymentReplicas"], v["maxSurge"], v["maxUnavailable"])
    new = its_replicaset(owner, v["newReplicas"], v["readyNew"])
    old = its_replicaset(owner, v["oldReplicas"], v["readyOld"], old=1)
    sizes = [step.obj["spec"]["replicas"] for step in rollout.shrink(owner, new, [old])]
    assert sizes == ([v["oldReplicasAfter_declaredButNotAsserted"]] if v["scaled"] else [])


@pytest.mark.parametrize("v", vectors("deployment_rollout", "cleanupUnhealthyReplicas"))
def test_pods_that_do_not_serve_go_first(v):
    (size,) = rollout.drop_unhealthy([(v["oldReplicas"], v["readyPods"])], v["maxCleanupCount"])
    assert v["oldReplicas"] - size == v["cleaned"]


@pytest.mark.parametrize("v", vectors("deployment_rollout", "scaleDownOldReplicaSetsForRollingUpdate"))
def test_healthy_old_pods_go_last(v):
    owner = a_deployment(v["deploymentReplicas"], v["maxSurge"], v["maxUnavailable"])
    _, unavailable = rollout.limits(owner)
    (size,) = rollout.drop_healthy([v["oldReplicas"]], v["readyPods"] - v["deploymentReplicas"] + unavailable)
    assert size == (v["oldReplicasAfter"] if v["scaled"] else v["oldReplicas"])


@pytest.mark.parametrize("v", vectors("deployment_rollout", "deploymentComplete"), ids=lambda v: v["name"])
def test_a_rollout_is_complete_when_all_pods_are_new_and_available(v):
    counts = {"replicas": v["current"], "updatedReplicas": v["updated"], "availableReplicas": v["available"]}
    assert rollout.complete(a_deployment(v["desired"]), counts) == v["complete"]


@pytest.mark.parametrize("v", vectors("deployment_rollout", "deploymentProgressing"), ids=lambda v: v["name"])
def test_a_rollout_progresses_when_a_number_moves(v):
    spelled = {"replicas": "replicas", "updated": "updatedReplicas", "ready": "readyReplicas"}
    spelled["available"] = "availableReplicas"
    before, counts = ({spelled[key]: v[part][key] for key in spelled} for part in ("old", "new"))
    assert progress.progressing(before, counts) == v["progressing"]


@pytest.mark.parametrize(("replicas", "up", "down"), [(10, 3, 2), (4, 1, 1), (3, 1, 0)])
def test_a_quarter_of_ten_is_three_up_and_two_down(replicas, up, down):
    assert rollout.limits(a_deployment(replicas)) == (up, down)


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
        slow = [name for name, rs in sets.items() if rollout.available(rs) != rs["spec"]["replicas"]]
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
    up, down = rollout.limits(owner)
    last = None
    for last in play(owner, [its_replicaset(owner, replicas, old=1)], lambda n: (n * 7 + seed) % 3):
        sizes = [rs["spec"]["replicas"] for rs in last[1]]
        serving = sum(min(rs["spec"]["replicas"], get(rs, "status", "availableReplicas", default=0)) for rs in last[1])
        assert sum(sizes) <= replicas + up
        assert serving >= replicas - down
    new, old = rollout.divide(*last)
    assert rollout.replicas(new) == replicas and not any(map(rollout.replicas, old))
    progress = next(c for c in last[0]["status"]["conditions"] if c["type"] == "Progressing")
    assert progress["reason"] == "NewReplicaSetAvailable"


def test_a_status_that_lags_costs_no_pod_too_many():
    """The old ReplicaSet was told to shrink to 8 and still reports 10: nothing more may go."""
    owner = a_deployment(10, surge=0, unavailable=2)
    old = evolve(its_replicaset(owner, 10, old=1), ("spec", "replicas"), 8)
    assert rollout.shrink(owner, its_replicaset(owner, 2, 0), [old]) == []


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
    second = evolve(its_replicaset(owner, 3, old=1), ("metadata", "annotations", rollout.REVISION), "2")
    steps = deployment.plan(owner, [first, second], [], True, 0).actions
    assert [(s.obj["kind"], rollout.revision(s.obj)) for s in steps] == [("ReplicaSet", 3), ("Deployment", 3)]


def test_scaling_amid_a_rollout_is_shared_by_size():
    """10 replicas as 8 old + 5 new (surge 3), scaled to 15: kubernetes.io adds 3 and 2."""
    owner = a_deployment(10, surge=3, unavailable=2)
    old, new = its_replicaset(owner, 8, old=1), its_replicaset(owner, 5, 0, at=SECOND)
    owner = evolve(owner, ("spec", "replicas"), 15)
    sizes = {s.obj["metadata"]["name"]: s.obj["spec"]["replicas"] for s in rollout.scale(owner, new, [old])}
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
    owner = evolve(owner, ("metadata", "annotations"), {rollout.REVISION: "1"})
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
    number = lambda n: (("metadata", "annotations", rollout.REVISION), str(n))  # noqa: E731
    olds = [evolve(its_replicaset(owner, 0, old=n), *number(n)) for n in (1, 2, 3, 4)]
    steps = rollout.clean_up(owner, olds)
    assert [rollout.revision(s.obj) for s in steps] == [1, 2]


# -- the condition Progressing -----------------------------------------------------------------------------------------
def reported(owner, replicasets, now):
    """(status, reason) of Progressing after one look, and the Deployment as it then stands."""
    plan = deployment.plan(owner, replicasets, [], True, now)
    written = next((s.obj for s in plan.actions if isinstance(s, UpdateStatus)), owner)
    held = next(c for c in written["status"]["conditions"] if c["type"] == "Progressing")
    return (held["status"], held["reason"]), written, plan


def test_a_pause_stops_the_clock_and_the_end_of_it_starts_it_anew():
    owner = evolve(a_deployment(3), ("metadata", "annotations"), {rollout.REVISION: "1"})
    rs = [evolve(its_replicaset(owner, 3, 0), ("metadata", "annotations", rollout.REVISION), "1")]
    said, owner, _ = reported(owner, rs, 0)
    assert said == ("True", "NewReplicaSetCreated")
    owner = evolve(owner, ("spec", "paused"), True)
    said, owner, plan = reported(owner, rs, 5 * SECOND)
    assert said == ("Unknown", "DeploymentPaused") and plan.again_at is None
    assert reported(owner, rs, 60 * MINUTE)[0] == ("Unknown", "DeploymentPaused")
    owner = evolve(owner, ("spec", "paused"), False)
    said, owner, plan = reported(owner, rs, 60 * MINUTE)
    assert said == ("Unknown", "DeploymentResumed") and plan.again_at == 70 * MINUTE + SECOND
    assert reported(owner, rs, 70 * MINUTE)[0] == ("Unknown", "DeploymentResumed")
    assert reported(owner, rs, 70 * MINUTE + SECOND)[0] == ("False", "ProgressDeadlineExceeded")


def test_without_a_deadline_there_is_no_such_condition():
    owner = evolve(a_deployment(3), ("spec", "progressDeadlineSeconds"), progress.NO_DEADLINE)
    status = progress.status(owner, its_replicaset(owner, 3), [], None, 0)
    assert [c["type"] for c in status["conditions"]] == ["Available"]


def test_what_was_done_long_ago_does_not_make_a_new_rollout_late():
    owner = a_deployment(3)
    done = {"type": "Progressing", "status": "True", "reason": progress.DONE, "message": ""}
    stamps = dict.fromkeys(("lastUpdateTime", "lastTransitionTime"), timestamp(0))
    owner = evolve(owner, ("status",), {"replicas": 3, "updatedReplicas": 3, "conditions": [done | stamps]})
    said, _, plan = reported(owner, [its_replicaset(owner, 3, old=1)], 60 * MINUTE)
    assert said == ("True", "NewReplicaSetCreated") and plan.again_at == 70 * MINUTE + SECOND


def test_a_name_that_somebody_else_has_changes_the_hash():
    owner = a_deployment(3)
    again = evolve(owner, ("status", "collisionCount"), 1)
    assert rollout.name_of_new(owner) != rollout.name_of_new(again)
    assert rollout.new_replicaset(again, [], 3)["metadata"]["name"] == rollout.name_of_new(again)
