"""The simulated connection behind a real one: it is nobody else's, and costs nothing while nobody asks."""

from datetime import datetime

from kubemini.apiserver.decide.access.users import UserInfo
from kubemini.apiserver.http import HttpRequest
from kubemini.serve import world
from kubemini.serve.door import Clients, Line
from kubemini.sim.units import SECOND

WATCH = HttpRequest("GET", "/api/v1/namespaces/default/configmaps?watch=1", certificate=UserInfo("me"))


def ready(topology="single"):
    """A cluster that is ready for its clients."""
    cluster = world.made(world.Wanted(topology=topology, workers=1), datetime(2026, 7, 1))
    world.run_until_ready(cluster)
    return cluster


def test_a_connection_hears_of_a_crash_though_a_watch_with_its_number_has_ended_before():
    cluster, answers, ends = ready(), [], []
    clients, sim = Clients.of(cluster), cluster.sim
    watching = Line(clients, "apiserver-1", lambda: ends.append("watching"))
    sim.run_until(sim.now + SECOND)
    number = cluster.components["apiserver-1"].rpc.number() + 1  # of the watch
    watching.ask(WATCH, answers.append)
    clients.rpc._next = number - 1  # as when so many have come and gone
    Line(clients, "apiserver-1", lambda: ends.append("idle"))
    sim.run_until(sim.now + SECOND)
    watching.give_up()
    sim.run_until(sim.now + SECOND)
    assert answers and not ends
    cluster.components["apiserver-1"].crash()
    sim.run_until(sim.now + SECOND)
    assert sorted(ends) == ["idle", "watching"]


def test_balancers_rest_as_they_do_without_clients():
    plain, served = (settled("stacked", with_clients) for with_clients in (False, True))
    assert served < 1.05 * plain


def settled(topology, with_clients):
    """How much happens in half a minute to a cluster that nobody asks anything."""
    cluster = ready(topology)
    if with_clients:
        Clients.of(cluster)
    sim = cluster.sim
    sim.run_until(sim.now + 20 * SECOND)
    before = sim.events
    sim.run_until(sim.now + 30 * SECOND)
    return sim.events - before
