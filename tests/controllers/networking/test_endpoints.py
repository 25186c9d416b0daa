"""Endpoints, as one is made for each Service, and as people make them: then they are mirrored."""

import pytest

from kubemini.api.kinds import ENDPOINT_SLICE, ENDPOINTS, SERVICE
from kubemini.api.labels import SERVICE_NAME, SKIP_MIRROR
from kubemini.api.objects import evolve, freeze
from kubemini.api.timestamps import timestamp
from kubemini.controllers.decide.actions import Create, Delete, Update
from kubemini.controllers.decide.networking import endpoints, hashing, mirroring, subsets
from kubemini.controllers.decide.networking.backing import HEADLESS, MANAGED_BY
from kubemini.controllers.decide.networking.tracking import STALE, TRIGGER_TIME
from kubemini.sim.units import SECOND
from tests.controllers.networking.store import NOT_FOUND, Store
from tests.controllers.networking.test_endpointslice import HTTP, a_service, pods
from tests.controllers.parts import a_pod

WEB = ("default", "web")
HTTP_PORT = {"name": "http", "port": 8080, "protocol": "TCP", "appProtocol": "http"}
DNS_PORT = {"name": "dns", "port": 53, "protocol": "UDP"}
TARGET = {"kind": "Pod", "namespace": "ns", "name": "a", "uid": "u"}
ADDRESS = {"ip": "1.2.3.4", "nodeName": "n1", "hostname": "h", "targetRef": TARGET}


def ips(found, side="addresses"):
    return [one["ip"] for subset in found.get("subsets") or () for one in subset.get(side) or ()]


class OfServices:
    """The Endpoints controller at a store."""

    def __init__(self, *objects):
        self.store, self.controller = Store(*objects), endpoints.EndpointsOfServices()

    def look(self, *objects, error=None):
        for obj in objects:
            self.store.put(obj)
        steps, why = self.store.play(self.controller.decide(self.store.all(SERVICE)[0], self.store.facts, True, 0))
        assert why == error
        return [type(step) for step in steps if isinstance(step, Create | Update | Delete)]

    @property
    def endpoints(self):
        return self.store.objects[ENDPOINTS, WEB]


# -- one for each Service ----------------------------------------------------------------------------------------------
def test_endpoints_list_the_ready_and_the_others_apart_and_nobody_who_leaves():
    some = pods(2)
    leaving = evolve(a_pod("c"), ("metadata", "deletionTimestamp"), timestamp(0))
    world = OfServices(a_service(), some[0], evolve(some[1], ("status", "conditions"), []), leaving)
    assert world.look() == [Create]
    assert ips(world.endpoints) == ["10.0.0.0"] and ips(world.endpoints, "notReadyAddresses") == ["10.0.0.1"]
    assert world.endpoints["metadata"]["labels"] == {endpoints.MANAGED_BY: "endpoint-controller"}
    assert world.look() == []


def test_a_service_that_publishes_all_lists_even_who_leaves():
    leaving = a_pod("c", ready=False, deletionTimestamp=timestamp(0))
    world = OfServices(a_service(publishNotReadyAddresses=True), leaving)
    world.look()
    assert ips(world.endpoints) == ["10.0.0.1"]


def test_only_the_first_family_is_listed():
    both = evolve(a_pod("a"), ("status", "podIPs"), [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}])
    world = OfServices(a_service(ipFamilies=["IPv6", "IPv4"]), both, pods(1)[0])
    world.look()
    assert ips(world.endpoints) == ["fd00::1"]


def test_pods_of_other_numbers_are_subsets_and_one_without_the_port_is_left_out():
    port = {"name": "http", "port": 80, "targetPort": "web", "protocol": "TCP"}
    offering = lambda n: [{"name": "c", "ports": [{"name": "web", "containerPort": n}] if n else []}]  # noqa: E731
    some = [evolve(pod, ("spec", "containers"), offering(n)) for pod, n in zip(pods(4), (1, 2, 1, 0), strict=True)]
    world = OfServices(a_service([port]), *some)
    world.look()
    told = {one["ports"][0]["port"]: [a["ip"] for a in one["addresses"]] for one in world.endpoints["subsets"]}
    assert told == {1: ["10.0.0.0", "10.0.0.2"], 2: ["10.0.0.1"]}


def test_a_headless_service_says_so_and_needs_no_ports():
    world = OfServices(a_service([], clusterIP="None"), a_pod("a"))
    world.look()
    assert world.endpoints["metadata"]["labels"][HEADLESS] == "" and world.endpoints["subsets"][0].get("ports") is None


def test_of_1005_addresses_1000_are_listed_and_an_annotation_says_so_until_they_are_fewer():
    some = [evolve(pod, ("status", "podIP"), f"10.0.{n // 250}.{n % 250}") for n, pod in enumerate(pods(1005))]
    world = OfServices(a_service(), *some)
    world.look()
    noted = lambda: (world.endpoints["metadata"].get("annotations") or {}).get(endpoints.OVER_CAPACITY)  # noqa: E731
    assert len(ips(world.endpoints)) == 1000 and noted() == "truncated"
    gone = [key for key in world.store.objects if key[1][1] in ("p000", "p001", "p002", "p003", "p004")]
    for key in gone:
        world.store.objects.pop(key)
    assert world.look() == [Update] and noted() is None and world.look() == []


def test_the_ready_are_listed_before_the_others_and_each_subset_in_proportion():
    address = lambda n: {"ip": f"10.0.{n // 250}.{n % 250}"}  # noqa: E731
    split = lambda sizes, side: [{side: [address(n) for n in range(size)]} for size in sizes]  # noqa: E731
    cut = subsets.truncated(split((900, 300), "addresses") + split((5,), "notReadyAddresses"))
    assert [len(one.get("addresses", ())) for one in cut] == [750, 250, 0] and not cut[2]
    cut = subsets.truncated(split((900,), "addresses") + split((150, 50), "notReadyAddresses"))
    assert [len(one.get("notReadyAddresses", ())) for one in cut] == [0, 75, 25]


def test_the_annotation_tells_when_that_happened_of_which_a_write_tells():
    world = OfServices(a_service())
    world.look()
    assert world.endpoints["metadata"]["annotations"] == {TRIGGER_TIME: timestamp(0)}
    world.look(a_pod("a", since=3 * SECOND))
    assert world.endpoints["metadata"]["annotations"] == {TRIGGER_TIME: timestamp(3 * SECOND)}


def test_endpoints_that_the_cache_does_not_show_yet_are_not_written_over():
    world = OfServices(a_service())
    world.look()
    before = world.endpoints
    world.look(a_pod("a"))
    world.store.objects[ENDPOINTS, WEB] = before
    late = f"resource version {before['metadata']['resourceVersion']} already processed for endpoints default/web"
    assert world.look(a_pod("b"), error=f"endpoints informer cache is out of date, {late}") == []


def test_endpoints_go_with_their_service_also_with_one_that_went_while_nobody_looked():
    world = OfServices(a_service())
    world.look()
    world.store.put(evolve(world.endpoints, ("metadata",), {"name": "x", "namespace": "default", "uid": "x"}))
    leased = {"name": "lease", "namespace": "default", "uid": "y", "annotations": {endpoints.LEADER: "{}"}}
    world.store.put(evolve(world.endpoints, ("metadata",), leased))
    assert endpoints.leftovers(world.store.facts) == [WEB, ("default", "x")]
    steps, error = world.store.play(world.controller.gone(WEB, world.store.facts))
    assert [type(step) for step in steps] == [Delete] and error is None
    assert world.store.play(world.controller.gone(WEB, world.store.facts))[1] is None  # it is gone already


def test_what_is_refused_is_told_and_tried_again():
    world = OfServices(a_service())
    world.store.refuse = lambda step: NOT_FOUND if isinstance(step, Create | Update) else None
    world.look(error=NOT_FOUND)
    why = "Failed to create endpoint for service default/web: it is not there"
    assert world.store.told == [("Warning", "FailedToCreateEndpoint", why)]


# -- their one form ----------------------------------------------------------------------------------------------------
def test_an_address_that_is_named_as_ready_and_not_is_not_ready_and_equal_sets_of_ports_are_one():
    one = {"addresses": [{"ip": "1"}, {"ip": "2"}], "ports": [DNS_PORT]}
    other = {"addresses": [{"ip": "2"}], "notReadyAddresses": [{"ip": "1"}], "ports": [HTTP_PORT, DNS_PORT]}
    packed = subsets.repacked([one, other])
    assert packed == [{"addresses": [{"ip": "2"}], "notReadyAddresses": [{"ip": "1"}], "ports": [HTTP_PORT, DNS_PORT]}]
    assert subsets.repacked(packed) == packed


def test_hashes_are_those_that_go_prints():
    assert hashing.of_port(HTTP_PORT) == 0xB97CEC0A394184D254B0F64CAFC2F996
    assert hashing.of_port(DNS_PORT) == 0xCF684D8C2A0DEF1BA31F64600B9051AE
    assert hashing.of_slice_port("http", 8080, "TCP", "http") == 0x517A7F9DF82569B2B5DA6BF2BB5B08DC
    assert hashing.of_slice_port("", 53, "UDP", None) == 0x755B2D9C189EAC11BDF31EABB97F10F3
    assert hashing.of_subset({"addresses": [ADDRESS], "ports": [HTTP_PORT]}) == 0x47D0AA96558D05FF432B20DB19923329
    assert hashing.of_subset({"notReadyAddresses": [{"ip": "1.2.3.4"}]}) == 0x4B67FD63C52C25456F2BFE51CAA99231


# -- mirrors -----------------------------------------------------------------------------------------------------------
BARE = a_service([HTTP], selector=None)


def by_hand(*addresses, unready=(), ports=({"port": 80, "protocol": "TCP"},), labels=(), annotations=(), uid="ep"):
    meta = {"name": "web", "namespace": "default", "uid": uid}
    meta |= {"labels": dict(labels), "annotations": dict(annotations)}
    sides = {"addresses": addresses, "notReadyAddresses": unready}
    subset = {side: [{"ip": ip} for ip in some] for side, some in sides.items() if some} | {"ports": list(ports)}
    return freeze({"apiVersion": "v1", "kind": "Endpoints", "metadata": meta, "subsets": [subset]})


class Mirrored:
    """The mirroring controller at a store."""

    def __init__(self, *objects, most=1000):
        self.store, self.controller = Store(*objects), mirroring.Mirrors(most)

    def look(self, *objects, error=None):
        for obj in objects:
            self.store.put(obj, self.store.objects.get((ENDPOINTS, WEB)) if obj["kind"] == "Endpoints" else None)
        found = self.store.objects.get((ENDPOINTS, WEB))
        decided = self.controller.decide(found, self.store.facts, True, 0) if found else self.gone
        steps, why = self.store.play(decided)
        assert why == error
        return [type(step) for step in steps if isinstance(step, Create | Update | Delete)]

    @property
    def gone(self):
        return self.controller.gone(WEB, self.store.facts)

    @property
    def slices(self):
        return self.store.all(ENDPOINT_SLICE)


def test_a_mirror_has_the_labels_and_annotations_the_addresses_and_the_endpoints_for_an_owner():
    notes = {"a": "1", TRIGGER_TIME: "t", mirroring.APPLIED: "{}"}
    world = Mirrored(BARE, by_hand("192.0.2.1", unready=["192.0.2.3"], labels={"l": "1"}, annotations=notes))
    assert world.look() == [Create] and world.look() == []
    (mirror,) = world.slices
    assert mirror["metadata"]["labels"] == {"l": "1", SERVICE_NAME: "web", MANAGED_BY: mirroring.US}
    assert mirror["metadata"]["annotations"] == {"a": "1"}
    assert mirror["metadata"]["ownerReferences"][0]["kind"] == "Endpoints"
    said = [(one["addresses"], one["conditions"]) for one in mirror["endpoints"]]
    assert said == [(["192.0.2.1"], {"ready": True}), (["192.0.2.3"], {"ready": False})]


def test_each_family_has_a_mirror_and_other_ports_take_the_place_of_the_old():
    world = Mirrored(BARE, by_hand("192.0.2.1", "2001:db8::1"))
    assert world.look() == [Create, Create]
    assert sorted(one["addressType"] for one in world.slices) == ["IPv4", "IPv6"]
    assert world.look(by_hand("192.0.2.1", ports=[{"port": 81, "protocol": "TCP"}])) == [Update, Delete]
    assert [one["ports"][0]["port"] for one in world.slices] == [81]


@pytest.mark.parametrize(
    "reason",
    [
        by_hand("192.0.2.1", labels={SKIP_MIRROR: "true"}),
        by_hand("192.0.2.1", annotations={endpoints.LEADER: "{}"}),
        a_service(),
    ],
)
def test_a_mirror_goes_with_the_label_the_lease_or_when_the_service_gets_a_selector(reason):
    world = Mirrored(BARE, by_hand("192.0.2.1"))
    world.look()
    assert world.look(reason) == [Delete] and world.slices == []


def test_without_a_service_there_is_no_mirror_and_without_endpoints_it_goes():
    world = Mirrored(by_hand("192.0.2.1"))
    assert world.look() == []
    assert world.look(BARE) == [Create]
    world.store.objects.pop((ENDPOINTS, WEB))
    assert world.look() == [Delete] and world.slices == []


def test_too_many_addresses_and_such_as_are_no_ips_are_skipped_and_told():
    world = Mirrored(BARE, by_hand("192.0.2.1", "192.0.2.2", "192.0.2.3", "not-an-ip"), most=2)
    world.look()
    assert len(world.slices[0]["endpoints"]) == 2
    text = "A max of 2 addresses can be mirrored to EndpointSlices per Endpoints subset. 2 addresses were skipped"
    assert world.store.told == [("Warning", "TooManyAddressesToMirror", text)]
    world = Mirrored(BARE, by_hand("not-an-ip", "192.0.2.1"))
    world.look()
    text = "Skipped 1 invalid IP addresses when mirroring to EndpointSlices"
    assert world.store.told == [("Warning", "InvalidIPAddress", text)]


def test_endpoints_made_anew_get_a_mirror_that_is_theirs_and_a_late_cache_is_waited_for():
    world = Mirrored(BARE, by_hand("192.0.2.1"))
    world.look()
    late = world.slices[0]
    world.store.objects.pop((ENDPOINTS, WEB))
    assert world.look(by_hand("192.0.2.1", uid="another")) == [Update]
    world.look(by_hand("192.0.2.7", uid="another"))
    world.store.objects[ENDPOINT_SLICE, (late["metadata"]["namespace"], late["metadata"]["name"])] = late
    assert world.look(by_hand("192.0.2.8", uid="another"), error=STALE) == []


def test_only_services_without_a_selector_matter_to_mirrors():
    assert mirroring.service_matters(None, BARE) and mirroring.service_matters(BARE, a_service())
    assert not mirroring.service_matters(None, a_service())
    assert not mirroring.service_matters(BARE, evolve(BARE, ("spec", "type"), "NodePort"))
