"""The ReplicaSet controller and its expectations."""

import pytest

from kubemini.api.errors import ApiError
from kubemini.api.objects import evolve
from kubemini.api.timestamps import timestamp
from kubemini.controllers.decide.actions import Create, Delete, Patch, Tell
from kubemini.controllers.decide.claims import claimed
from kubemini.controllers.decide.controller import Facts
from kubemini.controllers.decide.dialogue import Answer, Read
from kubemini.controllers.decide.expectations import Expectations
from kubemini.controllers.decide.podcontrol import DELETION_COST, least_useful_first
from kubemini.controllers.decide.workloads import replicaset
from kubemini.params import Params
from kubemini.sim.units import MINUTE, SECOND
from tests.controllers.parts import a_pod, a_replicaset, deeds, granted, kinds_of, play


def planned(*facts, answer=granted):
    """What a ReplicaSet's controller does, of the facts that `replicaset.dialogue` takes."""

    def told(step):
        return Answer(facts[0]) if isinstance(step, Read) else answer(step)

    return deeds(play(replicaset.dialogue(*facts), told))


def test_missing_pods_are_made_and_surplus_ones_deleted():
    rs = a_replicaset(3)
    pods = [a_pod(f"p{i}", rs) for i in range(5)]
    assert kinds_of(planned(rs, pods[:1], pods[:1], True, 0)) == ["Create", "Create", "UpdateStatus"]
    assert kinds_of(planned(rs, pods, pods, True, 0)) == ["Delete", "Delete", "UpdateStatus"]


def test_while_the_cache_lags_only_the_status_is_written():
    assert kinds_of(planned(a_replicaset(3), [], [], False, 0)) == ["UpdateStatus"]


def test_a_second_look_at_the_same_facts_changes_nothing():
    rs = a_replicaset(2)
    pods = [a_pod(f"p{i}", rs) for i in range(2)]
    (step,) = planned(rs, pods, pods, True, 0).actions
    assert planned(step.obj, pods, pods, True, SECOND).actions == ()


def test_pods_on_their_way_out_or_finished_do_not_count():
    rs = a_replicaset(2)
    pods = [a_pod("a", rs), a_pod("b", rs, deletionTimestamp=timestamp(0)), a_pod("c", rs, phase="Failed")]
    assert kinds_of(planned(rs, pods, pods, True, 0)) == ["Create", "UpdateStatus"]


def test_five_hundred_pods_at_most_in_one_go():
    assert kinds_of(planned(a_replicaset(2000), [], [], True, 0)).count("Create") == 500


def test_an_orphan_with_the_right_labels_is_adopted_and_a_stranger_let_go():
    rs = a_replicaset(1)
    (adopt,) = [s for s in planned(rs, [a_pod("o")], [], True, 0).actions if isinstance(s, Patch)]
    assert adopt.body["metadata"]["ownerReferences"][0]["uid"] == "rs"
    stranger = a_pod("s", rs, labels={"app": "other"})
    (release,) = [s for s in planned(rs, [stranger], [], True, 0).actions if isinstance(s, Patch)]
    assert release.body["metadata"]["ownerReferences"] is None


def test_the_adopted_are_as_the_cache_had_them():
    steps, orphan = claimed(a_replicaset(1), [a_pod("o")]), a_pod("o")
    asked = next(steps)
    assert isinstance(asked, Read)
    assert isinstance(steps.send(Answer(a_replicaset(1))), Patch)
    with pytest.raises(StopIteration) as end:
        steps.send(Answer(evolve(orphan, ("metadata", "resourceVersion"), "99")))
    assert end.value.value == [orphan]


GOES_FIRST = {
    "not scheduled": ({"node": ""}, {}),
    "Pending before Running": ({"phase": "Pending"}, {}),
    "Unknown before Running": ({"phase": "Unknown"}, {}),
    "not ready": ({"ready": False}, {}),
    "cheap": ({"annotations": {DELETION_COST: "-5"}}, {}),
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
    assert least_useful_first([winner, loser], related, 5000 * SECOND)[0] is loser


def test_nearly_the_same_age_counts_as_the_same():
    """LogarithmicScaleDown: 80 or 100 minutes ready is one order of two, and the UID decides."""
    rs = a_replicaset()
    pods = [a_pod("a", rs, since=0), a_pod("b", rs, since=20 * MINUTE)]
    assert [p["metadata"]["name"] for p in least_useful_first(pods, pods, 100 * MINUTE)] == ["a", "b"]


def test_a_pod_is_available_after_min_ready_seconds():
    rs = a_replicaset(1, minReadySeconds=10)
    plan = planned(rs, [a_pod("a", rs)], [], True, 4 * SECOND)
    status = plan.actions[-1].obj["status"]
    assert (status["readyReplicas"], status.get("availableReplicas", 0)) == (1, 0)
    assert plan.again_at == 10 * SECOND
    later = planned(rs, [a_pod("a", rs)], [], True, 10 * SECOND)
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


def test_a_bare_replicaset_does_not_care_how_crowded_a_node_is():
    """The rule of the siblings is one of Deployments."""
    rs = a_replicaset(1)
    pods = [a_pod(name, rs, node=node) for name, node in (("a", "n2"), ("b", "n1"), ("c", "n1"))]
    facts = Facts(lambda *_: None, lambda *_: [], lambda kind, uid: pods if uid == rs["metadata"]["uid"] else [])
    gone = [
        s.obj["metadata"]["name"] for s in play(replicaset.decide(rs, facts, True, 0)).actions if isinstance(s, Delete)
    ]
    assert gone == ["a", "b"]
    assert [p["metadata"]["name"] for p in least_useful_first(pods, pods, 0)][:2] == ["b", "c"]


# -- what goes wrong -------------------------------------------------------------------------------------------------

QUOTA = ApiError(403, "Forbidden", 'pods "x" is forbidden: exceeded quota')


def refusing(after):
    """An API server that makes *after* pods and no more."""
    made = []

    def answer(step):
        if isinstance(step, Create):
            made.append(step)
            return granted(step) if len(made) <= after else Answer(error=QUOTA)
        return granted(step)

    return answer


def test_after_a_batch_in_which_one_pod_was_refused_there_is_no_other():
    """Batches of 1, 2, 4: the second pod is refused, the third is still tried, the fourth is not."""
    plan = play(replicaset.dialogue(a_replicaset(10), [], [], True, 0), refusing(1))
    assert kinds_of(plan).count("Create") == 3
    told = [(s.reason, s.message) for s in plan.actions if isinstance(s, Tell)]
    assert told == [
        ("SuccessfulCreate", "Created pod: web-1-x"),
        *[("FailedCreate", 'Error creating: pods "x" is forbidden: exceeded quota')] * 2,
    ]


def test_a_failure_stands_in_the_status_in_its_first_words_until_nothing_fails():
    rs = a_replicaset(2)
    failed = play(replicaset.dialogue(rs, [], [], True, 0), refusing(0)).actions[-1].obj
    (said,) = failed["status"]["conditions"]
    assert (said["type"], said["reason"], said["message"]) == ("ReplicaFailure", "FailedCreate", QUOTA.message)
    again = play(replicaset.dialogue(failed, [], [], True, 60 * SECOND), refusing(0))
    assert "UpdateStatus" not in kinds_of(again), "the same failure is no news"
    pods = [a_pod(name, rs) for name in "ab"]
    healed = play(replicaset.dialogue(failed, pods, [], True, 0)).actions[-1].obj
    assert "conditions" not in healed["status"]


def test_pods_on_their_way_out_are_counted_apart_but_not_of_a_replication_controller():
    rs = a_replicaset(1)
    pods = [a_pod("a", rs), a_pod("b", rs, deletionTimestamp=timestamp(0))]
    status = planned(rs, pods, [], True, 0).actions[-1].obj["status"]
    assert (status["replicas"], status["terminatingReplicas"]) == (1, 1)
    plain = planned(rs, pods, [], True, 0, False).actions[-1].obj["status"]
    assert "terminatingReplicas" not in plain


def test_a_status_that_somebody_else_has_written_meanwhile_is_written_once_more_on_what_there_is():
    rs, fresh = a_replicaset(0), evolve(a_replicaset(0), ("metadata", "labels"), {"new": "one"})
    conflict = Answer(error=ApiError(409, "Conflict", "changed"))
    answers = iter([conflict, Answer(fresh), Answer(fresh)])
    plan = play(replicaset.dialogue(rs, [], [], True, 0), lambda step: next(answers))
    assert kinds_of(plan) == ["UpdateStatus", "Read", "UpdateStatus"]
    assert plan.actions[-1].obj["metadata"]["labels"] == {"new": "one"}


def test_times_that_differ_within_one_order_of_two_leave_it_to_the_uid_not_to_restarts():
    rs = a_replicaset()
    early, late = a_pod("a", rs, since=0), a_pod("b", rs, since=20 * MINUTE, restarts=9)
    assert least_useful_first([late, early], [], 100 * MINUTE)[0] is early
    same = a_pod("c", rs, since=0, restarts=9)
    assert least_useful_first([early, same], [], 100 * MINUTE)[0] is same
