"""A small cluster for the scheduler's table, and what a reader may do to it, each deed a line of kubectl or a fault.

    stage = Stage(nodes=5)                     three zones, nobody there yet
    stage.do("cordon", "worker-2")             then as much time as the deed needs to be felt
    stage.table("web-1")                       what the widget shows; see `kubemini.explaining.data`

It is a whole cluster of programs: a node that loses its power is found out by the controllers, not by us. Of each pod
its last try is remembered, and of each pod in the scheduling queue where it was put, and why.
Invariant: the same deeds give the same table, byte for byte.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from inspect import signature
from typing import Any

from kubemini.api.objects import Obj
from kubemini.cluster import Cluster
from kubemini.explaining.asking import deciding, explain
from kubemini.explaining.data import ZONE, cause, data, node_data, pod_data, queue_data
from kubemini.ranges import shown
from kubemini.scheduler.decide.plugin import Cycle
from kubemini.scheduler.explain import Explanation, explained
from kubemini.scheduler.machine import Attempt
from kubemini.sim.units import SECOND

READY, FELT, LOST, BACK = 6, 3, 56, 12  # seconds: until all is up; until a deed, a lost node, one that is back is felt
LAST_TRIES = 3
PATIENCE = 20  # seconds for a line of kubectl
TAINTS = {"NoSchedule": "team=db:NoSchedule", "PreferNoSchedule": "old=yes:PreferNoSchedule"}
CLASSES = {"high": 1000, "low": 10}
RULES = ("none", "zone a", "tolerates team=db", "spread over zones", "one a node")


class Stage:
    """*nodes* workers in three zones; *hollow*: further nodes that are objects alone, with nobody behind them."""

    def __init__(self, nodes: int = 5, hollow: int = 0):
        self.cluster = Cluster.single(workers=nodes, zones="abc")
        self.lines: list[str] = []
        self.tries: dict[str, list[tuple[int, Explanation]]] = {}  # name of a pod → when it was tried, what was said
        self.moves: list[tuple[int, str, str, str]] = []  # when, pod, event, queue
        self.cluster.run(READY)
        self.machine = deciding(self.cluster).machine
        self.machine.tried = self._tried
        self.machine.queue.moved = self._moved
        self._type("apply -f -", _listed([*_classes(), *map(_hollow, range(1, hollow + 1))]))
        self.cluster.run(FELT)

    def _tried(self, cycle: Cycle, attempt: Attempt) -> None:
        said = explained(cycle, self.machine.plugins, self.machine.start, attempt.preemption, attempt.decision)
        self.tries.setdefault(cycle.pod["metadata"]["name"], []).append((self.cluster.sim.now, said))

    def _moved(self, pod: Obj, event: str, queue: str) -> None:
        self.moves.append((self.cluster.sim.now, pod["metadata"]["name"], event, queue))

    # -- deeds -----------------------------------------------------------------------------------------------------
    def do(self, deed: str, *words: str) -> None:
        """One deed by its name, see `DEEDS`. Raises ValueError: one sentence."""
        if deed not in DEEDS:
            raise ValueError(f"{shown(deed)} is no deed; there are: {', '.join(DEEDS)}")
        try:
            signature(DEEDS[deed]).bind(self, *words)
        except TypeError as error:
            raise ValueError(
                f"{deed}: {error}; it takes {', '.join(list(signature(DEEDS[deed]).parameters)[1:])}"
            ) from None
        DEEDS[deed](self, *words)

    def cordon(self, node: str) -> None:
        """No new pods there."""
        self._kubectl(f"cordon {self._node(node)}")

    def uncordon(self, node: str) -> None:
        """New pods again."""
        self._kubectl(f"uncordon {self._node(node)}")

    def taint(self, node: str, effect: str) -> None:
        """A taint with this effect."""
        if effect not in TAINTS:
            raise ValueError(f"taint: {shown(effect)} is none of {', '.join(TAINTS)}")
        self._kubectl(f"taint nodes {self._node(node)} {TAINTS[effect]}")

    def untaint(self, node: str, effect: str) -> None:
        """That taint away."""
        if effect not in TAINTS:
            raise ValueError(f"untaint: {shown(effect)} is none of {', '.join(TAINTS)}")
        self._kubectl(f"taint nodes {self._node(node)} {TAINTS[effect]}-")

    def crash(self, node: str) -> None:
        """Its machine loses power, and the time passes after which it is missed."""
        self._host(node).power_off()
        self._passed(f"# {node} loses its power; {LOST} s pass", LOST)

    def start(self, node: str) -> None:
        """Its machine boots."""
        self._host(node).power_on()
        self._passed(f"# {node} has power again; {BACK} s pass", BACK)

    def add(self, name: str, cpu: str = "500m", memory: str = "256Mi", priority: str = "", rule: str = "none") -> None:
        """One pod; *rule* is one of `RULES`."""
        if rule not in RULES:
            raise ValueError(f"add: {shown(rule)} is none of {', '.join(RULES)}")
        if priority and priority not in CLASSES:
            raise ValueError(f"add: {shown(priority)} is none of {', '.join(CLASSES)}")
        self._kubectl("apply -f -", _pod(name, cpu, memory, priority, rule), f"   # pod {name}: {cpu}, {memory}")

    def delete(self, name: str) -> None:
        """The pod goes, at once."""
        self._kubectl(f"delete pod {name} --grace-period=1 --wait=false")

    def resize(self, name: str, cpu: str, memory: str) -> None:
        """Other requests for a pod that is there."""
        wanted = f'{{"cpu":"{cpu}","memory":"{memory}"}}'
        patch = f'{{"spec":{{"containers":[{{"name":"c","resources":{{"requests":{wanted}}}}}]}}}}'
        self._kubectl(f"patch pod {name} --subresource resize -p '{patch}'")

    def scale(self, name: str, replicas: str) -> None:
        """A Deployment with so many pods; it is made if it is not there."""
        self._kubectl("apply -f -", _deployment(name, replicas), f"   # deployment {name}: {replicas} replicas")

    def _node(self, name: str) -> str:
        if name not in self.machine.cache.nodes:
            raise ValueError(
                f"there is no node {shown(name)}; there is: {', '.join(list(self.machine.cache.nodes)[:8])}"
            )
        return name

    def _host(self, node: str) -> Any:
        if node not in self.cluster.hosts:
            raise ValueError(f"{shown(node)} has no machine behind it: crash or start one of worker-1, worker-2, …")
        return self.cluster.hosts[node]

    def _kubectl(self, line: str, given: str = "", note: str = "") -> None:
        self._type(line, given)
        self._passed(f"kubectl {line}{note}", FELT)

    def _passed(self, line: str, seconds: int) -> None:
        self.lines.append(line)
        self.cluster.run(seconds)

    def _type(self, line: str, given: str = "") -> None:
        """Type a line of kubectl and wait for its end. Raises ValueError with what it says went wrong."""
        typed, sim = self.cluster.terminal.type(line, given), self.cluster.sim
        end = sim.now + PATIENCE * SECOND
        while not typed.over and sim.next_instant() <= end:
            sim.step()
        if typed.status != 0:
            raise ValueError(
                typed.err.strip() or f"kubectl {line}: no answer in {PATIENCE} s; is the control plane up?"
            )

    # -- what is shown ---------------------------------------------------------------------------------------------
    def table(self, name: str) -> dict[str, Any]:
        """The tables of the pod *name*, of its last tries and as it is asked now, and what stands around it."""
        pods, now = self.machine.known.of("Pod"), explain(self.cluster, f"pod/{name}")
        tries = self.tries.get(name, [])
        views: list[dict[str, Any]] = [
            *(data(said, at) for at, said in tries[-LAST_TRIES:]),
            data(now, self.cluster.sim.now),
        ]
        told = list(dict.fromkeys(node["name"] for view in views for node in view["nodes"]))
        return {
            "pod": name,
            "tried": len(tries),
            "views": views,
            "nodes": [node_data(info) for info in self.machine.cache.ordered() if info.name in told],
            "machines": [name for name in told if name in self.cluster.hosts],
            "pods": [pod_data(pod) for pod in pods.values() if pod["metadata"]["namespace"] == "default"],
            "queue": queue_data(self.machine.queue, self.cluster.sim.now),
            "moves": [[at / SECOND, cause(event), queue] for at, pod, event, queue in self.moves if pod == name],
            "lines": list(self.lines),
        }

    def pods(self) -> list[str]:
        """The names of the pods that the scheduler knows, in the order in which it heard of them."""
        return [name for space, name in self.machine.known.of("Pod") if space == "default"]


DEEDS: Mapping[str, Callable[..., None]] = {
    name: getattr(Stage, name)
    for name in ("cordon", "uncordon", "taint", "untaint", "crash", "start", "add", "delete", "resize", "scale")
}


# -- manifests: as JSON, for a browser has no YAML --------------------------------------------------------------------
def _pod(name: str, cpu: str, memory: str, priority: str, rule: str) -> str:
    app = name.rstrip("-0123456789")
    spec = {"containers": [_container(cpu, memory)], **_rule(rule, app)}
    if priority:
        spec["priorityClassName"] = priority
    return _text("v1", "Pod", name, labels={"app": app}, spec=spec)


def _container(cpu: str, memory: str) -> dict[str, Any]:
    return {"name": "c", "image": "pause", "resources": {"requests": {"cpu": cpu, "memory": memory}}}


def _rule(rule: str, app: str) -> dict[str, Any]:
    """What a pod demands of its node, as a part of its spec."""
    same = {"labelSelector": {"matchLabels": {"app": app}}}
    apart = {"topologyKey": "kubernetes.io/hostname", **same}
    spread = {"maxSkew": 1, "topologyKey": ZONE, "whenUnsatisfiable": "DoNotSchedule", **same}
    parts: dict[str, dict[str, Any]] = {
        "none": {},
        "zone a": {"nodeSelector": {ZONE: "a"}},
        "tolerates team=db": {"tolerations": [{"key": "team", "value": "db", "effect": "NoSchedule"}]},
        "spread over zones": {"topologySpreadConstraints": [spread]},
        "one a node": {"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [apart]}}},
    }
    return parts[rule]


def _deployment(name: str, replicas: str) -> str:
    app = {"app": name}
    template = {"metadata": {"labels": app}, "spec": {"containers": [_container("500m", "256Mi")]}}
    spec = {"replicas": int(replicas), "selector": {"matchLabels": app}, "template": template}
    return _text("apps/v1", "Deployment", name, spec=spec)


def _classes() -> list[str]:
    return [_text("scheduling.k8s.io/v1", "PriorityClass", name, value=value) for name, value in CLASSES.items()]


def _hollow(number: int) -> str:
    """A node with nobody behind it, as tests of the real scheduler make them."""
    name, zone = f"n{number:03}", "abc"[(number - 1) % 3]
    room = {"cpu": "4", "memory": "8Gi", "pods": "110"}
    status = {"allocatable": room, "capacity": room, "conditions": [{"type": "Ready", "status": "True"}]}
    return _text("v1", "Node", name, labels={"kubernetes.io/hostname": name, ZONE: zone}, status=status)


def _text(version: str, kind: str, name: str, labels: Mapping[str, str] | None = None, **rest: Any) -> str:
    meta = {"name": name, "labels": labels or {}}
    return json.dumps({"apiVersion": version, "kind": kind, "metadata": meta, **rest})


def _listed(objects: Iterable[str]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": [json.loads(one) for one in objects]})
