"""A cluster of two families: who gets which addresses, what kube-proxy and DNS make of them, how a packet walks."""

import pytest

from kubemini import trace_packet
from kubemini.api.kinds import ENDPOINT_SLICE, NODE, POD, SERVICE
from kubemini.api.objects import get
from kubemini.network import dataplane
from kubemini.network.decide.dns.coredns import CoreDNS
from kubemini.network.decide.dns.corefile import STANDARD
from kubemini.network.decide.dns.message import Question
from kubemini.network.decide.dns.store import read_store
from kubemini.simulate import prepared
from tests.params.stories import PODS, SERVICES
from tests.params.tales import BOTH, WEB

DUAL = {"service_cluster_ip_range": SERVICES, "cluster_cidr": PODS}


def cluster(params):
    story = {
        "title": "t",
        "topology": {"kind": "single", "workers": 2},
        "params": params,
        "manifests": f"{WEB.replace('REPLICAS', '3')}---{BOTH}",
        "until": "30s",
    }
    made, horizon = prepared(story, None)
    made.run_until(horizon)
    return made


@pytest.fixture(scope="module")
def dual():
    return cluster(DUAL)


def objects(made, kind):
    return {o["metadata"]["name"]: o for o in made.components["apiserver-1"].cache(kind).items()}


def slices_of(made, service):
    owner = "kubernetes.io/service-name"
    found = objects(made, ENDPOINT_SLICE).values()
    return {s["addressType"]: s for s in found if s["metadata"]["labels"].get(owner) == service}


def test_a_node_has_a_range_and_an_address_of_each_family(dual):
    node = objects(dual, NODE)["worker-2"]
    assert node["spec"]["podCIDRs"] == ["10.244.2.0/24", "fd00:244:0:2::/64"]
    assert node["spec"]["podCIDR"] == "10.244.2.0/24"
    inside = [a["address"] for a in node["status"]["addresses"] if a["type"] == "InternalIP"]
    assert inside == ["192.168.0.102", "fd00:168::102"]


def test_one_add_of_the_cni_plugins_gives_a_pod_both_addresses(dual):
    for pod in objects(dual, POD).values():
        four, six = (entry["ip"] for entry in pod["status"]["podIPs"])
        number = pod["spec"]["nodeName"][-1]
        assert four.startswith(f"10.244.{number}.") and six.startswith(f"fd00:244:0:{number}::")
        assert pod["status"]["podIP"] == four


def test_a_service_has_slices_of_its_families_and_no_others(dual):
    assert list(slices_of(dual, "web")) == ["IPv4"] and list(slices_of(dual, "six")) == ["IPv6"]
    both = slices_of(dual, "both")
    assert sorted(both) == ["IPv4", "IPv6"]
    for kind, slice in both.items():
        addresses = [ip for end in slice["endpoints"] for ip in end["addresses"]]
        assert len(addresses) == 3 and all((":" in ip) == (kind == "IPv6") for ip in addresses)


def test_a_service_that_goes_back_to_one_family_loses_the_slices_of_the_other():
    made = cluster(DUAL)
    path, body = SERVICE.path("default", "both"), {"spec": {"ipFamilyPolicy": "SingleStack"}}
    made.user.spawn(made.user.request("PATCH", path, body, {"type": "merge"}))
    made.run(5)
    spec = objects(made, SERVICE)["both"]["spec"]
    assert len(spec["clusterIPs"]) == 1 and list(slices_of(made, "both")) == ["IPv4"]
    assert {e.port.family for e in dataplane.table(made.hosts["worker-1"]).by_service["default/both"]} == {"IPv4"}


def test_kube_proxy_writes_rules_for_both_families(dual):
    found = dataplane.table(dual.hosts["worker-1"]).by_service["default/both"]
    assert [(entry.port.family, len(entry.uses.reachable)) for entry in found] == [("IPv4", 3), ("IPv6", 3)]
    assert dataplane.choose(dual.hosts["worker-1"], "six", 7).ip.startswith("fd00:244:")


def test_dns_answers_with_addresses_of_the_family_that_is_asked_for(dual):
    kinds = (objects(dual, kind).values() for kind in (SERVICE, ENDPOINT_SLICE))
    server = CoreDNS(STANDARD, ("198.51.100.53",))
    server.store = read_store(*kinds, ["default"])
    both = objects(dual, SERVICE)["both"]["spec"]["clusterIPs"]
    for type, ip in zip(("A", "AAAA"), both, strict=True):
        said = server.ask(Question("both.default.svc.cluster.local.", type), lambda ask: None)
        assert [record.data for record in said.answer] == [ip]


@pytest.mark.parametrize("mode", ["iptables", "nftables"])
def test_a_packet_walks_to_a_service_of_ipv6_by_the_rules_of_ipv6(dual, mode):
    walk = trace_packet(dual, "pod/web", "svc/six:80", proxy_mode=mode)
    assert walk.fate == "connected" and "fd00:244:0:" in walk.rule
    assert all(":" in hop.after.destination for hop in walk.hops)
    assert [share for share, fate, _ in walk.others if fate == "connected"] == pytest.approx([1 / 3] * 3)


def test_a_packet_from_outside_comes_in_by_ipv6_and_goes_home(dual):
    pod = next(iter(objects(dual, POD).values()))["status"]["podIPs"][1]["ip"]
    assert trace_packet(dual, "outside", f"[{pod}]:8080", network="routed").fate == "connected"
    assert trace_packet(dual, "outside", f"[{pod}]:8080").fate == "lost"  # host-gw: the router knows no pods
    assert trace_packet(dual, "pod/web", f"[{pod}]:8080", network="vxlan").fate == "connected"


def test_a_cluster_of_one_family_has_no_way_for_the_other_and_says_what_to_set():
    single = cluster({})
    assert all(len(pod["status"]["podIPs"]) == 1 for pod in objects(single, POD).values())
    assert get(objects(single, SERVICE)["both"], "spec", "ipFamilies") == ["IPv4"]
    assert "six" not in objects(single, SERVICE)
    with pytest.raises(ValueError, match="set cluster_cidr to a range of each"):
        trace_packet(single, "pod/web", "[fd00:244:0:2::2]:8080")
