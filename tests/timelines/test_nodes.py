"""From the last word of a kubelet to the end of its pods."""

from itertools import pairwise

import pytest

from tests.timelines.stage import SEEDS, Stage

GRACE, PASS = 50, 0.1  # --node-monitor-grace-period, between two tainting passes
ROUND = 5.15  # --node-monitor-period, and what a round takes on a busy machine
ROUNDS = -(-GRACE // ROUND) * ROUND  # from the round that hears of a renewal to the first that finds it too old
WRITES = 0.15  # what some requests take, and our looks
NO_SCHEDULE, NO_EXECUTE = "NoSchedule", "NoExecute"


def fall_silent(stage, *nodes):
    """The instant of the last renewal of their Leases; they fall silent up to 10 s after it."""
    stage.hand.renew_at(stage.world.sim.now)
    stage.run(10 + 1e-3)
    last = stage.now
    stage.run(stage.chance(0, 99) / 10)
    stage.hand.silence(nodes)
    return last


@pytest.mark.parametrize("seed", SEEDS)
def test_a_silent_kubelet(seed):
    """Unknown ten rounds after the one that heard of it, tainted at once, its pods gone when their time is up."""
    stage = Stage(seed)
    stage.nodes("n1", "n2")
    for name, seconds in (("zero", 0), ("ten", 10), ("usual", None)):
        stage.pod(name, "n1", seconds)
    last = fall_silent(stage, "n1")
    unknown = stage.when(lambda: stage.ready("Node/n1") == "Unknown", 60)
    assert ROUNDS - WRITES < unknown - last < ROUNDS + ROUND + WRITES
    assert stage.when(lambda: stage.tainted("n1", NO_SCHEDULE), 1) - unknown < WRITES
    assert stage.when(lambda: stage.ready("Pod/usual") == "False", 1) - unknown < WRITES
    executed = stage.when(lambda: stage.tainted("n1", NO_EXECUTE), 1)
    assert executed - unknown < PASS + WRITES
    assert stage.when(lambda: stage.marked("zero"), 1) - executed < WRITES
    assert stage.when(lambda: stage.marked("ten"), 11) - executed == pytest.approx(10, abs=WRITES)
    assert stage.when(lambda: stage.marked("usual"), 300) - executed == pytest.approx(300, abs=WRITES)
    assert [stage.told("NodeNotReady", name) for name in ("n1", "zero", "ten", "usual")] == [1, 1, 1, 1]
    assert [stage.told("TaintManagerEviction", name) for name in ("zero", "ten", "usual")] == [1, 1, 1]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_kubelet_that_is_back(seed):
    """NoSchedule goes at once, NoExecute in the next round, and what was planned is cancelled."""
    stage = Stage(seed)
    stage.nodes("n1", "n2")
    stage.pod("usual", "n1")
    fall_silent(stage, "n1")
    stage.when(lambda: stage.tainted("n1", NO_EXECUTE), 70)
    stage.run(10 + stage.chance(0, 49) / 10)
    stage.hand.back(["n1"])
    back = stage.now
    assert stage.when(lambda: not stage.tainted("n1", NO_SCHEDULE), 1) - back < WRITES
    assert stage.when(lambda: not stage.tainted("n1", NO_EXECUTE), 6) - back < ROUND + WRITES
    stage.run(300)
    assert not stage.marked("usual")
    assert stage.told("TaintManagerEviction", "usual") == 1, "cancelled"


@pytest.mark.parametrize("seed", SEEDS)
def test_many_silent_nodes_of_one_zone(seed):
    """The first is given up at once, then one every 10 s."""
    stage = Stage(seed)
    names = [f"n{number}" for number in range(1, 11)]
    stage.nodes(*names)
    fall_silent(stage, *names[:3])
    unknown = stage.when(lambda: all(stage.ready(f"Node/{name}") == "Unknown" for name in names[:3]), 70)
    given_up = lambda: sum(stage.tainted(name, NO_EXECUTE) for name in names)  # noqa: E731
    times = [stage.when(lambda many=many: given_up() >= many, 15) for many in (1, 2, 3)]
    assert times[0] - unknown < PASS + WRITES
    assert [b - a for a, b in pairwise(times)] == pytest.approx([10, 10], abs=PASS + WRITES)


@pytest.mark.parametrize("seed", SEEDS)
def test_all_nodes_silent(seed):
    """Nobody is evicted; when one is back the others wait for one token: 10 s and a round."""
    stage = Stage(seed)
    for name, zone in (("n1", "a"), ("n2", "b"), ("n3", "c")):
        stage.nodes(name, zone=zone)
    fall_silent(stage, "n1", "n2", "n3")
    stage.when(lambda: all(stage.ready(f"Node/n{number}") == "Unknown" for number in (1, 2, 3)), 70)
    stage.run(60 + stage.chance(0, 49) / 10)
    assert not any(stage.tainted(f"n{number}", NO_EXECUTE) for number in (1, 2, 3))
    stage.hand.back(["n1"])
    back = stage.now
    others = stage.when(lambda: all(stage.tainted(name, NO_EXECUTE) for name in ("n2", "n3")), 20) - back
    assert 10 <= others < 10 + ROUND + PASS + WRITES
    assert not stage.tainted("n1", NO_EXECUTE)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_small_zone_that_is_mostly_silent(seed):
    """55 % of it, and more than two: nobody else is given up once that is known."""
    stage = Stage(seed)
    stage.nodes("n1", "n2", "n3", "n4")
    stage.nodes("n5", zone="b")
    fall_silent(stage, "n1", "n2", "n3")
    stage.when(lambda: all(stage.ready(f"Node/n{number}") == "Unknown" for number in (1, 2, 3)), 70)
    stage.run(40)
    assert sum(stage.tainted(f"n{number}", NO_EXECUTE) for number in (1, 2, 3)) <= 1


@pytest.mark.parametrize("seed", SEEDS)
def test_a_node_that_is_deleted(seed):
    """Its pods go after 40 to 60 s: the round that misses it, 40 s, the round that then comes."""
    stage = Stage(seed)
    stage.nodes("n1", "n2")
    stage.pod("lost", "n1")
    stage.run(stage.chance(0, 199) / 10)
    stage.world.ask("DELETE", "/api/v1/nodes/n1")
    deleted = stage.now
    assert 40 <= stage.when(lambda: "Pod/lost" not in stage.notes.now, 70) - deleted <= 60 + WRITES


@pytest.mark.parametrize("seed", SEEDS)
def test_a_kubelet_that_says_another_word(seed):
    """A server stores any word as a status: whoever is neither ready nor not ready is left as it is."""
    stage = Stage(seed)
    stage.nodes("n1", "n2")
    stage.pod("usual", "n1")
    stage.run(10)
    stage.say_of_itself("n1", "Maybe")
    stage.run(30)
    assert stage.ready("Node/n1") == "Maybe" and stage.ready("Pod/usual") == "True"
    assert not stage.notes.now["Node/n1"]["spec"].get("taints")
    stage.say_of_itself("n1", "False")
    stage.when(lambda: len(stage.notes.now["Node/n1"]["spec"].get("taints", ())) == 2, ROUND + PASS + WRITES)
