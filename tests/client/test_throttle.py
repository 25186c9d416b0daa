"""A client asks only so often: --kube-api-qps and --kube-api-burst."""

from kubemini.api.kinds import POD
from kubemini.client.decide.throttle import Throttle
from kubemini.sim.units import MS, SECOND
from tests.worlds.kube import World


def test_a_burst_goes_through_and_then_one_each_period():
    throttle = Throttle(50 * MS, 30)
    assert [throttle.reserve(0) for _ in range(33)] == [0] * 30 + [50 * MS, 100 * MS, 150 * MS]
    assert throttle.reserve(SECOND) == 0, "the bucket has filled meanwhile"


def test_requests_wait_for_their_turn_and_watches_do_not():
    world = World()
    program = world.program("asker")
    slow = program.client.throttled(Throttle(100 * MS, 2))
    answered = []

    def ask():
        yield from slow.list(POD)
        answered.append(world.sim.now)

    world.run(1)
    began = world.sim.now
    for _ in range(4):
        program.spawn(ask())
    heard = []
    slow.watch(POD, lambda item: None, lambda error: heard.append(error), resourceVersion="no number")
    world.run(0.05)
    assert len(heard) == 1, "the server has answered the watch"
    world.run(1)
    assert [(at - began) // (100 * MS) for at in answered] == [0, 0, 1, 2]
