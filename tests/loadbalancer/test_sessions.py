"""What a balancer saves, and what not: connections that stand stay where they are, and end with their server."""

from kubemini.sim.units import SECOND
from tests.worlds.balancer import World


def test_a_connection_stays_with_a_server_that_is_marked_down_and_ends_with_it():
    world = World()
    world.stick_to(1)
    world.client.watch()
    world.run(0.01)
    world.servers[1].say(500)
    world.run(10)
    assert not world.lb.health["apiserver-2"].up
    world.servers[1].watch.push("still here")
    world.client.ask_sticky()
    world.run(0.2)
    assert world.client.kept[-1][2].value == "apiserver-2"
    assert (world.client.items, world.client.ends) == (["still here"], [])
    world.servers[1].crash()
    world.run(0.01)
    assert [str(e) for e in world.client.ends] == ["EOF"]


def test_a_sticky_client_of_a_hung_server_loses_all_until_its_pings_give_up():
    world = World()
    world.stick_to(1)
    asked = world.sim.now
    world.servers[1].pause()
    world.client.ask_sticky()
    world.run(60)
    _, took, reply = world.client.kept[-1]
    assert str(reply.error) == "http2: client connection lost" and 40 * SECOND < took <= 45 * SECOND
    world.client.ask_sticky()
    world.run(1)
    assert world.client.kept[-1][2].ok and world.client.sticky.connection.server != "apiserver-2"
    (broken,) = [r for r in world.sim.trace.of("connection") if r.detail["state"] == "broken"]
    assert asked < broken.at and broken.detail["server"] == "apiserver-2"


def test_a_client_that_leaves_ends_its_session():
    world = World()
    world.stick_to(1)
    held = dict(world.lb.sessions)
    world.client.sticky.close()
    world.run(1.06)
    assert sum(held.values()) >= 1 and sum(world.lb.sessions.values()) <= 1  # the one of the open loop
    assert world.servers[1].rpc.accepted == {} or world.lb.sessions["apiserver-2"] == 1


def test_a_request_that_its_client_gives_up_is_given_up_at_the_server_behind():
    world = World()
    world.stick_to(1)
    asked = world.sim.now
    world.client.spawn(world.client.sticky.request({"verb": "POST", "path": "/wait"}, 3 * SECOND))
    world.run(5)
    (given_up,) = world.servers[1].given_up
    assert 3 * SECOND <= given_up - asked < 3.01 * SECOND
    world.client.ask_sticky()
    world.run(1)
    assert world.client.kept[-1][2].value == "apiserver-2"  # the connection goes on


def test_an_idle_session_outlives_kubeadms_limits_and_not_those_of_its_older_sample():
    for limit, stands in ((35, True), (20, False)):
        world = World(haproxy_client_timeout=limit * SECOND, haproxy_server_timeout=limit * SECOND)
        world.stick_to(1)
        world.run(100)
        assert world.client.sticky.connection.open is stands
        assert [r.detail["state"] for r in world.sim.trace.of("connection")] == (
            ["open"] if stands else ["open", "broken"]
        )


def test_a_request_that_waits_longer_than_the_older_limits_is_cut_off():
    world = World(haproxy_client_timeout=20 * SECOND, haproxy_server_timeout=20 * SECOND)
    world.stick_to(1)
    world.client.ask_sticky("/wait")
    world.run(70)
    _, took, reply = world.client.kept[-1]
    assert str(reply.error) == "unexpected EOF" and took // SECOND == 20
    world = World()
    world.stick_to(1)
    world.client.ask_sticky("/wait")
    world.run(70)
    assert world.client.kept[-1][2].ok


def test_a_killed_balancer_takes_all_its_connections_along_on_both_sides():
    world = World()
    world.stick_to(1)
    world.client.watch()
    world.run(0.2)
    world.lb.crash()
    world.run(0.2)
    assert [str(e) for e in world.client.ends] == ["EOF"]
    assert all(server.rpc.accepted == {} for server in world.servers)


def test_through_a_hung_balancer_nothing_passes_and_all_comes_when_it_wakes():
    world = World()
    world.stick_to(1)
    world.lb.pause()
    world.client.ask_sticky()
    world.run(20)
    assert len(world.client.kept) == 1
    world.lb.resume()
    world.run(1)
    assert world.client.kept[-1][2].ok and world.client.sticky.connection.open


def test_goaway_reaches_the_client_behind_the_balancer():
    world = World()
    world.stick_to(1)
    for peer in list(world.servers[1].rpc.accepted.values()):
        peer.go_away()
    world.run(0.1)
    assert not world.client.sticky.connection.open  # it was idle
    world.client.ask_sticky()
    world.run(0.2)
    assert world.client.kept[-1][2].ok
