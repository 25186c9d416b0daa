"""Which cluster stands behind the door: the options of the command line → a cluster that has started and is ready.

Simulated time begins a little before the clock on the wall and has caught up when the cluster is ready, so that dates
in objects are today's. Everything else is as in any run: the same programs, the same parameters, another beginning.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from kubemini import faults
from kubemini.api.timestamps import START
from kubemini.apiserver import flags
from kubemini.apiserver.decide.access.users import UserInfo
from kubemini.apiserver.decide.audit.policy import Policy
from kubemini.apiserver.server import ApiServer
from kubemini.cluster import Cluster, build
from kubemini.cluster.topology.bare import without
from kubemini.controllers.manager import ControllerManager
from kubemini.loadbalancer.haproxy import HAProxy
from kubemini.params import Params, changed
from kubemini.ranges import shown
from kubemini.scenarios import load, with_params
from kubemini.sim.units import SECOND

FILES = (".yaml", ".yml", ".json")
A_SCENARIO = re.compile(r'^\s*"?topology"?\s*:', re.MULTILINE)  # what no manifest holds outside of a block
NOT_IN_API_ONLY = ("scheduler", "controller-manager", "kubectl")
EARLY, BALANCED = 2 * SECOND, 6 * SECOND  # of simulated time, what a start takes, and one that a balancer must see
PATIENCE = 60 * SECOND  # of simulated time, until an API server is ready
AS_REAL = {  # a story has none of these
    "service_cidr_controller": True,
    "endpoint_reconciler_type": "lease",
    "all_controllers": True,
    "kubelet_service_links": True,
    "record_events": True,
    "kubelet_details": True,
}

DNS = """
apiVersion: v1
kind: Service
metadata:
  name: kube-dns
  namespace: kube-system
  labels: {k8s-app: kube-dns, kubernetes.io/cluster-service: "true", kubernetes.io/name: CoreDNS}
spec:
  clusterIP: 10.96.0.10
  selector: {k8s-app: kube-dns}
  ports:
    - {name: dns, port: 53, protocol: UDP}
    - {name: dns-tcp, port: 53, protocol: TCP}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: coredns, namespace: kube-system, labels: {k8s-app: kube-dns}}
spec:
  replicas: 2
  selector: {matchLabels: {k8s-app: kube-dns}}
  template:
    metadata: {labels: {k8s-app: kube-dns}}
    spec:
      dnsPolicy: Default
      tolerations: [{key: CriticalAddonsOnly, operator: Exists}]
      containers:
        - name: coredns
          image: registry.k8s.io/coredns/coredns:v1.13.1
          resources: {limits: {memory: 170Mi}, requests: {cpu: 100m, memory: 70Mi}}
"""


class NotServed(ValueError):
    """What was asked for cannot be served; the message says what would be right."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asks for. *sources*: the name of a scenario, and files of manifests."""

    sources: tuple[str, ...] = ()
    topology: str = ""
    workers: int = 3
    api_only: bool = False
    params: Mapping[str, str] = field(default_factory=dict)
    tokens: Mapping[str, UserInfo] = field(default_factory=dict)
    key: bytes = b"for tests"  # what tokens of service accounts are signed with
    audit: Policy | None = None  # of which requests the audit log tells
    root_ca: str = ""  # PEM: what pods know the API server by
    dns: bool = False  # whether somebody in the cluster answers names


def made(wanted: Wanted, now: datetime) -> Cluster:
    """A cluster that has not begun; it will, shortly before *now* (UTC). Raises ValueError that says what is wrong."""
    manifests = [source for source in wanted.sources if _holds_manifests(source)]
    scenarios = [source for source in wanted.sources if source not in manifests]
    if len(scenarios) > 1:
        raise NotServed(f"one scenario at a time, not {' and '.join(scenarios)}; beside it, name files of manifests")
    today = round((now - START).total_seconds()) * SECOND
    cluster = _of_scenario(scenarios[0], wanted, today) if scenarios else _plain(wanted, today)
    if not api_servers(cluster):
        raise NotServed(f"{scenarios[0]} has no API server to talk to: name a scenario that has one, such as first")
    for server in api_servers(cluster):
        server.flags = replace(_flags(wanted), webhooks=server.flags.webhooks)
    for component in cluster.components.values():
        if isinstance(component, ControllerManager):
            component.service_account_key, component.root_ca = wanted.key, wanted.root_ca
    if manifests and wanted.api_only:
        raise NotServed("with --api-only nobody is there to apply manifests: use kubectl apply when it answers")
    if wanted.dns:
        cluster.apply(DNS)
    for source in manifests:
        cluster.apply(Path(source))
    return cluster


def _flags(wanted: Wanted) -> flags.Flags:
    """As a real server is started, with a key of its own."""
    found = replace(flags.as_real(wanted.tokens), service_account_key=wanted.key, audit=wanted.audit)
    if wanted.api_only:
        return found
    disabled = ("TaintNodesByCondition",)  # a kubelet says at once that its node is ready
    return replace(found, disabled_plugins=disabled, kubelet_addresses=flags.KUBEADM_ADDRESSES)


def _holds_manifests(source: str) -> bool:
    """Whether *source* is a file, and of manifests rather than a scenario."""
    try:
        return source.endswith(FILES) and not A_SCENARIO.search(Path(source).read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError):
        return True  # whoever reads it next says what is wrong with it


def _plain(wanted: Wanted, today: int) -> Cluster:
    """A cluster without a story: all it does is what its clients ask for."""
    if wanted.dns and wanted.api_only:
        raise NotServed("with --api-only no pod runs that could answer names: leave --dns out")
    dns = {"dns": "coredns"} if wanted.dns else {}
    topology = build(wanted.topology or "single", workers=0 if wanted.api_only else wanted.workers, **dns)
    if wanted.api_only:
        topology = without(topology, *NOT_IN_API_ONLY)
    cluster = Cluster(topology, params=changed(Params(), AS_REAL | _values(wanted.params)))
    _begin_before(cluster, today)
    return cluster


def _of_scenario(name: str, wanted: Wanted, today: int) -> Cluster:
    """The cluster of a story, with its manifests, workload and faults at their instants."""
    if wanted.topology or wanted.api_only or wanted.dns:
        raise NotServed(
            f"the scenario {shown(name)} has a topology of its own: leave --topology, --api-only and --dns out"
        )
    story = with_params(load(name), _values(wanted.params))
    plan = faults.parse_all(story.faults)
    cluster = Cluster(story.topology, seed=story.seed, params=story.params)
    start = _begin_before(cluster, today)
    cluster.prepare(story.manifests, story.workload)
    faults.schedule(cluster, [replace(planned, at=planned.at + start) for planned in plan])
    return cluster


def _begin_before(cluster: Cluster, today: int) -> int:
    """Nothing has happened yet: let time begin so that it is *today* (µs) when all is ready. The first instant."""
    cluster.sim.begin_at(today - (BALANCED if _balancers(cluster) else EARLY))
    return cluster.sim.now


def _values(params: Mapping[str, str]) -> dict[str, Any]:
    """Values as a scenario's file has them: ``false`` is no text, ``[1, 2]`` is a list."""
    import yaml

    try:
        return {name: yaml.safe_load(value) for name, value in params.items()}
    except yaml.YAMLError:
        raise NotServed(f"--param {', '.join(params)}: a value cannot be read; write it as in a scenario") from None


def api_servers(cluster: Cluster) -> list[ApiServer]:
    """The API servers of *cluster*, in order."""
    return [found for found in cluster.components.values() if isinstance(found, ApiServer)]


def run_until_ready(cluster: Cluster) -> None:
    """Let the cluster live until every API server is ready and every balancer has seen it, or for `PATIENCE`."""
    cluster.start()
    sim, end = cluster.sim, cluster.sim.now + PATIENCE
    while sim.next_instant() < end and not _is_ready(cluster):
        sim.step()


def _is_ready(cluster: Cluster) -> bool:
    if not all(server.up and server.core.health.ready for server in api_servers(cluster)):
        return False
    return all(server.up for balancer in _balancers(cluster) for server in balancer.health.values())


def _balancers(cluster: Cluster) -> list[HAProxy]:
    return [found for found in cluster.components.values() if isinstance(found, HAProxy)]
