"""A quiescent run tells the same story as a full one; see quiescence.py. What it saves: tests/bench."""

import os
from dataclasses import replace
from functools import partial

import pytest

from kubemini.cluster import Cluster
from kubemini.params import Params
from kubemini.scenarios import names
from kubemini.sim.engine import FULL, QUIESCENT
from kubemini.sim.units import MS, SECOND
from kubemini.simulate import run
from tests.mutants.mutant import noticed
from tests.mutants.rest import MUTANTS
from tests.runs import run_once
from tests.worlds.quiet import LATE, PICTURES, Telling, difference, differs

STORIES = 30
CONSTANT = replace(Params(), network_latency=(1 * MS, 1 * MS), disk_fsync=(1 * MS, 1 * MS))


# -- the same story ---------------------------------------------------------------------------------------------------
def alike(script, members=3, params=CONSTANT, seed=1):
    """Tell *script* in both fidelities: it is given a telling whose cluster has a leader, five seconds old."""

    def tell(fidelity):
        telling = Telling(fidelity, members, 20, params, seed)
        telling.cluster.run_until(5 * SECOND)
        script(telling)
        telling.run()
        return telling

    told, full, quiet = differs(tell)
    assert not told
    return full, quiet


@pytest.mark.parametrize("seed", range(STORIES))
@pytest.mark.some(8)
def test_a_random_story_is_the_same(seed):
    told, *_ = difference(seed)
    assert not told, f"python -m tests.worlds.quiet 1 {seed} tells it again"


@pytest.mark.parametrize("name", names())
@pytest.mark.some(8)
def test_a_named_story_is_the_same(name):
    kept = [
        [record for record in trace if record.what not in PICTURES]
        for trace in (run_once(name), run(name, fidelity=QUIESCENT))
    ]
    assert kept[0] == kept[1]


def test_a_quiet_story_has_few_events():
    full, quiet = alike(lambda telling: None)
    assert quiet < full / 20


def test_a_heartbeat_of_slower_days_is_waited_for():
    def script(telling):
        leader, hosts = telling.leader(), [machine.host.name for machine in telling.machines]
        tick = leader.next_tick + 3 * leader.tick_length
        for other in hosts:
            if other != leader.host.name:
                telling.sim.command(tick - 1, telling.net.set_latency, leader.host.name, other, 150 * MS, 150 * MS)
                telling.sim.command(tick + 1, telling.net.set_latency, leader.host.name, other, 1 * MS, 1 * MS)
        telling.horizon = tick + 130 * MS

    alike(script)


def test_a_round_trip_longer_than_a_heartbeat_interval_allows_no_rest():
    full, quiet = alike(lambda telling: None, params=replace(Params(), network_latency=(1 * MS, 90 * MS)))
    assert quiet == full


def test_a_leader_cut_off_between_two_checks_of_its_quorum_steps_down_at_the_second():
    def script(telling):
        leader = telling.leader()
        others = [machine for machine in telling.machines if machine is not leader]
        check = leader.next_tick + (leader.election_ticks - leader.raft.elapsed - 1) * leader.tick_length
        second = check + leader.election_ticks * leader.tick_length
        lose_everything(telling, leader, others, check, second - 1)

    for seed in range(6):  # of some of which both followers have patience
        alike(script, seed=seed)


def test_a_follower_that_has_not_heard_of_a_commit_hears_of_it():
    for after in (0, 3):  # ms: the entry and all that follows, or its commit alone
        alike(partial(lose_a_message, after))


def lose_a_message(after, telling):
    """Some milliseconds before a tick of the leader a write begins, of which one follower misses the end."""
    leader = telling.leader()
    follower = next(machine for machine in telling.machines if machine is not leader)
    tick = leader.next_tick + 3 * leader.tick_length
    begin = tick - 10 * MS
    telling.client.after(begin - telling.sim.now, telling.client.ask, leader.name, "put", {"key": "a", "value": "1"})
    lose_everything(telling, leader, [follower], begin + after * MS + 500, tick - 1 * MS)


def lose_everything(telling, leader, others, begin, end):
    """What *leader* and *others* say to each other from *begin* to *end* never arrives (a cut would hold it back)."""
    for at, share in ((begin, 1.0), (end, 0.0)):
        for other in others:
            telling.sim.command(at, telling.net.set_loss, leader.host.name, other.host.name, share)


@pytest.mark.parametrize("trouble", ["pause", "cut one way", "loss"])
def test_nobody_rests_with_a_follower_in_trouble(trouble):
    troubled(trouble)


def troubled(trouble):
    def script(telling):
        leader, net = telling.leader(), telling.net
        follower = next(machine for machine in telling.machines if machine is not leader)
        begin, end = {
            "pause": (follower.pause, follower.resume),
            "cut one way": (partial(net.cut, [follower.host.name], [leader.host.name], True), net.heal),
            "loss": (
                partial(net.set_loss, leader.host.name, follower.host.name, 0.5),
                partial(net.set_loss, leader.host.name, follower.host.name, 0.0),
            ),
        }[trouble]
        telling.sim.command(6 * SECOND, begin)
        telling.sim.command(7 * SECOND, next(m for m in telling.machines if m not in (leader, follower)).crash)
        telling.sim.command(9 * SECOND, end)

    alike(script)


def test_a_read_that_waited_for_the_quorum_is_answered_when_it_is_back():
    def script(telling):
        leader = telling.leader()
        others = [machine for machine in telling.machines if machine is not leader]
        tick = leader.next_tick + 3 * leader.tick_length
        lose_everything(telling, leader, others, tick - 50 * MS, tick - 10 * MS)
        telling.sim.command(tick - 49 * MS, telling.client.ask, leader.name, "range", {"key": "a"})

    alike(script)


def test_a_leader_that_hands_over_does_not_rest():
    def script(telling):
        leader = telling.leader()
        heir = next(machine for machine in telling.machines if machine is not leader)
        tick = leader.next_tick + 3 * leader.tick_length
        lose_everything(telling, leader, [heir], tick - 50 * MS, tick - 10 * MS)
        telling.sim.command(tick - 49 * MS, leader.transfer_leader, heir.id)
        telling.sim.command(tick + 10 * MS, telling.client.ask, leader.name, "put", {"key": "a", "value": "1"})

    alike(script)


def test_a_member_that_was_away_gets_what_it_missed():
    def script(telling):
        leader = telling.leader()
        away = next(machine for machine in telling.machines if machine is not leader)
        telling.sim.command(6 * SECOND, away.crash)
        telling.sim.command(7 * SECOND, telling.client.ask, leader.name, "put", {"key": "a", "value": "1"})
        telling.sim.command(9 * SECOND, away.start)
        telling.sim.command(9 * SECOND + 500 * MS, leader.crash)

    alike(script, members=5)


def test_a_leader_that_goes_on_after_a_pause_does_not_rest_before_it_was_heard():
    def script(telling):
        leader = telling.leader()
        tick = leader.next_tick + 3 * leader.tick_length
        telling.sim.command(tick + 2 * MS, leader.pause)
        telling.sim.command(tick + 402 * MS, leader.resume)

    for seed in range(8):  # of some of which a follower is about to lose patience
        alike(script, params=replace(CONSTANT, etcd_election_timeout=500 * MS, etcd_pre_vote=False), seed=seed)


def test_nobody_sleeps_through_what_is_done_without_a_command():
    def script(telling):
        member = next(machine for machine in telling.machines if machine is not telling.leader())
        telling.sim.occur(3 * SECOND + 1, LATE, member.crash)
        telling.sim.occur(9 * SECOND + 1, LATE, member.start)

    alike(script)


def test_what_happens_at_one_instant_has_an_order_of_its_own():
    """A request, and a member's own timer, at the very instant of a heartbeat and of a tick that were left out."""

    def script(telling):
        leader = telling.leader()
        follower = next(machine for machine in telling.machines if machine is not leader)
        tick = leader.next_tick + 7 * leader.tick_length
        for machine in (leader, follower):
            put = {"key": machine.name, "value": "1"}
            telling.client.after(tick - telling.sim.now, telling.client.ask, machine.name, "put", put)
        leader.after(tick + 20 * leader.tick_length - telling.sim.now, leader.crash)

    alike(script)


SENTENCES = (
    test_a_quiet_story_has_few_events,
    test_a_heartbeat_of_slower_days_is_waited_for,
    test_a_round_trip_longer_than_a_heartbeat_interval_allows_no_rest,
    test_a_leader_cut_off_between_two_checks_of_its_quorum_steps_down_at_the_second,
    test_a_follower_that_has_not_heard_of_a_commit_hears_of_it,
    partial(troubled, "pause"),
    partial(troubled, "cut one way"),
    partial(troubled, "loss"),
    test_a_read_that_waited_for_the_quorum_is_answered_when_it_is_back,
    test_a_leader_that_hands_over_does_not_rest,
    test_a_member_that_was_away_gets_what_it_missed,
    test_a_leader_that_goes_on_after_a_pause_does_not_rest_before_it_was_heard,
    test_nobody_sleeps_through_what_is_done_without_a_command,
    test_what_happens_at_one_instant_has_an_order_of_its_own,
)


# -- the mechanism itself ---------------------------------------------------------------------------------------------
TRIED = [m for m in MUTANTS if os.environ.get("KUBEMINI_REQUIRE") or m.name.startswith("insertion-order")]


@pytest.mark.parametrize("mutant", TRIED, ids=lambda mutant: mutant.name)
@pytest.mark.some(8)
def test_a_fault_of_the_mechanism_is_noticed(mutant):
    assert noticed("tests.mutants.rest", mutant), f"no story notices a simulator that {mutant.fault}"


def test_a_fidelity_there_is_not_is_refused():
    with pytest.raises(ValueError, match="fidelity: 'quick' is not one of full, quiescent"):
        run("etcd-3", fidelity="quick")


@pytest.mark.parametrize("kind", ["single", "stacked", "external"])
def test_a_whole_cluster_may_be_quiescent(kind):
    full, quiet = (getattr(Cluster, kind)(fidelity=fidelity) for fidelity in (FULL, QUIESCENT))
    for cluster in (full, quiet):
        cluster.run("20s")
    assert quiet.sim.events < full.sim.events
    assert [r for r in full.trace if r.what not in PICTURES] == list(quiet.trace)
