"""Service ports and endpoints as kube-proxy keeps them, and which of them a node uses."""

from dataclasses import replace

from kubemini.network.decide.services.ports import (
    HEADLESS,
    OTHER_PROXY,
    Endpoint,
    ServicePort,
    categorize,
    endpoints_of,
    service_ports,
)

WEB = ServicePort("default", "web", "", "TCP", "10.96.1.1", 80)


def service(labels=(), **spec):
    meta = {"name": "web", "namespace": "shop", "labels": dict.fromkeys(labels, "x")}
    ports = [{"name": "http", "port": 80, "nodePort": 30080, "protocol": "TCP"}]
    spec = {"clusterIP": "10.96.1.1", "type": "LoadBalancer", "ports": ports} | spec
    return {"metadata": meta, "spec": spec, "status": {"loadBalancer": {"ingress": INGRESS}}}


INGRESS = [
    {"ip": "198.51.100.1"},
    {"ip": "198.51.100.2", "ipMode": "Proxy"},
    {"ip": "2001:db8::1", "ipMode": "VIP"},
    {"hostname": "lb.example"},
]


def slice_of(*endpoints, port=8080, name="http", family="IPv4", protocol="TCP", labels=()):
    ports = [{"name": name, "port": port, "protocol": protocol}]
    meta = {"name": "web-1", "labels": dict.fromkeys(labels, "x")}
    return {"metadata": meta, "addressType": family, "ports": ports, "endpoints": endpoints}


def at(ip, node="n1", **more):
    return {"addresses": [ip], "nodeName": node} | more


def test_a_service_port_has_all_that_decides_and_lb_addresses_of_mode_vip_only():
    (port,) = service_ports(service(externalTrafficPolicy="Local", healthCheckNodePort=30777))
    assert (port.id, port.lb_ips, port.node_port) == ("shop/web:http", ("198.51.100.1",), 30080)
    assert (port.external_local, port.health_check_node_port) == (True, 30777)


def test_external_local_alone_uses_the_node_s_own_endpoints_only_for_what_comes_from_outside():
    ways = [(local, port) for local in (False, True) for port in (0, 30080)]
    used = {way: replace(WEB, external_local=way[0], node_port=way[1]).uses_local for way in ways}
    assert used == {way: way == (True, 30080) for way in ways}


def test_each_family_has_the_addresses_of_its_own():
    both = service(clusterIPs=["10.96.1.1", "fd00::1"], externalIPs=["192.0.2.1", "2001:db8::2"])
    (port,) = service_ports(both, "IPv6")
    assert (port.cluster_ip, port.lb_ips) == ("fd00::1", ("2001:db8::1",))
    assert (port.external_ips, port.family) == (("2001:db8::2",), "IPv6")


def test_headless_external_name_and_another_proxy_s_service_have_no_ports_here():
    for other in (
        service(clusterIP="None"),
        service(type="ExternalName", clusterIP=""),
        service(labels=[OTHER_PROXY]),
        service(labels=[HEADLESS]),
    ):
        assert service_ports(other) == ()


def test_a_policy_for_traffic_from_outside_says_nothing_of_a_service_closed_to_it():
    (closed,) = service_ports(service(type="ClusterIP", externalTrafficPolicy="Local"))
    assert not closed.external_local
    (open_,) = service_ports(service(type="ClusterIP", externalTrafficPolicy="Local", externalIPs=["192.0.2.1"]))
    assert open_.external_local and not open_.health_check_node_port


def test_endpoints_come_from_slices_that_name_the_port_in_the_family_and_protocol():
    (port,) = service_ports(service())
    slices = [
        slice_of(at("10.244.1.9"), at("10.244.1.11")),
        slice_of(at("10.244.2.1", "n2"), port=9090),
        slice_of(at("10.244.3.1"), name="metrics"),
        slice_of(at("10.244.3.2"), protocol="UDP"),
        slice_of(at("10.244.3.3"), labels=[HEADLESS]),
        slice_of(at("fd00::5"), family="IPv6"),
        slice_of(at("10.244.1.9")),
    ]
    addresses = [e.address for e in endpoints_of(port, slices)]
    assert addresses == ["10.244.1.11:8080", "10.244.1.9:8080", "10.244.2.1:9090"]  # as text


def test_an_endpoint_is_ready_and_serving_unless_its_slice_says_no():
    (port,) = service_ports(service())
    silent = endpoints_of(port, [slice_of(at("10.244.1.9"))])[0]
    assert (silent.ready, silent.serving, silent.terminating) == (True, True, False)
    no = {"ready": False, "serving": False, "terminating": True}
    (gone,) = endpoints_of(port, [slice_of(at("10.244.1.9", conditions=no))])
    assert (gone.ready, gone.serving, gone.terminating) == (False, False, True)


def ends(*names, **more):
    return tuple(Endpoint(f"10.244.{n[1]}.{i}", 80, n, **more) for i, n in enumerate(names))


def test_ready_ones_come_first_then_those_that_serve_while_they_terminate():
    leaving = {"ready": False, "serving": True, "terminating": True}
    some, last = ends("n1", "n2"), ends("n3", **leaving)
    assert categorize(WEB, some + last, "n3").cluster == some
    assert categorize(WEB, last, "n1").cluster == last
    broken = ends("n1", ready=False, serving=False)
    assert not categorize(WEB, broken, "n1").has_any


def test_policy_local_looks_for_terminating_ones_on_its_own_node_by_itself():
    port = ServicePort("d", "w", "", "TCP", "10.96.1.1", 80, internal_local=True)
    leaving = ends("n1", ready=False, terminating=True)
    found = categorize(port, leaving + ends("n2"), "n1")
    assert (found.local, found.cluster, found.has_any) == (leaving, (), True)
    assert categorize(port, ends("n2"), "n1").reachable == ()


def test_an_endpoint_without_a_node_is_local_nowhere():
    port = ServicePort("d", "w", "", "TCP", "10.96.1.1", 80, internal_local=True)
    assert categorize(port, (Endpoint("10.244.1.1", 80),), "").local == ()


def test_hints_count_only_if_every_ready_endpoint_has_them_and_one_is_for_us():
    a, b = ends("n1", zone_hints=("a",))[0], ends("n2", zone_hints=("b",))[0]
    assert categorize(WEB, (a, b), "n1", "a").cluster == (a,)
    assert categorize(WEB, (a, b), "n1", "c").cluster == (a, b)
    assert categorize(WEB, (a, b, ends("n3")[0]), "n1", "a").cluster == (a, b, ends("n3")[0])
    assert categorize(WEB, (a, b), "n1").cluster == (a, b)  # no label of a zone: hints are nothing


def test_a_hint_for_the_node_counts_before_one_for_its_zone():
    here = Endpoint("10.244.1.1", 80, "n1", zone_hints=("a",), node_hints=("n1",))
    near = Endpoint("10.244.2.1", 80, "n2", zone_hints=("a",), node_hints=("n2",))
    assert categorize(WEB, (here, near), "n1", "a").cluster == (here,)
    assert categorize(WEB, (here, near), "n3", "a").cluster == (here, near)


def test_what_has_rules_is_what_either_policy_reaches():
    port = ServicePort("d", "w", "", "TCP", "10.96.1.1", 80, node_port=30080, external_local=True)
    mine = Endpoint("10.244.1.1", 80, "n1", zone_hints=("b",))
    far = Endpoint("10.244.2.1", 80, "n2", zone_hints=("a",))
    found = categorize(port, (mine, far), "n1", "a")
    assert (found.cluster, found.local, found.reachable) == ((far,), (mine,), (mine, far))
