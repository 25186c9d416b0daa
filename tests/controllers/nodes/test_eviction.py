"""How fast silent nodes are given up."""

from kubemini.api.objects import evolve
from kubemini.controllers.decide.nodes import eviction
from kubemini.controllers.decide.nodes.eviction import FULL, INITIAL, NORMAL, PARTIAL, EvictionQueue, Verdict
from kubemini.params import Params
from kubemini.sim.units import MS, SECOND
from tests.controllers.parts import a_node

A, B = ("", "a"), ("", "b")


def test_a_zone_is_disturbed_from_55_percent_and_more_than_two_nodes_on():
    def state(ready, silent):
        return eviction.zone_state([True] * ready + [False] * silent, 0.55)

    assert [state(5, 0), state(1, 2), state(4, 4), state(3, 4), state(0, 1)] == [NORMAL, NORMAL, NORMAL, PARTIAL, FULL]


def test_a_zone_is_its_region_too_and_may_be_told_by_the_old_labels():
    node = evolve(a_node(), ("metadata", "labels"), {"topology.kubernetes.io/region": "r"})
    assert eviction.zone_of(node) == ("r", "")
    old = {"failure-domain.beta.kubernetes.io/zone": "z", "topology.kubernetes.io/zone": "new"}
    assert eviction.zone_of(evolve(node, ("metadata", "labels"), old)) == ("", "z")


def test_a_small_zone_that_is_disturbed_loses_no_node_and_a_large_one_few():
    params = Params()
    rate = lambda state, size=4: eviction.rate_of(state, size, params)  # noqa: E731
    assert [rate(NORMAL), rate(FULL), rate(PARTIAL), rate(PARTIAL, 51)] == [0.1, 0.1, 0.0, 0.01]


def test_all_zones_silent_stops_and_one_that_answers_resumes():
    assert eviction.verdict({A: INITIAL, B: NORMAL}, {A: FULL, B: NORMAL}) == Verdict({A: FULL, B: NORMAL})
    stopped = eviction.verdict({A: FULL, B: NORMAL}, {A: FULL, B: FULL})
    assert stopped == Verdict({A: FULL, B: FULL}, stop=True)
    assert eviction.verdict(stopped.states, {A: FULL, B: FULL}) == Verdict(stopped.states)
    assert eviction.verdict(stopped.states, {A: NORMAL, B: FULL}) == Verdict({A: NORMAL, B: FULL}, resume=True)


def test_a_zone_without_nodes_is_forgotten():
    assert eviction.verdict({A: FULL, B: NORMAL}, {B: NORMAL}).states == {B: NORMAL}


def test_one_node_in_ten_seconds_the_first_at_once():
    queue, taken = EvictionQueue(0.1, 0), []
    for name in "abc":
        queue.add(name, 0)
    for now in range(0, 30 * SECOND, 100 * MS):
        name = queue.next(now)
        if name:
            queue.done(name)
            taken.append((name, now // SECOND))
    assert taken == [("a", 0), ("b", 10), ("c", 20)]


def test_a_node_that_was_dealt_with_waits_again_only_when_it_was_absolved():
    queue = EvictionQueue(1000, 0)
    queue.add("a", 0)
    queue.done("a")
    queue.add("a", SECOND)
    assert queue.next(2 * SECOND) is None
    queue.forget("a")
    queue.add("a", 3 * SECOND)
    assert queue.next(3 * SECOND) == "a"


def test_a_new_rate_begins_without_a_token_if_the_old_one_had_none():
    queue = EvictionQueue(0.1, 0)
    queue.add("a", 0)
    queue.swap(0.0, 0)
    assert (queue.next(SECOND), queue.ready_at(SECOND)) == (None, None)
    queue.swap(0.1, SECOND)
    assert queue.ready_at(SECOND) == 11 * SECOND
    assert (queue.next(10 * SECOND), queue.next(11 * SECOND)) == (None, "a")
