"""scheduler.requests: requests for thirty pods whose memory over time is known, on nodes that come one after another.

Two nodes are there when the pods are made, the third one comes half a minute later. The programs really hold the
memory that the trace says. Who asks for too little is packed too close; who asks for too much stays Pending.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from kubemini import kubectl
from kubemini.api.objects import Obj, get
from kubemini.api.quantity import in_bytes
from kubemini.cluster import Cluster
from kubemini.containers.process import Process, Sleep
from kubemini.kubelet.kubelet import Kubelet
from kubemini.lab import NotYet, Report, exercise
from kubemini.lab.asking import Asking
from kubemini.ranges import shown
from kubemini.sim.units import SECOND

PODS, LATE, MIB = 30, "worker-3", 2**20
USAGE = (80, 120, 180, 240, 300, 420, 560, 640, 700, 640, 520, 480, 560, 690, 600, 500)  # MiB, every 5 s
HARD = {"memory.available": 100 * MIB}  # evictionHard, its default: so much must be left
STEP = 5 * SECOND
JOINS, ENDS = 30, 150  # seconds after the pods were made


def eats(process: Process) -> Iterator[Any]:
    """The program: holds what `USAGE` says, again and again."""
    held = 0
    while True:
        for amount in USAGE:
            process.allocate((amount - held) * MIB)
            held = amount
            yield Sleep(STEP)


@exercise("scheduler.requests")
def check_requests(answer: Any) -> Report:
    """*answer*: ``{"requests": {"cpu": …, "memory": …}, "limits": {…}}``, as in a container."""
    if not isinstance(answer, dict) or not isinstance(answer.get("requests"), dict):
        raise NotYet(f'Hand over {{"requests": {{"cpu": "100m", "memory": "64Mi"}}}}; yours is {shown(answer)}.')
    cluster = Cluster.single(workers=3, zones="abc")
    cluster.use_program("eats", eats)
    for component in cluster.components.values():
        if isinstance(component, Kubelet):
            component.configuration = replace(component.configuration, eviction_hard=HARD)
    cluster.run(6)
    kubectl(cluster, f"cordon {LATE}")
    wanted = kubectl(cluster, "apply -f -", _text(answer))
    if wanted.status != 0:
        raise NotYet(f"No API server takes these resources: {wanted.err.strip().splitlines()[0]}")
    cluster.run(JOINS)
    early = Counter(get(pod, "spec", "nodeName") or "" for pod in _pods(cluster))
    kubectl(cluster, f"uncordon {LATE}")
    cluster.run(ENDS)
    return _judged(answer, early, _pods(cluster))


def _text(resources: Any) -> str:
    spec = {"containers": [{"name": "c", "image": "eats", "resources": resources}]}
    template = {"metadata": {"labels": {"app": "eats"}}, "spec": spec}
    whole = {"replicas": PODS, "selector": {"matchLabels": {"app": "eats"}}, "template": template}
    return json.dumps({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "eats"}, "spec": whole})


def _pods(cluster: Cluster) -> list[Obj]:
    return list(Asking(cluster).ask("GET", "/api/v1/namespaces/default/pods")["items"])


def _judged(answer: Any, early: Counter[str], pods: list[Obj]) -> Report:
    crowd = ", ".join(f"{node or 'Pending'} {n}" for node, n in sorted(early.items()))
    killed = sum(_restarts(pod) for pod in pods)
    evicted = sum(get(pod, "status", "reason") == "Evicted" for pod in pods)
    if killed:
        raise NotYet(
            f"{killed} times a container was killed for its memory (OOMKilled).",
            f"the trace goes up to {max(USAGE)} MiB; your limit is {_limit(answer)}",
            next="A limit below what is used kills. It has no part in where a pod goes, requests have.",
        )
    if evicted:
        raise NotYet(
            f"{evicted} pods were evicted by their kubelets, because the node ran out of memory.",
            f"when the pods were made they went to: {crowd}",
            next="The scheduler saw your requests, not the use. How much must each ask for, so that no node is too full"
            f" when all use {max(USAGE)} MiB?",
        )
    waits = sum(not get(pod, "spec", "nodeName") for pod in pods)
    if waits:
        raise NotYet(
            f"{waits} of {PODS} pods are still Pending, although there are three nodes.",
            f"a node has 8092 MiB and 4 CPUs to give, and {PODS // 3} pods must fit on each",
            next="Ask for less: 8092 MiB and 4000m, shared by ten.",
        )
    return Report(
        "pass",
        (
            f"when the pods were made they went to: {crowd}",
            f"when the third node had come all {PODS} ran, and in {ENDS} s nobody was killed or evicted",
            f"each asks for {in_bytes(answer['requests']['memory']) // MIB} MiB and uses up to {max(USAGE)} MiB",
        ),
        "Requests are a promise that the scheduler believes. Pending is better than killed: it waits for a node.",
        "What would 30 pods that ask for the average have done?",
    )


def _restarts(pod: Obj) -> int:
    return sum(status.get("restartCount", 0) for status in get(pod, "status", "containerStatuses") or ())


def _limit(answer: Any) -> str:
    found = (answer.get("limits") or {}).get("memory")
    return str(found) if found else "none"
