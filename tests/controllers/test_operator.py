"""An operator that a reader writes: it looks, it writes, it is called again, and one of several acts."""

from itertools import pairwise

import pytest

from kubemini.controllers.operator import Call, Create, Delete, Patch, owned_by
from kubemini.lab.operator.site import APPLY, World, deployment_of, keep, site


def said(world, name="operator-1"):
    return [record.detail["text"] for record in world.cluster.trace.of("log", name)]


@pytest.fixture
def world():
    return World(workers=1)


def test_what_is_there_before_it_starts_is_kept_as_what_comes_later(world):
    world.kubectl(APPLY, site("early"))
    world.add(keep)
    world.run(1)
    world.kubectl(APPLY, site("late"))
    world.run(1)
    assert said(world) == ["creates Deployment default/early", "creates Deployment default/late"]


def test_a_change_of_what_it_owns_is_a_reason_to_look_and_of_what_it_does_not_own_is_none(world):
    looks = []

    def reconcile(obj, observed):
        looks.append([one["metadata"]["name"] for one in observed["Deployment"]])
        return keep(obj, observed)

    world.add(reconcile)
    world.kubectl(APPLY, site())
    world.run(5)
    world.kubectl("create deployment other --image=a")
    before = len(looks)
    world.run(5)
    assert looks[0] == [] and looks[-1] == ["shop"] and len(looks) == before
    world.kubectl("delete deployment shop --wait=false")
    world.run(1)
    assert len(looks) > before and world.get("deployment shop")


def test_a_function_that_raises_is_called_again_later_and_later_and_the_program_lives(world):
    times = []

    def reconcile(obj, observed):
        times.append(world.cluster.sim.now)
        raise KeyError("spec")

    operator = world.add(reconcile)
    world.kubectl(APPLY, site())
    world.run(3)
    gaps = [b - a for a, b in pairwise(times)]
    assert operator.up and gaps == [5_000 << n for n in range(len(gaps))] and len(gaps) > 5
    assert said(world)[0] == "reconcile of default/shop failed: KeyError: 'spec'"


def test_what_is_no_list_of_writes_is_refused_in_a_sentence(world):
    world.add(lambda obj, observed: "create it")
    world.kubectl(APPLY, site())
    world.run(0.004)
    assert said(world) == [
        "reconcile of default/shop failed: ValueError: reconcile returned 'create it'; return a list of Create, Patch,"
        " Delete and Call, or []"
    ]


def test_a_write_that_fails_ends_the_look_and_there_is_another_one(world):
    def reconcile(obj, observed):
        return [Create(deployment_of(obj)), Call("create", obj["metadata"]["name"])]

    world.add(reconcile)
    world.kubectl("create deployment shop --image=a")
    world.kubectl(APPLY, site())
    world.run(1)
    assert not world.provider.calls and sum("failed" in text for text in said(world)) > 3


def test_writes_are_carried_out_in_order_and_to_delete_what_is_gone_is_no_failure(world):
    def reconcile(obj, observed):
        there = observed["Deployment"]
        return [Delete(there[0]), Delete(there[0]), Call("create", "a"), Call("delete", "a")] if there else []

    world.kubectl(APPLY, site())
    world.add(keep, "maker")
    world.run(1)
    world.cluster.components["maker"].crash()
    world.add(reconcile)
    world.run(0.05)
    assert said(world)[:4] == [
        "deletes Deployment default/shop",
        "deletes Deployment default/shop",
        "calls the provider: create a",
        "calls the provider: delete a",
    ]
    assert not world.provider.things


def test_a_patch_of_a_status_changes_the_status_alone(world):
    def reconcile(obj, observed):
        body = {"status": {"ready": 7}, "spec": {"replicas": 5}}
        return [Patch(obj, body, "status")] if not obj.get("status") else []

    world.add(reconcile)
    world.kubectl(APPLY, site(replicas=2))
    world.run(1)
    found = world.get("site shop")
    assert (found["status"], found["spec"]["replicas"], found["metadata"]["generation"]) == ({"ready": 7}, 2, 1)


def test_what_is_owned_stands_beside_its_owner_and_goes_after_it(world):
    world.add(keep)
    world.kubectl(APPLY, site())
    world.run(5)
    owner, owned = world.get("site shop"), world.get("deployment shop")
    (reference,) = owned["metadata"]["ownerReferences"]
    assert (reference["kind"], reference["uid"], reference["controller"]) == ("Site", owner["metadata"]["uid"], True)
    again = owned_by(owner, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}})
    assert again["metadata"]["namespace"] == "default"
    world.run(30)  # the garbage collector has heard of Sites
    world.kubectl("delete site shop --wait=false")
    world.run(5)
    assert world.get("deployments") == []


def test_with_a_lease_one_acts_and_the_other_one_after_it(world):
    copies = [world.add(keep, name, lease="sites") for name in ("operator-1", "operator-2")]
    world.run(5)
    world.kubectl(APPLY, site("one"))
    world.run(5)
    holder = world.cluster.trace.of("holder")[-1].actor
    other = next(copy.name for copy in copies if copy.name != holder)
    assert said(world, holder) == ["creates Deployment default/one"] and not said(world, other)
    world.cluster.components[holder].crash()
    world.kubectl(APPLY, site("two"))
    world.run(10)
    assert not said(world, other)
    world.run(10)
    assert said(world, other) == ["creates Deployment default/two"]


def test_a_holder_that_is_told_to_end_gives_the_lease_back_and_who_has_none_just_ends(world):
    copies = [world.add(keep, name, lease="sites") for name in ("operator-1", "operator-2")]
    alone = world.add(keep, "alone")
    world.run(5)
    holder = world.cluster.trace.of("holder")[-1].actor
    begun = world.cluster.sim.now
    for operator in (world.cluster.components[holder], alone):
        operator.terminate()
    world.run(5)
    assert not alone.up
    other = next(copy.name for copy in copies if copy.name != holder)
    (next_one,) = [r for r in world.cluster.trace.of("holder") if r.at > begun and r.detail["lease"] == "sites"]
    assert next_one.actor == other
