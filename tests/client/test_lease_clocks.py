"""Candidates with wrong clocks: never two who act at once while the rates agree, whatever the dates; else they do."""

import os
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as some

from kubemini.sim.units import DAY, HOUR
from tests.client.test_election import candidates, leaders
from tests.worlds.kube import World

EXAMPLES = int(os.environ.get("CHURN", "6"))
FEW = settings(max_examples=EXAMPLES, deadline=None)
NAMES = ("candidate-1", "candidate-2", "candidate-3")
RATES = (Fraction(1, 2), Fraction(1), Fraction(5, 4), Fraction(3))

offsets = some.tuples(*[some.integers(-DAY, DAY)] * len(NAMES))
troubles = some.lists(
    some.tuples(some.sampled_from(("cut", "crash", "stall")), some.sampled_from(NAMES), some.integers(1, 200)),
    min_size=1,
    max_size=4,
)


def acting_together(seed, offsets, rates, troubles):
    """Those who believed at one instant that they hold the Lease, if they ever were two; the holder is skewed first."""
    world = World(seed=seed)
    candidates(world)
    world.run(8)
    (holder,) = leaders(world)
    order = sorted(NAMES, key=lambda name: name != holder.name)
    for name, offset, rate in zip(order, offsets, rates, strict=True):
        world.programs[name].skew_clock(offset, rate)
    for what, name, tenths in [*troubles, ("", "", 300)]:
        if what == "cut" and leaders(world):
            name = leaders(world)[0].name  # of anybody else nothing is seen
        begin(world, what, name)
        for _ in range(tenths):
            world.run(0.1)
            if len(leaders(world)) > 1:
                return sorted(one.name for one in leaders(world))
        end(world, what, name)
    return []


def begin(world, what, name):
    if what == "cut":
        world.net.cut([f"host-{name}"], ["cp-1"])
    elif what == "crash":
        world.programs[name].crash()
    elif what == "stall":
        world.etcd.pause()


def end(world, what, name):
    world.net.heal()
    world.etcd.resume()
    if what == "crash":
        world.programs[name].start()


@FEW
@given(some.integers(0, 1000), offsets, some.sampled_from(RATES), troubles)
def test_never_two_act_at_once_while_their_clocks_run_alike(seed, offsets, rate, troubles):
    assert acting_together(seed, offsets, (rate,) * len(NAMES), troubles) == []


@FEW
@given(some.integers(0, 1000), offsets, troubles)
def test_nor_while_the_fastest_runs_less_than_one_and_a_half_times_as_fast_as_the_slowest(seed, offsets, troubles):
    """15 s of the lease to 10 of the renew deadline, less what a request takes."""
    assert acting_together(seed, offsets, (Fraction(1), Fraction(7, 5), Fraction(6, 5)), troubles) == []


def test_two_act_at_once_if_one_runs_twice_as_fast():
    """The holder's ten seconds are longer than the fifteen of the others: so the rule above can be broken."""
    cut = [("cut", NAMES[0], 300)]
    found = [acting_together(seed, (0, HOUR, 0), (Fraction(1), Fraction(2), Fraction(2)), cut) for seed in range(3)]
    alike = [acting_together(seed, (0, HOUR, 0), (Fraction(2),) * 3, cut) for seed in range(3)]
    assert all(found) and not any(alike)
