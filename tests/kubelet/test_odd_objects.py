"""Whatever the API holds, no program of the cluster fails on it: tests end at the first defect (see tests/conftest.py).

Each object is sent as it is, past the checks of the command line. Whether the API server takes it is its own affair;
if it does, scheduler, controllers, kubelet and kube-proxy have to live with it.
"""

import pytest

from kubemini.api.kinds import DEPLOYMENT, NODE, POD, REPLICA_SET, by_name
from kubemini.api.objects import freeze
from kubemini.cluster import Cluster
from tests.worlds.kube import SHOP, a_deployment

CONTAINER = {"name": "c", "image": "i"}
ODD = "\u00b2"  # a digit that is no number


def pod(name, meta=None, **spec):
    return {"kind": "Pod", "metadata": {"name": name, **(meta or {})}, "spec": {"containers": [CONTAINER], **spec}}


def service(name, meta=None, **spec):
    spec = {"selector": {"app": "web"}, "ports": [{"port": 80}], **spec}
    return {"kind": "Service", "metadata": {"name": name, **(meta or {})}, "spec": spec}


def node(name, **parts):
    return {"kind": "Node", "metadata": {"name": name}, **parts}


def slice(name, **parts):
    labels = {"kubernetes.io/service-name": "web"}
    return {"kind": "EndpointSlice", "metadata": {"name": name, "labels": labels}, "addressType": "IPv4", **parts}


def affinity(**term):
    near = {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "kubernetes.io/hostname", **term}]}
    return {"podAffinity": near, "podAntiAffinity": near}


def spread(**more):
    rule = {"maxSkew": 1, "topologyKey": "rack", "whenUnsatisfiable": "DoNotSchedule", **more}
    return [rule]


WHO = {"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "x"}
OBJECTS = [
    pod("host", hostNetwork=True, containers=[CONTAINER | {"ports": [{"containerPort": 80, "hostPort": 80}]}]),
    pod("huge", containers=[CONTAINER | {"resources": {"requests": {"cpu": "1e400", "memory": "9E"}}}]),
    pod("huge-here", nodeName="worker-1", overhead={"cpu": "1e400"}),
    pod("tiny", containers=[CONTAINER | {"resources": {"requests": {"cpu": "1n", "memory": "1m", "x.y/z": "0"}}}]),
    pod("whole", resources={"requests": {"cpu": "100m"}}),
    pod("none", {"labels": None, "annotations": None, "ownerReferences": None}, tolerations=None, affinity=None),
    pod("spread", topologySpreadConstraints=spread()),
    pod("spread-none", topologySpreadConstraints=spread(labelSelector=None, minDomains=3, matchLabelKeys=["app"])),
    pod("spread-soft", topologySpreadConstraints=spread(whenUnsatisfiable="ScheduleAnyway", nodeTaintsPolicy="Honor")),
    pod("near", affinity=affinity()),
    pod("near-all", affinity=affinity(labelSelector={}, namespaceSelector={}, matchLabelKeys=["app"])),
    pod("near-nobody", affinity=affinity(namespaces=["no-such"], topologyKey="rack")),
    pod("late", terminationGracePeriodSeconds=2**31 - 1, activeDeadlineSeconds=2**31 - 1),
    pod("for-ever", tolerations=[{"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 2**62}]),
    pod("here", nodeName="worker-1", restartPolicy="Never"),
    pod("nowhere", nodeName="no-such-node"),
    pod("priority", priority=-(2**31)),
    pod("owned", {"ownerReferences": [WHO, {**WHO, "kind": "Strange"}]}),
    pod("odd", {"annotations": {"kubemini.io/exit-after": "soon", "kubemini.io/stop-after": "-1s"}}),
    pod("costs", {"annotations": {"controller.kubernetes.io/pod-deletion-cost": ODD}}),
    pod("hook", containers=[CONTAINER | {"lifecycle": {"preStop": {"exec": {"command": ["sleep", "-1"]}}}}]),
    pod("probe", containers=[CONTAINER | {"livenessProbe": {"exec": {"command": ["x"]}, "periodSeconds": None}}]),
    pod("init", initContainers=[CONTAINER | {"name": "i", "restartPolicy": "Always"}]),
    service("named", ports=[{"port": 80, "targetPort": "no-such-port"}]),
    service("headless", clusterIP="None"),
    service("headless-label", {"labels": {"service.kubernetes.io/headless": ""}}),
    service("other-proxy", {"labels": {"service.kubernetes.io/service-proxy-name": "mesh"}}),
    service("no-selector", selector=None),
    service("no-labels", {"labels": None}),
    service("external", type="ExternalName", externalName="example.com", ports=None, selector=None),
    service("sticky", sessionAffinity="ClientIP", sessionAffinityConfig=None),
    slice("empty"),
    slice("none", endpoints=None, ports=None),
    slice("v6", addressType="IPv6", endpoints=[{"addresses": ["fd00::1"]}], ports=[{"port": 80}]),
    slice("name", addressType="FQDN", endpoints=[{"addresses": ["example.com"]}]),
    slice("no-port", endpoints=[{"addresses": ["10.1.2.3"], "conditions": None, "nodeName": None}], ports=[{}]),
    node("bare"),
    node("null", spec=None, status=None),
    node("bare-status", status={"conditions": None, "allocatable": {}}),
    node("tainted", spec={"taints": [{"key": "k", "effect": "NoExecute"}]}),
    node("unlike", status={"conditions": [{"type": "Ready", "status": "Maybe"}], "allocatable": {"cpu": "1e400"}}),
    {"kind": "Lease", "metadata": {"name": "bare", "namespace": "kube-node-lease"}},
    {"kind": "Lease", "metadata": {"name": "null", "namespace": "kube-node-lease"}, "spec": None},
    {"kind": "ConfigMap", "metadata": {"name": "owned", "ownerReferences": [WHO]}},
    {"kind": "Namespace", "metadata": {"name": "gone", "finalizers": ["example.com/hold"]}},
]


def sent(cluster, verb, path, body, query=None):
    cluster.user.call_api(verb, path, freeze(body), query or {})
    cluster.run("50ms")


def a_cluster():
    cluster = Cluster.single(workers=2)
    cluster.apply([a_deployment(2), SHOP])
    cluster.run(8)
    return cluster


def post(cluster, obj):
    kind = by_name(obj["kind"])
    namespace = obj["metadata"].get("namespace", "default") if kind.namespaced else ""
    sent(cluster, "POST", kind.path(namespace), {"apiVersion": kind.api_version, **obj})
    return kind.path(namespace, obj["metadata"]["name"])


@pytest.mark.parametrize("obj", OBJECTS, ids=lambda obj: f"{obj['kind']}-{obj['metadata']['name']}")
@pytest.mark.some(10)
def test_no_program_fails_on_it_from_beginning_to_end(obj):
    cluster = a_cluster()
    path = post(cluster, obj)
    cluster.run(15)
    sent(cluster, "DELETE", path, {"propagationPolicy": "Foreground"})
    cluster.run(15)
    assert len([r for r in cluster.trace.of("pod") if r.detail["state"] == "running"]) >= 2


def test_no_program_fails_on_all_of_them_together():
    cluster = a_cluster()
    paths = [post(cluster, obj) for obj in OBJECTS]
    cluster.run(60)
    cluster.components["kubelet@worker-1"].crash()
    cluster.components["scheduler-1"].crash()
    cluster.components["controller-manager-1"].crash()
    cluster.run(1)
    for name in ("kubelet@worker-1", "scheduler-1", "controller-manager-1"):
        cluster.components[name].start()
    cluster.run(60)
    for path in paths:
        sent(cluster, "DELETE", path, None)
    cluster.run(60)


STATUSES = [
    (POD, "web", {"conditions": [{"type": "Ready", "status": "True"}], "containerStatuses": None, "startTime": None}),
    (POD, "web", {"conditions": None, "podIP": "fd00::1", "phase": "Strange"}),
    (DEPLOYMENT, "web", {"conditions": [{"type": "Progressing", "status": "True"}], "replicas": None}),
    (DEPLOYMENT, "web", {"conditions": [{"type": "Progressing", "status": "Unknown", "reason": "DeploymentPaused"}]}),
    (REPLICA_SET, "web", {"replicas": 2**31 - 1, "availableReplicas": -1, "conditions": None}),
    (NODE, "worker-1", {"conditions": None, "allocatable": None, "capacity": None}),
    (NODE, "worker-1", {"conditions": [{"type": "Ready", "status": "Unknown"}], "addresses": None}),
]


@pytest.mark.parametrize(("kind", "name", "status"), STATUSES)
def test_no_program_fails_on_a_status_that_somebody_else_wrote(kind, name, status):
    cluster = a_cluster()
    cache = cluster.components["apiserver-1"].cache(kind)
    found = next(o["metadata"] for o in cache.items() if o["metadata"]["name"].startswith(name))
    path = kind.path(found.get("namespace", ""), found["name"], "status")
    sent(cluster, "PATCH", path, {"status": status}, {"type": "merge"})
    cluster.run(20)
    cluster.components["kubelet@worker-1"].crash()
    cluster.components["kubelet@worker-1"].start()
    cluster.run(30)


@pytest.mark.parametrize("text", ["abc", "1.5", "-1", "99999999999999999999", ODD, ""])
def test_no_program_fails_on_notes_that_somebody_else_wrote(text):
    cluster = a_cluster()
    names = ("desired-replicas", "max-replicas", "revision")
    notes = {"metadata": {"annotations": {f"deployment.kubernetes.io/{name}": text for name in names}}}
    for kind in (REPLICA_SET, DEPLOYMENT):
        for obj in list(cluster.components["apiserver-1"].cache(kind).items()):
            sent(cluster, "PATCH", kind.path("default", obj["metadata"]["name"]), notes, {"type": "merge"})
    sent(cluster, "PATCH", DEPLOYMENT.path("default", "web"), {"spec": {"replicas": 5}}, {"type": "merge"})
    cluster.run(20)
    running = {r.detail["name"] for r in cluster.trace.of("pod") if r.detail["state"] == "running"}
    assert len(running) >= 5
