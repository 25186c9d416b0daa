"""The twin itself: its clusters follow from the seed, they ask each plugin, and a difference is told."""

import copy
import random

from tests.real.scheduler.__main__ import differences
from tests.real.scheduler.ours import decided
from tests.real.scheduler.scenes import scene

REFUSE = {
    *("NodeUnschedulable", "TaintToleration", "NodeAffinity", "NodePorts", "NodeResourcesFit", "PodTopologySpread"),
    *("InterPodAffinity", "VolumeBinding", "VolumeZone", "NodeVolumeLimits", "VolumeRestrictions"),
}
SCORE = {"TaintToleration", "NodeAffinity", "NodeResourcesFit", "NodeResourcesBalancedAllocation", "ImageLocality"}
SCORE |= {"PodTopologySpread", "InterPodAffinity"}


def made(number, seed=1):
    return scene(random.Random(f"{seed} {number}"))


def judged(ours):
    """As the judge would have said it, had it said the same."""
    return copy.deepcopy(ours)


def test_a_cluster_follows_from_the_seed_and_its_number():
    assert made(3) == made(3) != made(4)
    assert made(3) != made(3, seed=2)


def test_every_plugin_refuses_and_scores_in_some_cluster_and_in_some_there_is_room_to_be_made():
    said = [decided(made(number)) for number in range(400)]
    refused = {told["prefilter"]["plugin"] for told in said if told["prefilter"]}
    assert refused | {one["plugin"] for told in said for one in told["filter"].values() if one} >= REFUSE
    scores = [marks for told in said for by in (told["scores"] or {}).values() for marks in by.items()]
    assert {name for name, (raw, _) in scores if raw} >= SCORE
    assert any(told["nominated"] for told in said)


def test_a_verdict_a_score_a_text_and_a_node_that_is_none_of_the_real_ones_are_told():
    said = [decided(made(number)) for number in range(60)]
    for part, change in (
        ("scores", lambda told: next(iter(next(iter(told["scores"].values())).values())).__setitem__(0, -1)),
        ("filter", lambda told: told["filter"].__setitem__(next(iter(told["filter"])), {"plugin": "Nobody"})),
        ("message", lambda told: told.__setitem__("message", "0/0 nodes")),
        ("nominated", lambda told: told.__setitem__("nominated", {"nowhere": told["message"]})),
    ):
        ours = next(told for told in said if told[part] and (part == "nominated" or not told["nominated"]))
        real = judged(ours)
        assert differences(real, ours) == []
        change(real)
        assert part in {where.split()[0] for where, _, _ in differences(real, ours)}


def test_ours_may_take_any_of_the_nodes_that_chance_gives_the_real_one():
    ours = next(told for told in (decided(made(number)) for number in range(150)) if told["nominated"])
    real = judged(ours)
    real["nominated"] = {"another": "another text", **real["nominated"]}
    real["message"] = "another text"
    assert differences(real, ours) == []
