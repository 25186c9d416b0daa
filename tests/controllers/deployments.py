"""Small Deployments and their ReplicaSets, and what the controller does who sees them."""

from kubemini.api.kinds import POD, REPLICA_SET
from kubemini.api.objects import evolve, evolve_many, freeze
from kubemini.api.timestamps import timestamp
from kubemini.controllers.decide.actions import Update, controller_uid
from kubemini.controllers.decide.controller import Facts
from kubemini.controllers.decide.workloads.deployment import controller, sets
from kubemini.controllers.decide.workloads.deployment.sets import Look
from tests.controllers.parts import granted, play


def a_deployment(replicas=10, surge="25%", unavailable="25%", kind="RollingUpdate", image="v1", **status):
    strategy = {"type": kind}
    if kind == "RollingUpdate":
        strategy["rollingUpdate"] = {"maxSurge": surge, "maxUnavailable": unavailable}
    return freeze(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "default", "uid": "d", "generation": 1},
            "spec": {
                "replicas": replicas,
                "progressDeadlineSeconds": 600,
                "strategy": strategy,
                "selector": {"matchLabels": {"app": "web"}},
                "template": {
                    "metadata": {"labels": {"app": "web"}},
                    "spec": {"containers": [{"name": "c", "image": image}]},
                },
            },
            **({"status": status} if status else {}),
        }
    )


def its_replicaset(owner, size=0, ready=None, old=0, at=0):
    """A ReplicaSet of *owner*; *old* > 0 gives it an older template."""
    if old:
        owner = evolve(owner, ("spec", "template", "spec", "containers", 0, "image"), f"v0.{old}")
    made = sets.new_replicaset(owner, 1, size)
    meta = {"uid": f"rs-{old}", "creationTimestamp": timestamp(at), "generation": 1}
    made = evolve_many(made, *((("metadata", key), value) for key, value in meta.items()))
    ready = size if ready is None else ready
    status = {"replicas": size, "readyReplicas": ready, "availableReplicas": ready, "observedGeneration": 1}
    return evolve(made, ("status",), status)


def seen(owner, replicasets, pods=(), now=0, answer=granted):
    """All that the controller does, who sees these."""
    held = {POD: list(pods), REPLICA_SET: replicasets}
    facts = Facts(
        get=lambda kind, key: next((rs for rs in replicasets if rs["metadata"]["name"] == key[1]), None),
        of_namespace=lambda kind, namespace: [],
        owned_by=lambda kind, uid: [obj for obj in held[kind] if controller_uid(obj) == uid],
    )
    return play(controller.decide(owner, facts, True, now), answer)


def look(owner):
    return Look(owner, [], lambda key: None, 0)


def sizes_of(steps):
    """What became of which ReplicaSet."""
    return {s.obj["metadata"]["name"]: s.obj["spec"]["replicas"] for s in steps if isinstance(s, Update)}
