"""Sentences of "Network Policies" and of the ClusterNetworkPolicy API, each on a small world of pods."""

import pytest

from kubemini.network.decide.policy import judge, places
from kubemini.network.decide.policy.judge import Policies, PolicyVerdict
from kubemini.network.decide.policy.places import PolicyNode, PolicyPod

HTTP = ("http", 8080, "TCP")
SHOP, TEST = {"env": "prod"}, {"env": "test"}
WEB = PolicyPod("shop", "web", {"app": "web"}, SHOP, ("10.244.1.2",), frozenset({HTTP}))
DB = PolicyPod("shop", "db", {"app": "db"}, SHOP, ("10.244.1.3",), frozenset({("http", 9090, "TCP")}))
LAB = PolicyPod("lab", "web", {"app": "web"}, TEST, ("10.244.2.2", "fd00::2"))
PODS = (WEB, DB, LAB)
OUTSIDE, NODE = "203.0.113.7", "192.168.0.11"


def policy(name="p", namespace="shop", selector=None, **spec):
    """A NetworkPolicy for the pods with these labels."""
    return {
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"podSelector": {"matchLabels": selector} if selector else {}, **spec},
    }


def cluster_policy(name, priority=10, tier="Admin", subject=None, **spec):
    """A ClusterNetworkPolicy for all pods."""
    return {
        "metadata": {"name": name},
        "spec": {"tier": tier, "priority": priority, "subject": subject or {"namespaces": {}}, **spec},
    }


def asked(policies, cluster=(), source=WEB, destination=DB, port=8080, protocol="TCP", nodes=()):
    """The verdict; ends are pods or addresses."""
    ends = [end if isinstance(end, str) else end.addresses[0] for end in (source, destination)]
    return Policies(policies, cluster, PODS, nodes).verdict(*ends, port, protocol)


DENY_INGRESS = policy("deny", policyTypes=["Ingress"])


def test_without_policies_everybody_may_talk_to_everybody():
    found = asked([])
    assert (found.fate, found.egress.rule, found.ingress.rule) == ("allow", "not isolated", "not isolated")


def test_a_pod_that_is_selected_takes_only_what_some_policy_allows():
    assert asked([DENY_INGRESS]).rule == "ingress: isolated by shop/deny"
    assert asked([DENY_INGRESS], destination=LAB).allowed


def test_isolation_is_a_matter_of_one_direction():
    assert asked([policy("deny", selector={"app": "db"}, policyTypes=["Ingress"])], source=DB, destination=WEB).allowed


def test_a_connection_needs_both_sides():
    allow_in = policy("in", selector={"app": "db"}, policyTypes=["Ingress"], ingress=[{}])
    deny_out = policy("out", selector={"app": "web"}, policyTypes=["Egress"])
    found = asked([allow_in, deny_out])
    assert (found.fate, found.rule) == ("deny", "egress: isolated by shop/out")
    assert found.ingress.rule == "shop/in ingress[0]"


def test_policies_add_up_and_no_deny_takes_anything_back():
    allow = policy("allow", policyTypes=["Ingress"], ingress=[{"from": [{"podSelector": {}}]}])
    assert asked([allow, DENY_INGRESS]).ingress.rule == "shop/allow ingress[0]"
    assert asked([allow, DENY_INGRESS], source=LAB).rule == "ingress: isolated by shop/allow, shop/deny"


def test_without_policy_types_ingress_is_meant_and_egress_if_there_are_rules_for_it():
    assert judge.directions({}) == ("Ingress",)
    assert judge.directions({"egress": []}) == ("Ingress",)
    assert judge.directions({"egress": [{}]}) == ("Ingress", "Egress")
    assert judge.directions({"policyTypes": ["Egress"]}) == ("Egress",)


BOTH = {"podSelector": {"matchLabels": {"app": "web"}}, "namespaceSelector": {"matchLabels": {"env": "test"}}}
EITHER = [{"podSelector": BOTH["podSelector"]}, {"namespaceSelector": BOTH["namespaceSelector"]}]


def test_two_selectors_in_one_element_are_and_in_two_elements_or():
    one, two = (policy(policyTypes=["Ingress"], ingress=[{"from": peers}]) for peers in ([BOTH], EITHER))
    assert [asked([p], source=LAB).allowed for p in (one, two)] == [True, True]
    assert [asked([p], source=WEB).allowed for p in (one, two)] == [False, True]


def test_a_pod_selector_alone_means_the_policys_own_namespace():
    own = policy(policyTypes=["Ingress"], ingress=[{"from": [{"podSelector": {}}]}])
    assert asked([own], source=WEB).allowed and not asked([own], source=LAB).allowed


def test_an_empty_list_of_rules_allows_nothing_and_an_empty_rule_everything():
    assert not asked([policy(policyTypes=["Ingress"], ingress=[])]).allowed
    assert asked([policy(policyTypes=["Ingress"], ingress=[{}])], source=OUTSIDE).allowed


def test_a_named_port_is_the_number_that_the_destination_gives_it():
    named = policy(policyTypes=["Ingress"], ingress=[{"ports": [{"port": "http"}]}])
    assert not asked([named], port=8080).allowed and asked([named], port=9090).allowed
    assert asked([named], source=DB, destination=WEB, port=8080).allowed
    assert not asked([named], port=9090, protocol="UDP").allowed


def test_a_named_port_never_matches_where_there_is_no_pod():
    named = policy(policyTypes=["Egress"], egress=[{"ports": [{"port": "http"}]}])
    assert not asked([named], destination=OUTSIDE).allowed


def test_end_port_is_part_of_the_range_and_a_port_without_number_is_the_whole_protocol():
    ranged = policy(policyTypes=["Ingress"], ingress=[{"ports": [{"port": 8000, "endPort": 8080}]}])
    assert [asked([ranged], port=port).allowed for port in (7999, 8000, 8080, 8081)] == [False, True, True, False]
    udp = policy(policyTypes=["Ingress"], ingress=[{"ports": [{"protocol": "UDP"}]}])
    assert asked([udp], port=1, protocol="UDP").allowed and not asked([udp], port=1).allowed


def test_an_ip_block_sees_pods_too_and_except_subtracts_from_its_own_block_only():
    block = {"ipBlock": {"cidr": "10.244.0.0/16", "except": ["10.244.2.0/24"]}}
    hole = policy("hole", policyTypes=["Ingress"], ingress=[{"from": [block]}])
    assert asked([hole], source=WEB).allowed and not asked([hole], source=LAB).allowed
    more = policy("more", policyTypes=["Ingress"], ingress=[{"from": [{"ipBlock": {"cidr": "10.244.2.2/32"}}]}])
    assert asked([hole, more], source=LAB).ingress.rule == "shop/more ingress[0]"


def test_an_ip_block_of_the_other_family_does_not_match():
    six = policy(policyTypes=["Ingress"], ingress=[{"from": [{"ipBlock": {"cidr": "::/0"}}]}])
    assert not asked([six], source=LAB).allowed and asked([six], source="fd00::2").allowed


def test_not_in_and_does_not_exist_match_what_lacks_the_label():
    for term in ({"operator": "NotIn", "values": ["x"]}, {"operator": "DoesNotExist"}):
        peer = {"podSelector": {"matchExpressions": [{"key": "tier", **term}]}}
        assert asked([policy(policyTypes=["Ingress"], ingress=[{"from": [peer]}])]).allowed


def test_a_pod_is_never_kept_from_itself():
    found = asked([DENY_INGRESS], source=DB, destination=DB)
    assert found == PolicyVerdict(judge.ITSELF, judge.ITSELF)
    assert not asked([DENY_INGRESS], source=OUTSIDE, destination=DB).allowed


def test_a_pod_on_the_hosts_network_is_seen_as_its_node():
    pod = {
        "metadata": {"namespace": "shop", "name": "agent", "labels": {"app": "web"}},
        "spec": {"hostNetwork": True},
        "status": {"podIP": NODE, "phase": "Running"},
    }
    assert places.pods_of([pod], []) == []
    from_web = policy(policyTypes=["Ingress"], ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "web"}}}]}])
    assert not asked([from_web], source=NODE).allowed
    assert asked([DENY_INGRESS], destination=NODE).ingress.rule == "not a pod: no policy"


def test_pods_are_read_from_objects_with_their_named_ports_and_their_namespaces_labels():
    ports = [
        {"name": "http", "containerPort": 80},
        {"containerPort": 81},
        {"name": "dns", "containerPort": 53, "protocol": "UDP"},
    ]
    running = {
        "metadata": {"namespace": "shop", "name": "web", "labels": {"app": "web"}},
        "spec": {"containers": [{"ports": ports}, {}]},
        "status": {"phase": "Running", "podIPs": [{"ip": "10.244.1.2"}, {"ip": "fd00::1"}], "podIP": "10.244.1.2"},
    }
    over, unborn = ({**running, "status": status} for status in ({"phase": "Failed", "podIP": "10.244.1.9"}, {}))
    shop = {"metadata": {"name": "shop", "labels": SHOP}}
    named = frozenset({("http", 80, "TCP"), ("dns", 53, "UDP")})
    addresses = ("10.244.1.2", "fd00::1")
    assert places.pods_of([running, over, unborn], [shop]) == [
        PolicyPod("shop", "web", {"app": "web"}, SHOP, addresses, named)
    ]


# -- ClusterNetworkPolicy ----------------------------------------------------------------------------------------------
FROM_ALL = [{"namespaces": {}}]


def admin(name, action, priority=10, **more):
    """An Admin policy with one ingress rule for all pods."""
    return cluster_policy(name, priority, ingress=[{"action": action, "from": FROM_ALL}], **more)


def test_the_lower_priority_number_is_asked_first_and_then_the_name():
    first, second = admin("b", "Deny", 1), admin("a", "Accept", 2)
    assert asked([], [second, first]).rule == "ingress: b ingress[0]"
    assert asked([], [admin("b", "Deny"), admin("a", "Accept")]).ingress.rule == "a ingress[0]"


def test_an_admin_accept_goes_over_a_network_policy_and_a_deny_too():
    assert asked([DENY_INGRESS], [admin("a", "Accept")]).ingress.rule == "a ingress[0]"
    allow = policy(policyTypes=["Ingress"], ingress=[{}])
    assert asked([allow], [admin("a", "Deny")]).rule == "ingress: a ingress[0]"


def test_pass_skips_all_further_admin_rules_and_asks_the_network_policies():
    passing, denying = admin("a", "Pass", 1), admin("b", "Deny", 2)
    assert asked([], [passing, denying]).ingress.rule == "not isolated"
    assert asked([DENY_INGRESS], [passing, denying]).rule == "ingress: isolated by shop/deny"


def test_an_accept_of_one_direction_does_not_help_in_the_other():
    assert not asked([policy(policyTypes=["Egress"])], [admin("a", "Accept")]).allowed


def test_the_baseline_decides_only_for_pods_that_no_network_policy_selects():
    baseline = cluster_policy("base", tier="Baseline", ingress=[{"action": "Deny", "from": FROM_ALL}])
    assert asked([], [baseline]).rule == "ingress: base ingress[0]"
    assert asked([policy(policyTypes=["Ingress"], ingress=[{}])], [baseline]).allowed
    other = policy(selector={"app": "db"}, policyTypes=["Egress"], egress=[{}])
    assert asked([other], [baseline]).ingress == judge.OTHER_DIRECTION
    assert (
        not Policies([other], [baseline], PODS, (), by_direction=True).verdict("10.244.1.2", "10.244.1.3", 80).allowed
    )


def test_a_pass_in_the_baseline_leads_to_what_there_is_without_policies():
    rules = [{"action": "Pass", "from": FROM_ALL}, {"action": "Deny", "from": FROM_ALL}]
    assert asked([], [cluster_policy("base", tier="Baseline", ingress=rules)]).ingress.rule == "not isolated"


def test_ingress_of_a_cluster_policy_never_speaks_of_what_is_no_pod():
    assert asked([], [admin("a", "Deny")], source=OUTSIDE).allowed
    assert asked([], [admin("a", "Deny")], source=NODE).allowed


def test_egress_of_a_cluster_policy_names_nodes_and_networks():
    nodes = [PolicyNode({"zone": "a"}, (NODE,)), PolicyNode({}, ("192.168.0.12",))]
    to = [{"nodes": {"matchLabels": {"zone": "a"}}}, {"networks": ["203.0.113.0/24"]}]
    deny = cluster_policy("out", egress=[{"action": "Deny", "to": to}])
    wanted = {NODE: False, "192.168.0.12": True, OUTSIDE: False, "10.244.1.3": True}
    assert {end: asked([], [deny], destination=end, nodes=nodes).allowed for end in wanted} == wanted


def test_a_cluster_rule_without_peers_matches_nobody():
    assert asked([], [cluster_policy("a", ingress=[{"action": "Deny", "from": []}])]).allowed


def test_a_subject_of_pods_needs_both_selectors():
    subject = {"pods": {"namespaceSelector": {"matchLabels": SHOP}, "podSelector": {"matchLabels": {"app": "web"}}}}
    deny = admin("a", "Deny", subject=subject)
    assert [asked([], [deny], source=LAB, destination=pod).allowed for pod in (WEB, DB)] == [False, True]
    assert asked([], [deny], source=DB, destination=LAB).allowed


@pytest.mark.parametrize(
    ("protocols", "fits"),
    [
        ([{"tcp": {"destinationPort": {"number": 8080}}}], [("TCP", 8080)]),
        ([{"udp": {}}], [("UDP", 8080), ("UDP", 9090)]),
        ([{"tcp": {"destinationPort": {"range": {"start": 8081, "end": 9090}}}}], [("TCP", 9090)]),
        ([{"destinationNamedPort": "http"}], [("TCP", 9090)]),
        ([], [("TCP", 8080), ("TCP", 9090), ("UDP", 8080), ("UDP", 9090)]),
    ],
)
def test_protocols_of_a_cluster_rule(protocols, fits):
    deny = cluster_policy("a", ingress=[{"action": "Deny", "from": FROM_ALL, "protocols": protocols}])
    tried = [(protocol, port) for protocol in ("TCP", "UDP") for port in (8080, 9090)]
    assert [t for t in tried if not asked([], [deny], port=t[1], protocol=t[0]).allowed] == fits


# -- connections that are established ----------------------------------------------------------------------------------
def test_an_established_connection_survives_a_new_deny_unless_the_data_plane_looks_again():
    denied, allowed = asked([DENY_INGRESS]).ingress, asked([]).ingress
    assert judge.survives(denied, strict=False) and not judge.survives(denied, strict=True)
    assert judge.survives(allowed, strict=True)


def test_without_policies_there_is_nothing_to_ask():
    assert not Policies() and Policies([DENY_INGRESS]) and Policies([], [admin("a", "Deny")])


def test_what_root_sends_on_the_very_node_is_not_judged_there():
    policies = Policies([policy()], pods=PODS)
    assert not policies.verdict(NODE, "10.244.1.2", 80).allowed
    assert policies.verdict(NODE, "10.244.1.2", 80, roots=True).allowed
