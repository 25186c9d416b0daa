"""The scheduling queue and the cache: who is next, who waits for what, and what is assumed."""

from operator import attrgetter
from random import Random

from kubemini.api.objects import evolve
from kubemini.scheduler.decide import events
from kubemini.scheduler.decide.cache import Cache
from kubemini.scheduler.decide.plugin import Event
from kubemini.scheduler.decide.queue import SchedulingQueue
from kubemini.scheduler.decide.waiting import QueuedPod, Waiting
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
    waiting.happened(Event(events.POD_DELETED), 9 * SECOND)
    assert [waiting.pop(9 * SECOND).pod["metadata"]["name"] for _ in range(2)] == ["old", "new"]


def rhythm(waiting, plugins, tries=6, start=SECOND // 2):
    """How long after each try the next one comes, in seconds; events come all the time."""
    now, gaps = start, []
    waiting.add(a_pod(), now)
    for _ in range(tries):
        waiting.failed(waiting.pop(now), plugins, now)
        before = now
        waiting.happened(Event(events.POD_DELETED), now)
        now = waiting.next_instant()
        assert waiting.pop(now - 1) is None
        gaps.append((now - before) / SECOND)
    return gaps


def test_back_off_after_an_error_doubles_and_ends_with_the_whole_second():
    assert rhythm(a_queue(), ()) == [1.5, 3, 5, 9, 11, 11]


def test_so_does_that_after_a_refusal_while_nobody_is_taken_out_of_it_early():
    waiting = a_queue()
    waiting.pops_early = False
    assert [round(gap, 3) for gap in rhythm(waiting, ["NodeResourcesFit"])] == [1, 2, 4, 8, 10, 10]


def test_an_idle_scheduler_takes_a_refused_pod_out_of_its_back_off_at_once():
    waiting = a_queue()
    waiting.add(a_pod("old"), 0)
    waiting.failed(waiting.pop(0), ["NodeResourcesFit"], 0)
    waiting.happened(Event(events.POD_DELETED), 1)
    waiting.add(a_pod("new"), 2)
    assert [waiting.pop(2).pod["metadata"]["name"] for _ in range(2)] == ["new", "old"]


def test_after_an_error_nobody_is_taken_early():
    waiting = a_queue()
    waiting.add(a_pod(), 0)
    waiting.failed(waiting.pop(0), (), 0)
    waiting.happened(Event(events.NODE_ADDED), 1)
    assert waiting.pop(2 * SECOND - 1) is None and waiting.pop(2 * SECOND) is not None


def test_an_unschedulable_pod_waits_for_an_event_that_may_help():
    waiting = a_queue()
    waiting.add(a_pod(), 0)
    waiting.failed(waiting.pop(0), ["NodeResourcesFit"], 0)
    waiting.happened(Event(events.NODE_TAINT), 2 * SECOND)
    assert waiting.pop(2 * SECOND) is None
    waiting.happened(Event(events.POD_DELETED), 2 * SECOND)
    assert waiting.pop(2 * SECOND) is not None


def test_an_event_while_a_pod_is_in_flight_is_not_lost():
    waiting = a_queue()
    waiting.add(a_pod(), 0)
    entry = waiting.pop(0)
    waiting.happened(Event(events.POD_DELETED), 0)
    waiting.failed(entry, ["NodeResourcesFit"], 0)
    assert waiting.pop(SECOND) is not None


def test_nobody_waits_much_longer_than_five_minutes():
    """They are looked at every 30 s from the start of the scheduler on."""
    waiting = a_queue()
    waiting.began = 10 * SECOND
    waiting.add(a_pod(), 0)
    waiting.failed(waiting.pop(0), ["NodeAffinity"], 0)
    assert waiting.next_flush() == 5 * MINUTE + 10 * SECOND
    waiting.flush_old(5 * MINUTE)
    assert waiting.pop(5 * MINUTE) is None
    waiting.flush_old(waiting.next_flush())
    assert waiting.pop(5 * MINUTE + 10 * SECOND) is not None


def test_our_own_status_write_does_not_wake_a_pod_but_a_new_toleration_does():
    waiting, pod = a_queue(), a_pod()
    waiting.add(pod, 0)
    waiting.failed(waiting.pop(0), ["TaintToleration"], 0)
    written = evolve(pod, ("status",), {"conditions": []})
    waiting.update(pod, written, 3 * SECOND)
    assert waiting.pop(3 * SECOND) is None
    waiting.update(written, evolve(written, ("spec", "tolerations"), [{"operator": "Exists"}]), 3 * SECOND)
    assert waiting.pop(3 * SECOND) is not None


def test_what_a_change_of_a_node_means():
    old = a_node("n")

    def means(before, after):
        return [event.what for event in events.node_events(before, after)]

    assert means(None, old) == [events.NODE_ADDED]
    assert means(old, evolve(old, ("status", "addresses"), [])) == []
    cordoned = evolve(old, ("spec", "unschedulable"), True)
    assert (means(old, cordoned), means(cordoned, old)) == ([], [events.NODE_TAINT])
    assert means(old, None) == [events.NODE_DELETED]
    assert means(old, a_node("n", cpu="8")) == [events.NODE_ALLOCATABLE]


def test_what_a_change_of_a_pod_means():
    bound = a_pod(nodeName="n")

    def means(before, after):
        return [event.what for event in events.pod_events(before, after)]

    assert means(bound, evolve(bound, ("status",), {"phase": "Running"})) == ["AssignedPodUpdate"]
    assert means(bound, a_pod(nodeName="n", labels={"a": "b"})) == [events.POD_LABEL]
    assert means(a_pod(), a_pod(labels={"a": "b"})) == [events.OWN_LABEL]
    assert means(a_pod(cpu="2", nodeName="n"), a_pod(cpu="1", nodeName="n")) == [events.POD_SMALLER]


def test_a_gated_pod_is_not_tried_until_its_last_gate_is_gone():
    waiting = a_queue()
    two = a_pod(schedulingGates=[{"name": "one"}, {"name": "two"}])
    one = a_pod(schedulingGates=[{"name": "two"}])
    waiting.add(two, 0)
    waiting.update(two, one, SECOND)
    waiting.happened(Event(events.NODE_ADDED), SECOND)
    assert waiting.pop(SECOND) is None
    waiting.update(one, a_pod(), 2 * SECOND)
    assert waiting.pop(2 * SECOND).pod == a_pod()


# -- many who wait ---------------------------------------------------------------------------------------------------


def a_crowd(many=300, seed=1):
    """Pods of three priorities, each refused by one or two plugins; many have come at the same instant."""
    rng = Random(seed)
    plugins = ("NodeAffinity", "NodeResourcesFit", "TaintToleration")
    return [
        QueuedPod(
            a_pod(f"p{number}", priority=rng.choice((0, 5, 10))),
            since=rng.randrange(5),
            order=number,
            rejected_by=tuple(rng.sample(plugins, rng.choice((1, 2)))),
        )
        for number in range(many)
    ]


def test_the_first_of_those_who_wait_is_the_first_of_all_whoever_comes_goes_or_changes():
    rng, waiting, away = Random(2), Waiting(attrgetter("rank")), a_crowd()
    for step in range(3000):
        if away and rng.random() < 0.5:
            entry = away.pop(rng.randrange(len(away)))
            entry.order, entry.since = 1000 + step, rng.randrange(5)
            waiting[entry.uid] = entry
        elif waiting:
            entry = waiting[rng.choice(sorted(waiting))]
            if rng.random() < 0.3:
                entry.pod = evolve(entry.pod, ("spec", "priority"), rng.choice((0, 5, 10)))
                waiting[entry.uid] = entry
            else:
                away.append(waiting.pop(entry.uid))
        assert waiting.first() is min(waiting.values(), key=attrgetter("rank"), default=None)
        wanted = rng.sample(("NodeAffinity", "NodeResourcesFit", "TaintToleration"), 1)
        refused = [one for one in waiting.values() if wanted[0] in one.rejected_by]
        assert waiting.refused_by(wanted) == sorted(refused, key=attrgetter("order"))


def test_the_next_of_many_is_found_without_looking_at_all_of_them():
    looks = []
    waiting = Waiting(lambda one: looks.append(one) or one.rank)
    crowd = a_crowd(1000)
    for entry in crowd:
        waiting[entry.uid] = entry
    taken = waiting.take_while(lambda one: True)
    assert taken == sorted(crowd, key=attrgetter("rank")) and len(looks) == 2 * len(crowd)
