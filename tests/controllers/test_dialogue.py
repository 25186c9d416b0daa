"""A controller whose next step depends on what became of the one before, at work on a real API server."""

from itertools import pairwise

from kubemini.api.kinds import CONFIG_MAP, POD
from kubemini.api.objects import evolve, freeze
from kubemini.client import Discovery, Informers
from kubemini.controllers.decide.actions import Create, Plan, Update, owner_reference
from kubemini.controllers.decide.controller import Controller, Watch, owner_key
from kubemini.controllers.decide.dialogue import Ask, End, Read, in_turn
from kubemini.controllers.decide.expectations import Expectations
from kubemini.controllers.reconcile import Reconciler, facts_of
from kubemini.sim.units import MS, SECOND
from tests.worlds.kube import World

TWIN = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "twin", "namespace": "default"}}
OWNER = freeze({**TWIN, "metadata": {**TWIN["metadata"], "name": "owner"}})


def at_work(world, controller):
    """That controller, in a program of its own."""

    def begin(program):
        informers = Informers(program.client)
        facts = facts_of(informers, [controller], Discovery(program.client))
        reconciler = Reconciler(program.client, informers, facts, controller)
        informers.start(reconciler.start)

    return world.program("controllers", begin=begin)


def test_each_step_is_answered_and_what_is_to_be_remembered_comes_back_at_the_next_look():
    world, heard = World(), []

    def decide(obj, facts, caught_up, now):
        if obj["metadata"]["name"] != "owner":
            return End()
        heard.append((facts.memory, caught_up))
        twin = freeze({**TWIN, "metadata": {**TWIN["metadata"], "ownerReferences": [owner_reference(obj)]}})
        made = yield Create(twin)
        read = yield Read(CONFIG_MAP, ("default", "twin"))
        heard.append((getattr(made.error, "reason", None), read.obj["metadata"]["uid"]))
        seen = now if facts.memory is None else facts.memory
        return End(again_at=seen + 3 * SECOND if facts.memory is None else None, memory=seen)

    at_work(world, Controller(CONFIG_MAP, decide, delay=lambda old, new, now: 500 * MS))
    world.run(1)
    began = world.sim.now
    assert world.ask(lambda client: client.create(OWNER)).ok
    world.run(0.3)
    assert heard == []  # it waits for more changes
    world.run(10)
    assert [memory for memory, _ in heard[::2]] == [None, heard[2][0]] and began < heard[2][0] < began + SECOND
    assert [reason for reason, _ in heard[1::2]] == [None, "AlreadyExists"] and heard[1][1] == heard[3][1]


def test_a_step_that_is_refused_is_expected_no_more_and_the_error_brings_the_key_back():
    world, looks = World(), []

    def decide(obj, facts, caught_up, now):
        looks.append((now, caught_up))
        body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "nowhere"}, "spec": {}}
        refused = yield Create(freeze(body))
        return End(error=refused.error)

    watches = (Watch(POD, lambda pod, facts: owner_key(pod, CONFIG_MAP), made_here=True),)
    at_work(world, Controller(CONFIG_MAP, decide, watches, backoff=(SECOND, 4 * SECOND)))
    world.run(1)
    world.ask(lambda client: client.create(OWNER))
    world.run(12)
    mine = [at for at, _ in looks]
    waits = [round((b - a) / SECOND) for a, b in pairwise(mine)]
    assert waits[:3] == [1, 2, 4] and all(caught_up for _, caught_up in looks)


def test_what_is_expected_adds_up_within_one_look():
    ledger = Expectations(60 * SECOND)
    ledger.expect_more("rs", 1, [], 0)
    ledger.expect_more("rs", 1, ["x"], 0)
    ledger.created("rs")
    ledger.deleted("rs", "x")
    assert not ledger.satisfied("rs", 0)
    ledger.created("rs")
    assert ledger.satisfied("rs", 0)


def test_writes_in_turn_stand_upon_each_other_and_the_first_that_fails_ends_them():
    world, ends = World(), []

    def decide(obj, facts, caught_up, now):
        if obj.get("data"):
            return End()
        first, second = (evolve(obj, ("data",), {"x": value}) for value in ("1", "2"))
        ends.append((yield from in_turn((Update(first), Update(second)))))
        lost = yield from in_turn((Update(obj), Update(evolve(obj, ("data",), {"never": "written"}))))
        asked = yield Ask(CONFIG_MAP.path("default", "owner"))
        ends.extend((lost.reason, asked.obj["data"]))
        return End()

    at_work(world, Controller(CONFIG_MAP, decide))
    world.run(1)
    assert world.ask(lambda client: client.create(OWNER)).ok
    world.run(1)
    assert ends == [None, "Conflict", {"x": "2"}]


def test_a_watch_of_the_latest_wakes_nobody_for_what_was_before():
    world, looks = World(), []

    def decide(obj, facts, caught_up, now):
        looks.append(obj["metadata"]["name"])
        return Plan()

    def named(pod, facts):
        return [("default", pod["metadata"]["labels"]["of"])]

    watch = Watch(POD, named, latest=True)
    at_work(world, Controller(CONFIG_MAP, decide, (watch,), when=lambda old, new: False))
    world.run(1)
    for name in ("a", "b"):
        world.ask(lambda client, name=name: client.create(evolve(OWNER, ("metadata", "name"), name)))
    container = {"name": "c", "image": "i"}
    meta = {"name": "p", "namespace": "default", "labels": {"of": "a"}}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container]}}
    assert world.ask(lambda client: client.create(freeze(pod))).ok
    world.run(1)
    looks.clear()
    patch = {"metadata": {"labels": {"of": "b"}}}
    assert world.ask(lambda client: client.patch(POD, "p", "default", patch)).ok
    world.run(1)
    assert looks == ["b"]
