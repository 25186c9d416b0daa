"""Hints of EndpointSlices: trafficDistribution, and shares of zones by their CPU."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemini.api.kinds import NODE
from kubemini.api.objects import evolve
from kubemini.controllers.decide.networking import hints
from kubemini.controllers.decide.networking.endpointslice import node_matters
from tests.controllers.networking.test_endpointslice import World, a_service, pods
from tests.controllers.parts import a_node, a_pod

AUTO = {hints.MODE: "Auto"}
OFF, ON = "TopologyAwareHintsDisabled", "TopologyAwareHintsEnabled"
NO_NODES = "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes"


def a_node_of(name, zone, cpu="4", **more):
    return evolve(a_node(name, zone=zone, **more), ("status", "allocatable"), {"cpu": cpu})


def a_world(*pods, cpus=(("n1", "a", "4"), ("n2", "b", "4")), **service):
    world = World(a_service(annotations=AUTO, **service), *pods)
    for name, zone, cpu in cpus:
        world.store.put(a_node_of(name, zone, cpu))
    return world


def on_both(number):
    """That many pods, on the two nodes by turns."""
    return [evolve(pod, ("spec", "nodeName"), f"n{1 + n % 2}") for n, pod in enumerate(pods(number))]


def zones(world):
    """For which zones the endpoints are, in order."""
    said = [one.get("hints") for found in world.slices for one in found["endpoints"] or ()]
    return [None if hinted is None else hinted["forZones"][0]["name"] for hinted in said]


def heard(world):
    """What was told since the last time."""
    told, world.store.told = [(reason, message) for _, reason, message in world.store.told], []
    return told


@pytest.mark.parametrize(
    ("distribution", "said"),
    [
        (None, None),
        ("PreferClose", {"forZones": [{"name": "zone-a"}]}),
        ("PreferSameZone", {"forZones": [{"name": "zone-a"}]}),
        ("PreferSameNode", {"forZones": [{"name": "zone-a"}], "forNodes": [{"name": "n1"}]}),
    ],
)
def test_a_hint_names_the_endpoint_s_own_zone_or_node_and_comes_and_goes_with_the_field(distribution, said):
    plain, hinted = a_service(), a_service(trafficDistribution=distribution)
    world = World(plain, a_pod("a"), a_pod("b", ready=False))
    world.look()
    assert len(world.look(hinted)) == (distribution is not None)
    assert [one.get("hints") for one in world.slice["endpoints"]] == [said, None]  # who is not ready has none
    world.look(plain)
    assert not any(one.get("hints") for one in world.slice["endpoints"])


def test_without_a_zone_only_the_node_is_named():
    world = World(a_service(trafficDistribution="PreferSameNode"), a_pod("a", node="n2"))
    world.store.put(a_node("n2", zone=""))
    world.look()
    assert world.slice["endpoints"][0]["hints"] == {"forNodes": [{"name": "n2"}]}


def test_zones_of_equal_cpu_keep_their_own_endpoints():
    world = a_world(*on_both(4))
    world.look()
    assert zones(world) == ["a", "b", "a", "b"]
    assert heard(world) == [(ON, "Topology Aware Hints has been enabled, addressType: IPv4")]
    assert world.look() == [] and heard(world) == []  # told once


def test_zones_of_8_and_2_cpu_share_ten_endpoints_8_to_2():
    world = a_world(*on_both(10), cpus=(("n1", "a", "8"), ("n2", "b", "2")))
    world.look()
    assert zones(world).count("a") == 8 and zones(world).count("b") == 2


@pytest.mark.parametrize(
    ("number", "cpus", "why"),
    [
        (1, (4, 4), "Insufficient number of endpoints (1 endpoints, 2 zones)"),
        (
            3,
            (4, 4),
            "Unable to allocate minimum required endpoints to each zone without exceeding overload threshold "
            "(3 endpoints, 2 zones)",
        ),
        (4, (4, 0), NO_NODES),
    ],
)
def test_nobody_has_hints_where_zones_cannot_have_their_shares_and_an_event_says_why(number, cpus, why):
    world = a_world(*on_both(number), cpus=[(f"n{n}", "ab"[n - 1], str(cpu)) for n, cpu in enumerate(cpus, 1)])
    world.look()
    assert set(zones(world)) == {None}
    assert heard(world) == [(OFF, f"{why}, addressType: IPv4")]


def test_an_endpoint_whose_zone_nobody_knows_takes_the_hints_from_all():
    world = a_world(*on_both(5), a_pod("z", node="n3"))
    excluded = evolve(a_node("n3", zone=""), ("metadata", "labels"), {hints.CONTROL_PLANE[0]: ""})
    world.store.put(excluded)  # a control plane's node need not tell its zone
    world.look()
    assert heard(world) == [(OFF, "One or more endpoints do not have a zone specified, addressType: IPv4")]
    assert set(zones(world)) == {None}


def test_hints_go_when_endpoints_become_too_few_and_come_back():
    some = on_both(4)
    world = a_world(*some)
    world.look()
    unready = [evolve(pod, ("status", "conditions"), []) for pod in some[:1]]
    world.look(*unready)
    assert set(zones(world)) == {None} and [reason for reason, _ in heard(world)] == [ON, OFF]
    world.look(some[0])
    assert zones(world) == ["a", "b", "a", "b"] and [reason for reason, _ in heard(world)] == [ON]


def test_hints_go_with_the_annotation_and_an_event_says_so():
    world = a_world(*on_both(4))
    world.look()
    heard(world)
    world.look(a_service())
    assert set(zones(world)) == {None}
    assert heard(world) == [(OFF, "Topology Aware Hints has been disabled, addressType: IPv4")]
    assert world.look() == [] and heard(world) == []


def test_the_annotation_counts_before_the_field():
    world = a_world(*on_both(10), cpus=(("n1", "a", "8"), ("n2", "b", "2")), trafficDistribution="PreferClose")
    world.look()
    assert zones(world).count("b") == 2


def test_a_service_that_has_become_too_much_for_a_zone_is_looked_at_when_nodes_change():
    world = a_world(*on_both(4))
    world.look()
    node = world.store.all(NODE)[0]
    assert world.controller.of_node(node, world.store.facts) == []
    world.store.put(a_node_of("n2", "b", "16"))
    assert world.controller.of_node(node, world.store.facts) == [("default", "web")]
    world.look()
    assert zones(world).count("b") == 3 and world.controller.topology.overloaded() == []


def test_only_a_node_s_zone_and_readiness_matter():
    node = a_node()
    assert node_matters(None, node) and node_matters(node, None)
    assert node_matters(node, evolve(node, ("metadata", "labels", hints.ZONE), "z"))
    assert node_matters(node, evolve(node, ("status", "conditions"), []))
    assert not node_matters(node, evolve(node, ("spec", "unschedulable"), True))


cpu = st.integers(min_value=1, max_value=64)


@given(st.lists(cpu, min_size=2, max_size=5), st.integers(min_value=1, max_value=60))
def test_no_zone_is_overloaded_by_more_than_a_fifth_where_there_are_hints(cpus, number):
    names = [f"z{n}" for n in range(len(cpus))]
    placed = [evolve(pod, ("spec", "nodeName"), names[n % len(names)]) for n, pod in enumerate(pods(number))]
    world = a_world(*placed, cpus=[(name, name, str(of)) for name, of in zip(names, cpus, strict=True)])
    world.store.objects.pop((NODE, ("", "n1")))  # it says nothing of its CPU
    world.look()
    said = zones(world)
    if None in said:
        assert set(said) == {None}
        return
    for name, of in zip(names, cpus, strict=True):
        fair = Fraction(of, sum(cpus)) * number
        assert said.count(name) >= int(fair / Fraction(12, 10)), (name, said)
