"""How many pods a PodDisruptionBudget sees and lets go. What the real one does: the histories of disruption."""

import pytest

from kubemini.api.errors import ApiError
from kubemini.api.kinds import DEPLOYMENT, POD
from kubemini.api.objects import evolve, freeze
from kubemini.api.timestamps import timestamp
from kubemini.controllers.decide.actions import Tell, UpdateStatus
from kubemini.controllers.decide.controller import Facts
from kubemini.controllers.decide.dialogue import Answer, Ask
from kubemini.controllers.decide.disruption import budget
from kubemini.controllers.decide.disruption.stale import decide as decide_stale
from kubemini.sim.units import MINUTE, SECOND
from tests.controllers.parts import a_pod, a_replicaset
from tests.controllers.workloads.talking import of_type, talk

NOW = 10 * MINUTE
CONFLICT = ApiError(409, "Conflict", "modified")


def a_budget(status=None, **spec):
    meta = {"name": "web", "namespace": "default", "uid": "b", "generation": 1}
    return freeze(
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": meta,
            "spec": {"selector": {"matchLabels": {"app": "web"}}, **spec},
            "status": status or {},
        }
    )


def facts(pods=(), owners=(), budgets=()):
    there = {POD: list(pods), budget.BUDGET: list(budgets)}
    named = {(one["kind"], one["metadata"]["name"]): one for one in owners}
    return Facts(
        get=lambda kind, key: named.get((kind.kind, key[1])),
        of_namespace=lambda kind, space: there[kind],
        owned_by=lambda kind, uid: [],
    )


def a_deployment(replicas):
    return evolve(a_replicaset(replicas), ("kind",), DEPLOYMENT.kind) | {"metadata": {"name": "web", "uid": "d"}}


def decided(one, *rest, answers=()):
    return talk(budget.decide(one, facts(*rest), True, NOW), answers)


def counts(steps):
    (written,) = of_type(steps, UpdateStatus)
    status = written["status"]
    (condition,) = status["conditions"]
    names = ("expectedPods", "currentHealthy", "desiredHealthy", "disruptionsAllowed")
    return (*(status[name] for name in names), condition["reason"])


@pytest.mark.parametrize(
    ("spec", "replicas", "seen"),
    [
        ({"maxUnavailable": "1%"}, 3, (3, 3, 2, 1, "SufficientPods")),  # a percentage is rounded up either way
        ({"minAvailable": "50%"}, 5, (5, 3, 3, 0, "InsufficientPods")),
        ({"minAvailable": 2}, 5, (3, 3, 2, 1, "SufficientPods")),  # a number counts the pods, not what is wanted
        ({"maxUnavailable": 4}, 3, (3, 3, 0, 3, "SufficientPods")),
    ],
)
def test_what_is_expected_is_what_the_deployment_behind_the_replicaset_wants(spec, replicas, seen):
    owner = evolve(a_replicaset(3), ("metadata", "ownerReferences"), [reference("Deployment", "web", "d")])
    pods = [a_pod(name, owner) for name in "abc"]
    steps, end = decided(a_budget(**spec), pods, [owner, a_deployment(replicas)])
    assert counts(steps) == seen and end.error is None


def reference(kind, name, uid, version="apps/v1"):
    return {"apiVersion": version, "kind": kind, "name": name, "uid": uid, "controller": True}


def test_a_pod_that_is_unready_marked_or_evicted_just_now_is_not_healthy():
    since = {"gone-soon": timestamp(NOW - SECOND)}
    pods = [a_pod("well"), a_pod("ill", ready=False), a_pod("gone-soon"), a_pod("going", deletionTimestamp="x")]
    steps, end = decided(a_budget({"disruptedPods": since}, minAvailable=1), pods)
    assert counts(steps) == (4, 1, 1, 0, "InsufficientPods")
    assert of_type(steps, UpdateStatus)[0]["status"]["disruptedPods"] == since
    assert NOW + 2 * MINUTE - SECOND < end.again_at < NOW + 2 * MINUTE


def test_an_evicted_pod_that_stays_for_two_minutes_is_told_of_and_counts_again():
    noted = {"web-1": timestamp(NOW - 2 * MINUTE - SECOND), "no-more": timestamp(NOW)}
    steps, end = decided(a_budget({"disruptedPods": noted}, minAvailable=1), [a_pod("web-1")])
    (told,) = (step for step in steps if isinstance(step, Tell))
    assert (told.obj["kind"], told.reason) == ("Pod", "NotDeleted") and end.again_at is None
    assert counts(steps)[1] == 1 and "disruptedPods" not in of_type(steps, UpdateStatus)[0]["status"]


def test_bare_pods_count_for_a_number_and_spoil_a_percentage():
    steps, _ = decided(a_budget(minAvailable=1), [a_pod("a"), a_pod("b")])
    assert counts(steps) == (2, 2, 1, 1, "SufficientPods")
    steps, _ = decided(a_budget(minAvailable="50%"), [a_pod("a"), a_pod("b")])
    assert counts(steps) == (0, 2, 0, 0, "InsufficientPods")
    assert steps[0].reason == "UnmanagedPods" and "MatchLabels:map[string]string{app: web,}" in steps[0].message


def test_a_budget_that_says_it_all_already_is_not_written_but_tells_that_it_picks_nobody():
    steps, _ = decided(a_budget(minAvailable=1))
    done = evolve(a_budget(minAvailable=1), ("status",), of_type(steps, UpdateStatus)[0]["status"])
    steps, _ = decided(done)
    assert [(step.reason, step.message) for step in steps] == [("NoPods", "No matching pods found")]


def test_an_owner_of_another_kind_says_through_its_scale_how_many_it_wants():
    pods = [a_pod("a", ownerReferences=[reference("Job", "task", "j", "batch/v1")])]
    scale = {"kind": "Scale", "metadata": {"name": "task", "uid": "j"}, "spec": {"replicas": 4}}
    has = {"resources": [{"name": "jobs"}, {"name": "jobs/status"}]}
    missing = ApiError(404, "NotFound", "the server could not find the requested resource")

    def says(answer):
        return [lambda step: answer if isinstance(step, Ask) and step.path.endswith("/scale") else None]

    steps, _ = decided(a_budget(maxUnavailable=1), pods, answers=says(Answer(scale)))
    assert counts(steps)[0] == 4
    others = [*says(Answer(error=missing)), lambda step: Answer(has) if isinstance(step, Ask) else None]
    steps, _ = decided(a_budget(maxUnavailable=1), pods, answers=others)
    why = "jobs.batch does not implement the scale subresource"
    told = next(step for step in steps if isinstance(step, Tell))
    assert told.message == f"Failed to calculate the number of expected pods: {why}"
    (condition,) = of_type(steps, UpdateStatus)[0]["status"]["conditions"]
    assert (condition["reason"], condition["message"]) == ("SyncFailed", why)


def test_who_was_too_late_tries_again_and_any_other_failure_allows_nothing():
    def refuses(error):
        return [lambda step: Answer(error=error) if isinstance(step, UpdateStatus) else None]

    steps, end = decided(a_budget(minAvailable=1), [a_pod("a")], answers=refuses(CONFLICT))
    assert end.error is CONFLICT and len(of_type(steps, UpdateStatus)) == 1
    steps, _ = decided(a_budget(minAvailable=1), [a_pod("a")], answers=refuses(ApiError(500, "", "no")))
    assert of_type(steps, UpdateStatus)[1]["status"]["conditions"][0]["reason"] == "SyncFailed"


def test_of_two_budgets_over_a_pod_one_is_woken_and_that_is_told():
    both = [a_budget(minAvailable=1), evolve(a_budget(), ("metadata", "name"), "other")]
    assert budget.of_pod(a_pod("a"), facts(budgets=both)) == [("default", "web")]
    (told,) = budget.ambiguous(a_pod("a"), facts(budgets=both))
    assert told.message == 'Pod "default"/"a" matches multiple PodDisruptionBudgets.  Chose "web" arbitrarily.'
    assert budget.ambiguous(a_pod("a"), facts(budgets=both[:1])) == []


def test_a_replicaset_of_the_same_name_but_another_uid_is_not_the_owner():
    def says(step):
        if isinstance(step, Ask) and step.path == "/apis/apps/v1":
            return Answer({"resources": [{"name": "replicasets/scale"}]})
        return Answer(error=ApiError(404, "NotFound", "gone")) if isinstance(step, Ask) else None

    namesake = evolve(a_replicaset(9), ("metadata", "uid"), "other")
    steps, _ = decided(a_budget(maxUnavailable=1), [a_pod("a", a_replicaset(3))], [namesake], answers=[says])
    assert 'found no controllers for pod "a"' in next(step.message for step in steps if isinstance(step, Tell))


# -- a condition that nobody takes back ------------------------------------------------------------------------------
def targeted(since, **more):
    pod = a_pod("web-1", generation=3)
    target = {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI", **more}
    ready = pod["status"]["conditions"][0]
    return evolve(pod, ("status", "conditions"), [ready, {**target, "lastTransitionTime": timestamp(since)}])


def test_two_minutes_after_a_pod_was_to_go_and_did_not_the_condition_is_taken_back():
    plan = decide_stale(targeted(NOW - MINUTE), facts(), True, NOW)
    assert plan.actions == () and plan.again_at == NOW + MINUTE
    (written,) = decide_stale(targeted(NOW - 2 * MINUTE), facts(), True, NOW).actions
    new = written.obj["status"]["conditions"][1]
    assert (new["status"], new["observedGeneration"], "reason" in new) == ("False", 3, False)


@pytest.mark.parametrize(
    "pod",
    [
        targeted(0, reason="TerminationByKubelet"),
        targeted(0, status="False"),
        evolve(targeted(0), ("metadata", "deletionTimestamp"), timestamp(0)),
        evolve(targeted(0), ("status", "phase"), "Failed"),
    ],
)
def test_it_stays_where_a_kubelet_said_it_or_the_pod_goes_or_is_over(pod):
    assert decide_stale(pod, facts(), True, NOW).actions == ()
