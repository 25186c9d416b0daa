"""Workloads in what seldom comes: names that are taken, costs, what is broken and stays so, nodes that are not well."""

from tests.oracles.histories.stories.parts import (
    change,
    create,
    delete,
    image,
    job,
    kubelet,
    made,
    node,
    path_of,
    request,
    sleep,
    spec,
    story,
    wait,
    workload,
)

NODE = node("n1")
WEB, SET, DB, AGENT, TASK, TICK = (
    *("Deployment/web", "ReplicaSet/web", "StatefulSet/db", "DaemonSet/agent", "Job/task", "CronJob/tick"),
)
CHANGED = {"kubernetes.io/change-cause": "why", "example.com/one": "1"}
COST = "controller.kubernetes.io/pod-deletion-cost"
SCHEDULES = ("* * * *", "61 * * * *", "* * * * 7", "5-1 * * * *", "* * * * L", "TZ=UTC * * * * *")
TAKEN = ("@hourly", "@every 1h", "*/70 * * * *", "0 0 31 2 *", "? * * * *", "0 0 * * sun")


def begun(area, name, about, obj, *steps, nodes=(NODE,), **more):
    """A story that begins with nodes and a workload."""
    return story(area, name, about, *nodes, create(obj), *steps, **more)


def deployment(name, about, *steps, replicas=3, **fields):
    """Of a Deployment that has become ready."""
    web = workload("Deployment", "web", replicas, **fields)
    return begun("deployment", name, about, web, kubelet("ready", "web"), *steps)


def statefulset(name, about, *steps, replicas=3, **fields):
    """Of a StatefulSet."""
    return begun(
        "statefulset", name, about, workload("StatefulSet", "db", replicas, serviceName="db", **fields), *steps
    )


def daemonset(name, about, *steps, nodes=(NODE,), pod=(), **fields):
    """Of a DaemonSet on the story's own nodes."""
    here = {"nodeSelector": {"set": "ns"}, **dict(pod)}
    return begun("daemonset", name, about, workload("DaemonSet", "agent", pod=here, **fields), *steps, nodes=nodes)


def one_by_one(do, of, times):
    """The same to one pod after another."""
    return [kubelet(do, of, 1)] * times


def cost(number, value):
    """A pod of web says what its end would cost."""
    return change(f"Pod/<pod web {number}>", {"metadata": {"annotations": {COST: value}}}, f"cost {value}")


def schedule(number, text):
    """A CronJob of that schedule is asked for."""
    made_of = {"template": job("tick")["spec"]["template"]}
    asked = {"schedule": text, "suspend": True, "jobTemplate": {"spec": made_of}}
    return create(made("batch/v1", "CronJob", f"tick-{number}", spec=asked))


STORIES = [
    deployment(
        "one-is-lost-afterwards",
        "It is complete; then a pod is deleted, and another fails.",
        *(delete("Pod/<pod web 1>"), sleep(2), kubelet("gone", "web"), kubelet("ready", "web")),
        *(kubelet("fail", "web", 1), sleep(2), kubelet("ready", "web")),
        progressDeadlineSeconds=8,
    ),
    deployment(
        "says-why",
        "Its annotations go to the set that is current, and never off it.",
        *(change(WEB, {"metadata": {"annotations": CHANGED}}), image(WEB, "app:2"), kubelet("ready", "web")),
        change(WEB, {"metadata": {"annotations": dict.fromkeys(CHANGED)}}),
        *(kubelet("gone", "web"), image(WEB, "app:1"), kubelet("ready", "web"), kubelet("gone", "web")),
        replicas=1,
    ),
    deployment(
        "recreated-beside-a-failed-one",
        "Recreate: a pod that has failed holds nothing back.",
        *(kubelet("fail", "web", 1), image(WEB, "app:2"), kubelet("gone", "web"), kubelet("ready", "web")),
        replicas=2,
        strategy={"type": "Recreate"},
    ),
    deployment(
        "none-is-remembered",
        "No history: the old set goes with its last pod.",
        *(image(WEB, "app:2"), *one_by_one("ready", "web", 2), kubelet("gone", "web"), image(WEB, "app:1")),
        *(*one_by_one("ready", "web", 2), kubelet("gone", "web")),
        replicas=2,
        revisionHistoryLimit=0,
    ),
    deployment(
        "its-set-is-scaled-by-hand",
        "Somebody scales the ReplicaSet, up and down; it is put back.",
        *(
            spec("ReplicaSet/<set web 1>", replicas=4),
            kubelet("gone", "web"),
            spec("ReplicaSet/<set web 1>", replicas=0),
        ),
        *(kubelet("gone", "web"), kubelet("ready", "web")),
        replicas=2,
    ),
    begun(
        "deployment",
        "its-name-is-taken",
        "A set has the name that the new one would have, and other labels.",
        workload("Deployment", "web", 2),
        *(kubelet("ready", "web"), delete(WEB, propagationPolicy="Orphan")),
        change("ReplicaSet/<set web 1>", {"metadata": {"labels": {"app": "other"}}}, "it is of another"),
        *(create(workload("Deployment", "web", 1)), kubelet("ready", "web")),
    ),
    begun(
        "replicaset",
        "what-an-end-costs",
        "Ready comes before cheap, and what is no number is refused.",
        workload("ReplicaSet", "web", 4),
        *(kubelet("ready", "web", 3), cost(1, "-100"), cost(2, "5"), cost(3, "cheap"), cost(4, "100")),
        *(spec(SET, replicas=3), spec(SET, replicas=2), kubelet("gone", "web")),
    ),
    begun(
        "replicaset",
        "thirty-scalings",
        "A recorder of Events lets 25 through.",
        workload("ReplicaSet", "web", 0),
        *({**spec(SET, replicas=number % 2), "quiet": 0.5} for number in range(1, 31)),
    ),
    statefulset(
        "parallel-is-not-for-updates",
        "Parallel: pods come together, and are replaced one by one.",
        *(kubelet("ready", "db"), image(DB, "app:2"), kubelet("gone", "db"), kubelet("ready", "db")),
        *(kubelet("gone", "db"), kubelet("ready", "db"), kubelet("gone", "db"), kubelet("ready", "db")),
        podManagementPolicy="Parallel",
    ),
    statefulset(
        "broken-and-not-healed",
        "The new template does not get ready; the old one comes back, and nothing happens until the pod is deleted.",
        *(
            *one_by_one("ready", "db", 2),
            image(DB, "app:2"),
            kubelet("gone", "db"),
            kubelet("crash", "db-1", restarts=2),
        ),
        *(image(DB, "app:1"), sleep(2), delete("Pod/db-1"), kubelet("gone", "db"), kubelet("ready", "db")),
        replicas=2,
    ),
    statefulset(
        "one-is-deleted",
        "Its successor comes when it is gone.",
        *(*one_by_one("ready", "db", 2), delete("Pod/db-0"), sleep(1), kubelet("gone", "db"), kubelet("ready", "db")),
        replicas=2,
    ),
    daemonset(
        "a-tenth-of-three",
        "A tenth of three may be missing, which is one.",
        *(kubelet("ready", "agent"), image(AGENT, "app:2")),
        *[kubelet(do, "agent") for _ in range(3) for do in ("gone", "ready")],
        nodes=(NODE, node("n2"), node("n3")),
        updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "10%"}},
    ),
    begun(
        "job",
        "two-of-four-will-do",
        "Two successes of four indexes are enough.",
        job(
            "task",
            **{"completions": 4, "parallelism": 4, "completionMode": "Indexed"},
            successPolicy={"rules": [{"succeededCount": 2}]},
        ),
        *(kubelet("ready", "task"), kubelet("succeed", "task", 2), kubelet("gone", "task", final="fail")),
        quiet=5.0,
    ),
    begun(
        "job",
        "only-when-it-has-failed",
        "A pod that is being deleted is replaced when it has ended.",
        job("task", podReplacementPolicy="Failed"),
        *(kubelet("ready", "task"), delete("Pod/<pod task 1>"), sleep(12), kubelet("gone", "task", final="fail")),
        sleep(12),
        quiet=5.0,
    ),
    story(
        "cronjob",
        "what-is-no-schedule",
        "Schedules that are refused, and odd ones that are not.",
        *(schedule(number, text) for number, text in enumerate((*SCHEDULES, *TAKEN))),
        request("the status of one", "GET", path_of(f"CronJob/tick-{len(SCHEDULES)}")),
        wait("clock.second >= 0", 1),
        quiet=1.0,
    ),
]
