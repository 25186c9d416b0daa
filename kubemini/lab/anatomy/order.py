"""anatomy.order: the steps between `kubectl apply` and the first visit, in an order that can have been.

Invariant: the order comes from runs of the scenario ``anatomy``.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from kubemini.lab import NotYet, Report, exercise
from kubemini.lab.anatomy.impact import _node
from kubemini.lab.anatomy.story import SCALE
from kubemini.scenarios import load
from kubemini.sim import Trace
from kubemini.sim.trace import Record
from kubemini.sim.units import SECOND
from kubemini.simulate import run

NEW = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: blog}
spec:
  replicas: 1
  selector: {matchLabels: {app: blog}}
  template:
    metadata: {labels: {app: blog}}
    spec: {containers: [{name: blog, image: "blog:1.0"}]}
---
apiVersion: v1
kind: Service
metadata: {name: blog}
spec: {selector: {app: blog}, ports: [{port: 80}]}
"""
STEPS = {  # what happens between the command and the first visit, and who does it
    "the Deployment is stored": "kube-apiserver",
    "kubectl has its answer": "kube-apiserver",
    "a ReplicaSet exists": "kube-controller-manager",
    "a Pod object exists": "kube-controller-manager",
    "the Pod has a node": "kube-scheduler",
    "the container runs": "kubelet",
    "the Pod is reported ready": "kubelet",
    "an endpoint names the Pod": "kube-controller-manager",
    "the kernel has a rule": "kube-proxy",
}
ORDER_SEEDS = range(1, 6)


@exercise("anatomy.order")
def check_order(answer: Any) -> Report:
    """A list of steps: it passes if no step stands before one that every run needs first."""
    steps = [str(step) for step in answer] if isinstance(answer, list | tuple) else []
    if sorted(steps) != sorted(STEPS):
        missing = [s for s in STEPS if s not in steps]
        raise NotYet(
            f"Give check() a list of all {len(STEPS)} steps, each once; missing: {', '.join(missing) or 'none'}."
        )
    runs = [instants(seed) for seed in ORDER_SEEDS]
    for early, late in ((a, b) for i, a in enumerate(steps) for b in steps[i + 1 :]):
        if all(seen[late] < seen[early] for seen in runs):
            raise NotYet(
                f"“{early}” cannot come before “{late}”: in all {len(runs)} runs it came after it.",
                *(f"{STEPS[s]}: {s}, {runs[0][s] / SECOND - SCALE:.3f} s after the command" for s in (late, early)),
                next="Ask of each step: whom does its program watch, and what must it have seen there?",
            )
    first = runs[0]
    return Report(
        "pass",
        tuple(f"{(first[s] / SECOND - SCALE):6.3f} s  {STEPS[s]}: {s}" for s in sorted(STEPS, key=lambda s: first[s])),
        "Nobody called anybody: each program saw an object change and changed the next one.",
    )


def instants(seed: int) -> dict[str, int]:
    """When each of `STEPS` happened, in a run where a Deployment and its Service are applied at 20 s."""
    trace = run(replace(load("anatomy"), faults=()), seed, [(SCALE, "apply", NEW)], until=SCALE + 20)
    objects = [r for r in trace.of("object") if r.at >= SCALE * SECOND]
    pods = [r for r in objects if r.detail["kind"] == "Pod" and r.detail["name"].startswith("blog")]
    running = [r for r in trace.of("pod") if r.detail["name"].startswith("blog") and r.detail["state"] == "running"]
    return {
        "the Deployment is stored": _first(r for r in objects if _is(r, "Deployment")),
        "kubectl has its answer": _first(r for r in _applied(trace)),
        "a ReplicaSet exists": _first(r for r in objects if _is(r, "ReplicaSet")),
        "a Pod object exists": _first(pods),
        "the Pod has a node": _first(r for r in pods if _node(r)),
        "the container runs": _first(running),
        "the Pod is reported ready": _first(r for r in pods if r.detail["summary"].get("ready")),
        "an endpoint names the Pod": _first(
            r for r in objects if _is(r, "EndpointSlice") and r.detail["summary"].get("endpoints")
        ),
        "the kernel has a rule": _first(
            r for r in trace.of("rules") if "blog" in r.detail["service"] and r.detail["endpoints"]
        ),
    }


def _is(record: Record, kind: str) -> bool:
    return record.detail["kind"] == kind and record.detail["name"].startswith("blog")


def _applied(trace: Trace) -> list[Record]:
    return [r for r in trace.of("request") if r.detail["kind"] == "api" and "deployments" in r.detail["path"]]


def _first(records: Iterable[Record]) -> int:
    found = min((r.at for r in records if r.at >= SCALE * SECOND), default=None)
    assert found is not None, "every step happens in a healthy cluster"
    return found
