"""Which tracked flows kube-proxy cuts."""

from dataclasses import dataclass

from kubemini.network.decide.services.ports import Endpoint, ServicePort
from kubemini.network.decide.services.stale import stale

DNS = ServicePort("kube-system", "dns", "", "UDP", "10.96.0.10", 53, node_port=30053, external_ips=("192.0.2.1",))
WEB = ServicePort("default", "web", "", "TCP", "10.96.0.10", 80)
OLD, NEW = "10.244.1.5", "10.244.2.5"


@dataclass(frozen=True)
class Flow:
    original: tuple
    reply: tuple


def flow(to="10.96.0.10", port=53, pod=OLD, protocol="UDP"):
    answers = (protocol, pod, 5353, "10.244.1.9", 4000)
    return Flow((protocol, "10.244.1.9", 4000, to, port), answers)


def cut(flows, *endpoints, port=DNS):
    return stale(flows, [(port, endpoints), (WEB, ())])


def test_a_flow_to_an_endpoint_that_is_gone_is_cut_by_whichever_address_it_came():
    for to, port in (("10.96.0.10", 53), ("192.0.2.1", 53), ("192.168.0.101", 30053)):
        assert cut([flow(to, port)], Endpoint(NEW, 5353)) == [flow(to, port)]
        assert cut([flow(to, port, NEW)], Endpoint(NEW, 5353)) == []


def test_an_endpoint_that_terminates_keeps_its_flows_while_it_serves():
    leaving = Endpoint(OLD, 5353, ready=False, serving=True, terminating=True)
    assert cut([flow()], leaving, Endpoint(NEW, 5353)) == []
    dead = Endpoint(OLD, 5353, ready=False, serving=False, terminating=True)
    assert cut([flow()], dead, Endpoint(NEW, 5353)) == [flow()]


def test_without_any_endpoint_the_cluster_ip_is_cut_and_the_node_port_is_not():
    assert cut([flow()]) == [flow()]
    assert cut([flow("192.168.0.101", 30053)]) == []


def test_a_flow_that_began_before_there_was_a_rule_is_cut_as_soon_as_there_is_one():
    untranslated = Flow(flow().original, ("UDP", "10.96.0.10", 53, "10.244.1.9", 4000))
    assert cut([untranslated], Endpoint(NEW, 5353)) == [untranslated]


def test_tcp_and_what_is_no_service_are_left_alone():
    tcp = flow(port=80, protocol="TCP")
    assert cut([tcp, flow("198.51.100.9"), flow(port=54)], Endpoint(NEW, 5353)) == []
