"""The twin itself, without a real control plane: ours tells a story, and ours is held against it."""

import copy
import random
from collections import Counter

from tests.oracles.histories.noting import Notes
from tests.oracles.histories.world import World
from tests.real.workloads import stories
from tests.real.workloads.judging import JUDGE, UNTIL, differences, fate
from tests.real.workloads.recording import agreed, recording
from tests.real.workloads.telling import Telling


class Ours(World):
    """A control plane of ours, whose controllers rest when nothing moves."""

    def rest(self, kinds):
        """Nothing is to be asked."""


def made(number, seed=1):
    return stories.story(random.Random(f"{seed} {number}"), f"chance-{number}")


def seen(story, chance=1):
    world = Ours({"steps": [], "needs": story["needs"]}, chance)
    return Telling(world, Notes(world, JUDGE.FIELDS), UNTIL, story).run()


def with_kind(kind):
    return next(story for story in map(made, range(200)) if story["about"].startswith(f"Random: {kind} "))


def test_a_story_follows_from_the_seed_and_its_number():
    assert made(3) == made(3) != made(4)
    assert made(3) != made(3, seed=2)


def test_the_stories_have_every_workload_and_every_thing_that_can_happen():
    told = list(map(made, range(200)))
    said = " ".join(move["say"] for story in told for move in story["moves"])
    kinds = Counter(word for story in told for word in story["about"].replace(",", "").split())
    wanted = {"Deployment", "ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet", "Job", "CronJob"}
    assert wanted <= kinds.keys()
    words = ("Service", "PodDisruptionBudget", "evicted", "cordon", "(Orphan)", "(Foreground)", "(Background)")
    more = ("scale to", "image", "paused", "suspend", "succeed", "fail", "crash", "unready", "loses its label")
    assert [word for word in (*words, *more) if word not in said] == []


def test_what_ours_did_in_a_story_is_what_ours_does_in_it():
    for kind in ("Deployment", "StatefulSet", "Job"):
        story = with_kind(kind)
        recorded = agreed(JUDGE, recording(JUDGE, story, seen(story)), seen(story, 2))
        assert recorded["chance"] == []
        assert differences(recorded) == []


def test_a_version_an_event_and_an_answer_that_are_not_ours_are_told():
    story = with_kind("Deployment")
    recorded = recording(JUDGE, story, seen(story))
    for change in (
        lambda other: other["objects"]["Deployment/web"]["versions"].pop(),
        lambda other: other["events"].pop(),
        lambda other: next(step for step in other["steps"] if "request" in step)["request"].update(code=409),
    ):
        other = copy.deepcopy(recorded)
        change(other)
        assert differences(other)


def test_what_two_tellings_do_otherwise_is_not_held():
    story = with_kind("Deployment")
    one, other = seen(story), seen(story, 2)
    key = "Deployment/web"
    del other["objects"][key]["versions"][-2]
    other["events"].pop()
    recorded = agreed(JUDGE, recording(JUDGE, story, one), other)
    assert recorded["objects"][key]["stable"] != "sequence"
    assert len(recorded["events"]) == len(one["events"]) - 1
    assert differences(recorded) == []


class Planes:
    """Stands for a plane in which every telling is another one."""

    def __init__(self, *tellings):
        self.tellings = list(tellings)


def test_a_story_that_differs_is_told_again_and_only_what_all_tellings_agree_on_is_held(monkeypatch):
    story = with_kind("Deployment")
    one = seen(story)
    late = copy.deepcopy(one)
    del late["objects"]["Deployment/web"]["versions"][-2]
    tellings = [late, late, one]
    monkeypatch.setattr("tests.real.workloads.judging.told", lambda plane, story: copy.deepcopy(tellings.pop(0)))
    assert fate(None, story).word == "alike"
    assert tellings == []
