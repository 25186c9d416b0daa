"""Event recorders: what is told once, counted, combined, dropped; and that nobody waits for it."""

from dataclasses import replace

import pytest

from kubemini.api.kinds import EVENT
from kubemini.api.objects import evolve, freeze, get
from kubemini.client import Recorder, SeriesRecorder
from kubemini.client.decide import event as form
from kubemini.client.decide.correlator import COMBINED, Correlator
from kubemini.client.decide.series import Series
from kubemini.params import Params
from kubemini.sim.units import MINUTE, SECOND
from tests.worlds.kube import World

POD = freeze(
    {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web", "namespace": "default", "uid": "u1", "resourceVersion": "7"},
    }
)
SOURCE = ("a-controller", "")


def told(text, now=0, obj=POD, reason="Made", type="Normal", number=0):
    return form.event(obj, type, reason, text, SOURCE, now, number)


def sent(correlator, events, now=0):
    """What goes to the server, which has it so."""
    found = []
    for event in events:
        found.append(correlator.correlate(event, now))
        if found[-1] is not None:
            correlator.stored(found[-1].event)
    return found


# -- the correlator ----------------------------------------------------------------------------------


def test_the_same_again_is_one_object_with_a_higher_count():
    first, second = sent(Correlator(), [told("it is", 0), told("it is", 5 * SECOND)])
    assert (first.event["count"], dict(first.patch)) == (1, {})
    assert second.event["metadata"]["name"] == first.event["metadata"]["name"]
    assert second.patch == {"count": 2, "lastTimestamp": "2026-01-01T00:00:05Z", "message": "it is"}


def test_the_tenth_text_of_a_reason_begins_the_similar_ones():
    found = sent(Correlator(), [told(f"pod {n}", number=n) for n in range(12)])
    assert [one.event["message"] for one in found[:9]] == [f"pod {n}" for n in range(9)]
    assert [one.event["message"] for one in found[9:]] == [COMBINED + f"pod {n}" for n in (9, 10, 11)]
    assert [one.event["count"] for one in found[9:]] == [1, 2, 3]
    assert [bool(one.patch) for one in found[9:]] == [False, True, True]
    assert found[9].event["reportingComponent"] == ""


def test_ten_minutes_of_silence_are_a_new_beginning():
    correlator = Correlator()
    sent(correlator, [told(f"pod {n}") for n in range(9)])
    assert sent(correlator, [told("late")], 10 * MINUTE + 1)[0].event["message"] == "late"
    assert sent(Correlator(), [told(f"pod {n}") for n in range(9)] + [told("x")])[9].event["message"] == COMBINED + "x"


def test_another_reason_or_object_is_not_similar():
    other = evolve(POD, ("metadata", "uid"), "u2")
    events = [told(f"pod {n}") for n in range(9)] + [told("y", reason="Lost"), told("z", obj=other)]
    assert [one.event["message"] for one in sent(Correlator(), events)[9:]] == ["y", "z"]


def test_twenty_five_of_an_object_and_type_go_through_then_one_each_five_minutes():
    correlator = Correlator()
    found = sent(correlator, [told("same")] * 30)
    assert [one is not None for one in found] == [True] * 25 + [False] * 5
    assert sent(correlator, [told("bad", type="Warning")]) != [None]
    assert sent(correlator, [told("same")], 5 * MINUTE - 1) == [None]
    (late,) = sent(correlator, [told("same")], 5 * MINUTE)
    assert late.event["count"] == 32, "what was dropped has been counted"
    assert sent(correlator, [told("same")], 5 * MINUTE) == [None]


def test_only_so_many_are_remembered():
    correlator = Correlator()
    crowd = [evolve(POD, ("metadata", "uid"), f"x{n}") for n in range(4096)]
    sent(correlator, [told("same"), *(told("same", obj=obj) for obj in crowd)])
    assert sent(correlator, [told("same")])[0].event["count"] == 1
    assert sent(correlator, [told("same", obj=crowd[-1])])[0].event["count"] == 2


def test_an_event_is_named_after_its_object_and_the_nanosecond():
    assert told("x", 3)["metadata"]["name"] == f"web.{1767225600000003000:x}"
    assert told("x", 3, number=2)["metadata"]["name"] == f"web.{1767225600000003002:x}"
    odd = evolve(POD, ("metadata", "name"), "system:x")
    assert "system" not in told("x", obj=odd)["metadata"]["name"]
    node = freeze({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1", "uid": "n"}})
    assert told("x", obj=node)["metadata"]["namespace"] == "default"
    part = form.event(POD, "Normal", "Pulled", "x", SOURCE, 0, 0, "spec.containers{web}")
    assert part["involvedObject"]["fieldPath"] == "spec.containers{web}"


# -- the series --------------------------------------------------------------------------------------


def fresh(now=0, note="no room", obj=POD):
    return form.new_event(obj, "Warning", "FailedScheduling", note, "Scheduling", SOURCE, now, 0)


def test_the_second_makes_a_series_and_the_third_is_only_counted():
    series = Series()
    assert series.told(fresh(), 0)["note"] == "no room"
    second = series.told(fresh(SECOND, "no room at all"), SECOND)
    assert second["series"] == {"count": 2, "lastObservedTime": "2026-01-01T00:00:01.000000Z"}
    assert second["note"] == "no room", "a series has the text of its first"
    assert series.told(fresh(2 * SECOND), 2 * SECOND) is None
    (ended,) = series.over(2 * SECOND + 6 * MINUTE + 1)
    assert ended["series"]["count"] == 3


def test_what_came_once_is_forgotten_after_six_minutes():
    series = Series()
    series.told(fresh(), 0)
    assert series.over(6 * MINUTE) == [] and series.known
    assert series.over(6 * MINUTE + 1) == [] and not series.known


def test_another_version_of_the_object_is_another_series():
    series = Series()
    series.told(fresh(), 0)
    assert series.told(fresh(obj=evolve(POD, ("metadata", "resourceVersion"), "8")), 0) is not None


# -- the recorders -----------------------------------------------------------------------------------


@pytest.fixture
def world():
    world = World()
    world.net.params = replace(Params(), record_events=True)
    return world


def events(world):
    reply = world.ask(lambda client: client.list(EVENT))
    return [(e["reason"], e["message"], e.get("count"), get(e, "series", "count")) for e in reply.value["items"]]


def test_who_tells_goes_on_and_the_events_come_later_in_order(world):
    program = world.program("teller")
    recorder = Recorder(program.client, "teller")
    for text in ("one", "two", "two"):
        recorder.event(POD, "Normal", "Made", text)
    assert len(recorder._queue) == 2, "the first is on its way"
    world.run(1)
    assert events(world) == [("Made", "one", 1, None), ("Made", "two", 2, None)]


def test_with_the_flag_off_nothing_is_sent(world):
    world.net.params = Params()
    program = world.program("teller")
    Recorder(program.client, "teller").event(POD, "Normal", "Made", "one")
    SeriesRecorder(program.client, "teller").event(POD, "Normal", "Made", "one", "Making")
    world.run(1)
    assert events(world) == []


def test_an_event_that_was_deleted_is_made_again_with_its_count(world):
    recorder = Recorder(world.program("teller").client, "teller")
    recorder.event(POD, "Normal", "Made", "one")
    world.run(1)
    name = world.ask(lambda client: client.list(EVENT)).value["items"][0]["metadata"]["name"]
    world.ask(lambda client: client.delete(EVENT, name, "default"))
    recorder.event(POD, "Normal", "Made", "one")
    world.run(1)
    assert events(world) == [("Made", "one", 2, None)]


def test_what_no_server_answers_is_tried_again_and_what_is_refused_is_not(world):
    recorder = Recorder(world.program("teller").client, "teller")
    strange = evolve(POD, ("metadata", "namespace"), "nowhere")
    recorder.event(strange, "Normal", "Made", "refused")
    recorder.event(POD, "Normal", "Made", "after")
    world.run(1)
    assert events(world) == [("Made", "after", 1, None)]
    world.servers[0].crash()
    recorder.event(POD, "Normal", "Made", "late")
    world.run(5)
    world.servers[0].start()
    world.run(60)
    assert ("Made", "late", 1, None) in events(world)


def test_after_twelve_tries_it_is_dropped_and_a_thousand_wait_at_most(world):
    recorder = Recorder(world.program("teller").client, "teller")
    world.servers[0].crash()
    for number in range(1100):
        recorder.event(POD, "Normal", f"R{number}", "late")
    world.run(0.1)
    assert len(recorder._queue) == 1000, "and one is being sent"
    world.run(99)
    assert len(recorder._queue) == 1000, "it is still tried"
    world.run(12)
    assert len(recorder._queue) == 999


def test_the_scheduler_tells_a_series_and_its_count_at_its_end(world):
    recorder = SeriesRecorder(world.program("teller").client, "default-scheduler")
    for _ in range(5):
        recorder.event(POD, "Warning", "FailedScheduling", "no room", "Scheduling")
        world.run(2)
    assert events(world) == [("FailedScheduling", "no room", None, 2)]
    world.run(12 * 60)
    assert events(world) == [("FailedScheduling", "no room", None, 5)]
    assert recorder.series.known == {}, "and then nothing is left to look at"
