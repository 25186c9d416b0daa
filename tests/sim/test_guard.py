"""A run that no longer gets on is stopped by the engine itself, with one sentence, through every door."""

import pytest

from kubemini import session
from kubemini.cluster import Cluster
from kubemini.host import Component, Host
from kubemini.sim import Sim
from kubemini.sim.engine import EVENT_BUDGET, STORM, Runaway
from kubemini.sim.units import MS, SECOND
from kubemini.simulate import run
from kubemini.wire import Network


class Spinner(Component):
    """Sets itself a timer again and again; a task of its own waits for what has happened already."""

    def boot(self):
        self.pause_between = None

    def spin(self, pause):
        self.after(pause, self.spin, pause)

    def never_waits(self):
        done = self.sim.event().succeed()
        yield done
        while True:
            yield done


@pytest.fixture
def spinner():
    sim = Sim()
    found = Spinner(sim, Network(sim), Host(sim, "a"), "spinner")
    found.start()
    return found


def test_a_storm_within_one_instant_is_stopped(spinner):
    spinner.spin(0)
    with pytest.raises(Runaway, match=r"stopped at 0\.000s: more than 500,000 events within one second"):
        spinner.sim.run_until(SECOND)
    assert spinner.sim.now == 0 and spinner.sim.events <= STORM + 1000


def test_a_storm_within_one_second_is_stopped_wherever_it_begins(spinner):
    spinner.after(7 * SECOND, spinner.spin, 1)
    with pytest.raises(Runaway, match=r"stopped at 7\.\d+s: .*within one second"):
        spinner.sim.run_until(60 * SECOND)


def test_many_events_over_a_long_time_have_a_budget(spinner):
    spinner.sim.allow(20_000)
    spinner.spin(MS)
    with pytest.raises(Runaway, match=r"stopped at 20\.\d+s: more than 20,000 events"):
        spinner.sim.run_until(60 * SECOND)
    spinner.sim.allow(50_000)  # and it can go on
    spinner.sim.run_until(60 * SECOND)
    assert spinner.sim.now == 60 * SECOND


def test_stepping_and_replaying_count_too(spinner):
    spinner.sim.allow(100)
    spinner.spin(MS)
    for _ in range(100):
        spinner.sim.step()
    with pytest.raises(Runaway, match="more than 100 events"):
        spinner.sim.step()


def test_a_task_that_never_waits_is_stopped(spinner):
    spinner.spawn(spinner.never_waits())
    with pytest.raises(Runaway, match="spinner goes on without ever waiting"):
        spinner.sim.run_until(SECOND)


def test_the_budget_of_a_run_is_not_overdrawn_by_an_event():
    with pytest.raises(Runaway, match=r"more than 500 events\. Ask for"):
        run("services", budget=500)


def test_a_cluster_of_ones_own_has_a_budget_for_every_call():
    cluster = Cluster.single()
    cluster.run("5s")
    looping = next(iter(cluster.components.values()))
    cluster.sim.command(6 * SECOND, spin_for_ever, looping)
    with pytest.raises(Runaway, match="within one second"):
        cluster.run("60s")
    assert cluster.sim._budget - cluster.sim.events > EVENT_BUDGET - STORM - 10_000


def spin_for_ever(component):
    component.after(0, spin_for_ever, component)


def test_a_widget_is_answered_with_the_sentence(monkeypatch):
    monkeypatch.setattr("kubemini.sim.engine.LOOK", 10)
    monkeypatch.setattr("kubemini.sim.engine.STORM", 50)
    answer = session.handle({"op": "simulate", "id": 4, "spec": {"scenario": "services"}})
    assert answer["op"] == "error" and "events within one second" in answer["error"]


def test_a_horizon_of_a_year_tells_how_far_it_is_and_may_be_ended_by_who_watches():
    shares = []

    def impatient(share):
        shares.append(share)
        if len(shares) == 5:
            raise Runaway("the reader has waited long enough")

    with pytest.raises(Runaway, match="long enough"):
        run("etcd-3", until="9999h", progress=impatient)
    assert len(shares) == 5 and shares == sorted(shares) and 0 < shares[-1] < 1


def test_progress_ends_at_one_and_is_told_of_no_later_run():
    shares = []
    run("etcd-3", until="5s", progress=shares.append)
    assert shares[-1] == 1.0 and shares == sorted(shares)
