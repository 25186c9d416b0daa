"""The EndpointSlice controller, sentence by sentence of its documentation."""

import pytest

from kubemini.api.kinds import ENDPOINT_SLICE, POD, SERVICE
from kubemini.api.labels import SERVICE_NAME
from kubemini.api.objects import evolve, evolve_many, freeze
from kubemini.api.timestamps import timestamp
from kubemini.controllers.decide.actions import Create, Delete, Update
from kubemini.controllers.decide.networking import backing
from kubemini.controllers.decide.networking.backing import MANAGED_BY
from kubemini.controllers.decide.networking.endpointslice import EndpointSlices
from kubemini.controllers.decide.networking.tracking import STALE, TRIGGER_TIME
from kubemini.sim.units import SECOND
from tests.controllers.networking.store import NOT_FOUND, Store
from tests.controllers.parts import a_node, a_pod

HTTP = {"port": 80, "targetPort": 8080, "protocol": "TCP"}


def a_service(ports=(HTTP,), labels=None, annotations=None, uid="svc", **spec):
    meta = {"name": "web", "namespace": "default", "uid": uid, "creationTimestamp": timestamp(0)}
    meta |= {"labels": labels or {}, "annotations": annotations or {}}
    spec = {"selector": {"app": "web"}, "clusterIP": "10.96.0.9", "ports": list(ports), **spec}
    spec.setdefault("ipFamilies", ["IPv4"])
    return freeze({"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec})


def pods(number, first=0):
    """That many pods, each with an address of its own."""
    some = (a_pod(f"p{n:03}") for n in range(first, first + number))
    return [evolve(pod, ("status", "podIP"), f"10.0.0.{n}") for n, pod in enumerate(some, first)]


class World:
    """A Service, pods and nodes, and the controller; `look` lets it look once, with a cache that is up to date."""

    def __init__(self, *objects, most=100):
        self.store, self.controller = (
            Store(*(objects or (a_service(),)), a_node("n1", zone="zone-a")),
            EndpointSlices(most),
        )

    def look(self, *objects, error=None):
        for obj in objects:
            self.store.put(obj, self.store.objects.get((SERVICE if obj["kind"] == "Service" else POD, _key(obj))))
        (service,) = self.store.all(SERVICE)
        steps, why = self.store.play(self.controller.decide(service, self.store.facts, True, 0))
        assert why == error
        return [step for step in steps if isinstance(step, Create | Update | Delete)]

    def gone(self, *pods):
        for pod in pods:
            self.store.objects.pop((POD, _key(pod)), None)

    @property
    def slices(self):
        return self.store.all(ENDPOINT_SLICE)

    @property
    def slice(self):
        (only,) = self.slices
        return only

    @property
    def sizes(self):
        return sorted(len(found["endpoints"] or ()) for found in self.slices)


def _key(obj):
    return obj["metadata"]["namespace"], obj["metadata"]["name"]


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
    world = World(a_service(), a_pod("a", **pod))
    world.look()
    (endpoint,) = world.slice["endpoints"]
    assert endpoint["conditions"] == {"ready": ready, "serving": serving, "terminating": terminating}
    assert world.slice["ports"] == [{"name": "", "port": 8080, "protocol": "TCP"}]
    assert endpoint["targetRef"]["name"] == "a" and endpoint["nodeName"] == "n1" and endpoint["zone"] == "zone-a"


def test_publish_not_ready_addresses_makes_everything_ready_even_who_leaves():
    leaving = a_pod("b", ready=False, deletionTimestamp=timestamp(0))
    world = World(a_service(publishNotReadyAddresses=True), a_pod("a", ready=False), leaving)
    world.look()
    assert all(one["conditions"]["ready"] for one in world.slice["endpoints"])


def test_a_pod_without_an_address_or_at_its_end_is_not_listed():
    world = World(a_service(), evolve(a_pod("a"), ("status",), {"phase": "Pending"}), a_pod("b", phase="Failed"))
    world.look()
    assert not world.slice["endpoints"] and not world.slice["ports"]


def test_a_service_without_endpoints_keeps_one_empty_slice_which_is_filled_and_emptied_again():
    world = World()
    assert [type(step) for step in world.look()] == [Create]
    name = world.slice["metadata"]["name"]
    assert world.look() == []
    assert [type(step) for step in world.look(a_pod("a"))] == [Update]
    assert world.slice["ports"] and world.slice["endpoints"]
    world.gone(a_pod("a"))
    assert [type(step) for step in world.look()] == [Update]
    assert not world.slice["ports"] and world.slice["metadata"]["name"] == name


def test_a_service_without_a_selector_or_with_a_name_elsewhere_has_no_slices():
    for service in (a_service(selector=None), a_service(type="ExternalName")):
        assert World(service, a_pod("a")).look() == []


def test_a_hundred_endpoints_a_slice_and_an_endpoint_stays_where_it_is():
    world = World(a_service(), *pods(150))
    world.look()
    assert world.sizes == [50, 100]
    places = {
        one["targetRef"]["name"]: found["metadata"]["name"] for found in world.slices for one in found["endpoints"]
    }
    world.gone(*pods(60))
    assert len(world.look()) == 1 and world.sizes == [40, 50]  # nothing is balanced
    for found in world.slices:
        assert all(places[one["targetRef"]["name"]] == found["metadata"]["name"] for one in found["endpoints"])


def test_new_endpoints_fill_the_slice_that_changes_anyway_then_the_closest_fit_then_new_slices():
    world = World(a_service(), *pods(9), most=4)
    world.look()
    assert world.sizes == [1, 4, 4]
    world.look(a_pod("p000", ready=False), *pods(1, 9))  # a full one changes; there is no room in it
    assert world.sizes == [2, 4, 4]
    world.gone(*pods(2))
    assert len(world.look(*pods(2, 10))) == 1 and world.sizes == [2, 4, 4]  # the gap that has come is filled
    assert [type(step) for step in world.look(*pods(5, 12))] == [Create, Update]
    assert world.sizes == [3, 4, 4, 4]


def test_a_slice_that_would_be_deleted_is_written_anew_instead():
    service = a_service([{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}])
    world = World(service, a_pod("a"))
    world.look()
    name = world.slice["metadata"]["name"]
    moved = evolve(service, ("spec", "ports"), [{"name": "http", "port": 80, "targetPort": 9090, "protocol": "TCP"}])
    assert [type(step) for step in world.look(moved)] == [Update]
    assert world.slice["metadata"]["name"] == name and world.slice["ports"][0]["port"] == 9090


def test_pods_that_offer_other_numbers_under_a_name_stand_in_slices_of_their_own():
    def offering(name, *ports):
        containers = [{"name": "c", "ports": [{"name": "web", "containerPort": port} for port in ports]}]
        return evolve(a_pod(name), ("spec", "containers"), containers)

    named = {"name": "http", "port": 80, "targetPort": "web", "protocol": "TCP", "appProtocol": "h2c"}
    world = World(a_service([named]), offering("a", 8080), offering("b", 9090), offering("c"))
    world.look()
    ports = {found["endpoints"][0]["targetRef"]["name"]: found["ports"] for found in world.slices}
    numbers = {name: [port["port"] for port in some or ()] for name, some in ports.items()}
    assert numbers == {"a": [8080], "b": [9090], "c": []}
    assert ports["a"][0]["appProtocol"] == "h2c"


def test_a_sidecar_s_port_has_a_name_as_any_other_but_an_init_container_s_has_none():
    port = {"name": "http", "port": 80, "targetPort": "web", "protocol": "TCP"}
    init = {"name": "i", "ports": [{"name": "web", "containerPort": 7}]}
    pod = evolve(a_pod("a"), ("spec", "initContainers"), [init])
    assert backing.target_port(port, pod) is None
    assert (
        backing.target_port(port, evolve(pod, ("spec", "initContainers"), [{**init, "restartPolicy": "Always"}])) == 7
    )


def test_labels_follow_the_service_but_for_the_reserved_ones_and_headless_is_told():
    service = a_service(labels={"team": "x", MANAGED_BY: "me"}, clusterIP="None")
    world = World(service, a_pod("a"))
    world.look()
    held = world.slice["metadata"]["labels"]
    own = {SERVICE_NAME: "web", MANAGED_BY: "endpointslice-controller.k8s.io", backing.HEADLESS: ""}
    assert held == {"team": "x", **own}
    world.look(evolve(service, ("metadata", "labels"), {"team": "y"}))
    assert world.slice["metadata"]["labels"]["team"] == "y"


def test_a_pod_has_a_hostname_only_if_its_subdomain_is_the_service():
    named = [(name, {"hostname": name, "subdomain": domain}) for name, domain in (("a", "web"), ("b", "other"))]
    world = World(a_service(), *(evolve_many(a_pod(n), *((("spec", k), v) for k, v in s.items())) for n, s in named))
    world.look()
    assert [one.get("hostname") for one in world.slice["endpoints"]] == ["a", None]


def test_each_family_has_slices_of_its_own_and_one_that_the_service_gives_up_goes():
    both = a_service(ipFamilies=["IPv4", "IPv6"])
    pod = evolve(a_pod("a"), ("status", "podIPs"), [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}])
    world = World(both, pod)
    world.look()
    assert sorted((one["addressType"], one["endpoints"][0]["addresses"][0]) for one in world.slices) == [
        ("IPv4", "10.0.0.1"),
        ("IPv6", "fd00::1"),
    ]
    world.look(evolve(both, ("spec", "ipFamilies"), ["IPv4"]))
    assert world.slice["addressType"] == "IPv4"


def test_a_slice_of_a_service_of_the_same_name_that_is_gone_is_not_taken_over():
    world = World(a_service(), a_pod("a"))
    world.look()
    old = world.slice["metadata"]["name"]
    world.controller.gone(("default", "web"), world.store.facts)
    world.store.objects.pop((SERVICE, ("default", "web")))
    world.look(a_service(uid="another"))
    assert world.slice["metadata"]["name"] != old


def test_the_node_that_is_not_there_leaves_its_pod_out_and_brings_the_service_back():
    lost = a_pod("b", node="n9")
    world = World(a_service(), a_pod("a"), lost)
    why = "skipping Pod b for Service default/web: Node n9 Not Found"
    world.look(error=why)
    assert [one["targetRef"]["name"] for one in world.slice["endpoints"]] == ["a"]
    told = f"Error updating Endpoint Slices for Service default/web: {why}"
    assert world.store.told == [("Warning", "FailedToUpdateEndpointSlices", told)]
    published = World(a_service(publishNotReadyAddresses=True), lost)
    published.look()
    assert published.sizes == [1]


# -- what it remembers -------------------------------------------------------------------------------------------------
def test_the_annotation_tells_when_the_earliest_change_happened_that_a_write_tells_of():
    world = World(a_service())
    world.look()
    when = lambda: (world.slice["metadata"].get("annotations") or {}).get(TRIGGER_TIME)  # noqa: E731
    assert when() == timestamp(0)  # the Service's creation
    world.look(a_pod("a", since=7 * SECOND), a_pod("b", since=5 * SECOND))
    assert when() == timestamp(5 * SECOND)
    world.look(a_pod("c", since=9 * SECOND))
    assert when() == timestamp(9 * SECOND)
    world.gone(a_pod("c"))
    world.look()  # that a pod is gone has no time
    assert when() is None


def test_nothing_is_done_while_the_cache_is_older_than_what_was_written():
    world = World(a_service(), a_pod("a"))
    world.look()
    written = dict(world.store.objects)
    world.look(a_pod("b"))
    place = ENDPOINT_SLICE, _key(world.slice)
    newest = world.store.objects[place]
    world.store.objects[place] = written[place]
    assert world.look(a_pod("c"), error=STALE) == []
    world.store.objects[place] = newest
    assert len(world.look()) == 1


def test_a_slice_that_it_has_made_is_missed_until_the_cache_shows_it():
    world = World(a_service(), a_pod("a"))
    world.look()
    made = world.store.objects.pop((ENDPOINT_SLICE, _key(world.slice)))
    assert world.look(error=STALE) == []
    assert world.controller.tracker.is_news(made, None)  # somebody has deleted it: look again
    assert [type(step) for step in world.look()] == [Create]


def test_it_wakes_for_slices_that_others_have_changed_and_not_for_its_own_writes():
    world = World(a_service(), a_pod("a"))
    world.look()
    mine = world.slice
    assert not world.controller.tracker.is_news(None, mine)
    assert world.controller.tracker.is_news(mine, world.store.put(evolve(mine, ("endpoints",), None), mine))
    foreign = evolve(mine, ("metadata", "labels", MANAGED_BY), "somebody")
    assert world.controller.tracker.is_news(mine, foreign) and not world.controller.tracker.is_news(foreign, foreign)


def test_what_is_refused_is_told_and_tried_again_but_not_in_a_namespace_that_is_ending():
    ending = {"causes": [{"reason": "NamespaceTerminating"}]}
    for error, told in ((NOT_FOUND, 1), (type(NOT_FOUND)(403, "Forbidden", "no", details=ending), 0)):
        world = World(a_service(), a_pod("a"))
        world.store.refuse = lambda step, error=error: error if isinstance(step, Create) else None
        why = "failed to create EndpointSlice for Service default/web: it is not there"
        world.look(error=why if told else None)
        assert len(world.store.told) == told


def test_only_what_may_change_endpoints_wakes_the_service_of_a_pod():
    pod, facts = a_pod("a"), Store(a_service()).facts
    web = [("default", "web")]
    changed = {
        ("status", "podIP"): "10.0.0.7",
        ("metadata", "deletionTimestamp"): timestamp(0),
        ("status", "conditions"): [],
        ("metadata", "labels", "app"): "other",  # it is picked no more
    }
    assert all(backing.of_change(pod, evolve(pod, path, value), facts) == web for path, value in changed.items())
    assert backing.of_change(None, pod, facts) == web and backing.of_change(pod, None, facts) == web
    for path in (("metadata", "annotations"), ("metadata", "labels", "tier"), ("status", "containerStatuses")):
        assert backing.of_change(pod, evolve(pod, path, {} if path[-1] != "tier" else "x"), facts) == []
    ready = evolve(evolve(pod, ("metadata", "labels", "tier"), "x"), ("status", "conditions"), [])
    assert backing.of_change(pod, ready, facts) == web
