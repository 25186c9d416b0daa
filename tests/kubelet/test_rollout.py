"""A preStop hook in a rollout under load: it is there so that no visit is lost."""

import pytest

from kubemini.api.objects import evolve
from kubemini.cluster import Cluster
from tests.worlds.kube import SHOP, a_deployment


def lost(hook):
    """Visits that fail while three pods are replaced, and what was remarked."""
    container = ("spec", "template", "spec", "containers", 0)
    before = a_deployment(3)
    if hook:
        before = evolve(before, (*container, "lifecycle"), {"preStop": hook})
    cluster = Cluster.single(workers=3)
    cluster.prepare(workload={"visitors": {"service": "web", "every": "20ms"}})
    cluster.apply([before, SHOP])
    cluster.run(10)
    cluster.apply([evolve(before, (*container, "image"), "nginx:1.30")])
    cluster.run(30)
    visits = [r.detail["outcome"] for r in cluster.trace.of("request") if r.detail["kind"] == "service"]
    return sum(outcome != "ok" for outcome in visits), [r.detail["text"] for r in cluster.trace.of("note")]


@pytest.mark.parametrize(
    "hook",
    [
        {"sleep": {"seconds": 5}},
        {"exec": {"command": ["sleep", "5s"]}},
        {"exec": {"command": ["/bin/sleep", "5"]}},
        {"exec": {"command": ["/bin/sh", "-c", "sleep 5 && nginx -s quit"]}},
        {"exec": {"command": ["sleep", "infinity"]}},
    ],
)
@pytest.mark.some(2)
def test_a_hook_that_sleeps_saves_every_visit(hook):
    assert lost(hook) == (0, [])


@pytest.mark.parametrize("command", [["sleep", "soon"], ["/drain.sh"]])
def test_a_hook_that_takes_no_time_saves_none(command):
    missed, said = lost({"exec": {"command": command}})
    assert missed > 10 and lost(None)[0] > 10
    assert len(said) == (command == ["/drain.sh"])
