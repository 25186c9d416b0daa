"""A kind is one file: a toy is added through the public way only, and everything knows it."""

from dataclasses import replace

import pytest

from kubemini.api import kinds
from kubemini.api.kinds import row
from kubemini.api.manifests import load
from kubemini.api.objects import get
from kubemini.apiserver import served
from kubemini.apiserver.rules.causes import invalid
from kubemini.apiserver.served import ServedKind, serve
from kubemini.cluster import Cluster
from tests.apiserver.parts import Listener, done, refusal
from tests.worlds.kube import World

TOY = row("toys.example.com/v1", "Toy", "toys", short="ty")
MANIFEST = """
apiVersion: toys.example.com/v1
kind: Toy
metadata: {name: bear}
spec: {legs: LEGS}
"""


def _legs(obj):
    if obj["spec"]["legs"] < 0:
        yield invalid("spec.legs", obj["spec"]["legs"], "must be greater than or equal to 0")


@pytest.fixture
def toys():
    before = dict(kinds.served()), dict(served._SERVED)
    serve(
        ServedKind(
            TOY,
            subresources=("status",),
            counted=True,
            defaults=lambda obj: (
                obj if get(obj, "spec", "colour") else {**obj, "spec": {**obj["spec"], "colour": "red"}}
            ),
            rules=_legs,
            summary=lambda obj: {"legs": obj["spec"]["legs"]},
            not_simulated=("spec.voice",),
        )
    )
    yield
    for table, old in zip((kinds._SERVED, served._SERVED), before):
        table.clear()
        table.update(old)


@pytest.fixture
def cluster(toys):
    cluster = Cluster.single(workers=1)
    cluster.run(8)
    return cluster


def test_a_toy_is_created_defaulted_recorded_and_read(cluster):
    cluster.apply(MANIFEST.replace("LEGS", "4, voice: loud"))
    trace = cluster.run(3)
    (made,) = [r.detail for r in trace.of("object") if r.detail["kind"] == "Toy"]
    assert (made["verb"], made["name"], made["summary"]) == ("ADDED", "bear", {"legs": 4})
    cache = cluster.components["apiserver-1"].cache(TOY)
    cluster.run(2)
    bear = cache.get("default", "bear")
    assert bear["spec"]["colour"] == "red" and bear["metadata"]["generation"] == 1
    assert "toy.toys.example.com/bear: spec.voice is not simulated" in [r.detail["text"] for r in trace.of("note")]


def test_a_toy_that_breaks_its_rule_is_refused_in_the_words_of_the_api_server(cluster):
    cluster.apply(MANIFEST.replace("LEGS", "-1"))
    (asked,) = [r.detail for r in cluster.run(3).of("request") if r.detail["path"].endswith("/toys")]
    text = 'The Toy "bear" is invalid: spec.legs: Invalid value: -1: must be greater than or equal to 0'
    assert asked["code"] == 422 and text in asked["said"]


def test_a_toy_has_its_short_name_and_its_place_in_etcd(toys):
    assert kinds.by_name("ty") is TOY and kinds.by_name("toys.toys.example.com") is TOY
    assert TOY.key("default", "bear") == "/registry/toys/default/bear"
    assert load(MANIFEST.replace("LEGS", "4"))[0]["kind"] == "Toy"


def test_a_toy_is_listed_selected_and_watched(toys):
    world = World()
    watch = Listener(world, TOY)
    bear = {"apiVersion": TOY.api_version, "kind": "Toy", "metadata": {"name": "bear"}, "spec": {"legs": 4}}
    done(world.ask(lambda c: c.request("POST", TOY.path("default"), bear)))
    listed = done(world.ask(lambda c: c.request("LIST", TOY.path("default"))))
    assert (listed["kind"], [toy["metadata"]["name"] for toy in listed["items"]]) == ("ToyList", ["bear"])
    world.run(1)
    assert watch.heard() == [("ADDED", "bear")]
    code, message = refusal(world.ask(lambda c: c.request("POST", TOY.path("default"), {**bear, "spec": {"legs": -1}})))
    assert code == 422 and "spec.legs" in message


def test_without_its_file_there_is_no_toy():
    assert kinds.by_gvk("toys.example.com/v1", "Toy") is None
    assert replace(TOY, version="v2").api_version == "toys.example.com/v2"
