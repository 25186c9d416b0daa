"""metrics.k8s.io/v1beta1: what each running pod used in the last window, container by container, and each node in all.

A pod is measured while it runs and is not on its way out. What it uses is told to the program (`Usage`): by a pod's own
name, or for all others by "*"; None: nobody has measured it.
Models k8s.io/metrics pkg/apis/metrics/v1beta1 PodMetrics, NodeMetrics; kubernetes-sigs/metrics-server
pkg/api podMetrics.List nodeMetrics.List
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kubemini.api import labels, quantity
from kubemini.api.errors import ApiError, bad_request, method_not_allowed, page_not_found
from kubemini.api.objects import Obj, freeze, get
from kubemini.api.timestamps import timestamp
from kubemini.sim.units import SECOND

GROUP, VERSION = "metrics.k8s.io", "v1beta1"
API_VERSION = f"{GROUP}/{VERSION}"
ROOT = f"/apis/{API_VERSION}"
ALL = "*"
RESOURCES = ("cpu", "memory")
Usage = Mapping[str, Mapping[str, Mapping[str, str]] | None]  # pod or "*" → container → {"cpu": …, "memory": …}


def answer(asked: Mapping[str, Any], pods: Sequence[Obj], usage: Usage, window: int, now: int) -> "Obj | ApiError":
    """What a request is answered: {"verb", "path", "query"} → an object. *window* and *now* in µs."""
    path = str(asked.get("path")).removeprefix(ROOT)
    if asked.get("verb") not in ("GET", "LIST"):
        return method_not_allowed()
    try:
        selector = labels.parse(_first(asked.get("query") or {}, "labelSelector"))
    except labels.SelectorError as error:
        return bad_request(str(error))
    parts = [part for part in path.split("/") if part]
    found = [_of_pod(pod, usage, window, now) for pod in pods if selector.matches(pod["metadata"].get("labels"))]
    measured = [one for one in found if one is not None]
    match parts:
        case []:
            return freeze(_resources())
        case ["pods"]:
            return _list("PodMetrics", measured)
        case ["namespaces", space, "pods"]:
            return _list("PodMetrics", [one for one in measured if one["metadata"]["namespace"] == space])
        case ["namespaces", space, "pods", name]:
            wanted = (space, name)
            mine = [one for one in measured if (one["metadata"]["namespace"], one["metadata"]["name"]) == wanted]
            return mine[0] if mine else _missing("pods", f"{space}/{name}")
        case ["nodes"]:
            return _list("NodeMetrics", _of_nodes(pods, usage, window, now))
        case ["nodes", name]:
            nodes = [one for one in _of_nodes(pods, usage, window, now) if one["metadata"]["name"] == name]
            return nodes[0] if nodes else _missing("nodes", name)
    return page_not_found()


def _first(query: Mapping[str, Any], name: str) -> str:
    value = query.get(name, "")
    return str(value[0] if isinstance(value, list) else value)


def is_measured(pod: Obj) -> bool:
    """Whether it runs and is to stay."""
    return get(pod, "status", "phase") == "Running" and "deletionTimestamp" not in pod["metadata"]


def used(pod: Obj, usage: Usage) -> Mapping[str, Mapping[str, str]] | None:
    """What each container of *pod* uses; None: nobody knows."""
    name = pod["metadata"]["name"]
    return usage[name] if name in usage else usage.get(ALL)


def _of_pod(pod: Obj, usage: Usage, window: int, now: int) -> Obj | None:
    found = used(pod, usage)
    if found is None or not is_measured(pod):
        return None
    names = [container["name"] for container in pod["spec"]["containers"]]
    containers = [{"name": name, "usage": dict(found[name])} for name in names if name in found]
    meta = {key: pod["metadata"][key] for key in ("name", "namespace", "labels") if key in pod["metadata"]}
    told: Obj = freeze(_measured("PodMetrics", meta, window, now) | {"containers": containers})
    return told


def _measured(kind: str, meta: dict[str, Any], window: int, now: int) -> dict[str, Any]:
    said = {"metadata": {**meta, "creationTimestamp": timestamp(now)}, "timestamp": timestamp(now)}
    return {"kind": kind, "apiVersion": API_VERSION, **said, "window": f"{window / SECOND:g}s"}


def _of_nodes(pods: Sequence[Obj], usage: Usage, window: int, now: int) -> list[Obj]:
    """The sum of its pods, node by node."""
    totals: dict[str, dict[str, quantity.Quantity]] = {}
    for pod in pods:
        node, found = get(pod, "spec", "nodeName"), used(pod, usage)
        if node and found is not None and is_measured(pod):
            total = totals.setdefault(node, {})
            for resource, amount in (item for container in found.values() for item in container.items()):
                more = quantity.parse(amount)
                total[resource] = total[resource] + more if resource in total else more
    return [
        freeze(_measured("NodeMetrics", {"name": node}, window, now) | {"usage": {r: str(q) for r, q in total.items()}})
        for node, total in sorted(totals.items())
    ]


def _list(kind: str, items: list[Obj]) -> Obj:
    found: Obj = freeze({"kind": f"{kind}List", "apiVersion": API_VERSION, "metadata": {}, "items": items})
    return found


def _missing(resource: str, name: str) -> ApiError:
    details = {"name": name, "group": GROUP, "kind": resource}
    return ApiError(404, "NotFound", f'{resource}.{GROUP} "{name}" not found', freeze(details))


def _resources() -> dict[str, Any]:
    """What discovery says of this version."""
    rows = (("nodes", "NodeMetrics", False), ("pods", "PodMetrics", True))
    told = [
        {"name": name, "singularName": "", "namespaced": spaced, "kind": kind, "verbs": ["get", "list"]}
        for name, kind, spaced in rows
    ]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": API_VERSION, "resources": told}
