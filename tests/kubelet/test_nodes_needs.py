"""A node runs short of something, or an image cannot be had: evictions, and secrets that are missing."""

import pytest

from kubemini.kubelet.decide.pods import eviction
from tests.kubelet.parts import pod
from tests.oracles.kubelet.playing import Player

TOOL = "registry.example.test/tool:1"
SOFT = (
    "the kubelet is restarted with evictionSoft memory.available 100Mi under what is free now, "
    "evictionSoftGracePeriod 25s and evictionMaxPodGracePeriod 3"
)


@pytest.mark.parametrize(("hard", "own", "most", "gets"), [(True, 30, 9, 1), (False, 30, 9, 9), (False, 4, 9, 4)])
def test_a_soft_threshold_gives_a_pod_its_own_grace_up_to_the_most(hard, own, most, gets):
    assert eviction.grace(pod(terminationGracePeriodSeconds=own), hard, most) == gets


def life(*steps):
    """A player who has played these steps, each as it should be."""
    player = Player("needs", True)
    assert not [wrong for step in steps for wrong in player.play(step, 0)]
    return player


def create(image=TOOL, args=(), **spec):
    """A step that makes pod p with a container c."""
    spec = {"containers": [{"name": "c", "image": image, "args": list(args)}], **spec}
    return {"create": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}, "code": 201}


def test_a_soft_threshold_is_told_at_once_and_evicts_when_its_grace_is_over():
    player = life({"hook": "kubelet-conf", "does": SOFT, "t": 0}, create(args=["eat", "200"]))
    player.play({"until": "ready()", "took": 20}, 0)
    since = player.world.clock()
    assert not player.play({"until": "ev('NodeHasInsufficientMemory') > 0", "took": 30}, 0)
    assert player.seen.ev("EvictionThresholdMet") == player.seen.ev("Evicted") == 0
    assert not player.play({"until": "ph() == 'Failed'", "took": 60}, 0)
    assert 25 <= player.world.clock() - since <= 50
    assert player.seen.ev("Evicted", "The node was low on resource: memory. ") == 1
    assert player.seen.ev("EvictionThresholdMet", "Attempting to reclaim memory") >= 1


def test_a_secret_for_an_image_that_is_missing_is_named_when_the_pull_fails():
    names = [{"name": "one"}, {"name": "here"}, {"name": "two"}]
    secret = {"create": {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "here"}}, "code": 201}
    player = life(secret, create("registry.example.test/private:1", imagePullSecrets=names), {"sleep": 8})
    text = "Unable to retrieve some image pull secrets (one, two); attempting to pull the image may not succeed."
    assert player.seen.ev("FailedToRetrieveImagePullSecret", text) == 1


def test_of_an_image_that_is_there_no_secret_is_missed():
    player = life(create(args=["sleep", "100"], imagePullSecrets=[{"name": "one"}]), {"sleep": 8})
    assert player.seen.ev("Started") == 1 and player.seen.ev("FailedToRetrieveImagePullSecret") == 0


def test_what_lies_in_memory_or_is_the_node_s_is_no_use_of_its_disk_by_the_pod():
    kinds = {
        "own": {"emptyDir": {}},
        "memory": {"emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
        "host": {"hostPath": {"path": "/var/log"}},
        "settings": {"configMap": {"name": "a"}},
        "secret": {"secret": {"secretName": "a"}},
    }
    volumes = [{"name": name, **kind} for name, kind in kinds.items()]
    assert eviction.on_disk(pod(volumes=volumes)) == {"own", "settings"}
