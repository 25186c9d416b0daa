"""Decisions of the real scheduler (1.37.2, default profile), asked of ours: filters, their words, and scores."""

import pytest

from kubemini.api import labels
from kubemini.api.objects import evolve, freeze, get
from kubemini.scheduler.decide import framework
from kubemini.scheduler.decide.cache import NodeInfo
from kubemini.scheduler.decide.plugin import Cycle
from tests.scheduler.parts import PROFILE, vectors


def cycle(case):
    infos = {n["metadata"]["name"]: NodeInfo(freeze({"spec": {}, **n})) for n in case["nodes"]}
    for number, pod in enumerate(case.get("pods", ())):
        on = infos.get(pod["spec"].get("nodeName"))
        if on is not None and get(pod, "status", "phase") not in ("Succeeded", "Failed"):
            on.add(evolve(freeze(pod), ("metadata", "uid"), f"there-{number}"))
    pod = evolve(freeze(case["pod"]), ("metadata", "uid"), "new")
    return Cycle(pod, list(infos.values()), application(case, pod), case.get("namespaces", {}))


def application(case, pod):
    """The pods that the Services of *pod*, and the ReplicaSet that owns it, select together."""
    selectors = []
    for found in case.get("objects", ()):
        meta, spec = found["metadata"], found.get("spec", {})
        if meta.get("namespace") != pod["metadata"]["namespace"]:
            continue
        wanted = spec.get("selector")
        if found["kind"] == "Service" and wanted and labels.contains(pod["metadata"].get("labels"), wanted):
            selectors.append(labels.from_labels(wanted))
        owners = pod["metadata"].get("ownerReferences") or ()
        if any(o.get("controller") and (o["kind"], o["name"]) == (found["kind"], meta["name"]) for o in owners):
            rc = found["kind"] == "ReplicationController"
            selectors.append(labels.from_labels(wanted) if rc else labels.from_object(wanted))
    return (lambda other: all(s.matches(other["metadata"].get("labels")) for s in selectors)) if selectors else None


@pytest.mark.parametrize("case", vectors("scheduling"), ids=lambda case: case["name"])
def test_what_the_real_scheduler_decided(case):
    asked = cycle(case)
    said = {info.name: framework.reject(asked, PROFILE, info) for info in asked.nodes}
    said = {name: said[name] and [said[name].plugin, sorted(said[name].reasons)] for name in case["filter"]}
    assert said == {name: None if found == "ok" else found for name, found in case["filter"].items()}
    if "scores" in case:
        feasible = [info for info in asked.nodes if case["filter"].get(info.name) == "ok"]
        assert framework.score(asked, PROFILE, feasible) == case["scores"]
