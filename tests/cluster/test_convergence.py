"""Whatever happened: when power, network and programs are back, the cluster becomes what its users asked for.

Random crashes, pauses, power losses, cuts, zone outages and scalings for 80 s; then all is well again.
"""

import random

import pytest

from kubemini import faults
from kubemini.api.kinds import DEPLOYMENT, NODE, POD
from kubemini.cluster import Cluster
from kubemini.host.linux import podnetwork
from kubemini.network import dataplane
from kubemini.scenarios import load
from kubemini.sim.units import SECOND

CASES = [("first", 1), ("first", 2), ("services", 3), ("services", 4), ("stacked", 5), ("external", 6)]


def trouble(luck, topology):
    """A dozen commands: what to do to which target when."""
    components = [c for h in topology.hosts for c in h.components if not c.startswith(("kubectl", "visitor"))]
    hosts = [h.name for h in topology.hosts if h.role != "client"]
    targets = {
        "crash": components,
        "restart": components,
        "pause": components,
        "resume": components,
        "power_off": hosts,
        "power_on": hosts,
        "cut": hosts,
        "heal": [],
        "scale": [1, 2, 4, 6],
    }
    commands = []
    for _ in range(12):
        action = luck.choice(list(targets))
        arguments = [luck.choice(targets[action])] if targets[action] else []
        commands.append([round(luck.uniform(8, 80), 2), action, *(["web"] if action == "scale" else []), *arguments])
    return commands


def repair(cluster):
    """All faults end; whoever is down starts."""
    cluster.net.heal()
    for host in cluster.hosts.values():
        host.power_on()
    cluster.run(0.01)
    for component in cluster.components.values():
        component.resume()
        component.start()


def ask(cluster, path):
    """What the API says."""
    replies = []
    cluster.user.call_api("GET", path).callbacks.append(lambda event: replies.append(event.value))
    cluster.run(1)
    assert replies[0].ok, replies[0].error
    return replies[0].value


def is_ready(obj):
    return any(c["type"] == "Ready" and c["status"] == "True" for c in obj["status"].get("conditions", ()))


@pytest.mark.parametrize("name,seed", CASES)
@pytest.mark.some(3)
def test_after_any_trouble_the_cluster_becomes_what_was_asked_for(name, seed):
    scenario, luck = load(name), random.Random(f"{name}/{seed}")
    cluster = Cluster(scenario.topology, seed=seed)
    cluster.prepare(scenario.manifests, scenario.workload)
    faults.schedule(cluster, faults.parse_all(trouble(luck, scenario.topology)))
    cluster.run("90s")
    repair(cluster)
    cluster.run("250s")

    pods = ask(cluster, POD.path("default"))["items"]
    wanted = ask(cluster, DEPLOYMENT.path("default", "web"))["spec"]["replicas"]
    assert [is_ready(pod) for pod in pods] == [True] * wanted
    nodes = ask(cluster, NODE.path())["items"]
    assert all(is_ready(node) and not node["spec"].get("taints") for node in nodes)
    where = {pod["status"]["podIP"]: pod for pod in pods}
    for node in nodes:
        host = cluster.hosts[node["metadata"]["name"]]
        assert sorted(e.ip for e in dataplane.entry(host, "web").uses.cluster) == sorted(where)
        here = {ip: p["metadata"]["name"] for ip, p in where.items() if p["spec"]["nodeName"] == host.name}
        assert podnetwork.listening(host) == here
        assert sorted(c.name for c in host.kernel.containers.of_pod.values()) == sorted(here.values())
    late = [r.detail for r in cluster.trace.of("request") if r.detail["started"] > cluster.sim.now - 30 * SECOND]
    assert late and all(request["outcome"] == "ok" for request in late)
