"""The twin itself, without a real control plane: ours tells a story, and ours is held against it."""

import copy
import json
import random
from collections import Counter
from functools import cache

import pytest

from kubemini.api.kinds import by_name
from tests.oracles.histories.noting import Notes
from tests.oracles.histories.playing import alone
from tests.oracles.histories.world import World
from tests.real.workloads import judging, stories
from tests.real.workloads.judging import JUDGE, UNTIL, differences
from tests.real.workloads.recording import agreed, recording
from tests.real.workloads.telling import Telling


class Ours(World):
    """A control plane of ours, whose controllers rest when nothing moves."""

    def rest(self, kinds):
        """Nothing is to be asked."""


def made(number, seed=1):
    return stories.story(random.Random(f"{seed} {number}"), f"chance-{number}")


@cache
def told(number, chance):
    story = made(number)
    world = Ours({"steps": [], "needs": story["needs"]}, chance)
    return Telling(world, Notes(world, JUDGE.FIELDS), UNTIL, story).run()


def seen(number, chance=1):
    return copy.deepcopy(told(number, chance))


def with_kind(kind):
    """The number of a short story with one workload of that kind alone."""
    stories = [made(number) for number in range(200)]
    alone = [story for story in stories if story["about"].startswith(f"Random: {kind} on") and story["area"] != "node"]
    return int(min(alone, key=lambda story: len(story["moves"]))["name"].split("-")[1])


def recorded_of(number):
    return recording(JUDGE, made(number), seen(number))


def test_a_story_follows_from_the_seed_and_its_number():
    assert made(3) == made(3) != made(4)
    assert made(3) != made(3, seed=2)


def test_what_a_story_makes_is_taken_by_the_api_server():
    """A cast that is refused tells nothing of a controller."""
    world = Ours({"steps": [], "needs": ["api", "controllers"]}, 1)
    bodies = {
        json.dumps(move["request"]["body"], sort_keys=True)
        for n in range(60)
        for move in made(n)["moves"]
        if move.get("request", {}).get("method") == "POST" and "spec" in move["request"].get("body", {})
    }
    world.ask("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ns"}})
    for body in map(json.loads, sorted(bodies)):
        code, answer = world.ask("POST", f"{by_name(body['kind']).path('ns')}?dryRun=All", body)
        assert code == 201, (body, answer)


def test_a_story_of_lost_nodes_has_life_before_meanwhile_and_afterwards():
    story = stories.story(random.Random("1 1"), "chance-1", kill=True)
    (lost,) = (n for n, move in enumerate(story["moves"]) if "silent" in move)
    (back,) = (n for n, move in enumerate(story["moves"]) if "back" in move)
    assert story["area"] == "node"
    assert story["moves"][lost]["silent"] == story["moves"][back]["back"]
    assert len(story["moves"]) > back + 1 > lost + 2


def test_no_kubelet_that_is_silent_does_anything_to_a_pod():
    story = made(with_kind("ReplicaSet"))
    world = Ours({"steps": [], "needs": story["needs"]}, 1)
    telling = Telling(world, Notes(world, JUDGE.FIELDS), UNTIL, story)
    pod = {"metadata": {"name": "p", "labels": {"app": "web"}}, "spec": {"nodeName": "n1"}, "status": {}}
    telling.notes.versions["Pod/p"], telling.notes.now["Pod/p"] = [], pod
    assert telling._pods("ready", "web") == ["p"]
    telling.hand.silence(["n1"])
    assert telling._pods("ready", "web") == []
    assert telling._pods("any", "web") == ["p"]


def test_the_stories_have_every_workload_and_every_thing_that_can_happen():
    told = list(map(made, range(200)))
    said = " ".join(move["say"] for story in told for move in story["moves"])
    kinds = Counter(word for story in told for word in story["about"].replace(",", "").split())
    wanted = {"Deployment", "ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet", "Job", "CronJob"}
    assert wanted <= kinds.keys()
    words = ("Service", "PodDisruptionBudget", "evicted", "cordon", "(Orphan)", "(Foreground)", "(Background)")
    more = ("scale to", "image", "paused", "suspend", "succeed", "fail", "crash", "unready", "loses its label")
    assert [word for word in (*words, *more) if word not in said] == []


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "Job"])
def test_what_ours_did_in_a_story_is_what_ours_does_in_it(kind):
    recorded = agreed(JUDGE, recorded_of(with_kind(kind)), seen(with_kind(kind), 2))
    assert recorded["chance"] == []
    assert differences(recorded) == []


def test_a_version_an_event_and_an_answer_that_are_not_ours_are_told():
    whole = recorded_of(with_kind("Deployment"))
    for change in (
        lambda other: other["objects"]["Deployment/web"]["versions"].pop(),
        lambda other: other["events"].pop(),
        lambda other: next(step for step in other["steps"] if "request" in step)["request"].update(code=409),
    ):
        other = copy.deepcopy(whole)
        change(other)
        assert JUDGE.compare(other, seen(with_kind("Deployment")))


def test_what_two_tellings_do_otherwise_is_not_held():
    number = with_kind("Deployment")
    other = seen(number)
    del other["objects"]["Deployment/web"]["versions"][-2]
    other["events"].pop()
    recorded = agreed(JUDGE, recorded_of(number), other)
    assert recorded["objects"]["Deployment/web"]["stable"] != "sequence"
    assert len(recorded["events"]) == len(seen(number)["events"]) - 1
    assert JUDGE.compare(recorded, seen(number)) == []


def test_a_story_that_differs_is_told_again_and_only_what_all_tellings_agree_on_is_held(monkeypatch):
    number = with_kind("Deployment")
    late = seen(number)
    del late["objects"]["Deployment/web"]["versions"][-2]
    tellings = [copy.deepcopy(late), late, seen(number)]
    monkeypatch.setattr("tests.real.workloads.judging.told", lambda plane, story: tellings.pop(0))
    fate = judging.fate(None, made(number), lambda recorded: list(map(str, JUDGE.compare(recorded, seen(number)))))
    assert (fate.word, tellings) == ("alike", [])


def test_a_lost_node_is_not_the_loss_of_all_where_a_neighbour_is_well():
    steps = [{"node": {"name": "n1"}}, {"silent": ["n1"]}]
    assert alone({"steps": steps})
    assert not alone({"steps": steps, "neighbour": True})


def test_what_differs_in_every_telling_is_told(monkeypatch):
    number = with_kind("Deployment")
    other = seen(number)
    other["events"].pop()
    monkeypatch.setattr("tests.real.workloads.judging.told", lambda plane, story: copy.deepcopy(other))
    fate = judging.fate(None, made(number), lambda recorded: list(map(str, JUDGE.compare(recorded, seen(number)))))
    assert fate.word == "different"
    assert "events: not recorded" in fate.why
