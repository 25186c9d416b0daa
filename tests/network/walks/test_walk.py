"""A packet walks as it does through a kernel: who routes it, who translates it, who drops it."""

import pytest

from kubemini.host.linux.exchange import all_picks
from kubemini.host.linux.packet import Packet
from kubemini.host.linux.walk import Walk
from kubemini.network.walks.ground import withdraw
from tests.network.walks.grounds import IP, NODES, OUTSIDE, WEB, ask, first, ground, service

BLOCK_ICMP = ["*filter", "-A FORWARD -p icmp -j DROP", "-A OUTPUT -p icmp -j DROP"]


@pytest.mark.parametrize("network", ["host-gw", "vxlan", "routed"])
def test_between_pods_nothing_is_translated_and_both_nodes_take_one_from_the_ttl(network):
    net = ground(network=network)
    near, far = (ask(net, "p11", IP[to]).verdict for to in ("p12", "p21"))
    assert (near.fate, near.source, near.ttl) == ("connected", IP["p11"], 64)
    assert (far.fate, far.source, far.ttl) == ("connected", IP["p11"], 62)


def test_vxlan_wraps_a_packet_in_one_of_50_bytes_more_between_the_nodes():
    hops = ask(ground(network="vxlan"), "p11", IP["p21"], size=1450).hops
    wrapped = next(hop for hop in hops if hop.what == "encapsulated")
    outer = wrapped.after
    assert (outer.source, outer.destination) == ("192.168.0.11", "192.168.0.12")
    assert (outer.protocol, outer.dport, outer.size) == ("UDP", 8472, 1500)
    assert (outer.ttl, outer.inside.ttl) == (64, 63)
    assert [hop.what for hop in hops if hop.what in {"encapsulated", "unpacked"}] == [
        "encapsulated",
        "unpacked",
    ]


def test_a_node_is_seen_as_its_address_on_the_way_out():
    seen = {
        (network, to): ask(ground(network=network), "n1", IP[to]).verdict.source
        for network in ("host-gw", "vxlan")
        for to in ("p11", "p21")
    }
    assert seen == {
        ("host-gw", "p11"): "10.244.1.1",
        ("host-gw", "p21"): "192.168.0.11",
        ("vxlan", "p11"): "10.244.1.1",
        ("vxlan", "p21"): "10.244.1.0",
    }


@pytest.mark.parametrize(
    "bridge_nf, hairpin, own, neighbour",
    [
        (True, False, "dropped", "connected"),
        (True, True, "connected", "connected"),
        (False, False, "connected", "lost return"),
        (False, True, "connected", "lost return"),
    ],
)
def test_br_netfilter_and_hairpin_decide_whether_a_service_works_on_one_bridge(bridge_nf, hairpin, own, neighbour):
    """The matrix that a kernel gave: a Service of the pod itself, of its neighbour, of another node."""
    how = {"bridge_nf": bridge_nf, "hairpin": hairpin}
    fates = [ask(ground(service(IP[pod]), **how), "p11", WEB, 80).verdict.fate for pod in ("p11", "p12", "p21")]
    assert fates == [own, neighbour, "connected"]


def test_a_frame_translated_to_a_neighbour_is_bridged_and_keeps_its_ttl():
    near = ask(ground(service(IP["p12"])), "p11", WEB, 80).verdict
    routed = ask(ground(service(IP["p11"]), bridge_nf=False), "p11", WEB, 80).verdict
    assert (near.source, near.ttl) == (IP["p11"], 64)
    assert (routed.source, routed.ttl) == ("10.244.1.1", 63)


def test_without_masquerade_a_pod_that_calls_itself_waits_for_ever():
    rules = [line for line in service(IP["p11"]) if not line.startswith("-A KUBE-SEP-0 -s")]
    assert ask(ground(rules), "p11", WEB, 80).verdict.fate == "lost return"


# -- what breaks -----------------------------------------------------------------------------------
def test_a_packet_too_big_is_told_so_and_a_firewall_that_drops_icmp_makes_a_black_hole():
    small, big = {"size": 1450}, {"size": 1500}
    how = {"network": "vxlan", "pod_mtu": 1500}
    told = ask(ground(**how), "p11", IP["p21"], **big)
    assert (told.verdict.fate, told.verdict.told) == ("too big", "fragmentation needed")
    assert told.back[-1].after.dport == 1450, "ICMP says which MTU would do"
    silent = ground(BLOCK_ICMP, **how)
    assert ask(silent, "p11", IP["p21"], **small).verdict.fate == "connected"
    hole = ask(silent, "p11", IP["p21"], **big).verdict
    assert hole.fate == "dropped" and hole.rule == "filter OUTPUT: -p icmp -j DROP"


def test_a_missing_route_and_a_withdrawn_one_lose_the_packet_at_the_router():
    net = ground(network="routed")
    assert ask(net, "outside", IP["p21"]).verdict.fate == "connected"
    withdraw(net, NODES[1])
    gone = ask(net, "outside", IP["p21"]).verdict
    assert (gone.fate, gone.rule) == ("lost", "route blackhole default")
    assert ask(net, "p11", IP["p21"]).verdict.fate == "lost", "the nodes have forgotten it, too"
    assert ask(ground(network="none"), "p11", IP["p21"]).verdict.fate == "lost"


def test_off_cluster_a_pod_gets_no_answer_unless_it_is_masqueraded_or_its_address_is_known():
    masquerade = [
        "*nat",
        "-A POSTROUTING -s 10.244.0.0/16 ! -d 10.244.0.0/16 -j MASQUERADE",
    ]
    fates = {}
    for name, rules in (("plain", []), ("masquerade", masquerade)):
        net = ground(rules, network="host-gw")
        net["outside"].listening["TCP", "", 443] = "shop"
        verdict = ask(net, "p11", OUTSIDE, 443).verdict
        fates[name] = verdict.fate, verdict.source
    assert fates == {
        "plain": ("lost return", IP["p11"]),
        "masquerade": ("connected", "192.168.0.11"),
    }
    assert ask(net, "p11", IP["p21"]).verdict.source == IP["p11"], "pod to pod stays as it is"
    known = ground(network="routed")
    known["outside"].listening["TCP", "", 443] = "shop"
    assert ask(known, "p11", OUTSIDE, 443).verdict.fate == "connected"


def test_a_firewall_of_a_node_is_named_as_what_decided():
    net = ground(["*filter", ":FORWARD DROP", "-A FORWARD -s 10.244.1.11/32 -j ACCEPT"])
    assert ask(net, "p12", IP["p21"]).verdict.rule == "policy DROP of FORWARD"
    lost = ask(net, "p11", IP["p21"]).verdict
    assert lost.fate == "lost return", "the answer is no longer from 10.244.1.11"


def test_a_closed_port_and_a_reject_are_told_apart_by_who_refused():
    reject = ["*filter", "-A FORWARD -p tcp -m tcp --dport 81 -j REJECT"]
    closed = ask(ground(), "p11", IP["p21"], 82).verdict
    refused = ask(ground(reject), "p11", IP["p21"], 81).verdict
    assert (closed.fate, closed.rule) == ("closed", "nothing listens on 82 of p21")
    assert (refused.fate, refused.rule) == ("refused", "filter FORWARD: " + reject[1][11:])


def test_a_ttl_that_ends_tells_the_sender_where():
    """What traceroute does: the n-th router answers for the n-th packet."""
    net, routers = ground(), []
    for ttl in (1, 2, 3):
        exchange = ask(net, "p11", IP["p21"], protocol="ICMP", flags="echo", ttl=ttl)
        routers.append(exchange.back[0].after.source)
    assert routers == ["10.244.1.1", "192.168.0.12", IP["p21"]]


def test_source_ports_of_a_masquerade_run_out():
    rules = ["*nat", "-A POSTROUTING -p tcp -j MASQUERADE --to-ports 2000-2001"]
    net = ground(rules)
    verdicts = [ask(net, pod, OUTSIDE, 443).verdict for pod in ("p11", "p12", "p11")]
    assert verdicts[0].fate == verdicts[1].fate == "closed"
    assert verdicts[2].fate == "dropped" and "no port of 2000-2001 is free" in verdicts[2].rule


# -- picks -----------------------------------------------------------------------------------------
def test_every_branch_of_a_pick_is_walked_once_with_its_share():
    net = ground(service(*IP.values()))

    def run(choose):
        for here in net.values():
            here.conntrack.flows.clear()
        return ask(net, "p11", WEB, 80, choose=choose).verdict.by

    shares = {by: share for share, by in all_picks(run)}
    assert shares == pytest.approx(dict.fromkeys(IP, 0.25), abs=1e-9)


def test_a_walk_names_what_it_cannot_reach():
    net = ground()
    walk = Walk(net, first)
    assert walk.run("p11", Packet("TCP", "", "10.244.1.99", 1, 80)).why == (
        "nobody on the wire of eth0 answers for 10.244.1.99"
    )
    with pytest.raises(ValueError, match=r"no network 'carrier pigeon'; there are: host-gw"):
        ground(network="carrier pigeon")
