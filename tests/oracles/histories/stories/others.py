"""What serves, owns, limits and keeps: slices, garbage, namespaces, budgets, quotas, nodes, volumes, accounts."""

from tests.oracles.histories.stories.parts import (
    change,
    config,
    create,
    delete,
    kubelet,
    made,
    node,
    pod,
    request,
    service,
    sleep,
    spec,
    story,
    wait,
    workload,
)

NODES = node("n1"), node("n2")
ALONE = (node("n1"),)  # on two, it is chance which of equal pods goes
EVICTIONS = "/api/v1/namespaces/ns/pods/%s/eviction"
TAINT = {"key": "out", "value": "now", "effect": "NoExecute"}


def served(name, about, *steps, ports=((80, 8080),), **fields):
    """A story of a Service before two pods that are ready."""
    begun = create(workload("ReplicaSet", "web", 2)), create(service("front", "web", ports, **fields))
    return story("endpoints", name, about, *ALONE, *begun, kubelet("ready", "web"), *steps)


def guarded(name, about, *steps, replicas=3, **fields):
    """A story of a budget over pods that are ready."""
    selector = {"matchLabels": {"app": "web"}}
    budget = made("policy/v1", "PodDisruptionBudget", "guard", spec={"selector": selector, **fields})
    begun = create(workload("ReplicaSet", "web", replicas)), kubelet("ready", "web"), create(budget)
    return story("disruption", name, about, *ALONE, *begun, *steps)


def evict(what):
    """Somebody evicts a pod."""
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": what, "namespace": "ns"}}
    return request(f"evict {what}", "POST", EVICTIONS % what, body)


def quota(name, about, *steps, **hard):
    """A story of a quota."""
    hard = {key.replace("_", "/"): value for key, value in hard.items()}
    return story("quota", name, about, create(made("v1", "ResourceQuota", "most", spec={"hard": hard})), *steps)


def volume(name, size, reclaim="Retain", **more):
    """A PersistentVolume."""
    kept = {"capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/data"}}
    kept |= {"persistentVolumeReclaimPolicy": reclaim, "storageClassName": "class-ours", **more}
    return create(made("v1", "PersistentVolume", name, spec=kept))


def claim(name, size, of="class-ours"):
    """A PersistentVolumeClaim."""
    asked = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}, "storageClassName": of}
    return create(made("v1", "PersistentVolumeClaim", name, spec=asked))


STORIES = [
    served(
        "one-stops-serving",
        "Of two ready pods one is not ready for a while.",
        *(kubelet("unready", "web", 1), kubelet("ready", "web")),
    ),
    served(
        "one-is-on-its-way-out",
        "A pod that is deleted stays in the slice until it is gone.",
        *(delete("Pod/<pod web 1>"), kubelet("gone", "web"), kubelet("ready", "web")),
    ),
    served(
        "points-elsewhere",
        "The selector changes to nothing that is there, and back.",
        spec("Service/front", selector={"app": "none"}),
        spec("Service/front", selector={"app": "web"}),
        ports=((80, 8080), (443, 8443)),
    ),
    served(
        "headless",
        "No cluster IP; the Service goes before its pods.",
        *(spec("ReplicaSet/web", replicas=1), kubelet("gone", "web"), delete("Service/front")),
        clusterIP="None",
    ),
    story(
        "gc",
        "owner-waits-for-two",
        "In the foreground: the owner goes after the pods that block it.",
        *(*NODES, create(workload("ReplicaSet", "web", 2)), kubelet("ready", "web")),
        *(delete("ReplicaSet/web", propagationPolicy="Foreground"), kubelet("gone", "web", 1), kubelet("gone", "web")),
    ),
    story(
        "gc",
        "nobody-owns-them-any-more",
        "Orphaned pods lose their owner and stay.",
        *(*NODES, create(workload("ReplicaSet", "web", 2)), kubelet("ready", "web")),
        *(delete("ReplicaSet/web", propagationPolicy="Orphan"), sleep(2)),
    ),
    story(
        "gc",
        "an-owner-that-never-was",
        "What names an owner of another uid goes.",
        create(config("real")),
        create(config("child", owners=[{"apiVersion": "v1", "kind": "ConfigMap", "name": "real", "uid": "0-1-2"}])),
        wait("ConfigMap/child == null"),
    ),
    story(
        "gc",
        "a-finalizer-holds",
        "A finalizer of one's own holds what is deleted until it is taken off.",
        *(create(config("held", finalizers=["example.com/mine"])), delete("ConfigMap/held"), sleep(2)),
        change("ConfigMap/held", {"metadata": {"finalizers": None}}),
    ),
    story(
        "namespace",
        "a-pod-holds-it",
        "A namespace waits for the pod in it, which has 30 s.",
        *(*NODES, create(pod("last")), kubelet("ready", "last"), create(config("some"))),
        *(request("delete the namespace", "DELETE", "/api/v1/namespaces/ns"), sleep(3), kubelet("gone", "last")),
        wait("Namespace/ns == null"),
    ),
    guarded(
        "one-may-go",
        "Two of three must serve: the second eviction is refused.",
        *(evict("<pod web 1>"), evict("<pod web 2>"), kubelet("gone", "web"), kubelet("ready", "web")),
        evict("<pod web 1>"),
        minAvailable=2,
    ),
    guarded(
        "a-third-may-be-missing",
        "A percentage, and one that is not ready already.",
        *(kubelet("unready", "web", 1), evict("<pod web 2>"), evict("<pod web 1>"), kubelet("ready", "web")),
        maxUnavailable="34%",
    ),
    guarded(
        "the-set-shrinks",
        "Two of three may miss; the set is scaled to one.",
        *(spec("ReplicaSet/web", replicas=1), kubelet("gone", "web")),
        maxUnavailable=2,
    ),
    quota(
        "two-maps",
        "Two ConfigMaps may be there, of which one is the root certificate.",
        *(create(config("one")), create(config("two")), delete("ConfigMap/one"), sleep(6), create(config("two"))),
        configmaps="2",
    ),
    quota(
        "three-pods",
        "Three pods may be there; one is finished and counts no more.",
        *(node("n1"), create(workload("ReplicaSet", "web", 3)), kubelet("succeed", "web", 1), sleep(6)),
        *(create(pod("more")), kubelet("ready", "web")),
        pods="3",
    ),
    story(
        "node",
        "some-are-patient",
        "A taint: one pod goes at once, one after 4 s, one stays.",
        *(*NODES, create(pod("hasty"))),
        create(pod("patient", tolerations=[{"key": "out", "operator": "Exists", "tolerationSeconds": 4}])),
        create(pod("settled", tolerations=[{"key": "out", "operator": "Exists"}])),
        kubelet("ready", ""),
        change("Node/n1", {"spec": {"taints": [TAINT]}}, "taint n1"),
        change("Node/n2", {"spec": {"taints": [TAINT]}}, "taint n2"),
        *(wait("Pod[metadata.deletionTimestamp!=null].length >= 2"), kubelet("gone", "")),
    ),
    story(
        "volume",
        "the-smallest-that-does",
        "Of three volumes a claim gets the smallest that is large enough.",
        *(volume("pv-one", "1Gi"), volume("pv-two", "3Gi"), volume("pv-three", "8Gi"), claim("data", "2Gi")),
        *(sleep(1), delete("PersistentVolumeClaim/data"), sleep(1)),
    ),
    story(
        "volume",
        "comes-later",
        "A claim waits for a volume that comes later.",
        *(
            claim("data", "2Gi"),
            sleep(2),
            volume("pv-late", "2Gi"),
            wait('PersistentVolumeClaim/data.status.phase == "Bound"'),
        ),
    ),
    story(
        "serviceaccount",
        "comes-back",
        "The default account is deleted and comes back; so does the root certificate.",
        *(delete("ServiceAccount/default"), sleep(1), delete("ConfigMap/kube-root-ca.crt"), sleep(1)),
    ),
]
