"""The reference CNI plugins, told by what they do to a host: addresses, cables, rules, and what stays behind."""

import pytest

from kubemini.network.decide import cni
from kubemini.network.decide.cni.host.namespaces import Link, Route

SUBNET = "10.244.1.0/29"  # five pods
ROUTES = [{"dst": "0.0.0.0/0"}]
BRIDGE = {
    "cniVersion": "1.1.0",
    "name": "pods",
    "type": "bridge",
    "bridge": "cni0",
    "isGateway": True,
    "ipMasq": True,
    "ipam": {"type": "host-local", "ranges": [[{"subnet": SUBNET}]], "routes": ROUTES},
}
PORTS = {"cniVersion": "1.1.0", "name": "pods", "type": "portmap"}


class Node:
    """A host with plugins, and pods that come and go on it."""

    def __init__(self, config=BRIDGE):
        self.config = config
        self.host = cni.Host("n1", plugins=("bridge", "host-local"))
        self.host.own.links["eth0"] = Link("eth0", "veth", "02:00:00:00:00:01")
        self.host.own.set_up("eth0")

    def call(self, command, pod, plugin="", config=None, **more):
        config = config or self.config
        netns = f"/run/netns/{pod}"
        if command == "ADD":
            self.host.pods.setdefault(netns, cni.namespace(netns))
        call = cni.Call(command, config, pod, netns, **more)
        return cni.run(plugin or config["type"], self.host, call)

    def address(self, pod):
        code, answer = self.call("ADD", pod)
        return answer["ips"][0]["address"] if code == 0 else answer["msg"]

    def masqueraded(self):
        return [rule.source for rule in self.host.tables[4].table("nat")["POSTROUTING"]]


def test_an_address_given_back_is_given_again_only_after_all_others():
    node = Node()
    first = [node.address(f"p{i}") for i in range(3)]
    node.call("DEL", "p0")
    assert first == ["10.244.1.2/29", "10.244.1.3/29", "10.244.1.4/29"]
    assert [node.address(f"q{i}") for i in range(3)] == ["10.244.1.5/29", "10.244.1.6/29", "10.244.1.2/29"]


def test_a_full_range_says_so_and_names_itself():
    node = Node()
    for i in range(5):
        node.address(f"p{i}")
    assert node.address("late") == (
        "failed to allocate for range 0: no IP addresses available in range set: 10.244.1.1-10.244.1.6"
    )


def test_what_a_failed_add_leaves_is_a_cable_and_an_address_used_up():
    node = Node(BRIDGE | {"isDefaultGateway": True})
    code, answer = node.call("ADD", "p1")
    assert code == 1 and answer["msg"].endswith("file exists")
    assert [link.master for link in node.host.own.links.values() if link.name.startswith("veth")] == ["cni0"]
    node.config = BRIDGE
    node.call("DEL", "p1")
    assert not [name for name in node.host.own.links if name.startswith("veth")]
    assert node.address("p2") == "10.244.1.3/29"


def test_a_pod_whose_namespace_went_first_leaves_its_masquerade_rule_for_ever():
    node = Node()
    node.address("p1")
    node.host.remove_namespace("/run/netns/p1")
    assert node.call("DEL", "p1") == (0, None)
    assert node.masqueraded() == ["10.244.1.2/32"]
    node.address("p1")  # the same container again: its next DEL fails, because the old rule still jumps to its chain
    code, answer = node.call("DEL", "p1")
    assert (code, "Device or resource busy" in answer["msg"]) == (1, True)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda pod: pod.routes.pop(), "Expected Route"),
        (lambda pod: pod.remove_address("eth0", "10.244.1.2/29"), "Failed to match addr 10.244.1.2/29"),
        (lambda pod: pod.links.pop("eth0"), "Interface name eth0 not found"),
    ],
)
def test_check_names_what_is_wrong(harm, said):
    node = Node()
    _, result = node.call("ADD", "p1")
    config = BRIDGE | {"prevResult": result}
    assert node.call("CHECK", "p1", config=config) == (0, None)
    harm(node.host.pods["/run/netns/p1"])
    code, answer = node.call("CHECK", "p1", config=config)
    assert code == 1 and answer["msg"].startswith(said)


def test_masquerading_spares_only_the_subnet_of_the_pods_own_node():
    node = Node()
    node.address("p1")
    rules = [
        rule.saved() for name, rules in node.host.tables[4].table("nat").items() if "CNI-" in name for rule in rules
    ]
    assert [rule.split(" -m")[0] for rule in rules] == ["-d 10.244.1.0/29", "! -d 224.0.0.0/4"]


@pytest.mark.parametrize("backend", ["iptables", "nftables"])
def test_a_host_port_goes_with_its_pod_and_leaves_the_others(backend):
    node = Node()
    configs = {}
    for number, pod in enumerate(("p1", "p2")):
        _, result = node.call("ADD", pod)
        wanted = {"portMappings": [{"hostPort": 8000 + number, "containerPort": 80, "protocol": "tcp"}]}
        configs[pod] = PORTS | {"backend": backend, "prevResult": result, "runtimeConfig": wanted}
        assert node.call("ADD", pod, config=configs[pod]) == (0, result)
    node.call("DEL", "p1", config=configs["p1"])
    assert node.call("CHECK", "p2", config=configs["p2"]) == (0, None)
    assert node.call("CHECK", "p1", config=configs["p1"])[0] == 1


def test_two_bridges_that_isolate_their_pods_do_not_reach_each_other():
    node = Node()
    _, result = node.call("ADD", "p1")
    config = {"cniVersion": "1.1.0", "name": "pods", "type": "firewall", "ingressPolicy": "same-bridge"}
    node.call("ADD", "p1", config=config | {"prevResult": result})
    lines = [line.split(" -m")[0] for line in node.host.tables[4].saved("filter") if "ISOLATION" in line]
    assert "-A CNI-ISOLATION-STAGE-1 -i cni0 ! -o cni0" in lines and "-A CNI-ISOLATION-STAGE-2 -o cni0" in lines
    jumps = [rule.jump for rule in node.host.tables[4].table("filter")["FORWARD"]]
    assert jumps == ["CNI-ISOLATION-STAGE-1", "CNI-FORWARD"]  # isolation decides first


def test_the_kernel_refuses_a_route_by_a_gateway_that_is_not_near():
    pod = cni.namespace("/run/netns/p")
    with pytest.raises(Exception, match="network is unreachable"):
        pod.add_route(Route("0.0.0.0/0", "eth0", via="10.1.1.1"))
