"""Small clusters for the cells of *The scheduler*: nodes that are full and idle, a zone lost, a node that returns."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from kubemini.api.objects import Obj, get
from kubemini.cluster import Cluster
from kubemini.lab.asking import Asking

ZONE = "topology.kubernetes.io/zone"
PODS = "/api/v1/namespaces/default/pods"
PATIENCE = 20  # seconds for which pods forgive a node that is not reachable
FORGIVES = [
    {"key": f"node.kubernetes.io/{why}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": PATIENCE}
    for why in ("not-ready", "unreachable")
]


def pod(name: str, cpu: str, **spec: Any) -> Obj:
    """A pod that does nothing, and asks for so much CPU."""
    wanted = {"requests": {"cpu": cpu, "memory": "256Mi"}}
    containers = [{"name": "c", "image": "pause", "resources": wanted}]
    meta = {"name": name, "namespace": "default", "labels": {"app": name.rstrip("-0123456789")}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": containers, **spec}}


def deployment(name: str, replicas: int, cpu: str = "500m", **spec: Any) -> Obj:
    """So many pods of one kind, which forgive a lost node for 20 s."""
    app = {"app": name}
    one = pod(name, cpu, tolerations=FORGIVES, **spec)
    template = {"metadata": {"labels": app}, "spec": one["spec"]}
    whole = {"replicas": replicas, "selector": {"matchLabels": app}, "template": template}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default"},
        "spec": whole,
    }


def spread(app: str, **more: Any) -> list[Obj]:
    """One topologySpreadConstraint: pods of *app*, in no zone more than one more than in another."""
    same = {"matchLabels": {"app": app}}
    return [{"maxSkew": 1, "topologyKey": ZONE, "whenUnsatisfiable": "DoNotSchedule", "labelSelector": same, **more}]


def priority(name: str, value: int) -> Obj:
    """A PriorityClass."""
    return {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name}, "value": value}


def places(cluster: Cluster, app: str) -> Counter[str]:
    """How many pods of *app*, not being deleted, are on each node; "Pending" without one."""
    found = Asking(cluster).ask("GET", PODS)["items"]
    mine = [one for one in found if one["metadata"]["labels"].get("app") == app and _stays(one)]
    return Counter(get(one, "spec", "nodeName") or "Pending" for one in mine)


def _stays(one: Mapping[str, Any]) -> bool:
    return "deletionTimestamp" not in one["metadata"] and get(one, "status", "phase") != "Failed"


def zone_lost(**more: Any) -> list[tuple[int, dict[str, int]]]:
    """Six pods hard-spread over three zones of two nodes; zone c dies: (seconds since, pods by node), at four instants.

    *more* are further fields of the constraint, such as ``nodeTaintsPolicy="Honor"``.
    """
    cluster = Cluster.single(workers=6, zones="abc")
    cluster.run(6)
    cluster.apply([deployment("web", 6, topologySpreadConstraints=spread("web", **more))])
    cluster.run(6)
    began, seen = cluster.sim.now, [(0, dict(sorted(places(cluster, "web").items())))]
    for host in cluster.hosts_in("c"):
        if host.name.startswith("worker"):
            host.power_off()
    for seconds in (40, 100, 160):
        cluster.run_until(began + seconds * 1_000_000)
        seen.append((seconds, dict(sorted(places(cluster, "web").items()))))
    return seen


def returned(nodes: int = 3, replicas: int = 6) -> list[tuple[int, dict[str, int]]]:
    """A node is away for 110 s: (seconds since it went, pods by node), until long after its return."""
    cluster = Cluster.single(workers=nodes, zones="abc")
    cluster.run(6)
    cluster.apply([deployment("web", replicas)])
    cluster.run(6)
    began, lost = cluster.sim.now, cluster.hosts["worker-2"]
    seen = []
    for seconds in (0, 60, 110, 240, 600):
        cluster.run_until(began + seconds * 1_000_000)
        seen.append((seconds, {f"worker-{n}": places(cluster, "web")[f"worker-{n}"] for n in range(1, nodes + 1)}))
        if seconds == 0:
            lost.power_off()
        if seconds == 110:
            lost.power_on()
    return seen
