"""Policies as rules of nftables: a kernel runs them in tests/real/kernel; here is what stands in them."""

from kubemini.network.decide.policy.nftables import Text
from tests.network.policy.test_judge import DB, FROM_ALL, WEB, cluster_policy, policy


def chains(policies, cluster=(), pods=(WEB, DB)):
    """Chain → its lines."""
    found, name = {}, ""
    for line in Text(policies, cluster, pods).table().splitlines():
        if line.startswith(" chain"):
            found[name := line.split()[1]] = []
        elif line.startswith("  "):
            found[name].append(line.strip())
    return found


def test_established_connections_are_accepted_before_anybody_is_asked_and_both_sides_are_asked_then():
    assert chains([])["forward"] == [
        "type filter hook forward priority 0; policy accept;",
        "ct state established,related accept",
        "ip saddr vmap { 10.244.1.2 : jump egress_10_244_1_2, 10.244.1.3 : jump egress_10_244_1_3 }",
        "ip daddr vmap { 10.244.1.2 : jump ingress_10_244_1_2, 10.244.1.3 : jump ingress_10_244_1_3 }",
    ]
    assert chains([])["ingress_10_244_1_2_n"] == []


def test_an_isolated_pod_drops_what_no_rule_lets_return():
    web = {"podSelector": {"matchLabels": {"app": "web"}}}
    rules = [{"from": [web], "ports": [{"port": "http"}, {"port": 8000, "endPort": 8010}, {"protocol": "UDP"}]}]
    found = chains([policy(policyTypes=["Ingress"], ingress=rules)])
    assert found["ingress_10_244_1_3_n"] == [
        "ip saddr { 10.244.1.2 } ip daddr 10.244.1.3 tcp dport 9090 return",
        "ip saddr { 10.244.1.2 } tcp dport 8000-8010 return",
        "ip saddr { 10.244.1.2 } meta l4proto udp return",
        "drop",
    ]
    assert found["egress_10_244_1_3_n"] == []


def test_a_hole_in_a_block_is_part_of_its_line():
    block = {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.244.0.0/16", "192.168.0.0/24"]}}
    found = chains([policy(policyTypes=["Egress"], egress=[{"to": [block]}])])
    assert found["egress_10_244_1_2_n"] == [
        "ip daddr 0.0.0.0/0 ip daddr != { 10.244.0.0/16, 192.168.0.0/24 } return",
        "drop",
    ]


def test_a_pass_of_the_admin_tier_goes_to_the_next_and_the_baseline_is_there_for_who_is_not_selected():
    tiers = [
        cluster_policy("a", ingress=[{"action": action, "from": FROM_ALL} for action in ("Pass", "Deny", "Accept")]),
        cluster_policy("b", tier="Baseline", ingress=[{"action": "Deny", "from": FROM_ALL}]),
    ]
    found, everybody = chains([], tiers), "ip saddr { 10.244.1.2, 10.244.1.3 }"
    after = "goto ingress_10_244_1_2_n"
    assert found["ingress_10_244_1_2"] == [f"{everybody} {after}", f"{everybody} drop", f"{everybody} return", after]
    assert found["ingress_10_244_1_2_n"] == [f"{everybody} drop"]
    selected = chains([policy(selector={"app": "web"}, policyTypes=["Egress"], egress=[{}])], tiers)
    assert selected["ingress_10_244_1_2_n"] == [] and selected["egress_10_244_1_2_n"] == ["return", "drop"]
