"""How small stories are told: short forms of scenarios, and those that no scenario can say."""

from typing import Any

from kubemini.cluster import Cluster, build
from kubemini.etcd.server.member import Member
from kubemini.host import Host
from kubemini.params import Params
from kubemini.scenarios import load
from tests.worlds.quiet import Client

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: REPLICAS
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: shop/web}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
"""
BOTH = """
apiVersion: v1
kind: Service
metadata: {name: both}
spec: {ipFamilyPolicy: PreferDualStack, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: six}
spec: {ipFamilies: [IPv6], selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
"""
POD = """
apiVersion: v1
kind: Pod
metadata: {name: NAME, annotations: ANNOTATIONS}
spec: {containers: [{name: c, image: app, EXTRA}]}
"""
DOORS = """
apiVersion: v1
kind: Service
metadata: {name: doors}
spec:
  type: NodePort
  externalIPs: [198.51.100.1]
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080, nodePort: 30080}]
"""
CLAIM = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: c}
spec: {storageClassName: "", accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""
VOLUME = """
apiVersion: v1
kind: PersistentVolume
metadata: {name: v}
spec: {accessModes: [ReadWriteOnce], capacity: {storage: 1Gi}, nfs: {server: 192.0.2.1, path: /}}
"""
SCALED = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: "app:1", resources: {requests: {cpu: 100m}}}]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  maxReplicas: 8
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]
"""


def pod(name: str, annotations: str = "{}", extra: str = "") -> str:
    return POD.replace("NAME", name).replace("ANNOTATIONS", annotations).replace("EXTRA", extra)


def etcd(until: int, *faults: list, spares: int = 0, **load: Any) -> dict[str, Any]:
    """Three members, a write a second, and *faults*."""
    writes = {"every": "1s", **load}
    topology = {"kind": "etcd", "members": 3, "spares": spares}
    return {
        "title": "t",
        "topology": topology,
        "workload": {"etcd_writes": writes},
        "faults": list(faults),
        "until": f"{until}s",
    }


def shop(
    until: int, *faults: list, replicas: int = 2, kind: str = "single", more: str = "", **sizes: Any
) -> dict[str, Any]:
    """A Deployment behind a Service, visitors, and a write a second."""
    workload = {"visitors": {"service": "web", "every": "500ms"}, "api_writes": {"every": "1s"}}
    manifests = "---".join([WEB.replace("REPLICAS", str(replicas)), *([more] if more else [])])
    topology = {"kind": kind, "workers": 1, **sizes}
    return {
        "title": "t",
        "topology": topology,
        "manifests": manifests,
        "workload": workload,
        "faults": list(faults),
        "until": f"{until}s",
    }


def by_a_door(until: int, *faults: list, door: str = "external-ip", **more: Any) -> dict[str, Any]:
    """A shop whose visitors come to a Service of more doors than a cluster IP, by one of them."""
    told = shop(until, *faults, more=DOORS, **more)
    told["workload"] = {"visitors": {"service": "doors", "every": "500ms", "door": door}}
    return told


def an_ingress(params: Params) -> list:
    """A shop behind an Ingress, with two controllers; then a worker loses its power."""
    story = load("ingress")
    cluster = Cluster(build("single", workers=2, ingress=True), 1, params)
    cluster.prepare(story.manifests.replace("replicas: 0", "replicas: 2"), story.workload)
    cluster.run("15s")
    cluster.user.scale("web", 5)
    cluster.run("10s")
    cluster.hosts["worker-2"].power_off()
    cluster.run("20s")
    return cluster.trace.records


def asked(params: Params) -> list:
    """Everything that a client can ask of three members, one of which is the leader, and dies."""
    cluster = Cluster(build("etcd", members=3, spares=1), 1, params)
    client = Client(cluster.sim, cluster.net, Host(cluster.sim, "asker"), "asker")
    client.start()
    cluster.run("5s")
    members = [m for m in cluster.components.values() if isinstance(m, Member) and m.up]
    leader = next(m for m in members if m.raft.role == "leader")
    first, second = (m.name for m in members if m is not leader)
    for number in range(30):
        client.ask(first, "put", {"key": f"key-{number}", "value": "v"})
    client.ask(first, "put", {"key": "long", "value": "x" * 1_700_000})
    puts = [{"request_put": {"key": f"txn-{n}", "value": "v"}} for n in range(3)]
    client.ask(first, "txn", {"compare": [], "success": puts, "failure": []})
    client.ask(first, "lease_grant", {"ID": 7, "TTL": 60})
    client.ask(first, "lease_grant", {"ID": 8, "TTL": 2})
    client.ask(first, "put", {"key": "leased", "value": "v", "lease": 8})
    for extra in ({"progress_notify": True}, {"require_leader": True}):
        client.listen(first, "watch", {"key": "k", **extra})
    cluster.run("8s")
    leader.crash()
    client.ask(first, "lease_keepalive", {"ID": 7})
    client.ask(second, "range", {"key": "key-1"})
    cluster.run("4s")
    cluster.components[second].crash()
    cluster.run("20s")
    return cluster.trace.records


def old_watch(params: Params) -> list:
    """Somebody watches from a revision of long ago, after many have followed."""
    cluster = Cluster.single(workers=1, params=params)
    client = Client(cluster.sim, cluster.net, Host(cluster.sim, "asker"), "asker")
    client.start()
    cluster.prepare("", {"api_writes": {"every": "50ms"}})
    cluster.run("5s")
    for revision in ("", "100"):
        path, query = "/api/v1/namespaces/default/configmaps", {"resourceVersion": revision} if revision else {}
        request = {"verb": "GET", "path": path, "query": query, "body": None, "user": "kubernetes-admin"}
        client.listen("apiserver-1", "watch", request)
        cluster.run("15s")
    return cluster.trace.records


def future_list(params: Params) -> list:
    """Somebody asks for a list of a revision that is still to come."""
    cluster = Cluster.single(workers=0, params=params)
    client = Client(cluster.sim, cluster.net, Host(cluster.sim, "asker"), "asker")
    client.start()
    cluster.run("5s")
    path, query = "/api/v1/namespaces/default/configmaps", {"resourceVersion": "1000000"}
    request = {"verb": "GET", "path": path, "query": query, "body": None, "user": "kubernetes-admin"}
    client.ask("apiserver-1", "request", request)
    cluster.run("9s")
    return cluster.trace.records


def node_deleted(params: Params) -> list:
    """A Node object is deleted while its machine is off: its pods belong to nobody."""
    cluster = Cluster.single(workers=2, params=params)
    cluster.apply(WEB.replace("REPLICAS", "3"))
    cluster.run("12s")
    cluster.hosts["worker-2"].power_off()
    cluster.user.delete("node", "worker-2")
    cluster.run("70s")
    return cluster.trace.records


def pods_ended(params: Params) -> list:
    """Two pods run to their end, and nobody deletes them."""
    cluster = Cluster.single(workers=1, params=params)
    for name in ("one", "two"):
        ends = pod(name, '{kubemini.io/exit-after: "3s"}')
        cluster.apply(ends.replace("spec: {", "spec: {restartPolicy: Never, "))
    cluster.run("45s")
    return cluster.trace.records


QUOTA = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "few", "namespace": "default"},
    "spec": {"hard": {"pods": "5"}},
}


def a_quota(params: Params) -> list:
    """A pod's time to end is over while its kubelet is away: it counts no more, and nobody tells the controller."""
    cluster = Cluster.single(workers=1, params=params)
    cluster.user.apply([QUOTA])
    cluster.apply(pod("stubborn", '{kubemini.io/stop-after: "10m"}'))
    cluster.run("15s")
    user = cluster.user
    cluster.components["kubelet@worker-1"].crash()
    user.spawn(user.request("DELETE", "/api/v1/namespaces/default/pods/stubborn", {"gracePeriodSeconds": 2}))
    cluster.run("40s")
    return cluster.trace.records


def forbidden(params: Params) -> list:
    """A quota forbids a pod; it goes, and nobody tells the ReplicaSet, which looks again after its back-off."""
    cluster = Cluster.single(workers=1, params=params)
    cluster.user.apply([QUOTA])
    cluster.run("5s")
    cluster.apply(WEB.replace("REPLICAS", "6"))
    cluster.run("45s")
    user = cluster.user
    user.spawn(user.request("DELETE", "/api/v1/namespaces/default/resourcequotas/few"))
    cluster.run("20s")
    return cluster.trace.records


def claims(params: Params) -> list:
    """A claim finds no volume; one comes, and nobody tells the claim."""
    cluster = Cluster.single(workers=0, params=params)
    cluster.apply(CLAIM)
    cluster.run("6s")
    cluster.apply(VOLUME)
    cluster.run("20s")
    return cluster.trace.records


def an_autoscaler(params: Params) -> list:
    """A Deployment under a load that grows and falls; then its kubelet dies, and its pods are called unready."""
    cluster = Cluster.single(workers=1, params=params)
    metrics = cluster.use_metrics_server()
    cluster.apply(SCALED)
    for seconds, cpu in ((30, "20m"), (40, "54m"), (40, "90m"), (60, "5m")):
        metrics.usage = {"*": {"c": {"cpu": cpu}}}
        cluster.run(f"{seconds}s")
    cluster.components["kubelet@worker-1"].crash()
    cluster.run("75s")
    return cluster.trace.records


def lagging(params: Params) -> list:
    """A controller sees no pods any more, though it is told of its ReplicaSet: it expects to see two go."""
    cluster = Cluster.single(workers=1, params=params)
    cluster.apply(WEB.replace("REPLICAS", "6"))
    cluster.run("12s")
    manager = cluster.components["controller-manager-1"]
    served = cluster.components["apiserver-1"].rpc.open.items()
    (pods,) = [id for (who, id), call in served if who == manager.name and call.payload["path"] == "/api/v1/pods"]
    manager.client.transport.connection.streams[pods].on_item = lambda item: None
    for replicas in (2, 1):
        cluster.user.scale("web", replicas)
        cluster.run("5s")
    return cluster.trace.records


def ghost(params: Params) -> list:
    """A Node object that no machine stands behind."""
    cluster = Cluster.single(workers=1, params=params)
    cluster.run("5s")
    cluster.user.apply([{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "ghost"}}])
    cluster.run("65s")
    return cluster.trace.records
