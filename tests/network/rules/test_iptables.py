"""What a Service adds to a node's iptables: each rule of kube-proxy's, by what it is for."""

import json
from pathlib import Path

import pytest

from kubemini.network.decide.rules import iptables, iptables_base, saved
from kubemini.network.decide.rules.names import EXT, FW, SEP, SVC, SVL, chain
from kubemini.network.decide.rules.network import local
from kubemini.network.decide.rules.plan import plans
from kubemini.network.decide.services.node import Node, ProxyConfig
from kubemini.network.decide.services.ports import IPV6
from tests.network.rules import parts
from tests.network.rules.parts import HERE, THREE, chains, endpoints, service

TABLE = json.loads((Path(__file__).parents[2] / "oracles/network/kubeproxy_flows.json").read_text())
NODE_PORT = ({"port": 80, "nodePort": 30080},)
OUTSIDE = {"type": "LoadBalancer", "ports": NODE_PORT, "ingress": ("198.51.100.1",)}
LOCAL = {**OUTSIDE, "externalTrafficPolicy": "Local"}
MASQ = "-j KUBE-MARK-MASQ"


@pytest.mark.parametrize("n,text", [(n, p) for n, p in TABLE["probability"].items() if n != "100001"])
def test_probabilities_are_written_with_ten_decimals(n, text):
    assert iptables.probability(int(n)) == text


def test_the_kernel_keeps_a_chance_in_parts_of_two_to_the_31():
    assert [iptables.kept(n) for n in (2, 3, 4)] == ["0.50000000000", "0.33333333349", "0.25000000000"]


def test_each_rule_takes_its_part_of_what_the_ones_before_it_let_pass_and_the_last_the_rest():
    dealt = [line for line in parts.chain(chains(service(), endpoints(*THREE)), SVC) if "->" in line]
    assert ["0.33333333349" in dealt[0], "0.50000000000" in dealt[1], "statistic" in dealt[2]] == [True, True, False]


def test_endpoints_stand_in_the_order_of_their_text():
    dealt = [line for line in parts.chain(chains(service(), endpoints(*THREE)), SVC) if "->" in line]
    assert [line.split('"')[1].split(" -> ")[1] for line in dealt] == [f"{ip}:8080" for ip in sorted(THREE)]


def test_affinity_stands_before_chance_and_an_endpoint_notes_its_client():
    written = chains(service(sessionAffinity="ClientIP"), endpoints(*THREE))
    kinds = ["recent" if "--rcheck --seconds 10800" in line else "chance" for line in parts.chain(written, SVC)[1:]]
    assert kinds == ["recent"] * 3 + ["chance"] * 3
    sep = chain(SEP, "default/web", "tcp", "10.244.1.9:8080")
    assert f"-m recent --set --name {sep} " in written[f"nat {sep}"][1]


def test_an_endpoint_that_calls_itself_is_masqueraded_before_it_is_translated():
    own, translated = parts.chain(chains(service(), endpoints("10.244.1.9")), SEP)
    assert own.startswith("-s 10.244.1.9/32") and own.endswith(MASQ)
    assert translated.endswith("-j DNAT --to-destination 10.244.1.9:8080")


def test_without_endpoints_everything_is_refused_by_name_and_nothing_translated():
    written = chains(service(**OUTSIDE))
    assert set(written) == {"filter KUBE-SERVICES", "filter KUBE-EXTERNAL-SERVICES"}
    assert all('"default/web has no endpoints"' in line for lines in written.values() for line in lines)
    assert all("-j REJECT" in line for lines in written.values() for line in lines)


def test_a_port_that_no_slice_names_is_refused_though_another_works():
    ports = ({"name": "http", "port": 80}, {"name": "metrics", "port": 9090})
    written = chains(service(ports=ports), endpoints("10.244.1.9", port="http"))
    (refused,) = written["filter KUBE-SERVICES"]
    assert '"default/web:metrics has no endpoints"' in refused and len(written["nat KUBE-SERVICES"]) == 1


def test_policy_local_without_an_endpoint_here_drops_the_outside_and_lets_pods_and_the_node_through():
    written = chains(service(**LOCAL), endpoints("10.244.2.2"))
    assert all(
        "has no local endpoints" in x and x.endswith("-j DROP") for x in written["filter KUBE-EXTERNAL-SERVICES"]
    )
    pods, *node = parts.chain(written, EXT)
    svc = chain(SVC, "default/web", "tcp")
    assert pods.startswith("-s 10.244.0.0/16") and pods.endswith(svc)
    assert [line.rsplit(" ", 1)[1] for line in node] == ["KUBE-MARK-MASQ", svc]


def test_policy_local_with_an_endpoint_here_keeps_the_client_s_address():
    written = chains(service(**LOCAL), endpoints(*THREE))
    assert parts.chain(written, EXT)[-1] == f"-j {chain(SVL, 'default/web', 'tcp')}"
    assert len(parts.chain(written, SVL)) == 2 and "filter KUBE-EXTERNAL-SERVICES" not in written


def test_internal_policy_local_has_no_chain_of_all_endpoints():
    written = chains(service(internalTrafficPolicy="Local"), endpoints(*THREE))
    assert not [key for key in written if SVC in key]
    assert [line.split("/32")[0] for line in sorted(parts.chain(written, SVL))[:1]] == [
        "! -s 10.244.0.0/16 -d 10.96.0.7"
    ]


def test_source_ranges_are_a_chain_of_who_may_come_and_a_drop_for_the_rest():
    ranges = ["203.0.113.9/24", "198.51.100.0/30"]
    written = chains(service(**OUTSIDE, loadBalancerSourceRanges=ranges), endpoints(*THREE))
    assert [line.split(" -m")[0] for line in parts.chain(written, FW)[:-1]] == [
        "-s 203.0.113.0/24",
        "-s 198.51.100.0/30",
    ]
    assert written["filter KUBE-PROXY-FIREWALL"][0].endswith("-j DROP")
    assert f"-j {chain(FW, 'default/web', 'tcp')}" in written["nat KUBE-SERVICES"][1]


def test_a_node_that_is_in_the_ranges_may_come_from_the_load_balancer_s_own_address():
    written = chains(service(**OUTSIDE, loadBalancerSourceRanges=["192.168.0.0/24"]), endpoints(*THREE))
    assert [line.split(" -m")[0] for line in parts.chain(written, FW)[:-1]] == [
        "-s 192.168.0.0/24",
        "-s 198.51.100.1/32",
    ]


def test_a_range_of_all_is_no_range():
    written = chains(service(**OUTSIDE, loadBalancerSourceRanges=["10.0.0.0/8", "0.0.0.0/0"]), endpoints(*THREE))
    assert not [key for key in written if FW in key]


def test_a_health_check_node_port_is_open_whatever_endpoints_there_are():
    written = chains(service(**LOCAL, healthCheckNodePort=32000))
    assert written["filter KUBE-NODEPORTS"][0].endswith("-m tcp --dport 32000 -j ACCEPT")


def test_beyond_a_thousand_endpoints_rules_for_endpoints_have_no_comments():
    many = endpoints(*(f"10.244.{n // 250}.{n % 250}" for n in range(1001)))
    few = endpoints(*(f"10.244.{n // 250}.{n % 250}" for n in range(1000)))
    for slice, comments in ((many, 0), (few, 1000)):
        written = saved.written(plans(service(), [slice], HERE), ProxyConfig(), HERE)
        assert sum("->" in line for lines in written.values() for line in lines) == comments


# -- options -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "options,inside",
    [
        ({}, "! -s 10.244.0.0/16 -d 10.96.0.7/32 -p tcp"),
        ({"detect_local": "NodeCIDR"}, "! -s 10.244.1.0/24 -d 10.96.0.7/32 -p tcp"),
        ({"detect_local": "BridgeInterface"}, "-d 10.96.0.7/32 ! -i cbr0 -p tcp"),
        ({"masquerade_all": True}, "-d 10.96.0.7/32 -p tcp"),
    ],
)
def test_what_comes_to_a_cluster_ip_from_elsewhere_than_a_pod_is_masqueraded(options, inside):
    first = parts.chain(chains(service(), endpoints(*THREE), **options), SVC)[0]
    assert first.startswith(inside) and first.endswith(MASQ)


def test_without_a_way_to_know_pods_nothing_is_masqueraded_and_there_is_no_short_cut():
    written = chains(service(**LOCAL), endpoints(*THREE), detect_local=None)
    assert not [line for line in parts.chain(written, SVC) if MASQ in line]
    assert not [line for line in parts.chain(written, EXT) if "pod traffic" in line]


def test_a_bridge_tells_pods_for_the_short_cut():
    written = chains(service(**LOCAL), endpoints(*THREE), detect_local="BridgeInterface")
    assert parts.chain(written, EXT)[0].startswith("-i cbr0 -m comment")


@pytest.mark.parametrize(
    "options,ends",
    [
        ({}, ["-m addrtype --dst-type LOCAL"]),
        ({"localhost_node_ports": False}, ["! -d 127.0.0.0/8"]),
        ({"node_port_addresses": ("primary",)}, ["-d 192.168.0.11/32"]),
        ({"node_port_addresses": ("primary", "localhost")}, ["-d 192.168.0.11/32", "-d 127.0.0.1/32"]),
        ({"node_port_addresses": ("10.244.0.0/16",)}, ["-d 10.244.1.1/32"]),
    ],
)
def test_the_last_rules_say_on_which_addresses_node_ports_answer(options, ends):
    config = ProxyConfig(**options)
    last = iptables_base.node_ports(config, HERE)
    assert [said in line for said, line in zip(ends, last, strict=True)] == [True] * len(ends)


@pytest.mark.parametrize("options", [{"localhost_node_ports": False}, {"node_port_addresses": ("primary",)}])
def test_where_node_ports_do_not_answer_on_localhost_no_rule_speaks_of_it(options):
    written = saved.written(plans(service(**OUTSIDE), [endpoints(*THREE)], HERE), ProxyConfig(**options), HERE)
    assert written["filter KUBE-FIREWALL"] == [] and len(written["nat KUBE-NODEPORTS"]) == 1


def test_ipv6_has_its_own_ranges_and_refusals_and_never_serves_localhost():
    node = Node("n1", ("192.168.0.11", "fd00:168::11"), "", "10.244.1.0/24,fd00:244::/64")
    config = ProxyConfig(cluster_cidr="10.244.0.0/16,fd00:244::/48")
    six = service(clusterIPs=["10.96.0.7", "fd00:96::7"], type="NodePort", ports=NODE_PORT)
    written = saved.written(plans(six, [], node, IPV6), config, node, IPV6)
    assert "-d fd00:96::7/128" in written["filter KUBE-SERVICES"][0]
    assert written["filter KUBE-SERVICES"][0].endswith("--reject-with icmp6-port-unreachable")
    assert written["filter KUBE-FIREWALL"] == [] and "! -d ::1/128" in written["nat KUBE-SERVICES"][-1]
    assert local(config, node, IPV6).source == "fd00:244::/48"


def test_the_source_of_pods_may_be_known_in_one_family_only():
    assert not local(ProxyConfig(), HERE, IPV6).known and local(ProxyConfig(), HERE).known
