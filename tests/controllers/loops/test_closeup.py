"""A controller in close-up tells the trace of its caches, its queue and its looks, and does what it did before."""

from functools import cache
from itertools import pairwise

from kubemini.sim.units import SECOND
from kubemini.simulate import run
from kubemini.view.loop import WORDS

WATCH = "controller-manager-1", "Pod"


@cache
def told(name="controllers", **params):
    return run(name, params=params)


def of(trace, word, **fields):
    return [r for r in trace.of(word) if fields.items() <= r.detail.items()]


def test_a_run_with_a_close_up_does_what_it_does_without():
    def rest(trace):
        return [r for r in trace if r.what not in WORDS]

    assert rest(told()) == rest(told(close_up="none"))
    assert not [r for r in told(close_up="none") if r.what in WORDS]


def test_a_cache_only_holds_what_has_been_stored_and_its_copy_of_an_object_never_goes_back():
    stored, copies, many = {}, {}, 0
    for record in told():
        d = record.detail
        if record.what == "object":
            stored.setdefault((d["kind"], d["name"]), d["revision"])
        if record.what == "crash" and record.actor == WATCH[0]:
            copies.clear()
        if record.what == "cache" and d["verb"] != "DELETED":
            where, many = (d["kind"], d["name"]), many + 1
            assert stored[where] <= d["revision"] and copies.get(where, 0) < d["revision"]
            copies[where] = d["revision"]
    assert many > 50


def test_a_key_is_in_hand_once_and_a_change_meanwhile_brings_it_back_afterwards():
    queues = [r.detail for r in told().of("queue")]
    assert all(
        len(set(q["working"])) == len(q["working"]) and not set(q["working"]) & set(q["waiting"]) for q in queues
    )
    meanwhile = [number for number, q in enumerate(queues) if q["again"]]
    assert meanwhile
    for number in meanwhile:
        after = next(q for q in queues[number:] if not q["again"])
        assert after["waiting"] == queues[number]["again"]


def test_a_key_that_fails_waits_twice_as_long_each_time():
    waits = {}
    for record in told().of("queue"):
        for key, due in record.detail["later"].items():
            waits.setdefault(record.detail["failures"].get(key, 0), due - record.at)
    waits = [wait for failed, wait in sorted(waits.items()) if failed]
    assert len(waits) == 11 and waits[0] == 5_000
    assert all(after == 2 * before for before, after in pairwise(waits))


def test_while_its_watch_is_cut_nothing_reaches_the_cache_and_all_of_it_does_when_it_is_mended():
    cut, mended = 22 * SECOND, 34 * SECOND
    pods = [r.at for r in of(told(), "cache", kind="Pod")]
    assert not [at for at in pods if cut <= at < mended] and pods.count(mended) > 5
    assert [r.at for r in of(told(), "cache", kind="ReplicaSet") if cut < r.at < mended], "the other watch is open"
    assert len([r for r in told().of("sync") if r.detail["step"] == "asks" and cut < r.at < mended]) == 3


def test_a_watch_that_ends_while_it_is_cut_is_missed_and_what_it_held_is_asked_for_again():
    commands = [(23, "crash", "apiserver-1"), (25, "restart", "apiserver-1"), (30, "delete", "pod", "nobody")]
    trace = run("controllers", commands=commands, until="45s")
    states = [(r.at, r.detail["state"], r.detail["why"]) for r in of(trace, "informer", kind="Pod")]
    mended = [state for state in states if state[0] >= 34 * SECOND]
    assert [state for state in states if 22 * SECOND < state[0] < 34 * SECOND] == []
    assert "lists" in [state for _, state, _ in mended], states
    pods = [r for r in of(trace, "cache", kind="Pod") if r.at > 34 * SECOND]
    assert pods, "the list tells all that the watch has not"


def test_a_dead_program_has_no_watch_to_cut():
    trace = run("controllers", commands=[(46, "cut_watch", *WATCH)], until="48s")
    assert of(trace, "note", text="has no watch of Pods now")
