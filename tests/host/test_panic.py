"""A program whose own code fails crashes alone, with a record that says where; the cluster goes on."""

import pytest

from kubemini.cluster import Cluster
from kubemini.host import Component, Host
from kubemini.scheduler.loop import Scheduler
from kubemini.sim import Sim
from kubemini.sim.engine import Runaway
from kubemini.sim.units import SECOND
from kubemini.wire import Network

pytestmark = pytest.mark.panics


class Frail(Component):
    """Fails wherever it is told to."""

    fails_at = ""

    def fail(self, where):
        if self.fails_at == where:
            raise KeyError("whenUnsatisfiable")

    def boot(self):
        self.fail("boot")

    def shutdown(self):
        self.fail("shutdown")

    def handle(self, call):
        self.fail("call")
        if call.method == "slow":
            yield self.timeout(SECOND)
            self.fail("task")
        if call.stream:
            call.on_cancel(lambda: self.fail("cancel"))
            call.stream.push(1)
            yield self.timeout(60 * SECOND)
        call.reply(call.payload)

    def receive(self, source, payload):
        self.fail("datagram")

    def on_item(self, item):
        self.fail("item")

    def on_close(self, error):
        self.fail("close")

    def ask(self):
        yield self.call("other", "slow")
        self.fail("answer")


@pytest.fixture
def world():
    sim = Sim()
    net = Network(sim)
    return [Frail(sim, net, Host(sim, name), name) for name in ("one", "other")]


def begin(place, one, other):
    """Let *one* fail at *place*."""
    one.fails_at = place
    one.start()
    other.start()
    sim = one.sim
    match place:
        case "timer":
            one.after(SECOND, one.fail, "timer")
        case "datagram":
            other.send("one", "hello")
        case "call" | "task":
            other.call("one", "slow")
        case "item" | "close":
            one.open_stream("other", "count", None, one.on_item, one.on_close)
            sim.command(2 * SECOND, other.crash)
        case "cancel":
            stream = other.open_stream("one", "count", None, print, print)
            sim.command(2 * SECOND, stream.close)
        case "answer":
            sim.command(SECOND, lambda: one.spawn(one.ask()))
        case "spawn":
            sim.command(SECOND, lambda: one.spawn(fails_at_once(one)))
        case "resume":
            sim.command(SECOND, one.pause)
            one.after(2 * SECOND, one.fail, "resume")
            sim.command(3 * SECOND, one.resume)
        case "shutdown":
            sim.command(SECOND, one.crash)


def fails_at_once(component):
    component.fail("spawn")
    yield component.timeout(1)


PLACES = ["boot", "timer", "datagram", "call", "task", "item", "cancel", "answer", "spawn", "resume", "shutdown"]


@pytest.mark.parametrize("place", PLACES)
def test_whatever_of_its_code_fails_it_dies_and_the_others_do_not(place, world):
    one, other = world
    begin(place, one, other)
    one.sim.run_until(10 * SECOND)
    (record,) = one.sim.trace.of("panic")
    assert record.actor == "one"
    assert record.detail == {
        "type": "KeyError",
        "message": "'whenUnsatisfiable'",
        "where": "tests.host.test_panic.Frail.fail",
    }
    assert one.sim.trace.of("crash", "one") and not one.up
    assert [r.what for r in one.sim.trace if r.actor == "other"].count("panic") == 0
    assert other.up or place == "item"


@pytest.mark.parametrize("place", PLACES)
def test_it_stays_down_until_somebody_starts_it_and_nothing_of_its_former_life_acts(place, world):
    one, other = world
    begin(place, one, other)
    one.after(8 * SECOND, one.sim.record, "one", "note")
    one.sim.run_until(5 * SECOND)
    assert not one.up
    one.fails_at = ""
    one.start()
    one.sim.run_until(20 * SECOND)
    assert one.up and len(one.sim.trace.of("panic")) == 1 and not one.sim.trace.of("note")


def test_a_caller_learns_that_the_connection_was_reset(world):
    one, other = world
    one.fails_at = "call"
    one.start()
    other.start()
    asked = other.call("one", "double")
    one.sim.run_until(SECOND)
    assert asked.value.error.reason == "connection reset by peer"


def test_a_run_that_is_stopped_is_no_defect_of_a_program(world):
    one, _ = world
    one.start()
    one.after(SECOND, runs_away)
    with pytest.raises(Runaway):
        one.sim.run_until(2 * SECOND)


def runs_away():
    raise Runaway("enough")


def test_a_scheduler_that_fails_leaves_pods_pending_and_everything_else_running(monkeypatch):
    cluster = Cluster.single(workers=2)
    cluster.run("8s")
    monkeypatch.setattr(Scheduler, "_schedule", broken)
    cluster.apply(POD)
    cluster.run("30s")
    (record,) = cluster.trace.of("panic")
    assert record.actor == "scheduler-1" and record.detail["message"] == "no plugin: <Plugin object>"
    down = [name for name, component in cluster.components.items() if not component.up]
    assert down == ["scheduler-1"]


def broken(*_):
    raise AssertionError("no plugin: <Plugin object at 0x7f00deadbeef> (/home/x/plugin.py)")


POD = """
apiVersion: v1
kind: Pod
metadata: {name: p}
spec: {containers: [{name: c, image: nginx}]}
"""
