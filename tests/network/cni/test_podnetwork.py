"""Pods and their addresses in a running cluster: CNI ADD and DEL, a range that runs out, a reader's own plugin."""

import pytest

from kubemini.api.kinds import EVENT, POD
from kubemini.cluster import Cluster
from kubemini.host import Host
from kubemini.host.linux import podnetwork
from kubemini.host.linux.podnetwork import NoNetwork
from kubemini.network.cni import Plugins
from kubemini.params import Params
from kubemini.sim import Sim


def pod(name, uid="", **spec):
    meta = {"name": name, "namespace": "default", "uid": uid or name, "labels": {"app": name}}
    containers = [{"name": "c", "image": "nginx"}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": containers} | spec}


@pytest.fixture
def host():
    host = Host(Sim(), "worker-3")
    host.cni = Plugins(host)
    return host


def test_addresses_are_given_in_turn_and_a_freed_one_is_not_given_again_at_once(host):
    first = [host.cni.add(pod(name)) for name in ("a", "b", "c")]
    host.cni.delete(pod("b"))
    assert [*first, host.cni.add(pod("d"))] == ["10.244.3.2", "10.244.3.3", "10.244.3.4", "10.244.3.5"]


def test_the_last_given_is_remembered_on_disk_and_a_boot_frees_the_rest(host):
    host.cni.add(pod("a"))
    host.power_off()
    host.power_on()
    host.cni.collect(())
    assert host.cni.add(pod("b")) == "10.244.3.3"
    assert [text.split()[0] for text in host.cni.found.files.values() if "eth0" in text] == ["b"]


def test_every_pod_of_a_range_gets_an_address_and_the_next_is_told_why_not(host):
    podnetwork.assign(host, ["10.244.0.24/29"])
    assert len({host.cni.add(pod(f"p{n}")) for n in range(5)}) == 5
    with pytest.raises(NoNetwork, match=r"no IP addresses available in range set: 10\.244\.0\.25-10\.244\.0\.30"):
        host.cni.add(pod("late"))
    assert "/var/run/netns/cni-late" not in host.cni.found.pods


def test_a_host_port_is_a_rule_of_the_host_until_the_pod_goes(host):
    ports = [{"containerPort": 80, "hostPort": 8080}]
    web = pod("web", containers=[{"name": "c", "image": "nginx", "ports": ports}])
    address = host.cni.add(web)
    rules = [line for line in host.cni.found.tables[4].saved("nat") if "DNAT --to" in line]
    assert [rule.split()[-1] for rule in rules] == [f"{address}:80"]
    host.cni.delete(web)
    assert not [line for line in host.cni.found.tables[4].saved("nat") if "DNAT --to" in line]


# -- in a cluster ------------------------------------------------------------------------------------------------------
class World:
    def __init__(self, workers=1, **params):
        self.cluster = Cluster.single(workers=workers, params=Params(**params))

    def apply(self, *pods, seconds=20):
        self.cluster.run(5)
        self.cluster.apply([{**p, "metadata": {k: v for k, v in p["metadata"].items() if k != "uid"}} for p in pods])
        self.cluster.run(seconds)
        return self

    def ask(self, verb, path):
        replies = []
        self.cluster.kubectl.call_api(verb, path, None, {}).callbacks.append(lambda e: replies.append(e.value))
        self.cluster.run(0.5)
        assert replies[0].ok, replies[0]
        return replies[0].value

    def delete(self, name):
        self.ask("DELETE", POD.path("default", name))
        self.cluster.run(45)

    def addresses(self):
        last = {r.detail["name"]: r.detail for r in self.cluster.trace.of("pod")}
        return {name: found["ip"] for name, found in last.items() if found["state"] == "running"}

    def refusals(self):
        return [r.detail["message"] for r in self.cluster.trace.of("sandbox")]


def test_the_sixth_pod_of_a_range_of_29_waits_until_one_has_gone():
    world = World(node_cidr_mask_size=29).apply(*(pod(f"p{n}") for n in range(6)))
    first = world.addresses()
    assert len(first) == 5 and set(first.values()) == {f"10.244.0.{n}" for n in range(10, 15)}
    (waiting,) = {f"p{n}" for n in range(6)} - set(first)
    assert world.refusals()[0].startswith(
        "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "
    )
    world.delete("p0" if waiting != "p0" else "p1")
    assert waiting in world.addresses()
    told = len(world.refusals())
    world.cluster.run(30)
    assert len(world.refusals()) == told  # who is content costs nothing


def test_a_refusal_is_an_event_of_the_pod():
    world = World(node_cidr_mask_size=29, record_events=True).apply(*(pod(f"p{n}") for n in range(6)))
    events = world.ask("GET", EVENT.path("default"))["items"]
    told = [event["message"] for event in events if event["reason"] == "FailedCreatePodSandBox"]
    assert sorted(told) == sorted(world.refusals()) != []


def test_a_pod_of_the_host_s_network_has_the_host_s_address_and_takes_none_of_the_range():
    world = World().apply(pod("mine", hostNetwork=True), pod("other"))
    assert world.addresses() == {"mine": "192.168.0.101", "other": "10.244.1.2"}


class OneAddress:
    """A reader's plugin that gives everybody the same address, and no more than two."""

    def __init__(self, node):
        self.node, self.pods = node, []

    def add(self, pod):
        if len(self.pods) == 2:
            raise NoNetwork("two are enough")
        self.pods.append(pod["metadata"]["name"])
        return "10.99.0.7"

    def delete(self, pod):
        self.pods.remove(pod["metadata"]["name"])

    def collect(self, uids):
        self.pods.clear()


def test_a_plugin_of_one_s_own_decides():
    world = World()
    made = {}
    world.cluster.use_cni(lambda node: made.setdefault(node, OneAddress(node)))
    world.apply(pod("a"), pod("b"), pod("c"))
    assert set(world.addresses().values()) == {"10.99.0.7"} and len(world.addresses()) == 2
    assert world.refusals()[0].endswith("two are enough")
    world.delete(next(iter(world.addresses())))
    assert len(made["worker-1"].pods) == 2
    with pytest.raises(ValueError, match="make a new one and call use_cni before run"):
        world.cluster.use_cni(OneAddress)
