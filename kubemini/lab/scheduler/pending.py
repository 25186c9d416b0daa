"""scheduler.pending: three pods are Pending, each for a reason of its own; say which plugin refuses it, and cure it.

The cures are typed into the very cluster that the page shows. Whatever else runs there must go on running.
"""

from typing import Any

from kubemini import kubectl
from kubemini.api.objects import Obj, get
from kubemini.cluster import Cluster
from kubemini.explaining import explain
from kubemini.lab import NotYet, Report, exercise
from kubemini.lab.asking import Asking
from kubemini.ranges import shown

WAITING = ("report", "search", "probe")
PODS = "/api/v1/namespaces/default/pods"
TAINT = {"key": "team", "value": "shop", "effect": "NoSchedule"}
TOLERATES = [{"key": "team", "operator": "Equal", "value": "shop", "effect": "NoSchedule"}]
HINTS = {
    "NodeResourcesFit": "Does its message speak of something that is Insufficient?",
    "NodeAffinity": "Does its message speak of the node's labels, that is of affinity or selector?",
    "TaintToleration": "Does its message speak of taints?",
}


def puzzle() -> Cluster:
    """The cluster, at 14 s: three nodes for the team shop, one shop that runs, and three pods that do not."""
    cluster = Cluster.single(workers=3, zones="abc")
    cluster.run(6)
    for name in ("worker-1", "worker-2", "worker-3"):
        kubectl(cluster, f"taint nodes {name} team=shop:NoSchedule")
    cluster.apply(
        [
            *(_pod(f"shop-{n}", "1500m", tolerations=TOLERATES) for n in (1, 2, 3)),
            _pod("report", "3", tolerations=TOLERATES),
            _pod("search", "250m", tolerations=TOLERATES, nodeSelector={"disk": "ssd"}),
            _pod("probe", "100m"),
        ]
    )
    cluster.run(8)
    return cluster


def _pod(name: str, cpu: str, **spec: Any) -> Obj:
    wanted = {"requests": {"cpu": cpu, "memory": "128Mi"}}
    containers = [{"name": "c", "image": "pause", "resources": wanted}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"containers": containers, **spec},
    }


@exercise("scheduler.pending")
def check_pending(answer: Any) -> Report:
    """*answer*: for each pod that waits (plugin, kubectl line): ``{"report": ("NodeAffinity", "get pods")}``."""
    if not isinstance(answer, dict) or set(answer) != set(WAITING):
        raise NotYet(f"Say it of {', '.join(WAITING)}, in a dict; yours is {shown(answer)}.")
    cluster = puzzle()
    for name, said in answer.items():
        if not (isinstance(said, tuple | list) and len(said) == 2 and all(isinstance(one, str) for one in said)):
            raise NotYet(f'{name}: give two texts, ("the plugin", "the kubectl line"); yours is {shown(said)}.')
        true = explain(cluster, f"pod/{name}").decision.plugins
        if said[0] not in true:
            raise NotYet(f"{name} is not refused by {shown(said[0])}.", next=HINTS[true[0]])
    before = _pods(cluster)
    for name, (_, line) in answer.items():
        _cure(cluster, name, line)
    cluster.run(8)
    return _judged(answer, before, _pods(cluster))


def _cure(cluster: Cluster, name: str, line: str) -> None:
    typed = kubectl(cluster, line.removeprefix("kubectl "), time="20s")
    if typed.status != 0:
        raise NotYet(f"{name}: your line went wrong: {typed.err.strip().splitlines()[0] if typed.err else 'no answer'}")
    cluster.run(2)


def _pods(cluster: Cluster) -> dict[str, Obj]:
    return {pod["metadata"]["name"]: pod for pod in Asking(cluster).ask("GET", PODS)["items"]}


def _judged(answer: dict[str, Any], before: dict[str, Obj], after: dict[str, Obj]) -> Report:
    for name, pod in before.items():
        now = after.get(name)
        if now is None or now["metadata"]["uid"] != pod["metadata"]["uid"]:
            raise NotYet(f"{name} was ended: cure the three without ending anybody, nor making one anew.")
        if get(pod, "spec", "nodeName") and get(now, "status", "phase") != "Running":
            raise NotYet(f"{name} ran before, and does not any more.")
    waits = [name for name in WAITING if not get(after[name], "spec", "nodeName")]
    if waits:
        name = waits[0]
        message = next((c.get("message", "") for c in get(after[name], "status", "conditions") or ()), "")
        raise NotYet(
            f"{name} is still Pending after your line: {message}",
            next=f"Ask what would have to change: explain(cluster, 'pod/{name}').",
        )
    where = ", ".join(f"{name} on {after[name]['spec']['nodeName']}" for name in WAITING)
    plugins = ", ".join(dict.fromkeys(said[0] for said in answer.values()))
    return Report(
        "pass",
        (f"all three run: {where}", f"three plugins had said no: {plugins}", "the three shops were not touched"),
        "Pending has a reason each time, and the event says it. Who cures the reason need not make the pod anew.",
    )
