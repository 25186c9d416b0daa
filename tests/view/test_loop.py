"""A controller's loop in words: what is true of it when, what its cache shows beside the store, what it decided."""

from functools import cache
from itertools import pairwise

from kubemini.sim.units import SECOND
from kubemini.simulate import run
from kubemini.view.loop import recorded, told

WEB = "web-79f7d66677"


@cache
def story():
    return run("controllers")


@cache
def loop():
    return recorded(story())


def at(second):
    """(sentences, rows, informers, queue, look) at an instant."""
    moment = [one for one in loop()["moments"] if one[0] <= second * SECOND][-1]
    return tuple(loop()["parts"][number] for number in moment[1:])


def test_a_run_without_a_close_up_has_no_loop():
    trace = run("controllers", params={"close_up": "none"}, until="10s")
    assert recorded(trace) is None and told(trace) == ""


def test_in_peace_every_row_is_the_same_on_both_sides_and_the_queue_is_empty():
    (level, first, second), rows, heard, queue, _ = at(20)
    assert level == "ok" and first == "Its cache is as the store, and its queue is empty"
    assert second == f"{WEB}: 3 wanted, 3 there, 3 reported ready"
    assert [row[4] for row in rows] == ["same"] * 4 and rows[0][:2] == ["ReplicaSet", WEB]
    assert [state for _, state, *_ in heard] == ["watches", "watches"]
    assert not any(queue.values())


def test_a_cut_watch_leaves_rows_that_are_not_known_and_rows_that_are_no_more():
    (level, first, _), rows, heard, queue, look = at(30)
    assert level == "bad" and first == "Its watch of Pods is cut: its cache stands still"
    verdicts = {row[1].rpartition("-")[2]: row[4] for row in rows}
    assert verdicts == {"79f7d66677": "same", "2m6js": "new", "62t9n": "new", "c7bqw": "same", "p6bnq": "gone"} | {
        "t52jc": "same"
    }
    gone = next(row for row in rows if row[4] == "gone")
    assert gone[2:4] == ["", "runs, ready"]
    assert ["Pod", "cut", 70, ""] in heard and list(queue["later"]) == [f"default/{WEB}"]
    assert look["mark"] == "✕" and "older than what it has written itself" in look["says"]


def test_a_dead_controller_has_no_cache_and_what_is_wanted_is_not_there():
    (level, first, second), _, heard, queue, look = at(48)
    assert level == "bad" and "is down" in first and second.startswith(f"{WEB}: 5 wanted, 4 there")
    assert heard == [] and not any(queue.values()) and look is None
    assert "does not hold the Lease yet" in at(60)[0][1]


def test_a_new_cache_shows_what_is_missing_though_nobody_has_told_of_the_deletion():
    after = [(when / SECOND, words) for when, words, mark, _ in loop()["looks"] if when > 60 * SECOND and mark == "✓"]
    assert after[0][1] == "wanted 5, in its cache 4: creates 1 Pod, writes its status"


def test_a_look_names_what_it_wrote_when_it_is_over():
    look = at(12.5)[4]
    assert look["says"] == "wanted 3, in its cache 3: nothing to do"
    wrote = [loop()["parts"][m[5]] for m in loop()["moments"] if 12 * SECOND < m[0] < 12.1 * SECOND]
    made = [words for one in wrote for _, words, _ in one["wrote"]]
    assert f"creates Pod {WEB}-c7bqw" in made


def test_a_moment_is_told_once_and_the_first_is_at_the_beginning():
    moments = loop()["moments"]
    assert moments[0][0] == 0
    instants = [one[0] for one in moments]
    assert instants == sorted(set(instants))
    assert all(one[1:] != after[1:] for one, after in pairwise(moments))


def test_as_text_it_says_what_lasts_and_every_decision():
    lines = told(story()).splitlines()
    assert lines[0] == "the loop of the replicaset-controller, in controller-manager-1"
    assert any("44.000s  The controller-manager is down" in line for line in lines)
    assert not any("for a moment" in line for line in lines)
    assert sum("✕" in line for line in lines) == 11
