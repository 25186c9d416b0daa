"""Containers on a host: they outlive their kubelet, listen from start to SIGTERM, and end with the power."""

from kubemini.containers import Setting, program_for
from kubemini.host import Host
from kubemini.host.linux import podnetwork
from kubemini.kubelet.decide.pods.runs import EXITED
from kubemini.kubelet.runtime.containers import Containers
from kubemini.network.cni import Plugins
from kubemini.sim import Sim
from kubemini.sim.units import MS, SECOND
from tests.kubelet.parts import pod


class Machine:
    """A host with a container runtime and somebody who listens to it."""

    def __init__(self):
        self.host = Host(Sim(1), "worker-1")
        self.host.cni = Plugins(self.host)
        self.runtime = Containers.on(self.host, "kubelet@worker-1", 1)
        self.heard = []
        self.runtime.listener = lambda uid, event, run: self.heard.append(event)

    def start(self, pod, exit_after=None, attempt=0):
        """A sandbox and its containers."""
        uid = pod["metadata"]["uid"]
        if not self.runtime.view(uid).ready:
            self.runtime.run_sandbox(pod)
            self.runtime.sandbox_is_ready(uid)
        for container in pod["spec"]["containers"]:
            program = program_for(container["image"], (), tuple(container.get("args", ())))
            run = self.runtime.create(uid, container, attempt, program, Setting(), (container["image"], "sha"))
            self.runtime.start(uid, run, exit_after)
        return self.runtime.of_pod[uid], run

    def run(self, seconds):
        self.host.sim.run_until(self.host.sim.now + round(seconds * SECOND) + 1)

    def serves(self, sandbox):
        return podnetwork.pod_at(self.host, sandbox.ip) == sandbox.name


def test_containers_serve_from_their_start_to_sigterm():
    machine = Machine()
    sandbox, run = machine.start(pod())
    assert machine.serves(sandbox)
    machine.runtime.stop(sandbox.uid, run, 30 * SECOND, exits_in=100 * MS)
    machine.run(0.05)
    assert not machine.serves(sandbox) and run.state != EXITED
    machine.run(0.06)
    assert (run.state, run.exit_code, run.reason) == (EXITED, 0, "Completed")
    assert machine.heard == ["started", "died"]


def test_who_ignores_sigterm_is_killed_when_the_grace_is_over():
    machine = Machine()
    sandbox, run = machine.start(pod())
    machine.runtime.stop(sandbox.uid, run, 30 * SECOND, exits_in=60 * SECOND)
    machine.run(29.9)
    assert run.state != EXITED
    machine.run(0.2)
    assert (run.state, run.exit_code, run.reason) == (EXITED, 137, "Error")


def test_a_second_stop_brings_no_second_sigterm_and_an_earlier_end_only():
    machine = Machine()
    sandbox, run = machine.start(pod())
    machine.runtime.stop(sandbox.uid, run, 30 * SECOND, exits_in=20 * SECOND)
    machine.runtime.stop(sandbox.uid, run, 5 * SECOND, exits_in=SECOND)
    machine.run(4)
    assert run.state != EXITED
    machine.run(1.1)
    assert (run.state, run.exit_code) == (EXITED, 137)


def test_a_container_may_exit_by_itself_and_a_stop_beats_an_exit_that_was_coming():
    machine = Machine()
    _, alone = machine.start(pod("alone"), exit_after=2 * SECOND)
    sandbox, stopped = machine.start(pod("stopped"), exit_after=2 * SECOND)
    machine.runtime.stop(sandbox.uid, stopped, 30 * SECOND, exits_in=SECOND)
    machine.run(2.1)
    assert (alone.exit_code, stopped.exit_code) == (1, 0)


def test_of_each_container_the_last_two_runs_are_kept():
    machine = Machine()
    for attempt in range(3):
        sandbox, run = machine.start(pod(), attempt=attempt)
        machine.runtime.kill(sandbox.uid, run)
    assert [one.attempt for one in sandbox.view.of("web")] == [2, 1] and len(sandbox.lives) == 2


def test_a_program_runs_at_least_for_a_moment_and_leaves_its_last_words():
    machine = Machine()
    told = pod(container={"image": "tool", "args": ["msg", "all is lost", "2"]})
    _, run = machine.start(told)
    assert run.state == "running"
    machine.run(0.06)
    assert (run.state, run.exit_code, run.message) == (EXITED, 2, "all is lost")


def test_with_the_power_goes_everything_and_it_is_known_to_have_ended():
    machine = Machine()
    sandbox, _ = machine.start(pod(), exit_after=2 * SECOND)
    machine.host.power_off()
    machine.host.power_on()
    fresh = Containers.on(machine.host, "kubelet@worker-1", 1)
    assert fresh is not machine.runtime and not machine.serves(sandbox)
    view = fresh.view(sandbox.uid)
    assert (view.ready, view.latest("web").exit_code, view.latest("web").reason) == (False, 255, "Unknown")
    machine.run(5)
    assert machine.heard == ["started"]


def test_what_runs_is_in_the_trace():
    machine = Machine()
    sandbox, run = machine.start(pod())
    machine.runtime.say_ready(sandbox.uid, True)
    machine.runtime.leaves(sandbox.uid, for_good=True)
    machine.runtime.stop(sandbox.uid, run, 30 * SECOND, 100 * MS)
    machine.run(1)
    seen = [(r.detail["state"], r.detail["ready"]) for r in machine.host.sim.trace.of("pod")]
    assert seen == [("starting", False), ("running", False), ("running", True), ("stopping", False), ("gone", False)]
