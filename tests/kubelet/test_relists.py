"""When a kubelet sees what its containers do: asked once a second, and at once after a turn that has done something."""

import pytest

from kubemini.kubelet.decide.pods.relists import Relists, as_listed
from kubemini.kubelet.decide.pods.runs import EXITED, RUNNING, PodView, Run
from kubemini.sim.units import SECOND
from tests.oracles.kubelet.playing import Player
from tests.oracles.kubelet.seen import check

TOOL = "registry.example.test/tool:1"
BAD = {"name": "a", "image": TOOL, "command": ["/nosuch"]}


def test_the_clock_ticks_each_second_from_its_phase():
    clock = Relists(300_000)
    assert clock.last(5 * SECOND) == 4_300_000 and clock.next(5 * SECOND) == 5_300_000
    assert clock.last(4_300_000) == 4_300_000 and clock.next(4_300_000) == 5_300_000


def test_what_has_ended_since_the_last_listing_still_runs_in_it():
    ended = Run("1", "c", 0, 0, "i", state=EXITED, started_at=1, finished_at=7, exit_code=3, reason="Error")
    (seen,) = as_listed(PodView([ended]), 5).runs
    assert (seen.state, seen.exit_code, seen.reason) == (RUNNING, 0, "")
    assert as_listed(PodView([ended]), 8).runs == [ended]


def test_what_has_begun_and_ended_since_the_last_listing_never_ran_in_it():
    ended = Run("1", "c", 0, 0, "i", state=EXITED, started_at=6, finished_at=7, exit_code=3)
    assert as_listed(PodView([ended]), 5).runs == [ended]


def lived(seed, seconds, *containers, **spec):
    """What two watches saw of a pod in so many seconds (tests/oracles)."""
    player = Player("relists", False, seed)
    named = [{"name": name, "image": TOOL, "args": list(args)} for name, args in zip("ab", containers, strict=False)]
    pod = {"metadata": {"name": "p"}, "spec": {"containers": named, "terminationGracePeriodSeconds": 2, **spec}}
    steps = [{"create": {"apiVersion": "v1", "kind": "Pod", **pod}, "code": 201}, {"sleep": seconds}]
    assert not [wrong for step in steps for wrong in player.play(step, 0)]
    return check(player.seen)


def words(seen, name):
    """The states of a container, as words."""
    return [row[0] for row in seen["pods"]["p"]["containers"][name]]


SEEDS = pytest.mark.parametrize("seed", [1, 2, 3])


@SEEDS
def test_a_program_that_ends_at_once_is_seen_to_run_for_the_pod_is_listed_at_once(seed):
    seen = words(lived(seed, 15, ("crash", "0", "3"), restartPolicy="Never"), "a")
    assert seen == ["waiting:ContainerCreating", "running", "terminated:Error:3"]


def test_one_that_ends_while_the_next_container_starts_may_never_be_seen_to_run():
    never = [lived(seed, 12, ("crash", "0.3", "3"), ("sleep", "100"), restartPolicy="Never") for seed in range(1, 7)]
    assert any("running" not in words(seen, "a") and "running" in words(seen, "b") for seen in never)


@SEEDS
def test_a_start_that_fails_is_told_by_the_clock_and_its_back_off_not_before_the_turn_after(seed):
    seen = words(lived(seed, 9, restartPolicy="Always", containers=[BAD]), "a")
    assert seen[:2] == ["waiting:ContainerCreating", "waiting:RunContainerError"]
    assert set(seen[2:]) <= {"waiting:RunContainerError", "waiting:CrashLoopBackOff"}


def test_a_pod_that_is_deleted_ends_what_was_dead_already_if_nobody_has_seen_it():
    """The kubelet has not asked since: it says that it stops the container all the same."""
    player = Player("relists", False, 1)
    pod = {"containers": [{"name": "a", "image": TOOL, "args": ["sleep", "1000"]}], "restartPolicy": "Never"}
    create = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": pod}
    player.play({"create": create, "code": 201}, 0)
    player.play({"until": "ready()", "took": 10}, 0)
    clock = player.world.kubelet.shared.relists
    player.world.sleep(3)  # its worker has nothing to do
    now = player.world.sim.now
    player.world.sleep((clock.next(now) - now + 100_000) / SECOND)  # just asked
    (pod,) = player.world.host.kernel.containers.of_pod.values()
    player.world.host.kernel.containers.kill(pod.uid, pod.view.latest("a"))
    player.play({"delete": "p", "code": 200}, 0)
    player.play({"until": "gone()", "took": 10}, 0)
    assert player.seen.ev("Killing", "Stopping container a") == 1
