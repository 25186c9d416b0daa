"""The scheduling queue and the cache: who is next, who waits for what, and what is assumed."""

from kubemini.api.objects import evolve
from kubemini.scheduler.decide import plugin, queue
from kubemini.scheduler.decide.cache import Cache
from kubemini.scheduler.decide.plugin import Event
from kubemini.scheduler.decide.queue import SchedulingQueue
from kubemini.sim.units import MINUTE, SECOND
from tests.scheduler.parts import PROFILE, a_node, a_pod, ask

# -- cache -----------------------------------------------------------------------------------------------------------


def test_an_assumed_pod_takes_its_room_at_once_and_gives_it_back():
    cache = Cache()
    cache.set_node(a_node("n", cpu="1"))
    cache.add_pod(a_pod("x", cpu="1"), "n")
    assert not ask(a_pod(cpu="1"), *cache.nodes.values()).node
    cache.add_pod(a_pod("x", cpu="1"), "n")  # the watch shows the same pod
    assert cache.nodes["n"].requested["cpu"] == 1000
    cache.remove_pod("x")
    assert ask(a_pod(cpu="1"), *cache.nodes.values()).node == "n"


def test_a_pod_may_be_seen_before_its_node():
    cache = Cache()
    cache.add_pod(a_pod("x", cpu="1"), "n")
    cache.set_node(a_node("n", cpu="1"))
    assert cache.nodes["n"].requested["cpu"] == 1000
    cache.remove_node("n")
    cache.set_node(a_node("n", cpu="1"))
    assert cache.nodes["n"].requested["cpu"] == 1000


# -- queue -----------------------------------------------------------------------------------------------------------


def a_queue():
    return SchedulingQueue((1 * SECOND, 10 * SECOND), 5 * MINUTE, {p.name: p for p in PROFILE})


def test_priority_first_then_age():
    waiting = a_queue()
    waiting.add(a_pod("old"), 0)
    waiting.add(a_pod("young"), 1)
    waiting.add(a_pod("urgent", priority=10), 2)
    assert [waiting.pop(3).pod["metadata"]["name"] for _ in range(3)] == ["urgent", "old", "young"]


def test_a_pod_that_was_refused_stands_behind_those_that_came_meanwhile():
    waiting = a_queue()
    waiting.add(a_pod("old"), 0)
    waiting.failed(waiting.pop(0), ["NodeResourcesFit"], 0)
    waiting.add(a_pod("new"), 1 * SECOND)
    entry = waiting.pop(1 * SECOND)
    assert entry.pod["metadata"]["name"] == "new"
    waiting.failed(entry, ["NodeResourcesFit"], 2 * SECOND)
    waiting.happened(Event(plugin.POD_DELETED), 9 * SECOND)
    assert [waiting.pop(9 * SECOND).pod["metadata"]["name"] for _ in range(2)] == ["old", "new"]


def test_back_off_doubles_from_one_second_to_ten():
    waiting, now, delays = a_queue(), 0, []
    waiting.add(a_pod(), 0)
    for _ in range(6):
        entry = waiting.pop(now)
        waiting.failed(entry, (), now)
        assert waiting.pop(waiting.next_instant() - 1) is None
        delays.append((waiting.next_instant() - now) // SECOND)
        now = waiting.next_instant()
    assert delays == [1, 2, 4, 8, 10, 10]


def test_an_unschedulable_pod_waits_for_an_event_that_may_help():
    waiting = a_queue()
    waiting.add(a_pod(), 0)
    waiting.failed(waiting.pop(0), ["NodeResourcesFit"], 0)
    waiting.happened(Event(plugin.NODE_TAINT), 2 * SECOND)
    assert waiting.pop(2 * SECOND) is None
    waiting.happened(Event(plugin.POD_DELETED), 2 * SECOND)
    assert waiting.pop(2 * SECOND) is not None


def test_an_event_during_back_off_does_not_shorten_it():
    waiting = a_queue()
    waiting.add(a_pod(), 0)
    waiting.failed(waiting.pop(0), ["NodeResourcesFit"], 0)
    waiting.happened(Event(plugin.NODE_ADDED), SECOND // 2)
    assert waiting.pop(SECOND // 2) is None and waiting.pop(SECOND) is not None


def test_an_event_while_a_pod_is_in_flight_is_not_lost():
    waiting = a_queue()
    waiting.add(a_pod(), 0)
    entry = waiting.pop(0)
    waiting.happened(Event(plugin.NODE_ADDED), 0)
    waiting.failed(entry, ["NodeResourcesFit"], 0)
    assert waiting.pop(SECOND) is not None


def test_nobody_waits_longer_than_five_minutes():
    waiting = a_queue()
    waiting.add(a_pod(), 0)
    waiting.failed(waiting.pop(0), ["NodeAffinity"], 0)
    assert waiting.next_instant() == 5 * MINUTE
    assert waiting.pop(5 * MINUTE - 1) is None and waiting.pop(5 * MINUTE) is not None


def test_our_own_status_write_does_not_wake_a_pod_but_a_new_spec_does():
    waiting, pod = a_queue(), a_pod()
    waiting.add(pod, 0)
    waiting.failed(waiting.pop(0), ["NodeAffinity"], 0)
    waiting.add(evolve(pod, ("status",), {"conditions": []}), 3 * SECOND)
    assert waiting.pop(3 * SECOND) is None
    waiting.add(evolve(pod, ("spec", "nodeSelector"), {"a": "b"}), 3 * SECOND)
    assert waiting.pop(3 * SECOND) is not None


def test_what_a_change_of_a_node_means():
    old = a_node("n")

    def means(before, after):
        return [event.what for event in queue.node_events(before, after)]

    assert means(None, old) == [plugin.NODE_ADDED]
    assert means(old, evolve(old, ("status", "conditions"), [])) == []
    assert means(old, evolve(old, ("spec", "unschedulable"), True)) == [plugin.NODE_SPEC]
    assert means(old, a_node("n", cpu="8")) == [plugin.NODE_ALLOCATABLE]


def test_what_a_change_of_a_pod_means():
    bound = a_pod(nodeName="n")

    def means(before, after):
        return [event.what for event in queue.pod_events(before, after, {})]

    assert means(a_pod(), bound) == means(None, bound) == [plugin.POD_ADDED]
    assert means(bound, evolve(bound, ("status",), {"phase": "Running"})) == []
    assert means(bound, a_pod(nodeName="n", labels={"a": "b"})) == [plugin.POD_LABEL]


def test_a_gated_pod_is_not_tried_until_its_last_gate_is_gone():
    waiting = a_queue()
    waiting.add(a_pod(schedulingGates=[{"name": "one"}, {"name": "two"}]), 0)
    waiting.add(a_pod(schedulingGates=[{"name": "two"}]), SECOND)
    assert waiting.pop(SECOND) is None
    waiting.add(a_pod(), 2 * SECOND)
    assert waiting.pop(2 * SECOND).pod == a_pod()
