"""Why a pod goes where it goes, asked of a running cluster, and plugins of one's own."""

import pytest

from kubemini import Cluster, explain, plug_in
from kubemini.__main__ import main
from kubemini.api.kinds import NODE
from kubemini.api.objects import get
from kubemini.scheduler.decide.plugin import Plugin
from tests.worlds.kube import Shop, a_deployment


@pytest.fixture(scope="module")
def shop():
    there = Shop(a_deployment(5, cpu="1500m"), cluster=Cluster.single(workers=3))
    there.run(12)
    return there


def a_name(shop, on):
    return next(p["metadata"]["name"] for p in shop.pods() if get(p, "spec", "nodeName") == on)


def test_every_plugin_says_of_every_node_what_it_thinks(shop):
    said = explain(shop.cluster, f"pod/{a_name(shop, 'worker-1')}")
    assert said.placed == "worker-1" and said.decision.node in ("worker-1", "worker-3")
    full, free = said.node("worker-2"), said.node("worker-3")
    assert [r.reasons for r in full.refusals] == [("Insufficient cpu",)] and not full.scores
    assert free.fits and free.total == sum(marks[2] for marks in free.scores.values())
    assert free.verdicts["TaintToleration"] is None and free.scores["TaintToleration"] == (0, 100, 300)


def test_it_says_what_would_have_to_change(shop):
    name = a_name(shop, "worker-1")
    said = explain(shop.cluster, f"pod/{name}", node="worker-2")
    assert said.change("worker-2") == ["NodeResourcesFit: Insufficient cpu: it needs 500m more cpu"]
    assert "For worker-2 would have to change:" in str(said)
    with pytest.raises(ValueError, match="there is no node 'worker-9'; there is: "):
        explain(shop.cluster, f"pod/{name}", node="worker-9")
    with pytest.raises(ValueError, match="the scheduler knows no pod 'web-0'; it knows: web-"):
        explain(shop.cluster, "pod/web-0")


def test_asking_changes_nothing(shop):
    records, start = len(shop.sim.trace.records), shop.cluster.components["scheduler-1"].machine.start
    for _ in range(2):
        explain(shop.cluster, f"pod/{a_name(shop, 'worker-2')}")
    assert len(shop.sim.trace.records) == records
    assert shop.cluster.components["scheduler-1"].machine.start == start


def test_an_opinion_of_ones_own_counts_in_a_question_and_in_a_running_cluster(shop):
    def likes(cycle, info):
        return 100 if info.name == "worker-3" else 0

    fan = Plugin("Fan", 1000, score=likes, weight=10)
    said = explain(shop.cluster, f"pod/{a_name(shop, 'worker-1')}", plugins=[fan])
    assert (said.decision.node, said.node("worker-3").scores["Fan"]) == ("worker-3", (100, 100, 1000))
    other = Shop(a_deployment(1), cluster=Cluster.single(workers=3))
    plug_in(other.cluster, Plugin("NotOne", 1000, filter=lambda cycle, info: "no" if info.name[-1] == "1" else None))
    other.run(8)
    plug_in(other.cluster, fan)
    other.cluster.apply([a_deployment(2, name="late")])
    other.run(8)
    assert other.pods()[0]["spec"]["nodeName"] == "worker-2"
    assert {p["spec"]["nodeName"] for p in other.pods("late")} == {"worker-3"}


def test_a_pod_that_fits_nowhere_is_told_of_the_cordon(shop):
    other = Shop(a_deployment(1), cluster=Cluster.single(workers=1))
    other.run(6)
    other.patch(NODE, "worker-1", {"spec": {"unschedulable": True}})
    other.run(1)
    said = explain(other.cluster, f"pod/{other.pods()[0]['metadata']['name']}")
    assert said.why().startswith("It fits nowhere: 0/1 nodes are available: 1 node(s) were unschedulable.")
    assert said.node("worker-1").cures["NodeUnschedulable"].startswith("kubectl uncordon worker-1")


def test_the_command_line_explains(capsys):
    assert main(["explain", "pod/nobody", "--scenario", "rollout", "--at", "8s"]) == 2
    listed = capsys.readouterr().err.partition("it knows: ")[2]
    name = listed.split(",")[0].strip()
    assert main(["explain", f"pod/{name}", "--scenario", "rollout", "--at", "8s"]) == 0
    assert f"default/{name} → " in capsys.readouterr().out
