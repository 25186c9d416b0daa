"""The work queue: a key waits once, is worked on by one worker at a time, and comes back after a failure."""

from itertools import pairwise

import pytest

from kubemini.client import WorkQueue
from kubemini.client.workqueue import exponential
from kubemini.host import Component, Host
from kubemini.sim import Sim
from kubemini.sim.units import MS, SECOND
from kubemini.wire import Network


@pytest.fixture
def world():
    sim = Sim(seed=1)
    component = Component(sim, Network(sim), Host(sim, "a"), "worker")
    component.start()
    return sim, component


def a_queue(component, takes=100 * MS, fails=lambda key, seen: False, workers=2):
    """A queue whose work takes a while; *log* holds (start, end, key)."""
    log = []

    def work(key):
        started = component.sim.now
        yield component.timeout(takes)
        log.append((started, component.sim.now, key))
        return "failed" if fails(key, [k for _, _, k in log]) else None

    queue = WorkQueue(component, work, workers)
    queue.log = log
    return queue


def test_a_key_added_often_is_worked_on_once(world):
    sim, component = world
    queue = a_queue(component)
    queue.start()
    for _ in range(5):
        queue.add("a")
    sim.run_until(SECOND)
    assert [key for _, _, key in queue.log] == ["a"]


def test_nothing_happens_before_the_start(world):
    sim, component = world
    queue = a_queue(component)
    queue.add("a")
    sim.run_until(SECOND)
    assert queue.log == []
    queue.start()
    sim.run_until(2 * SECOND)
    assert len(queue.log) == 1


def test_a_key_added_while_it_is_worked_on_is_looked_at_once_more_afterwards(world):
    sim, component = world
    queue = a_queue(component)
    queue.start()
    queue.add("a")
    for at in (10, 20, 30):
        sim.command(at * MS, queue.add, "a")
    sim.run_until(SECOND)
    assert queue.log == [(0, 100 * MS, "a"), (100 * MS, 200 * MS, "a")]


def test_no_more_keys_at_once_than_there_are_workers(world):
    sim, component = world
    queue = a_queue(component, workers=2)
    queue.start()
    for key in "abcde":
        queue.add(key)
    sim.run_until(SECOND)
    assert [start // (100 * MS) for start, _, _ in queue.log] == [0, 0, 1, 1, 2]
    assert [key for _, _, key in queue.log] == list("abcde")


def test_a_failure_comes_back_after_5_ms_doubled_each_time_until_it_works(world):
    sim, component = world
    queue = a_queue(component, takes=0, fails=lambda key, seen: len(seen) < 6)
    queue.start()
    queue.add("a")
    sim.run_until(SECOND)
    starts = [start for start, _, _ in queue.log]
    assert [b - a for a, b in pairwise(starts)] == [5 * MS, 10 * MS, 20 * MS, 40 * MS, 80 * MS]
    queue.add("a")
    sim.run_until(2 * SECOND)
    assert queue.failures == {}  # success has wiped the slate


def test_the_back_off_ends_at_a_thousand_seconds():
    assert exponential(0, (5 * MS, 1000 * SECOND)) == 5 * MS
    assert exponential(17, (5 * MS, 1000 * SECOND)) == 655_360 * MS
    assert exponential(18, (5 * MS, 1000 * SECOND)) == 1000 * SECOND
    assert exponential(10_000, (5 * MS, 1000 * SECOND)) == 1000 * SECOND


def test_of_several_wishes_for_later_the_earliest_counts(world):
    sim, component = world
    queue = a_queue(component, takes=0)
    queue.start()
    for delay in (300, 100, 200):
        queue.add_after("a", delay * MS)
    sim.run_until(SECOND)
    assert [start for start, _, _ in queue.log] == [100 * MS]


def test_a_crash_ends_the_work_and_a_pause_delays_it(world):
    sim, component = world
    queue = a_queue(component)
    queue.start()
    queue.add("a")
    sim.command(50 * MS, component.pause)
    sim.command(500 * MS, component.resume)
    sim.run_until(SECOND)
    assert queue.log == [(0, 500 * MS, "a")]
    queue.add("b")
    sim.command(1050 * MS, component.crash)
    sim.run_until(2 * SECOND)
    assert len(queue.log) == 1


def test_all_that_fail_share_a_bucket_of_a_hundred_and_ten_a_second(world):
    sim, component = world
    queue = a_queue(component, takes=0, fails=lambda key, seen: seen.count(key) == 1, workers=500)
    queue.start()
    for key in range(103):
        queue.add(key)
    sim.run_until(5 * SECOND)
    again = sorted(start for start, _, _ in queue.log)[103:]
    assert again[:100] == [5 * MS] * 100 and again[100:] == [100 * MS, 200 * MS, 300 * MS]


def test_a_key_that_fails_too_often_is_dropped_until_it_is_added(world):
    sim, component = world
    queue = a_queue(component, takes=0, fails=lambda key, seen: len(seen) < 6)
    queue.retries = 3
    queue.start()
    queue.add("a")
    sim.run_until(60 * SECOND)
    assert len(queue.log) == 4
    queue.add("a")
    sim.run_until(61 * SECOND)
    assert len(queue.log) == 6, "it begins anew"
