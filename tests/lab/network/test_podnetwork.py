"""The chapter *The pod network*: its stories happen as its questions say, and its checkers see what is wrong."""

from ipaddress import ip_network

import pytest

from kubemini import check, run
from kubemini.host.linux.podnetwork import NoNetwork
from kubemini.lab.podnetwork.missing import flows
from kubemini.lab.questions import of_chapter
from kubemini.network.walks.reach import PodNetwork


# -- what the questions say --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_ten_of_twelve_run_and_two_are_on_a_node_and_never_start(seed):
    assert of_chapter("podnetwork")["predictions"]["full"]["answer"].startswith("Ten: two are on a node")
    trace = run("podnetwork", seed, until=45)
    last = {r.detail["name"]: r.detail["state"] for r in trace.of("pod")}
    placed = {r.detail["pod"].split("/")[-1] for r in trace.of("decision") if r.detail["node"]}
    refused = {r.detail["pod"].split("/")[-1] for r in trace.of("sandbox")}
    assert list(last.values()).count("running") == 10
    assert len(placed) == 12 and refused == placed - set(last) and len(refused) == 2


def test_one_route_less_breaks_eight_of_thirty_pairs():
    network = PodNetwork("host-gw", nodes=3, pods=2)
    network.forget("n1", "n2")
    assert [found.works for found in network.matrix().values()].count(False) == 8


def test_who_waits_goes_first_when_the_shop_shrinks():
    trace = run("podnetwork")
    refused = {r.detail["pod"].split("/")[-1] for r in trace.of("sandbox")}
    assert not refused & {r.detail["name"] for r in trace.of("pod")}
    assert max(r.at for r in trace.of("sandbox")) < 50_000_000


# -- exercises ---------------------------------------------------------------------------------------------------------
def routes(nodes):
    return {n: {o["podCIDR"]: o["address"] for o in nodes.values() if o is not own} for n, own in nodes.items()}


def one_way(nodes):
    return {n: table for n, table in routes(nodes).items() if n != "n2"}


def by_a_hub(nodes):
    hub = nodes["n1"]["address"]
    return {n: {d: hub if n != "n1" else via for d, via in table.items()} for n, table in routes(nodes).items()}


def test_a_network_with_a_hub_is_a_network():
    assert check("podnetwork.routes", routes).passed
    assert check("podnetwork.routes", by_a_hub).passed


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (one_way, "n1-a does not reach n2-a: n2 has no route to 10.244.1.0/24, so the answer is lost"),
        (lambda nodes: {}, "n1-a does not reach n2-a: n1 has no route to 10.244.2.0/24"),
        (lambda nodes: [], "Return {node: {destination: next hop}}"),
        (lambda nodes: {"n9": {}}, "There is no node 'n9'"),
        (lambda nodes: {"n1": {"10.244.2.2": "192.168.0.12"}}, "is none of these pod ranges"),
        (lambda nodes: {"n1": {"10.244.1.0/24": "192.168.0.12"}}, "on its own bridge"),
        (lambda nodes: {"n1": {"10.244.2.0/24": "192.168.0.11"}}, "its own next hop"),
    ],
)
def test_routes_that_do_not_do_are_named(answer, hint):
    assert hint in check("podnetwork.routes", answer).hint


class Good:
    """A queue, and what is taken by uid."""

    def __init__(self, cidr):
        _, *self.free = map(str, ip_network(cidr).hosts())
        self.taken = {}

    def add(self, pod):
        if not self.free:
            raise NoNetwork("full")
        return self.taken.setdefault(pod["metadata"]["uid"], self.free.pop(0))

    def delete(self, pod):
        if address := self.taken.pop(pod["metadata"]["uid"], None):
            self.free.append(address)


class Leaks(Good):
    def delete(self, pod):
        if pod["metadata"]["name"] != "web-3":
            super().delete(pod)


class ByName(Good):
    def add(self, pod):
        return super().add({"metadata": {"uid": pod["metadata"]["name"]}})

    def delete(self, pod):
        super().delete({"metadata": {"uid": pod["metadata"]["name"]}})


class Twice(Good):
    """Remembers who ever had an address, and gives it back as often as it is asked."""

    def add(self, pod):
        address = super().add(pod)
        self.ever = {**getattr(self, "ever", {}), pod["metadata"]["uid"]: address}
        return address

    def delete(self, pod):
        address = self.ever[pod["metadata"]["uid"]]
        if address not in self.free:
            self.free.append(address)


class Endless(Good):
    def add(self, pod):
        return super().add(pod) if self.free else "10.244.7.2"


class Gateway(Good):
    def __init__(self, cidr):
        super().__init__(cidr)
        self.free.insert(0, str(ip_network(cidr)[1]))


class Short(Good):
    def __init__(self, cidr):
        super().__init__(cidr)
        self.free.pop()


@pytest.mark.parametrize(
    ("plugin", "hint"),
    [
        (Leaks, "the next got no address"),
        (ByName, "was given to a pod, and then to another"),
        (Twice, "the second time it took the address of another pod away"),
        (Endless, "raise NoNetwork"),
        (Gateway, "is the gateway's"),
        (Short, "has room for 29 pods"),
        (lambda cidr: object(), "has no method add(pod)"),
    ],
)
def test_a_plugin_that_forgets_is_found_out(plugin, hint):
    assert hint in check("podnetwork.plugin", plugin).hint


def test_a_plugin_that_takes_back_what_it_gave_passes():
    assert check("podnetwork.plugin", Good).passed


def test_flows_name_the_node_by_where_the_packet_was_seen():
    for flow in flows("n3", "n1", 5):
        if not flow.answered:
            assert (flow.source, flow.arrived) in {("n3", False), ("n1", True)}
    turned = lambda seen: next((f.target, f.source) for f in seen if not f.arrived)  # noqa: E731
    assert "has no route to the pods of" in check("podnetwork.missing", turned).hint
    assert not check("podnetwork.missing", lambda seen: ("n1", "n2")).passed


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        ({"node_mask": 26}, "has 61 addresses for pods"),
        ({"cluster_cidr": "10.244.0.0/18"}, "holds 64 nodes"),
        ({"cluster_cidr": "10.0.0.0/15"}, "overlap"),
        ({"service_cidr": "10.244.0.0/19"}, "overlap"),
        ({"service_cidr": "10.96.0.0/20"}, "has 4,094 addresses"),
        ({"cluster_cidr": "8.0.0.0/14"}, "is not private"),
        ({"cluster_cidr": "nowhere"}, "is no network such as"),
        ({"node_mask": "24"}, "is the length of a node's prefix"),
        ({"cluster_cidr": "172.16.0.0/12", "service_cidr": "10.16.0.0/12"}, "pass"),
        ({"service_cidr": "11.0.0.0/8"}, "is not private"),
    ],
)
def test_ranges_are_judged_by_what_they_hold(change, hint):
    good = {"cluster_cidr": "10.244.0.0/16", "node_mask": 24, "service_cidr": "10.96.0.0/19"}
    assert check("podnetwork.ranges", good).passed
    report = check("podnetwork.ranges", good | change)
    assert report.passed if hint == "pass" else hint in report.hint
