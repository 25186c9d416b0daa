"""What a program that nobody knows says in its log of the probes by HTTP that it is asked.

Such lines cost nothing before somebody reads them: the log is told since when it is probed how (decide/logs).
"""

from collections.abc import Sequence

from kubemini.kubelet.decide.behaviour import behaviour
from kubemini.kubelet.decide.logs import Check
from kubemini.kubelet.decide.pods.probing import NAMES, READINESS, STARTUP, Prober
from kubemini.kubelet.decide.pods.runs import RUNNING
from kubemini.kubelet.decide.pods.told.status import by_name
from kubemini.kubelet.pods.shared import Attended

AGENT = "kube-probe/1.37"


def checks(worker: Attended, probers: Sequence[Prober]) -> None:
    """Tell the logs of the pod's containers how they are probed from now on."""
    containers, now = worker.shared.containers, worker.shared.now
    sandbox = containers.of_pod[worker.uid]
    told = by_name(worker.life.status)
    asked: dict[str, list[Check]] = {}
    for one in probers:
        run = sandbox.view.latest(one.name)
        life = sandbox.lives.get(one.run)
        if run is None or life is None or not life.plain or "httpGet" not in one.spec:
            continue
        found = asked.setdefault(one.name, [])
        started = bool(told.get(one.name, {}).get("started"))
        if run.state == RUNNING and not worker.life.killing and started == (one.kind != STARTUP):
            found.append(_check(worker, one, now, containers.well(worker.uid)))
    for name, found in asked.items():
        containers.logs.probe(worker.uid, name, found)


def _check(worker: Attended, prober: Prober, now: int, well: bool) -> Check:
    good = behaviour(worker.pod, NAMES[prober.kind]) != "fail" and (well or prober.kind != READINESS)
    path = prober.spec["httpGet"].get("path") or "/"
    text = f'kubelet "GET {path} HTTP/1.1" {200 if good else 503} "{AGENT}"'
    return Check(prober.name, prober.tick_from(max(now, prober.started_at + prober.delay)), prober.period, text)
