"""The scheduler's plugins: filters say why a node cannot take a pod, scores say how well it could. Pure.

Filters compare what pods *request* with what a node offers; what they really use plays no part.
Scores are 0 to 100 a plugin; `WEIGHTS` says how much each counts. Words and weights are the real ones.
k/k pkg/scheduler/framework/plugins, apis/config/v1/default_plugins.go; 1.37 (older releases name the taint).
Simplified: no volumes, inter-pod affinity, image locality, extended-resource scoring; no preemption.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kubemini.api.objects import Obj, get
from kubemini.api.tolerations import tolerates, untolerated
from kubemini.scheduler import affinity, spread
from kubemini.scheduler.cache import NodeInfo, Resources, assumed_requests, requests

UNSCHEDULABLE = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
WEIGHTS = {
    "TaintToleration": 3,
    "NodeAffinity": 2,
    "PodTopologySpread": 2,
    "NodeResourcesFit": 1,
    "NodeResourcesBalancedAllocation": 1,
}


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be decided: for this *pod*, over these *nodes*; *application* picks the pods it is one of."""

    pod: Obj
    nodes: Sequence[NodeInfo]
    application: spread.Picks | None = None


# -- filters: the reasons why not; none means that it fits -----------------------------------------------------------


def node_unschedulable(question: Question, info: NodeInfo) -> list[str]:
    """A cordoned node takes only pods that tolerate that."""
    tolerations = question.pod["spec"].get("tolerations") or ()
    cordoned = bool(info.node["spec"].get("unschedulable"))
    tolerated = any(tolerates(toleration, UNSCHEDULABLE) for toleration in tolerations)
    return ["node(s) were unschedulable"] if cordoned and not tolerated else []


def node_name(question: Question, info: NodeInfo) -> list[str]:
    """A pod that names its node wants no other."""
    wanted = question.pod["spec"].get("nodeName")
    return ["node(s) didn't match the requested node name"] if wanted and wanted != info.name else []


def taint_toleration(question: Question, info: NodeInfo) -> list[str]:
    """Taints that forbid, NoSchedule and NoExecute, must be tolerated."""
    tolerations = question.pod["spec"].get("tolerations") or ()
    found = untolerated(info.taints, tolerations, ("NoSchedule", "NoExecute"))
    return ["node(s) had untolerated taint(s)"] if found is not None else []


def node_affinity(question: Question, info: NodeInfo) -> list[str]:
    """The node must be one that the pod insists on."""
    fits = affinity.matches(question.pod, info.node)
    return [] if fits else ["node(s) didn't match Pod's node affinity/selector"]


def node_ports(question: Question, info: NodeInfo) -> list[str]:
    """A port of the host can be given to one pod only."""
    taken = [port for pod in info.pods.values() for port in host_ports(pod)]
    clash = any(port in taken for port in host_ports(question.pod))
    return ["node(s) didn't have free ports for the requested pod ports"] if clash else []


def host_ports(pod: Obj) -> list[tuple[str, int]]:
    """Protocol and number of each host port that a pod wants."""
    ports = (port for container in pod["spec"].get("containers") or () for port in container.get("ports") or ())
    return [(port.get("protocol", "TCP"), port["hostPort"]) for port in ports if port.get("hostPort")]


def node_resources_fit(question: Question, info: NodeInfo) -> list[str]:
    """The requests of all pods must fit into what the node offers."""
    full = len(info.pods) + 1 > info.allocatable.get("pods", 0)
    missing = insufficient(requests(question.pod), info.requested, info.allocatable)
    return ["Too many pods"] * full + [f"Insufficient {lack.resource}" for lack in missing]


@dataclass(frozen=True, slots=True)
class Lack:
    """Too little of one resource."""

    resource: str
    requested: int
    used: int
    capacity: int


def insufficient(wanted: Resources, used: Resources, capacity: Resources) -> list[Lack]:
    """Every resource of which there is too little left."""
    return [
        Lack(name, amount, used.get(name, 0), capacity.get(name, 0))
        for name, amount in wanted.items()
        if amount > 0 and amount > capacity.get(name, 0) - used.get(name, 0)
    ]


def pod_topology_spread(question: Question, info: NodeInfo) -> list[str]:
    """The pods of one kind must not crowd in one place."""
    return spread.filter(question.pod, info, question.nodes)


Filter = Callable[[Question, NodeInfo], list[str]]
FILTERS: dict[str, Filter] = {
    "NodeUnschedulable": node_unschedulable,
    "NodeName": node_name,
    "TaintToleration": taint_toleration,
    "NodeAffinity": node_affinity,
    "NodePorts": node_ports,
    "NodeResourcesFit": node_resources_fit,
    "PodTopologySpread": pod_topology_spread,
}

# -- scores: 0 to 100 for each feasible node; None if the plugin has nothing to say ----------------------------------


def prefer_no_taint(question: Question, feasible: Sequence[NodeInfo]) -> list[int] | None:
    """The fewer PreferNoSchedule taints that are not tolerated, the better."""
    tolerations = question.pod["spec"].get("tolerations") or ()
    unwelcome = [
        sum(untolerated([taint], tolerations, ("PreferNoSchedule",)) is not None for taint in info.taints)
        for info in feasible
    ]
    most = max(unwelcome)
    return [100 - (100 * count // most if most else 0) for count in unwelcome]


def prefer_affinity(question: Question, feasible: Sequence[NodeInfo]) -> list[int] | None:
    """The more preferred terms a node meets, by weight, the better."""
    if not get(question.pod, "spec", "affinity", "nodeAffinity", "preferredDuringSchedulingIgnoredDuringExecution"):
        return None
    liked = [affinity.preference(question.pod, info.node) for info in feasible]
    most = max(liked)
    return [100 * value // most if most else 0 for value in liked]


def prefer_spread(question: Question, feasible: Sequence[NodeInfo]) -> list[int] | None:
    """The fewer pods of its kind are near, the better."""
    return spread.score(question.pod, feasible, question.nodes, question.application)


def least_allocated(question: Question, feasible: Sequence[NodeInfo]) -> list[int] | None:
    """The more cpu and memory is left, the better; a container without requests counts as a small one."""
    wanted = assumed_requests(question.pod)
    return [_free_share(wanted, info) for info in feasible]


def _free_share(wanted: Resources, info: NodeInfo) -> int:
    shares = []
    for name in ("cpu", "memory"):
        capacity, total = info.allocatable.get(name, 0), info.assumed[name] + wanted.get(name, 0)
        if capacity:
            shares.append((capacity - total) * 100 // capacity if total <= capacity else 0)
    return sum(shares) // len(shares) if shares else 0


def balanced_allocation(question: Question, feasible: Sequence[NodeInfo]) -> list[int] | None:
    """The more the pod evens out the shares of cpu and memory in use, the better; 75 changes nothing."""
    wanted = requests(question.pod)
    if not any(wanted.get(name) for name in ("cpu", "memory")):
        return None
    return [50 + (50 + _balance(info, wanted) - _balance(info, {})) // 2 for info in feasible]


def _balance(info: NodeInfo, wanted: Resources) -> int:
    """100 if cpu and memory are used to the same share, less by their standard deviation."""
    fractions = [
        min(1.0, (info.requested[name] + wanted.get(name, 0)) / capacity)
        for name in ("cpu", "memory")
        if (capacity := info.allocatable.get(name, 0))
    ]
    deviation = abs(fractions[0] - fractions[1]) / 2 if len(fractions) == 2 else 0.0
    return int((1 - deviation) * 100)


Score = Callable[[Question, Sequence[NodeInfo]], list[int] | None]
SCORES: dict[str, Score] = {
    "TaintToleration": prefer_no_taint,
    "NodeAffinity": prefer_affinity,
    "NodeResourcesFit": least_allocated,
    "PodTopologySpread": prefer_spread,
    "NodeResourcesBalancedAllocation": balanced_allocation,
}
