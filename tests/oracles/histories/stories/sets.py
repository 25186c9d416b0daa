"""StatefulSets and DaemonSets."""

from tests.oracles.histories.stories.parts import (
    HERE,
    change,
    create,
    delete,
    image,
    kubelet,
    made,
    node,
    sleep,
    spec,
    story,
    workload,
)

DB, AGENT = "StatefulSet/db", "DaemonSet/agent"
CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": "none"}
CLAIMS = [{"metadata": {"name": "data"}, "spec": CLAIM}]


def stateful(name, about, *steps, replicas=2, **fields):
    """A story of a StatefulSet."""
    whole = workload("StatefulSet", "db", replicas, serviceName="db", **fields)
    return story("statefulset", name, about, node("n1"), node("n2"), create(whole), *steps)


def daemon(name, about, *steps, nodes=(), pod=(), **fields):
    """A story of a DaemonSet."""
    whole = workload("DaemonSet", "agent", pod={"nodeSelector": HERE, **dict(pod)}, **fields)
    return story("daemonset", name, about, *(nodes or (node("n1"), node("n2"))), create(whole), *steps)


def one_by_one(times):
    """So many times the next pod of db becomes ready."""
    return [kubelet("ready", "db")] * times


def strategy(kind, **fields):
    """An update strategy."""
    return {"type": kind, **({"rollingUpdate": fields} if fields else {})}


STORIES = [
    stateful(
        "up-and-down",
        "Three come one by one, and two go one by one.",
        *(*one_by_one(3), spec(DB, replicas=1), kubelet("gone", "db"), kubelet("gone", "db")),
        replicas=3,
    ),
    stateful(
        "all-at-once",
        "Parallel: three come together, and two go together.",
        *(kubelet("ready", "db", 2), spec(DB, replicas=1), kubelet("gone", "db")),
        replicas=3,
        podManagementPolicy="Parallel",
    ),
    stateful(
        "above-the-partition",
        "Only the last of three gets the new template; then the partition falls.",
        *(*one_by_one(3), image(DB, "db:2"), kubelet("gone", "db"), *one_by_one(1)),
        spec(DB, updateStrategy=strategy("RollingUpdate", partition=1)),
        *(kubelet("gone", "db"), *one_by_one(1)),
        replicas=3,
        updateStrategy=strategy("RollingUpdate", partition=2),
    ),
    stateful(
        "only-when-deleted",
        "OnDelete: a pod gets the new template when somebody deletes it.",
        *(*one_by_one(2), image(DB, "db:2"), delete("Pod/<pod db 1>"), kubelet("gone", "db"), *one_by_one(1)),
        updateStrategy=strategy("OnDelete"),
    ),
    stateful(
        "a-middle-one-fails",
        "The middle one of three fails, and comes back under its name.",
        *(*one_by_one(3), change("StatefulSet/db", {"metadata": {"annotations": {"note": "seen"}}})),
        *(delete("Pod/db-1", gracePeriodSeconds=0), *one_by_one(1), kubelet("fail", "db", 1), *one_by_one(1)),
        replicas=3,
    ),
    stateful(
        "claims-stay",
        "Each has a claim of its own; scaled down, the claims stay.",
        *(*one_by_one(2), spec(DB, replicas=1), kubelet("gone", "db"), spec(DB, replicas=2), *one_by_one(1)),
        volumeClaimTemplates=CLAIMS,
    ),
    stateful(
        "claims-go-with-the-set",
        "Claims go when it is deleted, not when it is scaled down.",
        *(*one_by_one(2), spec(DB, replicas=1), kubelet("gone", "db")),
        *(delete(DB, propagationPolicy="Background"), kubelet("gone", "db")),
        volumeClaimTemplates=CLAIMS,
        persistentVolumeClaimRetentionPolicy={"whenDeleted": "Delete", "whenScaled": "Retain"},
    ),
    stateful(
        "numbers-from-five",
        "The ordinals begin at 5; they move to 6.",
        *(*one_by_one(2), spec(DB, ordinals={"start": 6}), *one_by_one(1), kubelet("gone", "db")),
        ordinals={"start": 5},
    ),
    daemon(
        "a-node-joins",
        "Two nodes, and a third that joins later.",
        *(kubelet("ready", "agent"), node("n3"), kubelet("ready", "agent")),
    ),
    daemon(
        "all-nodes-at-once",
        "A new template on three nodes, of which all may miss their pod.",
        *(kubelet("ready", "agent"), image(AGENT, "agent:2"), kubelet("gone", "agent"), kubelet("ready", "agent")),
        nodes=(node("n1"), node("n2"), node("n3")),
        updateStrategy=strategy("RollingUpdate", maxUnavailable="100%"),
    ),
    daemon(
        "the-new-one-first",
        "A new template with surge.",
        *(kubelet("ready", "agent"), image(AGENT, "agent:2"), kubelet("ready", "agent"), kubelet("gone", "agent")),
        nodes=(node("n1"),),
        updateStrategy=strategy("RollingUpdate", maxSurge=1, maxUnavailable=0),
    ),
    daemon(
        "only-when-deleted",
        "OnDelete: the new template comes to a node when its pod is deleted.",
        *(kubelet("ready", "agent"), image(AGENT, "agent:2"), delete("Pod/<pod agent 1>"), kubelet("gone", "agent")),
        kubelet("ready", "agent"),
        updateStrategy=strategy("OnDelete"),
    ),
    daemon(
        "a-node-loses-its-label",
        "A node is no longer meant, and then meant again.",
        kubelet("ready", "agent"),
        change("Node/n2", {"metadata": {"labels": {"set": "none"}}}),
        kubelet("gone", "agent"),
        change("Node/n2", {"metadata": {"labels": HERE}}),
        kubelet("ready", "agent"),
    ),
    daemon(
        "a-tainted-node",
        "One of two nodes has a taint that it does not tolerate; then it does.",
        kubelet("ready", "agent"),
        change(
            AGENT,
            {"spec": {"template": {"spec": {"tolerations": [{"key": "only", "operator": "Exists"}]}}}},
            "it tolerates the taint",
        ),
        *(kubelet("ready", "agent"), kubelet("gone", "agent"), kubelet("ready", "agent")),
        nodes=(node("n1"), node("n2", [{"key": "only", "value": "them", "effect": "NoSchedule"}])),
    ),
    story(
        "daemonset",
        "a-revision-by-hand",
        "A ControllerRevision that is nobody's comes and goes.",
        *(node("n1"), create(workload("DaemonSet", "agent", pod={"nodeSelector": HERE})), kubelet("ready", "agent")),
        *(create(made("apps/v1", "ControllerRevision", "stray", labels={"of": "nobody"}, revision=7)), sleep(2)),
        delete("ControllerRevision/stray"),
    ),
]
