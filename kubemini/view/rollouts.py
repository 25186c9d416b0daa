"""The pods of each Deployment over time, one bar a pod, with the bounds that its rollout keeps; read from a trace.

`strips` gives what static/widgets/rollout-strip.js draws, `told` the same in words, `counts` how many pods exist, are
ready and are on their way out at an instant: the figures and exercises of *Rollouts* count with it.
A pod is *made* (an object, no container yet), *runs* (not ready), is *ready*, has *exited*, is *leaving* (marked for
deletion) and *gone*. Which of these it is says the API, but for *runs* and *exited*, which its kubelet says first.
Invariant: each instant of a pod's life is in exactly one span, and no two spans of it next to each other say the same.
Simplified: a pod belongs to the ReplicaSet whose name its own begins with, a ReplicaSet likewise to its Deployment.
"""

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from kubemini.api.quantity import QuantityError
from kubemini.controllers.decide.workloads.deployment.rollout import fenceposts
from kubemini.sim.trace import Record, Trace
from kubemini.sim.units import clock

MADE, RUNS, READY, EXITED, LEAVING, GONE = "made", "runs", "ready", "exited", "leaving", "gone"
STATES = (MADE, RUNS, READY, EXITED, LEAVING, GONE)
Detail = dict[str, Any]


def family(name: str) -> str:
    """What made the thing called *name*: its name without the last part."""
    return name.rpartition("-")[0]


@dataclass(slots=True)
class Life:
    """One pod: *spans* are (µs from which on, one of `STATES`)."""

    name: str
    node: str = ""
    spans: list[tuple[int, str]] = field(default_factory=list)
    program: str = ""  # what its kubelet said of it last
    told: Detail = field(default_factory=dict)  # what the API says of it

    def at(self, instant: int) -> str:
        """Its state at an *instant* (µs); "" before there is one."""
        return next((state for at, state in reversed(self.spans) if at <= instant), "")

    def take(self, at: int, state: str) -> None:
        """From *at* on it is in this state."""
        if not self.spans or self.spans[-1][1] != state:
            self.spans.append((at, state))

    def judged(self) -> str:
        """Its state, by what is known of it."""
        if self.told.get("deleting"):
            return LEAVING
        if self.program == EXITED:
            return EXITED
        if self.told.get("ready"):
            return READY
        return RUNS if self.program == "running" or self.told.get("phase") == "Running" else MADE


@dataclass(slots=True)
class Maker:
    """One ReplicaSet: its first container, that one's image, and [µs, how many pods it wants] whenever that changes."""

    container: str
    image: str
    wants: list[list[int]] = field(default_factory=list)


@dataclass(slots=True)
class Strip:
    """One Deployment: its *bounds* are [µs, replicas, surge, unavailable, paused] whenever they change."""

    name: str
    namespace: str
    bounds: list[list[Any]] = field(default_factory=list)
    sets: dict[str, Maker] = field(default_factory=dict)  # ReplicaSets, the oldest first
    pods: dict[str, Life] = field(default_factory=dict)
    budgets: dict[str, list[list[int]]] = field(default_factory=dict)  # name → [µs, allowed, healthy, needed]

    def counts(self, instant: int) -> Counter[str]:
        """How many pods are in which state at an *instant* (µs); those that are gone do not count."""
        return Counter(state for life in self.pods.values() if (state := life.at(instant)) not in ("", GONE))

    def data(self) -> Detail:
        """All of it, as JSON values."""
        sets = list(self.sets)
        pods = [
            {
                "name": one.name,
                "set": sets.index(family(one.name)),
                "node": one.node,
                "spans": list(map(list, one.spans)),
            }
            for one in self.pods.values()
        ]
        return {
            "name": self.name,
            "bounds": self.bounds,
            "sets": [{"name": name, **asdict(one)} for name, one in self.sets.items()],
            "pods": pods,
            "budgets": [{"name": name, "told": told} for name, told in self.budgets.items()],
        }


class Strips:
    """All Deployments of a trace, by (namespace, name)."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, str], Strip] = {}

    def object(self, record: Record) -> None:
        """The API server stores something."""
        detail = record.detail
        take = {
            "Deployment": self._deployment,
            "ReplicaSet": self._replicaset,
            "Pod": self._pod,
            "PodDisruptionBudget": self._budget,
        }.get(detail["kind"])
        if take:
            take(record.at, detail["namespace"] or "", detail)

    def _deployment(self, at: int, namespace: str, detail: Detail) -> None:
        name, said = detail["name"], detail["summary"]
        strip = self.found.setdefault((namespace, name), Strip(name, namespace))
        wanted = 0 if detail["verb"] == "DELETED" else said["replicas"]
        surge, unavailable = bounds(said["surge"], said["unavailable"], wanted)
        row = [at, wanted, surge, unavailable, said["paused"]]
        if not strip.bounds or strip.bounds[-1][1:] != row[1:]:
            strip.bounds.append(row)

    def _replicaset(self, at: int, namespace: str, detail: Detail) -> None:
        strip = self.found.get((namespace, family(detail["name"])))
        if strip is None:
            return
        said = detail["summary"]
        one = strip.sets.setdefault(detail["name"], Maker(said["container"], said["image"]))
        wanted = 0 if detail["verb"] == "DELETED" else said["replicas"]
        if not one.wants or one.wants[-1][1] != wanted:
            one.wants.append([at, wanted])

    def _pod(self, at: int, namespace: str, detail: Detail) -> None:
        life = self._life(namespace, detail["name"])
        if life is None:
            return
        life.told, life.node = detail["summary"], detail["summary"]["node"] or life.node
        life.take(at, GONE if detail["verb"] == "DELETED" else life.judged())

    def _life(self, namespace: str, name: str) -> Life | None:
        strip = self.found.get((namespace, family(family(name))))
        if strip is None or family(name) not in strip.sets:
            return None
        return strip.pods.setdefault(name, Life(name))

    def _budget(self, at: int, namespace: str, detail: Detail) -> None:
        said = detail["summary"]
        row = [at, said["allowed"], said["healthy"], said["needed"]]
        for strip in self.found.values():
            if strip.namespace == namespace:
                strip.budgets.setdefault(detail["name"], []).append(row)

    def pod(self, record: Record) -> None:
        """A kubelet tells of a pod."""
        detail = record.detail
        life = self._life(detail["namespace"], detail["name"])
        if life is None or detail["state"] not in ("running", EXITED) or not life.spans:
            return
        life.program = detail["state"]
        if life.spans[-1][1] not in (LEAVING, GONE):
            life.take(record.at, life.judged())


def bounds(surge: int | str | None, unavailable: int | str | None, replicas: int) -> tuple[int, int]:
    """``maxSurge`` and ``maxUnavailable`` in pods; where nothing rolls (Recreate), all may be away."""
    if surge is None and unavailable is None:
        return 0, replicas
    try:
        above, below = fenceposts(surge, unavailable, replicas)
    except QuantityError:
        return 0, 0
    return above, min(below, replicas)


def strips(trace: Trace) -> list[Strip]:
    """The Deployments of *trace*, those that rolled first, else in the order of their making."""
    found = Strips()
    for record in trace:
        if record.what == "object":
            found.object(record)
        elif record.what == "pod":
            found.pod(record)
    return sorted(found.found.values(), key=lambda strip: (strip.namespace != "default", -len(strip.sets)))


def strip_of(trace: Trace, name: str, namespace: str = "default") -> Strip:
    """The strip of one Deployment. Raises ValueError if the trace has none of that name."""
    for strip in strips(trace):
        if (strip.name, strip.namespace) == (name, namespace):
            return strip
    raise ValueError(f"there is no Deployment {name} in the namespace {namespace} of this trace")


def told(trace: Trace) -> str:
    """The lives of all pods in words, a line each."""
    lines = []
    for strip in strips(trace):
        lines.append(f"Deployment {strip.name}")
        lines += [f"  {one.name} on {one.node or 'no node'}: {_spans(one)}" for one in strip.pods.values()]
    return "\n".join(lines)


def _spans(life: Life) -> str:
    return ", ".join(f"{state} {clock(at)}" for at, state in life.spans)
