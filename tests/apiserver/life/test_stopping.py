"""An API server that is told to stop: it turns new ones away, and serves what is open to its end."""

import pytest

from kubemini.api.kinds import CONFIG_MAP
from kubemini.host import Host
from kubemini.sim.units import SECOND
from kubemini.wire.calls import EOF, REFUSED
from tests.apiserver.parts import config, done
from tests.wire.test_connections import HTTP2, Client
from tests.worlds.kube import World

READYZ = {"verb": "GET", "path": "/readyz", "query": {}, "body": None, "user": "test"}
LIST = {**READYZ, "path": CONFIG_MAP.path("default")}
WATCH = {"path": CONFIG_MAP.path(), "query": {}, "user": "test"}


@pytest.fixture
def world():
    made = World()
    made.client = Client(made.sim, made.net, Host(made.sim, "client"), "client")
    made.client.start()
    made.run(1)
    made.it = made.client.connection("apiserver-1", HTTP2, lambda error: made.client.breaks.append(error))
    made.it.dial()
    made.run(0.1)
    made.since = made.sim.now
    return made


def gone(world):
    """When the process ended, seconds after the signal."""
    [at] = [r.at for r in world.sim.trace.of("exit", "apiserver-1")]
    return (at - world.since) / SECOND


def asked(world, connection, payload=READYZ):
    found = []
    connection.call("request", payload, None).callbacks.append(lambda event: found.append(event.value))
    world.run(0.1)
    return found


def dialled(world):
    found = []
    made = world.client.connection("apiserver-1", HTTP2, None)
    made.dial().callbacks.append(lambda event: found.append(event.value))
    world.run(0.1)
    return made, found[0]


def test_the_door_closes_at_once_and_the_process_ends_a_second_later(world):
    world.servers[0].terminate()
    world.run(0.1)
    assert dialled(world)[1].error == REFUSED
    world.run(5)
    assert gone(world) == pytest.approx(1, abs=0.01)


def test_a_watch_is_served_to_the_end_of_60_s(world):
    heard, ended = [], []
    world.it.open_stream("watch", WATCH, heard.append, ended.append)
    world.run(0.1)
    world.since = world.sim.now
    world.servers[0].terminate()
    world.run(30)
    world.program("writer").call("etcd-1", "put", {"key": "/registry/configmaps/default/b", "value": config("b")})
    world.run(1)
    assert [item["type"] for item in heard] == ["ADDED"] and not ended
    world.run(40)
    assert gone(world) == pytest.approx(60, abs=0.01) and ended == [EOF]


def test_a_new_request_on_an_old_connection_is_served_and_the_client_told_to_leave(world):
    world.it.open_stream("watch", WATCH, print, print)
    world.run(0.1)
    world.servers[0].terminate()
    [reply] = asked(world, world.it, LIST)
    assert reply.ok and world.it.draining
    [reply] = asked(world, world.it)
    failing = [line for line in reply.error.message.splitlines() if line.startswith("[-]")]
    assert reply.error.code == 500 and failing == ["[-]shutdown failed: reason withheld"]
    [reply] = asked(world, world.it, {**READYZ, "path": "/livez"})
    assert done(reply) == "ok"


def test_an_idle_connection_is_closed_in_peace(world):
    world.servers[0].terminate()
    world.run(0.5)
    assert not world.it.open and world.client.breaks == []


def test_a_request_that_is_under_way_is_answered(world):
    world.etcd.pause()
    found = []
    world.it.call("request", LIST, None).callbacks.append(lambda event: found.append(event.value))
    world.run(1)
    world.servers[0].terminate()
    world.run(5)
    assert found == []
    world.etcd.resume()
    world.run(1)
    assert found[0].ok and 5.9 < gone(world) < 7.1


def test_a_second_signal_ends_it_at_once(world):
    """SetupSignalContext of k/apiserver: the second one exits directly."""
    world.it.open_stream("watch", WATCH, print, print)
    world.run(0.1)
    world.servers[0].terminate()
    world.run(5)
    assert world.servers[0].up
    world.servers[0].terminate()
    assert not world.servers[0].up


def test_a_server_that_is_still_starting_ends_at_once(world):
    world.servers[0].crash()
    world.servers[0].start()
    world.servers[0].terminate()
    assert not world.servers[0].up
