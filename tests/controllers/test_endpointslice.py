"""The EndpointSlice controller."""

import pytest

from kubemini.api.objects import evolve, freeze
from kubemini.api.timestamps import timestamp
from kubemini.controllers.decide import (
    endpointslice,
)
from kubemini.controllers.decide.actions import Delete
from tests.controllers.parts import a_pod, kinds_of


def a_service(ports=({"port": 80, "targetPort": 8080},), **spec):
    return freeze(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web", "namespace": "default", "uid": "svc"},
            "spec": {"selector": {"app": "web"}, "ports": list(ports), **spec},
        }
    )


def made(plan):
    """The slices of a plan, as the API server would keep them."""
    kept = [step.obj for step in plan.actions if not isinstance(step, Delete)]
    named = [evolve(obj, ("metadata", "name"), obj["metadata"].get("name", f"web-{i}")) for i, obj in enumerate(kept)]
    return [evolve(obj, ("metadata", "uid"), str(i)) for i, obj in enumerate(named)]


@pytest.mark.parametrize(
    ("pod", "ready", "serving", "terminating"),
    [
        ({}, True, True, False),
        ({"ready": False}, False, False, False),
        ({"deletionTimestamp": timestamp(0)}, False, True, True),
        ({"ready": False, "deletionTimestamp": timestamp(0)}, False, False, True),
    ],
)
def test_ready_is_serving_and_not_terminating(pod, ready, serving, terminating):
    (slice,) = made(endpointslice.plan(a_service(), [a_pod("a", **pod)], [], True))
    assert slice["endpoints"][0]["conditions"] == {"ready": ready, "serving": serving, "terminating": terminating}
    assert slice["ports"] == [{"name": "", "port": 8080, "protocol": "TCP"}]
    assert slice["endpoints"][0]["targetRef"]["name"] == "a" and slice["endpoints"][0]["nodeName"] == "n1"


def test_a_pod_without_ip_or_at_its_end_is_not_listed():
    pods = [evolve(a_pod("a"), ("status",), {"phase": "Pending"}), a_pod("b", phase="Failed")]
    (slice,) = made(endpointslice.plan(a_service(), pods, [], True))
    assert slice["endpoints"] == []


def test_a_service_without_endpoints_keeps_one_empty_slice():
    service = a_service()
    slices = made(endpointslice.plan(service, [a_pod("a")], [], True))
    emptied = endpointslice.plan(service, [], slices, True)
    assert kinds_of(emptied) == ["Update"]
    assert endpointslice.plan(service, [], made(emptied), True).actions == ()
    refilled = endpointslice.plan(service, [a_pod("a")], made(emptied), True)
    assert kinds_of(refilled) == ["Update"] and made(refilled)[0]["ports"]


def test_a_hundred_endpoints_a_slice_and_an_endpoint_stays_where_it_is():
    service, pods = a_service(), [a_pod(f"p{i:03}") for i in range(250)]
    slices = made(endpointslice.plan(service, pods, [], True))
    assert [len(s["endpoints"]) for s in slices] == [100, 100, 50]
    fewer = endpointslice.plan(service, pods[:100] + pods[150:], slices, True)
    assert [len(s["endpoints"]) for s in made(fewer)] == [50]
    assert endpointslice.plan(service, pods, slices, True).actions == ()


def test_a_named_port_is_looked_up_in_each_pod():
    service = a_service([{"name": "http", "port": 80, "targetPort": "web"}])
    containers = lambda n: [{"name": "c", "ports": [{"name": "web", "containerPort": n}]}]  # noqa: E731
    pods = [evolve(a_pod(f"p{n}"), ("spec", "containers"), containers(n)) for n in (8080, 9090)]
    slices = made(endpointslice.plan(service, pods, [], True))
    assert [s["ports"][0]["port"] for s in slices] == [8080, 9090]


def test_publish_not_ready_addresses_makes_everything_ready():
    service = a_service(publishNotReadyAddresses=True)
    (slice,) = made(endpointslice.plan(service, [a_pod("a", ready=False)], [], True))
    assert slice["endpoints"][0]["conditions"]["ready"] is True


def zones(node):
    return {"n1": "zone-a"}.get(node, "")


def test_an_endpoint_says_in_which_zone_its_node_stands():
    for zone, said in ((zones, "zone-a"), (endpointslice.no_zone, None)):
        (slice,) = made(endpointslice.plan(a_service(), [a_pod("a")], [], True, zone))
        assert slice["endpoints"][0].get("zone") == said


@pytest.mark.parametrize(
    ("distribution", "hints"),
    [
        (None, None),
        ("PreferClose", {"forZones": [{"name": "zone-a"}]}),
        ("PreferSameZone", {"forZones": [{"name": "zone-a"}]}),
        ("PreferSameNode", {"forZones": [{"name": "zone-a"}], "forNodes": [{"name": "n1"}]}),
    ],
)
def test_a_hint_names_the_endpoint_s_own_zone_or_node(distribution, hints):
    service = a_service(trafficDistribution=distribution)
    (slice,) = made(endpointslice.plan(service, [a_pod("a")], [], True, zones))
    assert slice["endpoints"][0].get("hints") == freeze(hints)
    plain = made(endpointslice.plan(a_service(), [a_pod("a")], [], True, zones))
    steps = endpointslice.plan(service, [a_pod("a")], plain, True, zones)
    assert kinds_of(steps) == ([] if distribution is None else ["Update"])


def test_who_is_not_ready_has_no_hint():
    service = a_service(trafficDistribution="PreferClose")
    (slice,) = made(endpointslice.plan(service, [a_pod("a", ready=False)], [], True, zones))
    assert "hints" not in slice["endpoints"][0]
