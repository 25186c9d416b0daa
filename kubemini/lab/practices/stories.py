"""Scenarios of other chapters with one thing changed: an outage, and the same without it.

Invariant: what is not said stays as it is in the scenario's file, so two runs differ by the
practice alone.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from kubemini.scenarios import Scenario, load
from kubemini.scenarios.loader import FOLDER
from kubemini.scenarios.text import read
from kubemini.sim import Trace
from kubemini.sim.units import SECOND

IMAGE, LABELS, CONTAINERS = (
    "image: shop/web:1.0",
    "labels: {app: web}\n    spec:",
    "      containers:",
)
COREDNS = "replicas: 2\n  selector:\n    matchLabels: {k8s-app: kube-dns}"
VISITS = {"visitors": {"service": "web", "every": "100ms"}}
ROLLS = 20  # s


def changed(name: str, *edits: tuple[str, str], **fields: Any) -> Scenario:
    """The scenario *name* with other *fields*, as in its file; *edits* (old, new) its manifests.

    Raises ValueError for an old text that its manifests do not have, ScenarioError for a field that
    does not fit.
    """
    data = read(FOLDER / f"{name}.yaml")
    manifests = data["manifests"]
    for old, new in edits:
        if old not in manifests:
            where = f"kubemini/scenarios/{name}.yaml"
            raise ValueError(f"the manifests of {name} have no {old!r}: copy it from {where}")
        manifests = manifests.replace(old, new)
    return load({**data, "name": f"{name}-changed", "manifests": manifests, **fields})


def rollout(
    pre_stop: Mapping[str, Any] | None = None,
    grace: int = 30,
    stop_after: str = "",
    sync: str = "1s",
) -> Scenario:
    """Three pods get another image at 20 s, under ten visits a second and host.

    *pre_stop* is their hook, *grace* their terminationGracePeriodSeconds, *stop_after* what the
    program needs after SIGTERM (chance if not said); kube-proxies write at most every *sync*.
    """
    lifecycle = json.dumps({"preStop": pre_stop})
    hook = f"{IMAGE}\n          lifecycle: {lifecycle}" if pre_stop else IMAGE
    behaviour = f"annotations: {{kubemini.io/stop-after: {stop_after}}}"
    notes = LABELS.replace("\n", f"\n      {behaviour}\n")
    edits = [
        (IMAGE, hook),
        (CONTAINERS, f"      terminationGracePeriodSeconds: {grace}\n{CONTAINERS}"),
        (LABELS, notes if stop_after else LABELS),
    ]
    first = changed("services", *edits)
    web = first.manifests.split("---")[0].replace("web:1.0", "web:2.0")
    return changed(
        "services",
        *edits,
        title="A new version under load",
        about="Three pods behind one Service get a new image at 20 s.",
        workload=VISITS,
        params={"iptables_min_sync_period": sync},
        faults=[[f"{ROLLS}s", "apply", web]],
        seed=2,
        until="60s",
    )


def dark(coredns: int, cache: bool) -> Scenario:
    """worker-1 loses its power at 30 s; there are *coredns* CoreDNS pods.

    *cache*: with a NodeLocal DNSCache on each worker. Visitors look the shop up before each visit
    and remember nothing.
    """
    dns = "node-cache" if cache else "coredns"
    topology = {"kind": "single", "workers": 2, "zones": ["a"], "dns": dns}
    return changed(
        "dns",
        (COREDNS, COREDNS.replace("2", str(coredns), 1)),
        title="A worker with CoreDNS goes dark",
        topology=topology,
        workload={"visitors": {"service": "web", "every": "250ms", "name": "web"}},
        faults=[["30s", "power_off", "worker-1"]],
        until="90s",
    )


def running(trace: Trace) -> tuple[int, int]:
    """How many pods run at the end, and how many were on a node that had no address for them."""
    last = {r.detail["name"]: r.detail["state"] for r in trace.of("pod")}
    return list(last.values()).count("running"), len({r.detail["pod"] for r in trace.of("sandbox")})


def lookups(trace: Trace, begin: float, end: float, by: str) -> tuple[int, int]:
    """How many lookups of *by* began from *begin* to *end* (s), and how many of them failed."""
    begun = [(r.detail["started"] / SECOND, r.detail["error"]) for r in trace.of("lookup", by)]
    asked = [bool(error) for at, error in begun if begin <= at < end]
    return len(asked), sum(asked)


def shortest_goodbye(trace: Trace) -> float:
    """The shortest time (s) from the word that a pod shall stop to the end of its containers."""
    begun = {r.detail["name"]: r.at for r in _pods(trace, "stopping")}
    return min((r.at - begun[r.detail["name"]]) / SECOND for r in _pods(trace, "gone"))


def _pods(trace: Trace, state: str) -> Iterable[Any]:
    return [r for r in trace.of("pod") if r.detail["state"] == state]
