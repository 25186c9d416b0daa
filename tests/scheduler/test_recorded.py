"""Decisions of the real scheduler (1.37.2, default profile), asked of ours: filters, their words, and scores."""

import pytest

from kubemini.api.objects import evolve, freeze, get
from kubemini.scheduler.decide import framework
from kubemini.scheduler.decide.decision import Decision
from kubemini.scheduler.decide.nodeinfo import NodeInfo
from kubemini.scheduler.decide.plugin import Cycle
from tests.scheduler.parts import PROFILE, known, vectors


def cycle(case):
    infos = {n["metadata"]["name"]: NodeInfo(freeze({"spec": {}, **n})) for n in case["nodes"]}
    for number, pod in enumerate(case.get("pods", ())):
        on = infos.get(pod["spec"].get("nodeName"))
        if on is not None and get(pod, "status", "phase") not in ("Succeeded", "Failed"):
            on.add(evolve(freeze(pod), ("metadata", "uid"), f"there-{number}"))
    pod = evolve(freeze(case["pod"]), ("metadata", "uid"), "new")
    spaces = [
        {"kind": "Namespace", "metadata": {"name": name, "labels": labels}}
        for name, labels in case.get("namespaces", {}).items()
    ]
    return Cycle(pod, list(infos.values()), known(*spaces, *case.get("objects", ())))


@pytest.mark.parametrize("case", vectors("scheduling"), ids=lambda case: case["name"])
def test_what_the_real_scheduler_decided(case):
    asked = cycle(case)
    filters = framework.prefilter(asked, PROFILE).filters
    said = {info.name: framework.reject(asked, filters, info) for info in asked.nodes}
    said = {name: said[name] and [said[name].plugin, sorted(said[name].reasons)] for name in case["filter"]}
    assert said == {name: None if found == "ok" else found for name, found in case["filter"].items()}
    if "scores" in case:
        feasible = [info for info in asked.nodes if case["filter"].get(info.name) == "ok"]
        decision = Decision(len(asked.nodes))
        framework.score(asked, PROFILE, framework.Fitting.of(feasible), decision)
        given = {node: {name: marks[1] for name, marks in by.items()} for node, by in decision.scores.items()}
        assert {node: {name: by[name] for name in case["scores"][node]} for node, by in given.items()} == case["scores"]
        more = {name for by in given.values() for name in by} - {n for by in case["scores"].values() for n in by}
        assert more <= {"ImageLocality", "VolumeBinding", "DynamicResources"}  # which had not been asked then
