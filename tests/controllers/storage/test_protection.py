"""Who keeps a claim or a volume from going, and what a claim says of its use."""

import pytest

from kubemini.api.errors import ApiError
from kubemini.api.objects import evolve, evolve_many
from kubemini.controllers.decide.actions import Update, UpdateStatus
from kubemini.controllers.decide.dialogue import Answer, Ask
from kubemini.controllers.decide.storage import protection
from tests.controllers.parts import a_pod
from tests.controllers.storage.test_binding import NOW, bound_pair, facts
from tests.controllers.workloads.talking import of_type, talk

MOUNTED = [{"name": "d", "persistentVolumeClaim": {"claimName": "claim"}}]
DELETED = (("metadata", "deletionTimestamp"), "2026-01-01T00:00:00Z")


def a_claim(*edits, finalizers=(protection.OF_CLAIMS,)):
    return evolve_many(bound_pair()[0], (("metadata", "finalizers"), list(finalizers)), *edits)


def using(*edits, node="n1", volumes=MOUNTED):
    pod = a_pod("a", node=node)
    return evolve_many(pod, (("metadata", "namespace"), "ns"), (("spec", "volumes"), volumes), *edits)


def decided(claim, *cached, live=()):
    """The steps; *live*: the pods that the API server knows of, beside those that the cache has."""

    def pods(step):
        return Answer({"items": list(live)}) if isinstance(step, Ask) else None

    return talk(protection.decide_claim(claim, facts(claim, *cached), True, NOW), [pods])[0]


def unused(steps):
    (written,) = of_type(steps, UpdateStatus)
    (condition,) = written["status"]["conditions"]
    return condition["status"], condition["reason"]


def test_a_bound_claim_says_whether_a_pod_names_it():
    assert unused(decided(a_claim())) == ("True", "NoPodsUsingPVC")
    assert unused(decided(a_claim(), using(node=None))) == ("False", "PodUsingPVC")
    assert unused(decided(a_claim(), using((("status", "phase"), "Succeeded")))) == ("True", "NoPodsUsingPVC")
    said = of_type(decided(a_claim()), UpdateStatus)[0]
    assert [type(step) for step in decided(said)] == [Ask]
    assert decided(evolve(a_claim(), ("status", "phase"), "Pending")) == []


def test_a_pod_that_the_cache_does_not_have_yet_counts():
    assert unused(decided(a_claim(), live=[using()])) == ("False", "PodUsingPVC")
    assert of_type(decided(a_claim(DELETED), live=[using()]), Update) == []


def test_a_claim_goes_when_no_pod_on_a_node_mounts_it():
    assert of_type(decided(a_claim(DELETED)), Update)[0]["metadata"]["finalizers"] == []
    assert len(of_type(decided(a_claim(DELETED), using(node=None)), Update)) == 1
    assert decided(a_claim(DELETED), using()) == []
    assert decided(a_claim(DELETED), using((("status", "phase"), "Succeeded"))) == []  # it still mounts it


def test_a_claim_made_for_a_pod_goes_with_what_ran_in_it():
    owner = {"kind": "Pod", "name": "a", "uid": "a", "controller": True}
    mine = a_claim(DELETED, (("metadata", "ownerReferences"), [owner]), (("metadata", "name"), "a-d"))
    inside = [{"name": "d", "ephemeral": {}}]
    assert decided(mine, using(volumes=inside)) == []
    ended = using(DELETED, (("metadata", "deletionGracePeriodSeconds"), 0), volumes=inside)
    assert len(of_type(decided(mine, ended), Update)) == 1
    stranger = evolve(mine, ("metadata", "ownerReferences"), [{**owner, "uid": "another"}])
    assert len(of_type(decided(stranger, using(volumes=inside)), Update)) == 1


def test_where_nobody_can_tell_the_finalizer_stays():
    error = ApiError(500, "", "no")
    refused = [lambda step: Answer(error=error) if isinstance(step, Ask) else None]
    for claim in (a_claim(DELETED), a_claim()):
        steps, end = talk(protection.decide_claim(claim, facts(claim), True, NOW), refused)
        assert [type(step) for step in steps] == [Ask] and end.error is error


@pytest.mark.parametrize(("phase", "goes"), [("Bound", False), ("Released", True), ("Available", True)])
def test_a_volume_goes_when_it_is_not_bound(phase, goes):
    volume = evolve_many(bound_pair()[1], DELETED, (("metadata", "finalizers"), [protection.OF_VOLUMES]))
    plan = protection.decide_volume(evolve(volume, ("status", "phase"), phase), facts(), True, NOW)
    assert [action.obj["metadata"]["finalizers"] for action in plan.actions] == ([[]] if goes else [])


def test_one_that_came_without_its_finalizer_is_given_it():
    volume = bound_pair()[1]
    plan = protection.decide_volume(volume, facts(), True, NOW)
    assert plan.actions[0].obj["metadata"]["finalizers"] == [protection.OF_VOLUMES]
    steps = decided(evolve(a_claim(finalizers=()), ("status", "phase"), "Pending"))
    assert of_type(steps, Update)[0]["metadata"]["finalizers"] == [protection.OF_CLAIMS]


def test_a_claim_that_has_said_it_and_is_not_deleted_is_looked_at_for_its_pods_alone():
    said = of_type(decided(a_claim()), UpdateStatus)[0]
    assert protection.claim_changed(None, a_claim()) and not protection.claim_changed(None, said)
    assert protection.claim_changed(said, evolve_many(said, DELETED))
    assert protection.of_pod(using(), facts()) == [("ns", "claim")]
