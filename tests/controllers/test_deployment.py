"""The Deployment controller: Kubernetes' own test tables, and a sentence each for the rules they leave out."""

import pytest

from kubemini.api.objects import evolve, evolve_many, freeze, get
from kubemini.api.quantity import QuantityError
from kubemini.api.timestamps import timestamp
from kubemini.controllers.decide.actions import (
    Create,
    Delete,
    Update,
    UpdateStatus,
    owner_reference,
)
from kubemini.controllers.decide.workloads.deployment import progress, rollout, scaling, sets
from kubemini.sim.units import MINUTE, MS, SECOND
from tests.controllers.deployments import a_deployment, its_replicaset, look, seen, sizes_of
from tests.controllers.parts import deeds, kinds_of, play, vectors


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
    plan = play(scaling.shrink(look(owner), new, [old]))
    sizes = [*sizes_of(plan.actions).values()]
    assert sizes[-1:] == ([v["oldReplicasAfter_declaredButNotAsserted"]] if v["scaled"] else [])


@pytest.mark.parametrize("v", vectors("deployment_rollout", "cleanupUnhealthyReplicas"))
def test_pods_that_do_not_serve_go_first(v):
    old = its_replicaset(a_deployment(), v["oldReplicas"], v["readyPods"])
    size = rollout.without_unhealthy(old, v["maxCleanupCount"])
    assert v["oldReplicas"] - size == v["cleaned"]


@pytest.mark.parametrize("v", vectors("deployment_rollout", "scaleDownOldReplicaSetsForRollingUpdate"))
def test_healthy_old_pods_go_last(v):
    owner = a_deployment(v["deploymentReplicas"], v["maxSurge"], v["maxUnavailable"])
    _, unavailable = rollout.limits(owner)
    old = its_replicaset(owner, v["oldReplicas"], v["readyPods"])
    size = rollout.without_healthy(old, max(0, v["readyPods"] - v["deploymentReplicas"] + unavailable))
    assert size == (v["oldReplicasAfter"] if v["scaled"] else v["oldReplicas"])


@pytest.mark.parametrize("v", vectors("deployment_rollout", "deploymentComplete"), ids=lambda v: v["name"])
def test_a_rollout_is_complete_when_all_pods_are_new_and_available(v):
    counts = {"replicas": v["current"], "updatedReplicas": v["updated"], "availableReplicas": v["available"]}
    assert progress.complete(a_deployment(v["desired"]), {**counts, "observedGeneration": 1}) == v["complete"]


@pytest.mark.parametrize("v", vectors("deployment_rollout", "deploymentProgressing"), ids=lambda v: v["name"])
def test_a_rollout_progresses_when_a_number_moves(v):
    spelled = {"replicas": "replicas", "updated": "updatedReplicas", "ready": "readyReplicas"}
    spelled["available"] = "availableReplicas"
    before, counts = ({spelled[key]: v[part][key] for key in spelled} for part in ("old", "new"))
    assert progress.progressing(before, counts) == v["progressing"]


@pytest.mark.parametrize(("replicas", "up", "down"), [(10, 3, 2), (4, 1, 1), (3, 1, 0)])
def test_a_quarter_of_ten_is_three_up_and_two_down(replicas, up, down):
    assert rollout.limits(a_deployment(replicas)) == (up, down)


def played(owner, replicasets, pick, steps=200):
    """Carry out what is asked and let pods become ready, in an order that *pick* chooses; yields each state."""
    held = {rs["metadata"]["name"]: rs for rs in replicasets}
    for number in range(steps):
        plan = deeds(seen(owner, list(held.values()), now=number * SECOND))
        for step in plan.actions:
            if isinstance(step, UpdateStatus):
                owner = step.obj
            elif isinstance(step, Create):
                made = evolve_many(
                    step.obj,
                    (("metadata", "uid"), f"new-{number}"),
                    (("metadata", "creationTimestamp"), timestamp(number * SECOND)),
                )
                held[made["metadata"]["name"]] = made
            elif isinstance(step, Delete):
                del held[step.obj["metadata"]["name"]]
            else:
                held[step.obj["metadata"]["name"]] = step.obj
        slow = [name for name, rs in held.items() if rollout.available(rs) != rs["spec"]["replicas"]]
        yield owner, list(held.values())
        if not slow and not plan.actions:
            return
        for name in slow[:: max(1, pick(number))]:
            rs, size = held[name], held[name]["spec"]["replicas"]
            now = min(size, get(rs, "status", "availableReplicas", default=0) + 1)
            status = {"replicas": size, "readyReplicas": now, "availableReplicas": now, "observedGeneration": 9}
            held[name] = evolve(rs, ("status",), status)


@pytest.mark.parametrize(("replicas", "seed"), [(n, seed) for n in (1, 3, 4, 10) for seed in range(5)])
def test_a_rollout_never_leaves_its_limits(replicas, seed):
    """ready >= replicas - maxUnavailable and total <= replicas + maxSurge, at every step."""
    owner = a_deployment(replicas)
    up, down = rollout.limits(owner)
    last = None
    for last in played(owner, [its_replicaset(owner, replicas, old=1)], lambda n: (n * 7 + seed) % 3):
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
    assert play(scaling.shrink(look(owner), its_replicaset(owner, 2, 0), [old])).actions == ()
    more = evolve(old, ("spec", "replicas"), 9)
    assert play(scaling.shrink(look(owner), its_replicaset(owner, 2), [more])).actions == ()


def test_recreate_waits_until_the_old_pods_are_gone():
    owner = a_deployment(3, kind="Recreate")
    old = its_replicaset(owner, 3, old=1)
    (down,) = [s for s in seen(owner, [old]).actions if isinstance(s, Update)]
    assert down.obj["spec"]["replicas"] == 0
    references = [owner_reference(old)]
    pod = freeze(
        {
            "metadata": {"name": "p", "namespace": "default", "ownerReferences": references},
            "status": {"phase": "Running"},
        }
    )
    emptied = evolve(down.obj, ("status",), {"replicas": 0})
    assert "Create" not in kinds_of(seen(owner, [emptied], [pod]))
    assert "Create" in kinds_of(seen(owner, [emptied], [evolve(pod, ("status", "phase"), "Failed")]))
    assert "Create" in kinds_of(seen(owner, [emptied]))


def test_a_template_that_comes_back_gets_the_next_revision_and_keeps_its_old_one():
    owner = a_deployment(3)
    first = its_replicaset(owner, 0)
    second = evolve(its_replicaset(owner, 3, old=1), ("metadata", "annotations", rollout.REVISION), "2")
    update = seen(owner, [first, second]).actions[0]
    assert (update.obj["kind"], rollout.revision(update.obj)) == ("ReplicaSet", 3)
    assert update.obj["metadata"]["annotations"][sets.HISTORY] == "1"
    (then,) = [s for s in seen(owner, [update.obj, second]).actions if isinstance(s, UpdateStatus)][:1]
    assert (then.obj["kind"], rollout.revision(then.obj)) == ("Deployment", 3)
    again = sets.copied(owner, {rollout.REVISION: "3", sets.HISTORY: "1"}, 5)
    assert again[sets.HISTORY] == "1,3"
    long = sets.copied(owner, {rollout.REVISION: "3", sets.HISTORY: ",".join(["1000"] * 400)}, 5)
    assert len(long[sets.HISTORY]) <= sets.LONGEST and long[sets.HISTORY].endswith(",3")


LARGE = 3546343826724305832


@pytest.mark.parametrize(("text", "number"), [(f"{LARGE}", LARGE), (f"{2**63}", None), ("-1", -1), ("x", None)])
def test_a_revision_is_a_number_of_64_bits(text, number):
    assert rollout.number(text) == number
    owner = a_deployment(3)
    old = evolve(its_replicaset(owner, 1, old=1), ("metadata", "annotations", rollout.REVISION), text)
    (made,) = [s.obj for s in seen(owner, [old]).actions if isinstance(s, Create)]
    assert rollout.revision(made) == max(0, number or 0) + 1


def test_annotations_are_copied_to_the_new_replicaset_and_never_taken_away():
    noted = {"why": "because", "kubectl.kubernetes.io/last-applied-configuration": "{}", rollout.DESIRED: "7"}
    owner = evolve(a_deployment(3), ("metadata", "annotations"), noted)
    (made,) = [s.obj for s in seen(owner, []).actions if isinstance(s, Create)]
    assert made["metadata"]["annotations"] == {
        "why": "because",
        rollout.REVISION: "1",
        rollout.DESIRED: "3",
        rollout.MOST: "4",
    }
    assert sets.copied(a_deployment(3), made["metadata"]["annotations"], 1)["why"] == "because"


def test_scaling_amid_a_rollout_is_shared_by_size():
    """10 replicas as 8 old + 5 new (surge 3), scaled to 15: kubernetes.io adds 3 and 2."""
    owner = a_deployment(10, surge=3, unavailable=2)
    old, new = its_replicaset(owner, 8, old=1), its_replicaset(owner, 5, 0, at=SECOND)
    owner = evolve(owner, ("spec", "replicas"), 15)
    sizes = sizes_of(play(scaling.scale(look(owner), new, [old])).actions)
    assert sizes == {old["metadata"]["name"]: 11, new["metadata"]["name"]: 7}


def test_a_paused_deployment_still_scales_but_rolls_nothing_out():
    owner = evolve(a_deployment(3), ("spec", "paused"), True)
    old = its_replicaset(owner, 3, old=1)
    assert [s for s in seen(owner, [old]).actions if not isinstance(s, UpdateStatus)] == []
    steps = seen(evolve(owner, ("spec", "replicas"), 5), [old]).actions
    assert [s.obj["spec"]["replicas"] for s in steps if isinstance(s, Update)] == [5]


def test_a_rollout_that_stands_still_for_ten_minutes_has_failed():
    owner = a_deployment(2)
    new = its_replicaset(owner, 2, 0)
    owner = evolve(owner, ("metadata", "annotations"), {rollout.REVISION: "1"})
    stuck = seen(owner, [new]).actions[-1].obj
    quiet = seen(stuck, [new], now=5 * MINUTE)
    assert kinds_of(quiet) == [] and quiet.again_at == 10 * MINUTE + SECOND
    near = seen(stuck, [new], now=10 * MINUTE - 3 * MS)
    assert kinds_of(near) == [] and near.again_at == 10 * MINUTE + 2 * MS
    late = seen(stuck, [new], now=quiet.again_at)
    progress = next(c for c in late.actions[-1].obj["status"]["conditions"] if c["type"] == "Progressing")
    assert (progress["status"], progress["reason"]) == ("False", "ProgressDeadlineExceeded")


def test_old_empty_replicasets_beyond_the_history_limit_go():
    owner = evolve(a_deployment(1), ("spec", "revisionHistoryLimit"), 2)
    number = lambda n: (("metadata", "annotations", rollout.REVISION), str(n))  # noqa: E731
    olds = [evolve(its_replicaset(owner, 0, old=n), *number(n)) for n in (1, 2, 3, 4)]
    gone = [rollout.revision(s.obj) for s in play(scaling.clean_up(look(owner), olds)).actions]
    assert gone == [1, 2]
    busy = evolve(olds[0], ("status", "replicas"), 1)
    assert [rollout.revision(s.obj) for s in play(scaling.clean_up(look(owner), [busy, *olds[1:]])).actions] == [2]
