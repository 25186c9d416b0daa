"""Deployments, ReplicaSets and ReplicationControllers."""

from tests.oracles.histories.stories.parts import (
    auto,
    change,
    create,
    delete,
    image,
    kubelet,
    node,
    pod,
    rolling,
    sleep,
    spec,
    story,
    wait,
    workload,
)

WEB, SET = "Deployment/web", "ReplicaSet/web"
NODES = (node("n1"),)  # on two, it is chance which of equal pods goes


def deployment(area_name, about, *steps, replicas=3, **fields):
    """A story of a Deployment that begins with one node."""
    return story(
        "deployment", area_name, about, *NODES, create(workload("Deployment", "web", replicas, **fields)), *steps
    )


def replicaset(area_name, about, *steps, replicas=2, **fields):
    """The same of a ReplicaSet."""
    return story(
        "replicaset", area_name, about, *NODES, create(workload("ReplicaSet", "web", replicas, **fields)), *steps
    )


STORIES = [
    deployment(
        "one-by-one",
        "Three replicas are replaced without surge: one goes before one comes.",
        *(kubelet("ready", "web"), image(WEB, "app:2"), kubelet("gone", "web"), kubelet("ready", "web")),
        *(kubelet("gone", "web"), kubelet("ready", "web"), kubelet("gone", "web"), kubelet("ready", "web")),
        strategy=rolling(0, 1),
    ),
    deployment(
        "half-again",
        "Four replicas, a surge of a half and none missing.",
        *(kubelet("ready", "web"), image(WEB, "app:2"), kubelet("ready", "web"), kubelet("gone", "web")),
        *(kubelet("ready", "web"), kubelet("gone", "web")),
        replicas=4,
        strategy=rolling("50%", 0),
    ),
    deployment(
        "recreated",
        "Recreate: two go, and only then two come.",
        *(kubelet("ready", "web"), image(WEB, "app:2"), kubelet("gone", "web", 1), kubelet("gone", "web")),
        kubelet("ready", "web"),
        replicas=2,
        strategy={"type": "Recreate"},
    ),
    deployment(
        "two-changes-while-paused",
        "Paused, the template changes twice; resumed, only the last one is rolled out.",
        *(kubelet("ready", "web"), spec(WEB, paused=True), image(WEB, "app:2"), image(WEB, "app:3")),
        *(spec(WEB, paused=False), kubelet("ready", "web"), kubelet("gone", "web")),
        *(kubelet("ready", "web"), kubelet("gone", "web")),
        replicas=2,
    ),
    deployment(
        "changed-its-mind",
        "In the middle of a rollout the old template comes back.",
        *(kubelet("ready", "web"), image(WEB, "app:2"), kubelet("ready", "web"), image(WEB, "app:1")),
        *(kubelet("gone", "web"), kubelet("ready", "web"), kubelet("gone", "web")),
    ),
    deployment(
        "third-before-second-is-done",
        "A third template comes while the second waits for its first pod.",
        *(kubelet("ready", "web"), image(WEB, "app:2"), image(WEB, "app:3"), kubelet("gone", "web")),
        *(kubelet("ready", "web"), kubelet("gone", "web"), kubelet("ready", "web"), kubelet("gone", "web")),
    ),
    deployment(
        "grows-in-a-rollout",
        "Six replicas become nine in the middle of a rollout.",
        *(kubelet("ready", "web"), image(WEB, "app:2"), spec(WEB, replicas=9), kubelet("ready", "web")),
        *(kubelet("gone", "web"), kubelet("ready", "web"), kubelet("gone", "web"), kubelet("ready", "web")),
        replicas=6,
        strategy=rolling(2, 1),
    ),
    deployment(
        "two-are-remembered",
        "Four templates one after the other, two old ones are kept.",
        *(
            auto(),
            sleep(1),
            image(WEB, "app:2"),
            sleep(1),
            image(WEB, "app:3"),
            sleep(1),
            image(WEB, "app:4"),
            sleep(1),
        ),
        replicas=1,
        revisionHistoryLimit=2,
    ),
    deployment(
        "too-late-and-yet",
        "A deadline of 12 s passes without a ready pod; then they get ready after all.",
        wait('Deployment/web.status.conditions[type=Progressing].status == "False"'),
        *(kubelet("ready", "web", 1), kubelet("ready", "web")),
        replicas=2,
        progressDeadlineSeconds=12,
    ),
    deployment(
        "available-after-a-while",
        "A pod counts after it has been ready for 15 s.",
        *(kubelet("ready", "web"), wait("Deployment/web.status.availableReplicas == 2"), image(WEB, "app:2")),
        *(kubelet("ready", "web"), wait("Deployment/web.status.updatedReplicas == 2"), kubelet("gone", "web")),
        replicas=2,
        minReadySeconds=15,
    ),
    deployment(
        "orphans-are-taken-over",
        "Deleted with its pods left; another of the same name takes them over.",
        *(kubelet("ready", "web"), delete(WEB, propagationPolicy="Orphan")),
        create(workload("Deployment", "web", 3)),
        replicas=2,
    ),
    deployment(
        "deleted-in-a-rollout",
        "Deleted in the foreground while two sets have pods.",
        *(kubelet("ready", "web"), image(WEB, "app:2"), delete(WEB, propagationPolicy="Foreground")),
        kubelet("gone", "web"),
        replicas=2,
    ),
    deployment(
        "to-nothing-in-a-rollout",
        "Scaled to nothing while a new template waits for its pods.",
        *(kubelet("ready", "web"), image(WEB, "app:2"), spec(WEB, replicas=0), kubelet("gone", "web")),
        spec(WEB, replicas=1),
        replicas=4,
    ),
    replicaset(
        "shrinks-to-the-ready-one",
        "Of three, one is ready: that one stays.",
        *(kubelet("ready", "web", 1), spec(SET, replicas=1), kubelet("gone", "web")),
        replicas=3,
    ),
    replicaset(
        "a-failed-one-is-replaced",
        "One fails, another succeeds: both are replaced, and stay when it is scaled to nothing.",
        *(kubelet("ready", "web"), kubelet("fail", "web", 1), kubelet("succeed", "web", 1)),
        *(kubelet("ready", "web"), spec(SET, replicas=0), kubelet("gone", "web")),
    ),
    replicaset(
        "a-stray-is-taken-in",
        "A pod of its label is there already; it is taken in, and one less is made.",
        *(kubelet("ready", "web"), change("Pod/<pod web 1>", {"metadata": {"labels": {"app": "other"}}})),
        create(pod("web-stray", {"app": "web"})),
    ),
    replicaset(
        "marked-twice",
        "Two are deleted by hand, and gone one after the other.",
        *(kubelet("ready", "web"), delete("Pod/<pod web 1>"), delete("Pod/<pod web 2>"), kubelet("gone", "web", 1)),
        *(kubelet("gone", "web"), kubelet("ready", "web")),
        replicas=3,
    ),
    replicaset(
        "its-selector-finds-those-of-another",
        "Two sets of one selector: neither takes what the other has.",
        *(kubelet("ready", "web"), create(workload("ReplicaSet", "web", 1) | {"metadata": {"name": "web-two"}})),
        *(kubelet("ready", "web"), delete(SET, propagationPolicy="Orphan"), sleep(2)),
        replicas=1,
    ),
    story(
        "replicaset",
        "replication-controller",
        "A ReplicationController grows, shrinks and goes.",
        *(*NODES, create(workload("ReplicationController", "old", 1)), kubelet("ready", "old")),
        *(spec("ReplicationController/old", replicas=3), kubelet("ready", "old", 1)),
        *(spec("ReplicationController/old", replicas=2), kubelet("gone", "old")),
        *(delete("ReplicationController/old", propagationPolicy="Background"), kubelet("gone", "old")),
    ),
]
