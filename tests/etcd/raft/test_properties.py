"""Raft's properties (paper, figure 3) under a nemesis: loss, duplication, reordering, delay, crashes that lose what was
not synced, partitions, pauses, clocks that disagree, changes of membership, snapshots; and progress when it is over.

`tests/worlds` has the world and the seeded nemesis; here Hypothesis also looks for trouble, and shrinks what it finds.
``KUBEMINI_SCHEDULES`` says how many seeded schedules to run; without it 2,000, or 10,000 where everything is required.
"""

import os

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from kubemini.etcd.raft.raft import Raft
from tests.worlds import schedules
from tests.worlds.raft import World
from tests.worlds.schedules import KINDS

SCHEDULES = int(os.environ.get("KUBEMINI_SCHEDULES") or (10_000 if os.environ.get("KUBEMINI_REQUIRE") else 2_000))
STEPS = 150


def test_every_property_holds_in_every_seeded_schedule():
    assert schedules.soak(range(SCHEDULES), STEPS) == ""


def test_a_schedule_is_a_value():
    kind, actions = schedules.schedule(5, 400)
    worlds = [schedules.run(kind, actions, 5) for _ in range(2)]
    assert worlds[0].committed == worlds[1].committed and worlds[0].picture() == worlds[1].picture()


def test_a_fault_is_found_and_told_in_few_words(monkeypatch):
    """A machine that forgets term and vote lets two lead, or a write be lost; a short schedule shows it."""
    honest = Raft._take_hard_state

    def forgetful(raft):
        state, _ = honest(raft)
        return None, state is not None

    monkeypatch.setattr(Raft, "_take_hard_state", forgetful)
    found = schedules.soak(range(500), STEPS)
    assert found != "" and found.count("\n") < 25, found


small = st.integers(0, 11)
luck = st.integers(0, 255)


class Cluster(RuleBasedStateMachine):
    """Hypothesis decides what happens next."""

    @initialize(kind=st.sampled_from(KINDS), seed=st.integers(0, 7), led=st.booleans())
    def start(self, kind, seed, led):
        self.world = World(kind, seed)
        if led:
            self.world.members[0].raft.campaign()
            self.world.drain()

    @rule(name=st.sampled_from(["deliver", "work", "flow", "tick", "time", "propose"]), a=small, b=luck)
    def usual(self, name, a, b):
        self.world.act((name, a, b))

    @rule(name=st.sampled_from(sorted(schedules.LIKELY)), a=small, b=luck)
    def anything(self, name, a, b):
        self.world.act((name, a, b))

    def teardown(self):
        if hasattr(self, "world"):
            self.world.heal()


TestCluster = Cluster.TestCase
TestCluster.settings = settings(max_examples=60, stateful_step_count=60)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_cluster_that_nothing_happens_to_has_one_leader_for_good(kind):
    world = World(kind, 3)
    world.heal()
    for _ in range(200):
        world._round()
    assert len(world.leaders) == 1
