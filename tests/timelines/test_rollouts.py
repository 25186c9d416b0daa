"""A rollout keeps its bounds, whatever they are and whoever is ready when."""

import pytest

from kubemini.sim.units import SECOND
from tests.oracles.histories.noting import NAMESPACE
from tests.oracles.histories.playing import ready
from tests.timelines.stage import SEEDS, Stage

PATH = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"


def a_deployment(replicas, surge, unavailable):
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"schedulerName": "by-hand"}}
    template["spec"]["containers"] = [{"name": "c", "image": "app:1"}]
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    spec["strategy"] = {"rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_rollout_keeps_its_bounds(seed):
    """Pods that are being deleted count for nothing: more may run, for their grace period."""
    stage = Stage(seed)
    stage.nodes("n1")
    replicas, surge, unavailable = stage.chance(1, 10), stage.chance(0, 4), stage.chance(0, 4)
    surge = max(surge, 1 - unavailable)
    assert stage.world.ask("POST", PATH, a_deployment(replicas, surge, unavailable))[0] == 201
    stage.hand.automate("ready")
    pods = lambda: [obj for key, obj in stage.notes.now.items() if key.startswith("Pod/")]  # noqa: E731
    stage.when(lambda: sum(map(ready, pods())) == replicas, 30)
    stage.hand.automatic = ""
    bounds = []

    def look(key, type, obj):
        living = [pod for pod in pods() if "deletionTimestamp" not in pod["metadata"]]
        bounds.append((sum(map(ready, living)), len(living)))

    stage.notes.listeners.append(look)
    image = [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "app:2"}]
    stage.world.ask("PATCH", f"{PATH}/web", image, "application/json-patch+json")
    end = stage.world.sim.now + 300 * SECOND
    while stage.world.sim.now < end and not done(pods(), replicas):
        stage.run(stage.chance(1, 20) / 10)
        waiting = [pod["metadata"]["name"] for pod in pods() if pod["status"]["phase"] == "Pending"]
        going = [pod["metadata"]["name"] for pod in pods() if "deletionTimestamp" in pod["metadata"]]
        stage.hand.act({"do": "ready"}, waiting[: stage.chance(0, 2)])
        stage.hand.act({"do": "gone"}, going[: stage.chance(0, 2)])
    assert done(pods(), replicas), "the rollout has not ended within five minutes"
    assert min(well for well, _ in bounds) >= replicas - unavailable
    assert max(there for _, there in bounds) <= replicas + surge


def done(pods, replicas):
    """Whether all that is there is new and ready."""
    images = [pod["spec"]["containers"][0]["image"] for pod in pods]
    return images == ["app:2"] * replicas and all(map(ready, pods))
