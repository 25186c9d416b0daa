"""A rollout keeps its bounds, whatever they are and whoever is ready when."""

import pytest

from kubemini import faults
from kubemini.sim.units import SECOND
from tests.oracles.histories.noting import NAMESPACE
from tests.oracles.histories.playing import ready
from tests.timelines.stage import SEEDS, Stage

MANAGER = "controller-manager-1"
PATH = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"


def a_deployment(replicas, surge, unavailable):
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"schedulerName": "by-hand"}}
    template["spec"]["containers"] = [{"name": "c", "image": "app:1"}]
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    spec["strategy"] = {"rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def nothing(stage):
    """All is well."""


def a_crash(stage):
    """The controller manager dies now and then, and with it all that it expected to see."""
    manager = stage.world.cluster.components[MANAGER]
    if stage.chance(0, 9) == 0:
        manager.crash()
    elif stage.chance(0, 1):
        manager.start()


def a_silent_watch(stage):
    """Its watch of pods or of ReplicaSets falls silent now and then, and is heard again."""
    kind = ("Pod", "ReplicaSet")[stage.chance(0, 1)]
    (faults.CutWatch if stage.chance(0, 4) == 0 else faults.MendWatch)(MANAGER, kind).do(stage.world.cluster)


# A Deployment counts what its ReplicaSets are to have. Who takes over finds one that is to have fewer pods and has not,
# lets another have more, and it is chance which of the two is seen to first: for a moment there are too many. So it is
# with a kube-controller-manager 1.37.2: killed 212 times in the midst of 39 rollouts, it had a pod too many once.
REAL = 0.051  # seconds
EXCESS = {nothing: -1, a_crash: REAL, a_silent_watch: -1}


@pytest.mark.parametrize("trouble", [nothing, a_crash, a_silent_watch])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_rollout_keeps_its_bounds(seed, trouble):
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
        wanted = sum(one["spec"]["replicas"] for key, one in stage.notes.now.items() if key.startswith("ReplicaSet/"))
        bounds.append((stage.now, sum(map(ready, living)), wanted, len(living)))

    stage.notes.listeners.append(look)
    image = [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "app:2"}]
    stage.world.ask("PATCH", f"{PATH}/web", image, "application/json-patch+json")
    end = stage.world.sim.now + 900 * SECOND
    while stage.world.sim.now < end and not done(pods(), replicas):
        stage.run(stage.chance(1, 20) / 10)
        waiting = [pod["metadata"]["name"] for pod in pods() if pod["status"]["phase"] == "Pending"]
        going = [pod["metadata"]["name"] for pod in pods() if "deletionTimestamp" in pod["metadata"]]
        stage.hand.act({"do": "ready"}, waiting[: stage.chance(0, 2)])
        stage.hand.act({"do": "gone"}, going[: stage.chance(0, 2)])
        trouble(stage)
    assert done(pods(), replicas), "the rollout has not ended within a quarter of an hour"
    assert min(well for _, well, _, _ in bounds) >= replicas - unavailable
    assert max(wanted for _, _, wanted, _ in bounds) <= replicas + surge
    assert longest(at for at, _, _, there in bounds if there > replicas + surge) <= EXCESS[trouble]


def longest(times):
    """How long (s) it lasted, at most, where instants less than a second apart are one time."""
    spells = []
    for at in times:
        if spells and at - spells[-1][-1] < 1:
            spells[-1].append(at)
        else:
            spells.append([at])
    return max((spell[-1] - spell[0] for spell in spells), default=-1)


def done(pods, replicas):
    """Whether all that is there is new and ready."""
    images = [pod["spec"]["containers"][0]["image"] for pod in pods]
    return images == ["app:2"] * replicas and all(map(ready, pods))
