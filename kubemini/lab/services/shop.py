"""What the exercises on labels share: manifests are applied, visitors come, and somebody counts.

Invariant: manifests are judged by what the cluster does with them, so every repair that works is right.
"""

from collections import Counter
from typing import Any

from kubemini.api.labels import SERVICE_NAME
from kubemini.api.manifests import ManifestError
from kubemini.cluster import Cluster
from kubemini.lab import NotYet, Report
from kubemini.network.decide.rules import nftables
from kubemini.network.decide.rules.iptables import rules
from kubemini.network.decide.rules.network import local
from kubemini.network.decide.rules.plan import plans
from kubemini.network.decide.services.node import Node, ProxyConfig
from kubemini.network.kubeproxy import KubeProxy
from kubemini.scenarios import load
from kubemini.sim import Trace
from kubemini.sim.trace import Record
from kubemini.sim.units import SECOND

SEEDS = range(1, 6)
OPEN, END = 15, 30  # seconds: everything has started; the end of a trial


def judge(answer: Any, wanted: dict[str, int]) -> Report:
    """The learner's manifests must give every Deployment of *wanted* its pods, and all visits to those of web."""
    if not isinstance(answer, str):
        raise NotYet(f"Give check() the text of the manifests; it got {type(answer).__name__}.")
    total: Counter[str] = Counter()
    for seed in SEEDS:
        trace = trial(answer, seed)
        refusals = [r for r in trace.of("request") if r.detail["kind"] == "api" and r.detail["outcome"] != "ok"]
        if refusals:
            raise NotYet(f"The API server refuses a manifest: {refusals[0].detail['why']}")
        for name, count in wanted.items():
            _control(trace, name, count)
        total += dealt(trace)
    strangers = {pod: n for pod, n in total.items() if not pod.startswith("web-")}
    facts = (f"{sum(total.values())} visits in {len(SEEDS)} runs", _shares(total))
    if not set(total) - set(strangers):
        raise NotYet(
            f"{sum(wanted.values())} pods run, and the Service web has no endpoint among those of web.",
            *facts,
            next="Hold the selector of the Service against the labels of the Pods, word by word.",
        )
    if strangers:
        lost = sum(strangers.values())
        raise NotYet(
            f"{lost} of {sum(total.values())} visits go to pods that are not the shop.",
            *facts,
            next="The selector fits more pods than it should. Which label do only the right ones carry?",
        )
    return Report("pass", facts, "A Service sends to whatever carries its labels: no more knowledge, no less.")


def trial(manifests: str, seed: int) -> Trace:
    """A cluster of two workers to which *manifests* are applied, with two visitors of the Service web.

    Raises NotYet with the parser's sentence if they cannot be read.
    """
    cluster = Cluster.single(workers=2, seed=seed, zones=["a"])
    try:
        cluster.prepare(manifests, {"visitors": {"service": "web", "every": "250ms"}})
    except ManifestError as error:
        raise NotYet(str(error)) from None
    return cluster.run(END)


def _control(trace: Trace, name: str, count: int) -> None:
    """Nothing else was changed: *count* pods of the Deployment run. Raises NotYet."""
    running: set[str] = set()
    for record in trace.of("pod"):
        (running.add if record.detail["state"] == "running" else running.discard)(record.detail["name"])
    found = sum(pod.startswith(f"{name}-") for pod in running)
    if found != count:
        raise NotYet(f"{found} pods of {name} run; {count} must: change labels or selectors, and nothing else.")


def dealt(trace: Trace, begin: float = OPEN) -> Counter[str]:
    """How many visits each pod was dealt since *begin* (seconds); "nobody" counts those without any endpoint."""
    asked = [r for r in trace.of("request") if r.detail["kind"] == "service" and r.detail["started"] >= begin * SECOND]
    return Counter(_receiver(r) for r in asked)


def _receiver(visit: Record) -> str:
    return visit.detail["via"][-1] if len(visit.detail["via"]) > 1 else "nobody"


def _shares(counts: Counter[str]) -> str:
    """Visits by Deployment, the name of a pod without its two suffixes."""
    groups: Counter[str] = Counter()
    for pod, n in counts.items():
        groups[pod.rsplit("-", 2)[0]] += n
    return ", ".join(f"{n} to {name}" for name, n in sorted(groups.items())) or "there is nobody to visit"


def chain(host: str, mode: str = "iptables") -> list[str]:
    """The lines in which the kernel of *host* picks a pod of web, 20 s into the scenario ``services``."""
    scenario = load("services")
    cluster = Cluster(scenario.topology, scenario.seed, scenario.params)
    cluster.prepare(scenario.manifests)
    cluster.run(20)
    proxy = cluster.components[f"kube-proxy@{host}"]
    assert isinstance(proxy, KubeProxy)
    service, slices = proxy.services.get("default", "web"), proxy.slices.values("default")
    assert service is not None
    its = [s for s in slices if s["metadata"]["labels"][SERVICE_NAME] == "web"]
    node = Node(host, ())
    (plan,) = plans(service, its, node)
    pods = local(ProxyConfig(mode=mode), node)
    if mode == "nftables":
        table = nftables.rules(plan, node, pods)
        entry = [e for elements in table.elements.values() for e in elements.values() if "goto service-" in e]
        return entry + [line for name, lines in table.chains.items() if "service-" in name for line in lines]
    written = rules(plan, node, pods, localhost=True)
    return [line for lines in written.values() for line in lines if "->" in line]
