"""Watches of a cluster: what they leave out, what they bring along, how far they are, and how they end."""

from dataclasses import replace
from itertools import pairwise

import pytest

from kubemini.host import Host
from kubemini.params import Params
from kubemini.sim.units import MINUTE, SECOND
from tests.worlds.etcd import Client, World

ALL = {"key": "\0", "range_end": "\0"}


class Watching(World):
    """A cluster and a client's watch; *period* is that of progress notifications."""

    def __init__(self, period=10 * MINUTE):
        super().__init__(3, params=replace(Params(), etcd_watch_progress_interval=period))

    def watch(self, target="etcd-1", **request):
        """What a new watch will be told: a list that grows."""
        told = []
        self.client.open_stream(
            target, "watch", {**ALL, **request}, lambda item: told.append((self.sim.now, item)), told.append
        )
        self.run(0.01)
        return told


def events(told):
    return [event for _, item in told for event in item["events"]]


def progress(told):
    """(when, revision) of the responses that bring nothing but a revision."""
    return [(at, item["header"]["revision"]) for at, item in told if not item["events"] and "created" not in item]


def test_a_quiet_watch_is_told_how_far_the_store_is_and_a_busy_one_is_not():
    """v3rpc/watch.go: a notification is left out if there were events since the last one."""
    world = Watching(period=10 * SECOND)
    other = world.watch(key="other", range_end="", progress_notify=True)
    plain = world.watch(key="other", range_end="")
    busy = world.watch(progress_notify=True)
    opened = world.sim.now
    for number in range(8):
        world.put("etcd-2", str(number))
        world.run(4)
    assert progress(busy) == progress(plain) == []
    times = [at for at, _ in progress(other)]
    assert len(times) in (2, 3) and 10 <= (times[0] - opened) / SECOND + 0.1 <= 11.1
    assert len({later - earlier for earlier, later in pairwise(times)}) == 1
    assert [revision for _, revision in progress(other)] == sorted({revision for _, revision in progress(other)})
    world.run(30)
    assert {revision for _, revision in progress(busy)} == {9}


def test_streams_are_not_told_all_at_the_same_moment():
    """Each has a period of its own, up to a tenth longer (issue 9246 of etcd)."""
    world = Watching(period=10 * SECOND)
    watches = [world.watch(progress_notify=True) for _ in range(6)]
    opened = world.sim.now
    world.run(15)
    first = [progress(told)[0][0] for told in watches]
    assert len(set(first)) == 6 and 10 <= (min(first) - opened) / SECOND + 0.1 <= (max(first) - opened) / SECOND <= 11


def test_a_watch_that_is_closed_is_told_nothing_more():
    world = Watching(period=10 * SECOND)
    told = []
    stream = world.client.open_stream("etcd-1", "watch", {**ALL, "progress_notify": True}, told.append, print)
    world.run(12)
    stream.close()
    assert len(told) == 2
    world.run(60)
    assert len(told) == 2 and world.members[0].server.watches.watchers == []


def test_who_has_closed_its_watch_costs_nothing_any_more():
    quiet, busy = Watching(period=SECOND), Watching(period=SECOND)
    busy.client.open_stream("etcd-1", "watch", {**ALL, "progress_notify": True}, print, print).close()
    spent = []
    for world in (quiet, busy):
        world.run(2)
        events = world.sim.events
        world.run(60)
        spent.append(world.sim.events - events)
    assert abs(spent[0] - spent[1]) < 20


def test_a_client_that_asks_is_told_for_all_its_watches_at_once():
    world = Watching()
    one, two = world.watch(key="a"), world.watch(start_revision=99)
    world.put("etcd-2", "v")
    world.client.ask("etcd-1", "watch_progress", {})
    assert world.wait()[0].ok
    world.run(0.01)
    assert [revision for _, revision in progress(one)] == [revision for _, revision in progress(two)] == [2]
    other = Client(world.sim, world.net, Host(world.sim, "client-2"), "another")
    other.start()
    other.ask("etcd-1", "watch_progress", {})
    world.run(0.01)
    assert other.replies[0][3].ok and len(progress(one)) == 1


def test_ten_minutes_are_the_default_and_kubeadm_asks_for_five_seconds():
    assert Params().etcd_watch_progress_interval == 10 * MINUTE


@pytest.mark.parametrize(("filters", "types"), [([], "PDP"), (["NOPUT"], "D"), (["NODELETE"], "PP")])
def test_a_filter_leaves_out_writes_or_deletions(filters, types):
    world = Watching()
    told = world.watch(filters=filters)
    world.put("etcd-1", "1")
    world.client.ask("etcd-1", "delete_range", {"key": "k"})
    world.put("etcd-1", "2")
    world.run(0.1)
    assert "".join(event["type"][0] for event in events(told)) == types


def test_what_was_before_comes_along_if_it_is_asked_for_and_not_compacted():
    world = Watching()
    for value in "abc":
        world.put("etcd-1", value)
    world.client.ask("etcd-1", "compact", {"revision": 3})
    world.wait()
    with_past, without = world.watch(start_revision=3, prev_kv=True), world.watch(start_revision=3)
    assert [event.get("prev_kv", {}).get("value") for event in events(with_past)] == [None, "b"]
    assert not any("prev_kv" in event for event in events(without))


@pytest.mark.parametrize(("key", "range_end"), [("b", "a"), ("a", "a")])
def test_a_watch_of_no_key_at_all_is_cancelled_at_once(key, range_end):
    (_, told), closed = Watching().watch(key=key, range_end=range_end)
    assert told["created"] and told["canceled"] and told["cancel_reason"] == "mvcc: watcher range is empty"
    assert closed is None


def test_a_watch_from_a_forgotten_revision_is_cancelled_with_the_one_that_can_be_read():
    world = Watching()
    for value in "abc":
        world.put("etcd-1", value)
    world.client.ask("etcd-1", "compact", {"revision": 3})
    world.wait()
    (_, created), (_, canceled), closed = world.watch(start_revision=2)
    assert created["created"] and canceled["canceled"] and canceled["compact_revision"] == 3
    assert closed is None
    assert [event["kv"]["value"] for event in events(world.watch(start_revision=3))] == ["b", "c"]
