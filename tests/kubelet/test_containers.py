"""A pod's life as its kubelet sees it: legal moves, back-off, probes, grace; and containers that outlive it."""

import pytest

from kubemini.api.objects import evolve
from kubemini.host import Host
from kubemini.host.linux import podnetwork
from kubemini.kubelet.containers import EXITED, Containers
from kubemini.kubelet.decide import podworker
from kubemini.kubelet.decide.podworker import MOVES, PodWorker
from kubemini.kubelet.decide.status import pod_status
from kubemini.network.cni import Plugins
from kubemini.params import Params
from kubemini.sim import Sim
from kubemini.sim.units import MINUTE, MS, SECOND
from tests.kubelet.parts import pod

BOUNDS = Params().crash_loop_backoff


# -- the table -------------------------------------------------------------------------------------------------------
def test_an_illegal_move_is_refused_in_words():
    worker = PodWorker(pod())
    with pytest.raises(AssertionError, match="a pod that is pending cannot take the move 'started'"):
        worker.become("started")


def test_from_every_state_a_pod_can_be_stopped_and_be_gone():
    for state in {state for state, _ in MOVES} - {"stopping"}:
        worker = PodWorker(pod(), state=state)
        worker.become("stop")
        worker.become("stopped")
        assert worker.state == "gone"


@pytest.mark.parametrize(
    "policy,code,again",
    [("Always", 0, True), ("Always", 1, True), ("OnFailure", 0, False), ("OnFailure", 1, True), ("Never", 1, False)],
)
def test_the_restart_policy_decides(policy, code, again):
    assert podworker.restarts_after(policy, code) is again


def test_crash_loop_back_off_doubles_from_10_s_to_five_minutes():
    delays = [podworker.restart_delay(n, BOUNDS) // SECOND for n in range(9)]
    assert delays == [0, 10, 20, 40, 80, 160, 300, 300, 300]


def test_after_two_kills_at_once_the_back_off_begins():
    """A kill looks at the end before it; a probe that kills every 6 s waits from the third time on."""
    crashes, end, waits = 0, -1, []
    for _ in range(5):
        now = max(end, 0) + (waits[-1] if waits else 0) + 6 * SECOND
        wait, crashes = podworker.restart_after_end(crashes, now, end, True, BOUNDS)
        waits.append(wait)
        end = now
    assert [wait // SECOND for wait in waits] == [0, 0, 10, 20, 40]


def test_a_kill_long_after_the_last_end_waits_for_nothing():
    assert podworker.restart_after_end(2, 100 * SECOND, 70 * SECOND, True, BOUNDS) == (0, 3)
    assert podworker.restart_after_end(2, 100 * SECOND, 70 * SECOND, False, BOUNDS) == (20 * SECOND, 3)


def test_ten_minutes_of_running_are_forgiven():
    assert not podworker.forgiven(10 * MINUTE - 1, BOUNDS)
    assert podworker.forgiven(10 * MINUTE, BOUNDS)


def test_the_grace_of_the_deletion_stands_before_the_pod_s_own():
    assert podworker.grace(pod(terminationGracePeriodSeconds=7), 30 * SECOND) == 7 * SECOND
    deleted = evolve(pod(), ("metadata", "deletionGracePeriodSeconds"), 1)
    assert podworker.grace(deleted, 30 * SECOND) == SECOND


# -- status ----------------------------------------------------------------------------------------------------------
def reported(worker, now=50 * SECOND):
    status = pod_status(worker, ["192.168.0.101"], now)
    ready = next(c for c in status["conditions"] if c["type"] == "Ready")
    return status["phase"], ready["status"], status["containerStatuses"][0]


def test_a_starting_pod_is_pending_and_its_container_is_being_created():
    phase, ready, container = reported(PodWorker(pod(), state="starting", ip="10.244.1.2"))
    assert (phase, ready, container["state"]) == ("Pending", "False", {"waiting": {"reason": "ContainerCreating"}})


def test_a_running_pod_says_since_when():
    phase, ready, container = reported(
        PodWorker(pod(), state="running", ready=True, started=True, started_at=3 * SECOND)
    )
    assert (phase, ready) == ("Running", "True")
    assert container["state"] == {"running": {"startedAt": "2026-01-01T00:00:03Z"}}
    assert container["ready"] and container["started"]


def test_a_crash_loop_is_a_running_pod_with_a_waiting_container():
    worker = PodWorker(pod(), state="waiting", started_at=1, finished_at=2, exit_code=1, crashes=2, restarts=1)
    phase, ready, container = reported(worker)
    assert (phase, ready, container["state"]["waiting"]["reason"]) == ("Running", "False", "CrashLoopBackOff")
    assert container["lastState"]["terminated"]["exitCode"] == 1
    assert container["restartCount"] == 1


@pytest.mark.parametrize(("wait", "text"), [(10, "10s"), (80, "1m20s"), (300, "5m0s")])
def test_a_crash_loop_says_how_long_it_waits(wait, text):
    worker = PodWorker(pod(), state="waiting", started_at=1, finished_at=2, crashes=2, back_off=wait * SECOND)
    said = reported(worker)[2]["state"]["waiting"]["message"]
    assert said == f"back-off {text} restarting failed container=web pod=web-1_default(uid-web-1)"


@pytest.mark.parametrize("code,phase", [(0, "Succeeded"), (1, "Failed")])
def test_a_finished_pod_succeeded_or_failed(code, phase):
    worker = PodWorker(pod(), state="finished", started_at=1, finished_at=2, exit_code=code)
    assert reported(worker)[0] == phase


def test_a_condition_s_transition_time_moves_only_with_its_status():
    worker = PodWorker(pod(), state="starting")

    def since(now):
        (ready,) = [c for c in pod_status(worker, [""], now)["conditions"] if c["type"] == "Ready"]
        return ready["lastTransitionTime"][-3:-1]

    assert [since(1 * SECOND), since(5 * SECOND)] == ["01", "01"]
    worker.ready = True
    assert [since(7 * SECOND), since(9 * SECOND)] == ["07", "07"]


# -- containers ------------------------------------------------------------------------------------------------------
class Machine:
    """A host with a container runtime and somebody who listens to it."""

    def __init__(self):
        self.host = Host(Sim(1), "worker-1")
        self.host.cni = Plugins(self.host)
        self.runtime = Containers.on(self.host, "kubelet@worker-1", 1)
        self.heard = []
        self.runtime.listener = lambda uid, event: self.heard.append((event, self.host.sim.now))

    def start(self, pod, exit_after=None):
        self.runtime.start(pod, SECOND, exit_after)
        self.run(1)
        return self.runtime.of_pod[pod["metadata"]["uid"]]

    def run(self, seconds):
        self.host.sim.run_until(self.host.sim.now + round(seconds * SECOND) + 1)

    def serves(self, running):
        return podnetwork.pod_at(self.host, running.ip) == running.name


def test_containers_serve_from_their_start_to_sigterm():
    machine = Machine()
    running = machine.start(pod())
    assert machine.serves(running)
    machine.runtime.stop(running.uid, pre_stop=0, exits_in=100 * MS, grace=30 * SECOND)
    machine.run(0.05)
    assert not machine.serves(running)
    assert running.state == "stopping"
    machine.run(0.06)
    assert (running.state, running.exit_code) == (EXITED, 0)
    assert [event for event, _ in machine.heard] == ["started", "stopped"]


def test_during_pre_stop_they_still_serve():
    machine = Machine()
    running = machine.start(pod())
    machine.runtime.stop(running.uid, pre_stop=5 * SECOND, exits_in=100 * MS, grace=30 * SECOND)
    machine.run(4.9)
    assert machine.serves(running)
    machine.run(0.2)
    assert not machine.serves(running)


def test_who_ignores_sigterm_is_killed_when_the_grace_is_over():
    machine = Machine()
    running = machine.start(pod())
    machine.runtime.stop(running.uid, pre_stop=0, exits_in=60 * SECOND, grace=30 * SECOND)
    machine.run(29.9)
    assert running.state == "stopping"
    machine.run(0.2)
    assert (running.state, running.exit_code) == (EXITED, 137)


def test_a_hook_that_takes_too_long_is_cut_off_and_two_seconds_are_left():
    machine = Machine()
    running = machine.start(pod())
    machine.runtime.stop(running.uid, pre_stop=60 * SECOND, exits_in=60 * SECOND, grace=5 * SECOND)
    machine.run(4.9)
    assert machine.serves(running)
    machine.run(0.2)
    assert not machine.serves(running) and running.state == "stopping"
    machine.run(2)
    assert (running.state, running.exit_code) == (EXITED, 137)


def test_who_is_killed_and_then_stopped_for_good_is_stopped():
    machine = Machine()
    running = machine.start(pod())
    machine.runtime.stop(running.uid, 0, SECOND, 30 * SECOND, "killed")
    machine.runtime.stop(running.uid, 0, SECOND, 30 * SECOND)
    machine.run(2)
    assert [event for event, _ in machine.heard] == ["started", "stopped"]


def test_a_container_may_exit_by_itself():
    machine = Machine()
    running = machine.start(pod(), exit_after=2 * SECOND)
    machine.run(2)
    assert (running.state, running.exit_code) == (EXITED, 1)
    assert not machine.serves(running)


def test_a_stop_beats_an_exit_that_was_coming():
    machine = Machine()
    running = machine.start(pod(), exit_after=2 * SECOND)
    machine.runtime.stop(running.uid, pre_stop=0, exits_in=3 * SECOND, grace=30 * SECOND)
    machine.run(5)
    assert [event for event, _ in machine.heard] == ["started", "stopped"]


def test_without_a_kubelet_containers_go_on():
    machine = Machine()
    machine.runtime.listener = None
    running = machine.start(pod())
    assert machine.serves(running)


def test_with_the_power_goes_everything_and_a_timer_of_before_does_nothing():
    machine = Machine()
    running = machine.start(pod(), exit_after=2 * SECOND)
    machine.host.power_off()
    machine.host.power_on()
    fresh = Containers.on(machine.host, "kubelet@worker-1", 1)
    assert fresh is not machine.runtime and fresh.of_pod == {}
    machine.run(5)
    assert [event for event, _ in machine.heard] == ["started"]
    assert not machine.serves(running)


def test_what_runs_is_in_the_trace():
    machine = Machine()
    running = machine.start(pod())
    machine.runtime.say_ready(running.uid, True)
    machine.runtime.stop(running.uid, 0, 100 * MS, 30 * SECOND)
    machine.run(1)
    seen = [(r.detail["state"], r.detail["ready"]) for r in machine.host.sim.trace.of("pod")]
    assert seen == [("starting", False), ("running", False), ("running", True), ("stopping", False), ("gone", False)]
