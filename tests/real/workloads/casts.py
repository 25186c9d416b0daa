"""Who plays in a story: workloads of every kind with random fields, and Services and budgets about them."""

from dataclasses import dataclass, field

from kubemini.api.kinds import by_name
from tests.oracles.histories.noting import NAMESPACE

SCALED = ("Deployment", "ReplicaSet", "StatefulSet", "ReplicationController")
KINDS = (*("Deployment",) * 4, "ReplicaSet", *("StatefulSet",) * 3, *("DaemonSet",) * 2, *("Job",) * 4, "CronJob")
KINDS = (*KINDS, "ReplicationController")
TOLERATED = [
    {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 4}
    for key in ("not-ready", "unreachable")
]  # by half of all pods; the others stay for the five minutes that admission gives them
LONG = 3600  # s: it never comes; what comes at some second might come in another step when the machine is busy
NUMBERS = (0, 1, 2, "25%", "50%")


@dataclass
class Actor:
    """A workload: its object, and the word by which its pods are known."""

    kind: str
    app: str
    obj: dict
    images: list = field(default_factory=lambda: ["app:1"])
    there: bool = True
    failed: int = 0  # pods, at most

    @property
    def path(self):
        """Where the API server has it."""
        return by_name(self.kind).path(NAMESPACE, self.obj["metadata"]["name"])


def workload(luck, app, lasting=False):
    """One of a random kind; *lasting*: of one whose pods are to stay, whatever the minute."""
    kind = luck.choice([kind for kind in KINDS if not (lasting and kind in ("Job", "CronJob"))])
    return Actor(kind, app, named(kind, app, SPECS[kind](luck, app)))


def named(kind, name, spec):
    """An object of that name in the story's namespace."""
    return {"apiVersion": by_name(kind).api_version, "kind": kind, "metadata": {"name": name}, "spec": spec}


def pod_template(luck, app, **more):
    """A template of pods that the hand binds."""
    container = {"name": "c", "image": "app:1"}
    if luck.random() < 0.3:
        container["resources"] = {"requests": {"cpu": "100m"}}
    if luck.random() < 0.5:
        more = {"tolerations": [*TOLERATED, *more.pop("tolerations", ())], **more}
    spec = {"schedulerName": "by-hand", "terminationGracePeriodSeconds": 30, "containers": [container], **more}
    return {"metadata": {"labels": {"app": app}}, "spec": spec}


def maybe(luck, chance, **fields):
    """Those fields, or nothing."""
    return fields if luck.random() < chance else {}


def _scaled(luck, app, most):
    selector = {"matchLabels": {"app": app}}
    return {"replicas": luck.randint(0, most), "selector": selector, "template": pod_template(luck, app)}


def deployment(luck, app):
    """Of Deployments."""
    surge, gone = luck.choice(NUMBERS), luck.choice(NUMBERS)
    rolling = {"maxSurge": surge, "maxUnavailable": 1 if surge == gone == 0 else gone}
    strategy = luck.choice(({}, {"type": "Recreate"}, {"type": "RollingUpdate", "rollingUpdate": rolling}))
    return {
        **_scaled(luck, app, 5),
        **({"strategy": strategy} if strategy else {}),
        **maybe(luck, 0.2, revisionHistoryLimit=luck.randint(0, 1)),
        **maybe(luck, 0.1, paused=True),
        **maybe(luck, 0.15, minReadySeconds=LONG, progressDeadlineSeconds=2 * LONG),
    }


def replicaset(luck, app):
    """Of ReplicaSets."""
    return {**_scaled(luck, app, 5), **maybe(luck, 0.2, minReadySeconds=LONG)}


def controller(luck, app):
    """Of ReplicationControllers."""
    return {**_scaled(luck, app, 4), "selector": {"app": app}}


def statefulset(luck, app):
    """Of StatefulSets."""
    rolling = {
        **maybe(luck, 0.4, partition=luck.randint(0, 3)),
        **maybe(luck, 0.3, maxUnavailable=luck.choice((1, 2, "50%"))),
    }
    claim = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}
    claim["spec"]["resources"] = {"requests": {"storage": "1Gi"}}
    policy = {one: luck.choice(("Retain", "Delete")) for one in ("whenDeleted", "whenScaled")}
    claims = luck.random() < 0.3
    return {
        **_scaled(luck, app, 4),
        "serviceName": app,
        **maybe(luck, 0.4, podManagementPolicy="Parallel"),
        **maybe(
            luck,
            0.7,
            updateStrategy=luck.choice(({"type": "OnDelete"}, {"rollingUpdate": rolling}, {"rollingUpdate": rolling})),
        ),
        **maybe(luck, 0.15, ordinals={"start": luck.randint(1, 3)}),
        **maybe(luck, 0.15, minReadySeconds=LONG),
        **maybe(luck, 0.3, revisionHistoryLimit=luck.randint(0, 1)),
        **({"volumeClaimTemplates": [claim]} if claims else {}),
        **({"persistentVolumeClaimRetentionPolicy": policy} if claims and luck.random() < 0.6 else {}),
    }


def daemonset(luck, app):
    """Of DaemonSets: only on the story's own nodes."""
    chosen = {"set": NAMESPACE, **maybe(luck, 0.3, disk="ssd")}
    tolerated = [{"key": "only", "operator": "Exists"}]
    surge = luck.random() < 0.3
    rolling = {"maxSurge": 1, "maxUnavailable": 0} if surge else {"maxUnavailable": luck.choice((1, 2, "50%"))}
    strategy = luck.choice(({"type": "OnDelete"}, {"rollingUpdate": rolling}, {"rollingUpdate": rolling}))
    return {
        "selector": {"matchLabels": {"app": app}},
        "template": pod_template(luck, app, nodeSelector=chosen, **maybe(luck, 0.3, tolerations=tolerated)),
        **maybe(luck, 0.7, updateStrategy=strategy),
        **maybe(luck, 0.15, minReadySeconds=LONG),
        **maybe(luck, 0.2, revisionHistoryLimit=luck.randint(0, 1)),
    }


def job(luck, app):
    """Of Jobs."""
    parallelism, indexed = luck.randint(0, 3), luck.random() < 0.5
    completions = luck.randint(1, 4) if indexed or luck.random() < 0.7 else None
    restarts = luck.choice(("Never", "Never", "Never", "OnFailure"))
    never = restarts == "Never"
    per_index = indexed and never and luck.random() < 0.4
    spec = {
        "template": pod_template(luck, app, restartPolicy=restarts),
        "parallelism": parallelism,
        **({} if completions is None else {"completions": completions}),
        **({"completionMode": "Indexed"} if indexed else {}),
        **maybe(luck, 0.5, backoffLimit=luck.randint(0, 2)),
        **maybe(luck, 0.2, suspend=True),
        **maybe(luck, 0.15, ttlSecondsAfterFinished=luck.choice((0, LONG))),
        **({"backoffLimitPerIndex": luck.randint(0, 1)} if per_index else {}),
        **({"maxFailedIndexes": luck.randint(0, 2)} if per_index and luck.random() < 0.5 else {}),
    }
    if never and luck.random() < 0.3:
        rule = {"action": luck.choice(("FailJob", "Ignore", "Count", *(("FailIndex",) if per_index else ())))}
        rule |= {"onExitCodes": {"operator": luck.choice(("In", "NotIn")), "values": [3]}}
        spec |= {"podFailurePolicy": {"rules": [rule]}}
    elif luck.random() < 0.2:
        spec |= {"podReplacementPolicy": "Failed"}
    if indexed and luck.random() < 0.3:
        rule = {"succeededCount": 1} if luck.random() < 0.5 else {"succeededIndexes": "0"}
        spec |= {"successPolicy": {"rules": [rule]}}
    return spec


def cronjob(luck, app):
    """Of CronJobs: what a minute brings is waited for by a move."""
    template = pod_template(luck, app, restartPolicy="Never")
    return {
        "schedule": "* * * * *",
        "jobTemplate": {"spec": {"template": template}},
        **maybe(luck, 0.5, concurrencyPolicy=luck.choice(("Forbid", "Replace"))),
        **maybe(luck, 0.4, suspend=True),
        **maybe(luck, 0.3, successfulJobsHistoryLimit=luck.randint(0, 1)),
        **maybe(luck, 0.3, failedJobsHistoryLimit=luck.randint(0, 1)),
        **maybe(luck, 0.2, startingDeadlineSeconds=30),
    }


SPECS = {
    "Deployment": deployment,
    "ReplicaSet": replicaset,
    "ReplicationController": controller,
    "StatefulSet": statefulset,
    "DaemonSet": daemonset,
    "Job": job,
    "CronJob": cronjob,
}


def about(luck, actor):
    """A Service, a budget, both or neither."""
    selector, found = {"app": actor.app}, []
    if luck.random() < 0.35:
        found.append(named("Service", f"to-{actor.app}", _service(luck, selector)))
    if luck.random() < 0.3:
        found.append(_budget(luck, actor.app, {"matchLabels": selector}))
    return found


def _service(luck, selector):
    ports = [{"port": 80, "name": "main", **maybe(luck, 0.5, targetPort=8080)}]
    ports += luck.choice(([], [], [{"port": 443, "name": "more"}], [{"port": 53, "name": "dns", "protocol": "UDP"}]))
    return {
        **{"selector": selector, "ports": ports},
        **maybe(luck, 0.2, publishNotReadyAddresses=True),
        **maybe(luck, 0.3, clusterIP="None"),
        **maybe(luck, 0.3, trafficDistribution=luck.choice(("PreferClose", "PreferSameZone", "PreferSameNode"))),
    }


def shared_budget(luck):
    """One budget over the pods of all workloads."""
    return _budget(luck, "all", {"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "db"]}]})


def _budget(luck, name, selector):
    limit = {luck.choice(("minAvailable", "maxUnavailable")): luck.choice((0, 1, 2, "50%"))}
    policy = maybe(luck, 0.4, unhealthyPodEvictionPolicy=luck.choice(("AlwaysAllow", "IfHealthyBudget")))
    return named("PodDisruptionBudget", name, {"selector": selector, **limit, **policy})
