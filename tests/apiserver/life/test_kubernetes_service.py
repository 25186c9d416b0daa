"""The Service `kubernetes`: whose addresses stand behind it, and for how long.

The two objects are those of a kube-apiserver 1.37.2 with --endpoint-reconciler-type=lease, and so is what becomes of
them when a server is killed or told to stop, and when somebody deletes or changes them.
"""

import pytest

from kubemini.api.kinds import ENDPOINT_SLICE, ENDPOINTS, SERVICE
from kubemini.api.objects import evolve, freeze, thaw
from kubemini.params import Params, changed
from kubemini.sim.units import SECOND
from tests.worlds.kube import World

ONE, TWO = "192.168.0.11", "192.168.0.12"
MANAGER = {"manager": "kube-apiserver", "operation": "Update", "fieldsType": "FieldsV1"}
AS_RECORDED = {
    ENDPOINTS: {
        "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"},
        "managed": {
            "f:metadata": {"f:labels": {".": {}, "f:endpointslice.kubernetes.io/skip-mirror": {}}},
            "f:subsets": {},
        },
        "rest": {
            "subsets": [{"addresses": [{"ip": ONE}], "ports": [{"name": "https", "port": 6443, "protocol": "TCP"}]}]
        },
    },
    ENDPOINT_SLICE: {
        "labels": {"kubernetes.io/service-name": "kubernetes"},
        "managed": {
            "f:addressType": {},
            "f:endpoints": {},
            "f:metadata": {"f:labels": {".": {}, "f:kubernetes.io/service-name": {}}},
            "f:ports": {},
        },
        "rest": {
            "addressType": "IPv4",
            "endpoints": [{"addresses": [ONE], "conditions": {"ready": True}}],
            "ports": [{"name": "https", "protocol": "TCP", "port": 6443}],
        },
    },
}


def made(servers, kind="lease"):
    world = World(servers=servers, params=changed(Params(), {"endpoint_reconciler_type": kind}))
    for server in world.servers:
        for one in (SERVICE, *AS_RECORDED):
            server.cache(one)
    world.run(1)
    return world


@pytest.fixture
def world():
    return made(2)


def found(world, kind, by=0):
    """The object as a server has heard of it."""
    return world.servers[by].cache(kind).get("default", "kubernetes")


def listed(world, by=0):
    return [address for one in found(world, ENDPOINT_SLICE, by)["endpoints"] for address in one["addresses"]]


def until(world, addresses, limit, by=0):
    """How long it takes until these stand there, in seconds."""
    since = world.sim.now
    while listed(world, by) != addresses:
        assert world.sim.now < since + limit * SECOND, listed(world, by)
        world.run(0.05)
    return (world.sim.now - since) / SECOND


@pytest.mark.parametrize("kind", AS_RECORDED, ids=lambda kind: kind.kind)
def test_a_server_alone_writes_what_the_real_one_writes(kind):
    world, recorded = made(1), AS_RECORDED[kind]
    obj = thaw(found(world, kind))
    meta = obj.pop("metadata")
    [owner] = meta["managedFields"]
    assert meta["labels"] == recorded["labels"]
    assert {key: owner[key] for key in MANAGER} == MANAGER
    assert owner["fieldsV1"] == recorded["managed"]
    assert obj == {"apiVersion": kind.api_version, "kind": kind.kind} | recorded["rest"]


def test_the_service_and_its_objects_are_not_in_a_story():
    world = made(1, "none")
    world.run(20)
    assert [found(world, kind) for kind in (SERVICE, ENDPOINTS, ENDPOINT_SLICE)] == [None, None, None]


def test_every_server_that_is_ready_is_named(world):
    assert listed(world) == listed(world, by=1) == [ONE, TWO]


@pytest.mark.parametrize("phase", [1, 4, 7, 9.5])
def test_a_killed_server_is_named_until_its_lease_ends_and_the_other_looks(world, phase):
    world.run(10 + phase)
    world.servers[1].crash()
    world.run(4.9)
    assert listed(world) == [ONE, TWO]
    assert 5 <= 4.9 + until(world, [ONE], 21) <= 25.6  # 15 s of the lease, of which ≤ 10 are over; 10 s; half a second


def test_a_server_that_is_told_to_stop_takes_itself_out_at_once(world):
    world.servers[1].terminate()
    assert until(world, [ONE], 1) < 0.2
    world.run(30)
    assert listed(world) == [ONE]


def test_a_server_that_comes_back_is_named_when_it_is_ready(world):
    world.servers[1].crash()
    until(world, [ONE], 26)
    world.servers[1].start()
    while not world.servers[1].core.health.ready:
        assert listed(world) == [ONE]
        world.run(0.05)
    assert until(world, [ONE, TWO], 1) <= 1


def test_a_crash_is_over_before_its_lease_and_the_server_is_not_named_until_it_is_ready(world):
    world.servers[1].crash()
    world.run(0.5)
    world.servers[1].start()
    until(world, [ONE], 4)
    assert not world.servers[1].core.health.ready
    until(world, [ONE, TWO], 4)


def test_the_last_server_to_stop_leaves_both_objects_empty(world):
    world.servers[1].terminate()
    world.run(2)
    world.servers[0].terminate()
    world.run(30)
    store = world.etcd.data.store
    assert "subsets" not in store.get(ENDPOINTS.key("default", "kubernetes"))["value"]
    said = store.get(ENDPOINT_SLICE.key("default", "kubernetes"))["value"]
    assert (said["addressType"], said["endpoints"], said["ports"]) == ("IPv4", None, None)


def test_what_is_deleted_is_back_within_ten_seconds(world):
    for kind in (ENDPOINTS, ENDPOINT_SLICE, SERVICE):
        world.ask(lambda client, kind=kind: client.delete(kind, "kubernetes", "default"))
        world.run(0.1)
        assert found(world, kind) is None
        world.run(10)
        assert found(world, kind) is not None


def test_ports_that_somebody_has_changed_stay_as_they_are_and_the_slice_follows(world):
    port = freeze([{"name": "https", "port": 1234, "protocol": "TCP"}])
    mine = evolve(found(world, ENDPOINTS), ("subsets", 0, "ports"), port)
    world.ask(lambda client: client.update(mine))
    world.run(10)
    assert found(world, ENDPOINTS)["subsets"][0]["ports"] == port
    assert found(world, ENDPOINT_SLICE)["ports"][0]["port"] == 1234


def test_each_server_writes_once_every_ten_seconds(world):
    world.run(5)
    before = world.etcd.data.store.revision
    world.run(30)
    assert world.etcd.data.store.revision - before == 2 * 3
