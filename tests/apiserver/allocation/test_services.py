"""The addresses of Services: given once, kept, given back, and refused, in the words of recorded sessions."""

from random import Random

import pytest

from kubemini.api.kinds import SERVICE
from kubemini.api.objects import get
from kubemini.apiserver.decide.allocation import ranges, services
from tests.apiserver.parts import done, pool, refusal, service
from tests.worlds.kube import World

PATH = "/api/v1/namespaces/default/services"
NODE_PORT = {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30777}]}


@pytest.fixture
def world():
    return World()


def make(world, name="web", **spec):
    return done(world.ask(lambda c: c.create(service(name, **spec))))


def patch(world, name="web", **spec):
    return done(world.ask(lambda c: c.patch(SERVICE, name, "default", {"spec": spec})))["spec"]


def put(world, name="web", **spec):
    return done(world.ask(lambda c: c.request("PUT", f"{PATH}/{name}", service(name, **spec))))["spec"]


def keys(world):
    """The addresses that etcd says are somebody's."""
    live = world.etcd.data.store._live
    return sorted(key for key in live if key.startswith(("/registry/ipaddresses/", "/registry/ranges/")))


# -- kept --------------------------------------------------------------------------------------------------------------


def test_a_service_that_is_written_again_keeps_what_its_writer_left_out(world):
    first = make(world, type="NodePort")["spec"]
    assert 30_000 <= first["ports"][0]["nodePort"] <= 32_767
    assert put(world, type="NodePort") == first
    assert patch(world, ports=[{"port": 80}]) == first
    assert patch(world, ports=[{"port": 81, "name": ""}])["ports"][0]["nodePort"] == first["ports"][0]["nodePort"]


def test_ports_keep_their_numbers_by_name_whatever_their_order(world):
    ports = [{"name": "a", "port": 1}, {"name": "b", "port": 2}]
    before = {p["name"]: p["nodePort"] for p in make(world, type="NodePort", ports=ports)["spec"]["ports"]}
    after = {p["name"]: p["nodePort"] for p in put(world, type="NodePort", ports=ports[::-1])["ports"]}
    assert after == before and len(set(before.values())) == 2


def test_an_empty_cluster_ip_changes_nothing(world):
    before = make(world)["spec"]
    assert patch(world, clusterIP="") == before


# -- from type to type -------------------------------------------------------------------------------------------------


def test_a_node_port_is_allocated_when_the_type_asks_for_one_and_given_back_when_it_does_not(world):
    ip = make(world)["spec"]["clusterIP"]
    wide = patch(world, type="NodePort")
    number = wide["ports"][0]["nodePort"]
    assert (wide["clusterIP"], wide["externalTrafficPolicy"]) == (ip, "Cluster")
    assert keys(world) == [f"/registry/ipaddresses/{ip}", f"/registry/ranges/servicenodeports/{number}"]
    narrow = patch(world, type="ClusterIP")
    assert "nodePort" not in narrow["ports"][0] and "externalTrafficPolicy" not in narrow
    assert keys(world) == [f"/registry/ipaddresses/{ip}"]
    assert make(world, "other", type="NodePort", ports=[{"port": 80, "nodePort": number}])


def test_external_addresses_make_a_service_seen_from_outside_as_long_as_it_has_them(world):
    assert make(world, externalIPs=["1.2.3.4"])["spec"]["externalTrafficPolicy"] == "Cluster"
    assert patch(world, externalTrafficPolicy="Local")["externalTrafficPolicy"] == "Local"
    assert "externalTrafficPolicy" not in patch(world, externalIPs=None)
    _, words = refusal(world.ask(lambda c: c.create(service("other", externalTrafficPolicy="Local"))))
    assert words.endswith('Invalid value: "Local": may only be set for externally-accessible services')


def test_a_load_balancer_s_own_fields_come_and_go_with_the_type(world):
    make(world)
    wide = patch(world, type="LoadBalancer", externalTrafficPolicy="Local")
    health = wide["healthCheckNodePort"]
    assert wide["allocateLoadBalancerNodePorts"] and health != wide["ports"][0]["nodePort"]
    assert patch(world, selector={"app": "x"})["healthCheckNodePort"] == health
    narrow = patch(world, type="ClusterIP")
    gone = {"allocateLoadBalancerNodePorts", "healthCheckNodePort", "externalTrafficPolicy"}
    assert not gone & narrow.keys() and len(keys(world)) == 1


def test_a_load_balancer_may_do_without_node_ports(world):
    made = make(world, type="LoadBalancer", allocateLoadBalancerNodePorts=False)
    assert "nodePort" not in made["spec"]["ports"][0]


def test_an_external_name_gives_its_address_back_and_another_may_have_it(world):
    ip = make(world)["spec"]["clusterIP"]
    spec = patch(world, type="ExternalName", externalName="x.y")
    assert not {"clusterIP", "clusterIPs"} & spec.keys() and keys(world) == []
    assert make(world, "other", clusterIP=ip)["spec"]["clusterIP"] == ip
    assert patch(world, type="ClusterIP", externalName=None)["clusterIP"] != ip


def test_a_deleted_service_leaves_no_address_behind(world):
    make(world, **NODE_PORT)
    assert len(keys(world)) == 2
    done(world.ask(lambda c: c.delete(SERVICE, "web", "default")))
    assert keys(world) == []


# -- refused -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (
            {"clusterIP": "10.1.2.3"},
            'spec.clusterIPs: Invalid value: ["10.1.2.3"]: failed to allocate IP 10.1.2.3: the provided network does '
            "not match the current range",
        ),
        (
            {"clusterIP": "10.96.77.7"},
            'spec.clusterIPs: Invalid value: ["10.96.77.7"]: failed to allocate IP 10.96.77.7: provided IP is already '
            "allocated",
        ),
        (NODE_PORT, "spec.ports[0].nodePort: Invalid value: 30777: provided port is already allocated"),
        (
            {"type": "NodePort", "ports": [{"port": 80, "nodePort": 2181}]},
            "spec.ports[0].nodePort: Invalid value: 2181: provided port is not in the valid range. The range of valid "
            "ports is 30000-32767",
        ),
        (
            {
                "type": "NodePort",
                "ports": [{"name": "a", "port": 1, "nodePort": 30001}, {"name": "b", "port": 2, "nodePort": 30001}],
            },
            "spec.ports[1].nodePort: Invalid value: 30001: provided port is already allocated",
        ),
    ],
    ids=["out of range", "in use", "port in use", "port out of range", "one port twice"],
)
def test_an_address_that_cannot_be_had_is_refused_and_nothing_is_taken(world, spec, words):
    make(world, "first", clusterIP="10.96.77.7", **NODE_PORT)
    before = keys(world)
    said = refusal(world.ask(lambda c: c.create(service("b", **spec))))
    assert said == (422, f'Service "b" is invalid: {words}')
    assert keys(world) == before


def test_tcp_and_udp_may_share_a_number(world):
    tcp = {"name": "a", "port": 80, "nodePort": 30779}
    ports = [tcp, {**tcp, "name": "b", "protocol": "UDP"}]
    made = make(world, type="NodePort", ports=ports)
    assert [p["nodePort"] for p in made["spec"]["ports"]] == [30779, 30779]


def test_a_cluster_ip_stays_for_life(world):
    make(world, clusterIP="10.96.77.7")
    said = refusal(world.ask(lambda c: c.patch(SERVICE, "web", "default", {"spec": {"clusterIP": "10.96.77.8"}})))
    words = 'spec.clusterIPs[0]: Invalid value: ["10.96.77.8"]: may not change once set'
    assert said == (422, f'Service "web" is invalid: {words}')


# -- never twice -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", [{}, {"type": "NodePort"}], ids=["cluster IP", "node port too"])
def test_two_servers_asked_at_the_same_instant_never_give_one_address_twice(spec):
    world = World(servers=2)
    one, two = world.program("one", ["apiserver-1"]), world.program("two", ["apiserver-2"])
    for server in world.servers:  # both draw the same numbers
        server.core.rng = Random(7)
    for name in ("a", "b"):
        one.do(one.client.create(service(f"one-{name}", **spec)))
        two.do(two.client.create(service(f"two-{name}", **spec)))
    world.run(2)
    made = [done(reply) for reply in one.replies + two.replies]
    assert len({m["spec"]["clusterIP"] for m in made}) == 4
    ports = [get(m, "spec", "ports", 0, "nodePort") for m in made]
    assert len(set(ports)) == 4 if spec else ports == [None] * 4


def test_of_two_servers_asked_for_the_same_address_one_says_no():
    world = World(servers=2)
    one, two = world.program("one", ["apiserver-1"]), world.program("two", ["apiserver-2"])
    for program in (one, two):
        program.do(program.client.create(service(program.name, clusterIP="10.96.0.9", **NODE_PORT)))
    world.run(2)
    answers = sorted(reply.error.code if not reply.ok else 201 for reply in one.replies + two.replies)
    assert answers == [201, 422]


# -- created by PUT ----------------------------------------------------------------------------------------------------


def test_a_put_of_a_missing_service_creates_it_and_one_of_a_missing_config_map_does_not(world):
    assert put(world, "new")["clusterIP"]
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new"}}
    path = "/api/v1/namespaces/default/configmaps/new"
    assert refusal(world.ask(lambda c: c.request("PUT", path, body))) == (404, 'configmaps "new" not found')
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "new"}, "spec": {}}
    path = "/apis/coordination.k8s.io/v1/namespaces/default/leases/new"
    assert done(world.ask(lambda c: c.request("PUT", path, lease)))["metadata"]["uid"]


class Drawing:
    """Draws the lowest first, then the highest."""

    def __init__(self):
        self.turn = 0

    def randint(self, low, high):
        self.turn += 1
        return low if self.turn <= 8 else high


def given(made, **more):
    return services.allocated(made, None, pool("10.96.0.0/12", **more))["spec"]


def test_the_first_addresses_of_a_range_are_left_to_those_who_ask_for_one():
    drawn = given(service("web", type="NodePort"), rng=Drawing())
    assert (drawn["clusterIP"], drawn["ports"][0]["nodePort"]) == ("10.111.255.254", 32_767)
    asked = service("web", clusterIP="10.96.0.10", type="NodePort", ports=[{"port": 80, "nodePort": 30_001}])
    assert given(asked)["clusterIP"] == "10.96.0.10"


@pytest.mark.parametrize(
    ("cidr", "first", "dynamic", "last"),
    [
        ("10.96.0.0/12", "10.96.0.1", "10.96.1.1", "10.111.255.254"),
        ("10.96.0.0/16", "10.96.0.1", "10.96.1.1", "10.96.255.254"),
        ("10.96.0.0/24", "10.96.0.1", "10.96.0.17", "10.96.0.254"),
        ("10.96.0.0/20", "10.96.0.1", "10.96.1.1", "10.96.15.254"),
        ("10.96.0.0/21", "10.96.0.1", "10.96.0.129", "10.96.7.254"),
        ("10.96.0.0/27", "10.96.0.1", "10.96.0.17", "10.96.0.30"),
        ("10.96.0.0/28", "10.96.0.1", "10.96.0.1", "10.96.0.14"),
        ("fd00:96::/112", "fd00:96::1", "fd00:96::101", "fd00:96::ffff"),
        ("fd00:96::/64", "fd00:96::1", "fd00:96::101", "fd00:96::ffff:ffff:ffff:ffff"),
    ],
)
def test_the_static_band_of_a_range_is_a_sixteenth_of_it_from_16_to_256(cidr, first, dynamic, last):
    found = ranges.range_of(cidr)
    assert [found.text(number) for number in found[1:]] == [first, dynamic, last]
