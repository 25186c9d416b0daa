"""Machines: power, disks, and in which order things happen on them."""

import pytest

from kubemini.host import Component, Host
from kubemini.host.linux import Kernel
from kubemini.sim import Sim
from kubemini.sim.units import SECOND
from kubemini.wire import Network


@pytest.fixture
def world():
    sim = Sim(seed=1)
    server = Component(sim, Network(sim), Host(sim, "a"), "server")
    server.start()
    return sim, server


def test_power_loss_keeps_the_disk_and_loses_memory_and_kernel_state(world):
    _, server = world
    host = server.host
    host.disk.files["log"] = [1, 2, 3]
    host.kernel.services = ["web"]
    host.power_off()
    assert not server.up
    assert host.disk.files == {"log": [1, 2, 3]} and host.kernel == Kernel()


def test_fsync_takes_time_and_is_dropped_when_the_program_dies(world):
    sim, server = world
    done = []
    server.host.disk.fsync(server, done.append, "first")
    sim.run_until(SECOND)
    server.host.set_slow_disk(2 * SECOND)
    server.host.disk.fsync(server, done.append, "second")
    sim.command(2 * SECOND, server.crash)
    sim.run_until(10 * SECOND)
    assert done == ["first"]


def test_faults_act_before_anything_else_of_their_instant(world):
    sim, server = world
    happened = []
    server.after(SECOND, happened.append, "timer")
    sim.command(SECOND, happened.append, "fault")
    sim.run_until(2 * SECOND)
    assert happened == ["fault", "timer"]
