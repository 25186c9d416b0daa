"""What a kernel remembers, and for how long: flows, clients of an affinity, and which route is the better one."""

import pytest

from kubemini.host.linux.exchange import connect
from kubemini.host.linux.packet import Packet
from kubemini.host.linux.routes import Route, Routes
from kubemini.network.decide.services.node import Node, ProxyConfig
from kubemini.network.walks.ground import Plan, PodPlan, build
from kubemini.network.walks.nodeproxy import NodeProxy
from kubemini.sim.units import SECOND
from tests.network.walks.grounds import IP, NODES, OUTSIDE, WEB, ask, first, ground, web

MASQUERADE = ("*nat", "-A POSTROUTING -s 10.244.0.0/16 ! -d 10.244.0.0/16 -j MASQUERADE")
MODES = pytest.mark.parametrize("mode", ["iptables", "nftables"])


def socket(net, protocol="UDP", namespace="p11"):
    """A socket that keeps its port: who answers it at an instant."""
    packet = Packet(protocol, "", WEB, 40_000, 80)
    return lambda now: connect(net, namespace, packet, first, now).verdict


def proxied(mode="iptables", **how):
    net = ground(**how)
    return net, NodeProxy(net["n1"], NODES[0], ProxyConfig(mode=mode))


# -- conntrack -------------------------------------------------------------------------------------
@pytest.mark.parametrize("silence, remembered", [(119, True), (121, False)])
def test_a_flow_of_udp_is_forgotten_after_two_minutes_of_silence(silence, remembered):
    net, proxy = proxied()
    proxy.change([web("p21", protocol="UDP")])
    ask_at = socket(net)
    assert ask_at(0).by == "p21"
    proxy.change([])  # nothing but the entry knows of p21 now
    assert ask_at(silence * SECOND).fate == ("connected" if remembered else "lost")


@pytest.mark.parametrize("silence, stays", [(29, True), (31, False)])
def test_a_flow_that_nobody_answered_stays_half_a_minute_where_its_first_packet_went(silence, stays):
    """Without kube-proxy to clean up: the rules name p22, the entry of the socket still p21."""
    net, proxy = proxied()
    del net["p21"].listening["UDP", "", 8080]
    net["n2"].routes.delete("10.244.1.0/24")  # not even the ICMP of p21 comes home
    net["router"].routes.delete("10.244.1.0/24")
    proxy.change([web("p21", protocol="UDP")])
    ask_at = socket(net)
    assert ask_at(0).fate == "lost return"
    entries = net["n1"].conntrack.entries()
    proxy.change([web("p12", protocol="UDP")])
    for entry in entries:  # as if kube-proxy had not deleted it
        net["n1"].conntrack.flows[entry.original] = net["n1"].conntrack.flows[entry.reply] = entry
    assert (ask_at(silence * SECOND).by == "p12") is not stays


def test_two_pods_that_leave_with_one_address_and_the_same_port_are_told_apart_by_another_port():
    net = ground([*MASQUERADE, "COMMIT"], network="host-gw")
    net["outside"].listening["UDP", "", 53] = "world"
    for pod in ("p11", "p12"):
        assert connect(net, pod, Packet("UDP", "", OUTSIDE, 40_000, 53), first, 0).verdict.by == "world"
    kept, given = [entry.reply[4] for entry in net["n1"].conntrack.entries()]
    assert kept == 40_000 != given


@MODES
def test_an_answer_of_a_connection_that_a_node_never_saw_is_invalid_to_it(mode):
    """p11 asks n2's node port; the endpoint answers straight home, past n2 that could translate it back."""
    nodes = tuple(Node(f"n{i}", (f"192.168.0.1{i}",), "", f"10.244.{i}.0/24", f"10.244.{i}.1") for i in (1, 2, 3))
    pods = tuple(PodPlan(f"p{i}", f"n{i}", f"10.244.{i}.11") for i in (1, 2, 3))
    net = build(Plan(nodes, pods))
    net["p3"].listening["TCP", "", 8080] = "p3"
    (service, slices) = web()
    service["spec"]["ports"][0]["nodePort"] = 30080
    service["spec"] |= {"type": "NodePort", "externalTrafficPolicy": "Local"}
    slices[0]["endpoints"] = [{"addresses": ["10.244.3.11"], "nodeName": "n3"}]
    for node in nodes:
        NodeProxy(net[node.name], node, ProxyConfig(mode=mode)).change([(service, slices)])
    told = connect(net, "p1", Packet("TCP", "", "192.168.0.12", 0, 30080), first).verdict
    assert told.fate == "lost return"
    assert ("--ctstate INVALID" in told.rule) is (mode == "iptables")
    assert ("it came as TCP 10.244.3.11:8080" in told.rule) is (mode == "nftables")


# -- affinity --------------------------------------------------------------------------------------
@MODES
def test_affinity_is_a_window_that_slides_with_every_new_connection(mode):
    net, proxy = proxied(mode)
    service, slices = web(*IP, affinity=True)
    service["spec"]["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": 10}}
    proxy.change([(service, slices)])

    def last(weights):
        """The last endpoint there is."""
        return len(weights) - 1

    def by(at, choose):
        return ask(net, "p11", WEB, 80, now=at * SECOND, choose=choose).verdict.by

    begun = by(1, first)
    assert [by(at, last) for at in (9, 17, 25)] == [begun] * 3
    assert by(37, last) != begun, "twelve seconds without a connection are too many"


# -- routes and addresses --------------------------------------------------------------------------
def test_of_two_routes_as_long_the_cheaper_one_is_taken_and_the_longest_of_all_first():
    routes = Routes()
    routes.add(Route("10.0.0.0/8", via="192.168.0.1", metric=200))
    routes.add(Route("10.0.0.0/8", via="192.168.0.2", metric=100))
    assert routes.lookup("10.1.2.3").via == "192.168.0.2"
    routes.add(Route("10.1.0.0/16", via="192.168.0.3", metric=900))
    assert routes.lookup("10.1.2.3").via == "192.168.0.3"
    with pytest.raises(ValueError, match=r"File exists; delete the route to 10\.1\.0\.0/16 first"):
        routes.add(Route("10.1.0.0/16", via="192.168.0.9", metric=900))
    with pytest.raises(ValueError, match="table main has no such route"):
        routes.delete("10.9.0.0/16")


def test_a_masquerade_takes_the_address_that_shares_a_network_with_the_next_hop():
    node = Node("n1", ("192.168.0.11", "192.168.1.11"), "", "10.244.1.0/24", "10.244.1.1")
    net = build(Plan((node,), (PodPlan("p1", "n1", "10.244.1.11"),)))
    assert [net["n1"].source_for("eth0", hop) for hop in ("192.168.0.1", "192.168.1.1", "10.9.9.9")] == [
        "192.168.0.11",
        "192.168.1.11",
        "192.168.0.11",
    ]


def test_what_may_be_cut_is_not_too_big():
    net = ground(network="vxlan", pod_mtu=1500)
    fates = [ask(net, "p11", IP["p21"], protocol="UDP", size=1500, df=df).verdict.fate for df in (True, False)]
    assert fates == ["too big", "connected"]
