"""From the moment a node fails: what happens when, to a pod of a Deployment, a StatefulSet and a DaemonSet on it.

    watch = stopwatch("partition", node_monitor_grace_period="40s")
    watch.node["not-ready"], watch.copy("Deployment").marks["ready"]        seconds after the failure

The story is the scenario ``node``; all is read off its trace. The last renewal of the node's Lease is what kubectl
prints of it a quarter of a minute later.
Invariant: equal arguments give equal marks, in any process and in the browser.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from kubemini.api.timestamps import instant
from kubemini.params import Params
from kubemini.ranges import is_whole, shown
from kubemini.scenarios import load, with_params
from kubemini.sim import Trace
from kubemini.sim.units import SECOND
from kubemini.simulate import run

STORY, VICTIM = "node", "worker-2"
AT, OFF, LOOK, OPEN, MORE = 40, 10, 15, 20, 60  # s: it fails; off after a drain; kubectl; uncordoned; the run goes on
BACKS = 30, 420  # s until the node is back: soon, and long after its pods are given up
SHORTEST, LONGEST = 20, 600  # s until the node is back
LEASE = f"get lease {VICTIM} -n kube-node-lease -o jsonpath={{.spec.renewTime}}"
FAULTS = {
    "crash": "its power fails",
    "partition": "its network is cut",
    "pause": "its kubelet stands still",
    "reboot": "it is drained, then rebooted",
}
OWNERS = {"web": "Deployment", "db": "StatefulSet", "agent": "DaemonSet"}
TIMERS = (
    "node_lease_duration",
    "node_monitor_period",
    "node_monitor_grace_period",
    "toleration_seconds",
    "pod_start",
)


@dataclass(frozen=True, slots=True)
class Copy:
    """One pod that was on the node. *marks*, *runs* and *answered* count seconds from the failure.

    *marks*: not-ready, again (ready), marked (for deletion), gone (from the API) are the old pod's; created, scheduled,
    ready are those of the pod that replaces it, called *heir* on *place* ("": there is none). *runs*: from when to when
    its old container ran on the node. *answered*: its last answer to a visitor after the failure, and to whom.
    """

    kind: str
    name: str
    heir: str
    place: str
    marks: dict[str, float]
    runs: list[tuple[float, float]]
    answered: tuple[float, str] | None


@dataclass(frozen=True, slots=True)
class Watch:
    """What a stopwatch that is started at the failure reads.

    *node*: renewed, silent, not-ready, tainted, untainted, back, again (Ready); *until*: when it is stopped.
    """

    fault: str
    back: float
    seed: int
    timers: dict[str, float]
    until: float
    node: dict[str, float]
    copies: tuple[Copy, ...]

    def copy(self, kind: str) -> Copy:
        """The pod of that kind of owner."""
        return next(copy for copy in self.copies if copy.kind == kind)

    def data(self) -> dict[str, Any]:
        """All of it as plain values, for a picture."""
        return asdict(self)


def stopwatch(fault: str = "crash", back: float = BACKS[-1], seed: int | None = None, **timers: Any) -> Watch:
    """*fault* (one of `FAULTS`) befalls a node, which is back after so many seconds; *timers* by their names in params.

    Raises ValueError for another fault or time, ParamError for what no timer can be.
    """
    if not isinstance(fault, str) or fault not in FAULTS:
        raise ValueError(f"fault: expected one of {', '.join(FAULTS)}, got {shown(fault)}")
    if isinstance(back, bool) or not isinstance(back, int | float) or not SHORTEST <= back <= LONGEST:
        raise ValueError(f"back: expected {SHORTEST} to {LONGEST} seconds until it is back, got {shown(back)}")
    if seed is not None and not is_whole(seed):
        raise ValueError(f"seed: expected a whole number, got {shown(seed)}")
    if strange := sorted(set(timers) - set(TIMERS)):
        raise ValueError(f"timers: {shown(strange[0])} is none of {', '.join(TIMERS)}")
    scenario = with_params(replace(load(STORY), faults=()), timers)
    trace = run(scenario, seed, deeds(fault, back), AT + back + MORE)
    return read(trace, fault, back, scenario.params)


def deeds(fault: str, back: float) -> list[list[Any]]:
    """What is done, as commands of a run."""
    end = AT + back
    acts: dict[str, list[list[Any]]] = {
        "crash": [[AT, "power_off", VICTIM], [end, "power_on", VICTIM]],
        "partition": [[AT, "cut", VICTIM], [end, "heal"]],
        "pause": [[AT, "pause", f"kubelet@{VICTIM}"], [end, "resume", f"kubelet@{VICTIM}"]],
        "reboot": [
            [AT, "kubectl", f"drain {VICTIM} --ignore-daemonsets"],
            [AT + OFF, "power_off", VICTIM],
            [end, "power_on", VICTIM],
            [end + OPEN, "kubectl", f"uncordon {VICTIM}"],
        ],
    }
    return sorted([*acts[fault], [AT + LOOK, "kubectl", LEASE]])


def written(name: str, seconds: float) -> Any:
    """A timer of so many *seconds*, as scenarios write it; a span is of one length."""
    text = f"{round(seconds * 1000)}ms"
    return [text, text] if name == "pod_start" else text


def read(trace: Trace, fault: str, back: float, params: Params) -> Watch:
    """The marks of a run whose node fails at `AT`."""
    timers = {name: in_seconds(getattr(params, name)) for name in TIMERS}
    copies = tuple(_copies(trace))
    node = _node(trace) | {"silent": OFF if fault == "reboot" else 0, "back": back}
    return Watch(fault, back, trace.header["seed"], timers, back + MORE, node, copies)


def in_seconds(value: Any) -> float:
    """A timer (µs); of a span, its longest."""
    return float((value[1] if isinstance(value, tuple) else value) / SECOND)


def since(at: int) -> float:
    """Seconds from the failure, to the millisecond."""
    return round(at / SECOND - AT, 3)


def _node(trace: Trace) -> dict[str, float]:
    said = next((r.detail["said"] for r in trace.of("typed") if r.detail["line"] == LEASE), "")
    marks = {"renewed": since(instant(said))} if said else {}
    for record in trace.of("object"):
        if record.at < AT * SECOND or (record.detail["kind"], record.detail["name"]) != ("Node", VICTIM):
            continue
        summary, at = record.detail["summary"], since(record.at)
        if not summary["ready"]:
            marks.setdefault("not-ready", at)
        elif "not-ready" in marks:
            marks.setdefault("again", at)
        if _unreachable(summary) == 2:
            marks.setdefault("tainted", at)
        elif "tainted" in marks and not _unreachable(summary):
            marks.setdefault("untainted", at)
    return marks


def _unreachable(summary: dict[str, Any]) -> int:
    """How many of its taints say so: NoSchedule comes first, then NoExecute."""
    return sum(key.endswith(("unreachable", "not-ready")) for key in summary["taints"])


def _copies(trace: Trace) -> Iterator[Copy]:
    """The pods that were on the node, in the order of `OWNERS`."""
    pods = [r for r in trace.of("object") if r.detail["kind"] == "Pod"]
    there = {r.detail["name"]: r for r in pods if r.at < AT * SECOND}
    for app, kind in OWNERS.items():
        mine = [r for r in pods if r.detail["name"].startswith(f"{app}-")]
        old = [name for name, r in there.items() if r in mine and r.detail["summary"]["node"] == VICTIM]
        for name in old[:1]:
            later = [r for r in mine if r.at >= AT * SECOND]
            yield _copy(trace, kind, name, later)


def _copy(trace: Trace, kind: str, name: str, later: list[Any]) -> Copy:
    marks: dict[str, float] = {}
    heir, place = "", ""
    for record in later:
        detail, at = record.detail, since(record.at)
        summary = detail["summary"]
        if detail["verb"] == "ADDED" and not heir:
            heir, marks["created"] = detail["name"], at
        elif detail["name"] == name and "gone" not in marks:
            if detail["verb"] == "DELETED":
                marks["gone"] = at
            elif summary["deleting"]:
                marks.setdefault("marked", at)
            elif not summary["ready"]:
                marks.setdefault("not-ready", at)
            elif "not-ready" in marks:
                marks.setdefault("again", at)
        elif detail["name"] == heir:
            if summary["node"]:
                place = summary["node"]
                marks.setdefault("scheduled", at)
            if summary["ready"]:
                marks.setdefault("ready", at)
    return Copy(kind, name, heir, place, marks, _runs(trace, name, marks), _answered(trace, name))


def _runs(trace: Trace, name: str, marks: dict[str, float]) -> list[tuple[float, float]]:
    """From when to when a container of the old pod runs on the node, after the failure."""
    end = since(trace.header["until"])
    found: list[tuple[float, float]] = []
    begun: float | None = None
    for record in trace:
        at = since(record.at)
        if at > marks.get("gone", end):
            break
        if record.what == "pod" and record.actor.endswith(f"@{VICTIM}") and record.detail["name"] == name:
            state = record.detail["state"]
            if state == "running" and begun is None:
                begun = max(at, 0)
            ended = state in ("gone", "exited", "starting")
        else:
            ended = record.what == "power_off" and record.actor == VICTIM
        if ended and begun is not None:
            found.append((begun, at))
            begun = None
    if begun is not None:
        found.append((begun, min(end, marks.get("gone", end))))
    return [(begin, stop) for begin, stop in found if stop > 0 or begin == stop == 0]


def _answered(trace: Trace, name: str) -> tuple[float, str] | None:
    """When the old copy last answered a visitor, and which; None: nobody, or nobody asks that kind."""
    last = None
    for record in trace.of("request"):
        detail = record.detail
        if record.at >= AT * SECOND and detail["kind"] == "service" and detail["outcome"] == "ok":
            if detail["via"][-1:] == [name]:
                last = since(record.at), record.actor
    return last
