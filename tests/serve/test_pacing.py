"""Simulated time and the wall's: together, ahead for those who wait, and never made up for. The wall is the test's."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from kubemini.apiserver.pipeline import PANICKED
from kubemini.serve.pacing import AHEAD, Pace
from kubemini.sim import Sim
from kubemini.sim.units import MS, SECOND


class Wall:
    """A clock that says what it is told to."""

    def __init__(self):
        self.at = 100.0

    def __call__(self):
        return self.at


class Running:
    """A simulation that counts every 50 ms, driven by a wall of the test's."""

    def __init__(self, speed=1.0):
        self.sim, self.wall, self.happened = Sim(), Wall(), []
        self.pace = Pace(self.sim, speed, self.wall)
        self._count()

    def _count(self):
        self.happened.append(self.sim.now)
        self.sim.occur(50 * MS, 1, self._count)

    def turn(self, seconds=0.0):
        """The wall is *seconds* further; let happen what may."""
        self.wall.at += seconds + 0.001
        while self.pace.turn():
            pass
        return self.happened[-1]


def test_time_goes_with_the_wall():
    running = Running()
    assert [running.turn(0.1) for _ in range(3)] == [100 * MS, 200 * MS, 300 * MS]


@pytest.mark.parametrize("speed", [0.5, 10])
def test_time_goes_as_fast_as_it_is_told(speed):
    running = Running(speed)
    assert running.turn(1.0) == speed * SECOND


def test_it_runs_ahead_while_somebody_waits_and_then_stands_until_the_wall_is_there():
    running = Running()
    running.pace.wait()
    assert running.turn() == AHEAD
    running.pace.answered()
    assert running.turn(AHEAD / SECOND / 2) == AHEAD
    assert running.turn(AHEAD / SECOND) == AHEAD * 3 // 2


def test_it_stops_running_ahead_in_the_event_that_answers():
    running = Running()
    running.pace.wait()
    running.sim.occur(60 * MS, 1, running.pace.answered)
    assert running.turn() == 50 * MS and running.sim.now == 60 * MS


def test_whoever_comes_finds_the_clock_where_the_walls_is():
    running = Running()
    running.turn(0.02)
    running.pace.now()
    assert running.sim.now == pytest.approx(21 * MS, abs=1)


def test_what_a_slow_machine_has_missed_is_not_made_up_for():
    running = Running()

    def slow():
        running.wall.at += 5.0  # the work of one event takes that long
        running.sim.occur(10 * MS, 1, slow)

    running.sim.occur(10 * MS, 1, slow)
    running.wall.at += 0.1
    for _ in range(3):
        running.pace._work()
    assert running.pace.due() - running.sim.now < 6 * SECOND


def test_time_that_stands_passes_when_it_is_told_to_and_for_those_who_wait():
    running = Running(speed=0)
    assert running.turn(60.0) == 0
    running.pace.go_on(2 * SECOND)
    assert running.turn() == 2 * SECOND
    running.pace.wait()
    assert running.turn() > 2 * SECOND


def test_the_trace_of_a_run_without_end_does_not_grow_without_end():
    running = Running()
    for number in range(30_000):
        running.sim.record("kubectl", "note", text=str(number))
    running.turn(0.1)
    assert len(running.sim.trace.records) == 20_000 and running.sim.trace.records[-1].detail["text"] == "29999"


def test_a_defect_of_ours_is_told_once():
    running, told = Running(), []
    running.pace.on_defect = told.append
    running.sim.record("kubelet-1", "panic", type="KeyError", message="'x'", where="pods.py:1")
    of = {"pod": "default/web", "container": "c", "program": "nginx"}
    running.sim.record("kubelet@worker-1", "defect", **of, type="KeyError", message="'x'", where="nginx.py:1")
    running.sim.record("apiserver", "note", text=f"{PANICKED} POST /api: KeyError")
    running.sim.record("apiserver", "note", text="all is well")
    running.turn(0.1)
    running.turn(0.1)
    assert [record.what for record in told] == ["panic", "defect", "note"]


def in_a_thread(what):
    """What comes of *what*, in a loop of its own: where pages are looked at, this thread has one already."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, what).result()


def test_it_sleeps_until_something_is_wanted_and_ends_when_it_is_told_to():
    async def run():
        running = Running(speed=0)
        task = asyncio.create_task(running.pace.run())
        await asyncio.sleep(0)
        running.pace.go_on(SECOND)
        for _ in range(10):
            await asyncio.sleep(0)
        running.pace.end()
        await task
        return running.happened[-1]

    assert in_a_thread(run()) == SECOND


def test_what_comes_by_a_tunnel_lets_a_moment_pass_where_time_stands():
    standing, going = Running(speed=0), Running()
    for running in (standing, going):
        running.turn()
        running.pace.linger()
    assert standing.turn(5.0) == AHEAD
    assert going.turn(0.1) <= 150 * MS, "it goes with the wall all the same"
