"""What is forgotten, and when: compaction by one server of several, watchers that do not read, lists that go on."""

import json

from kubemini.apiserver import storage
from kubemini.etcd.client import EtcdClient
from kubemini.sim.units import SECOND
from tests.apiserver.deeds.parts import Client, outside
from tests.oracles.sessions.world import Inside


def store(world):
    """What etcd holds."""
    return world.cluster.components["etcd-1"].data.store


def test_history_is_kept_for_one_interval_at_least_and_two_at_most():
    world = Inside(("api", "compaction"))
    assert world.server.flags.compaction == 2 * SECOND
    begun = store(world).revision
    world.sleep(1.9)
    assert store(world).compacted < begun
    world.sleep(4)
    assert store(world).compacted >= begun


def test_of_two_servers_one_forgets_and_the_other_waits_for_its_turn():
    world = Inside(("api", "compaction"))
    world.sleep(0.5)
    other = EtcdClient(world.server, ["etcd-1"], "other")
    world.server.spawn(storage.compact(world.server, other, 2 * SECOND))
    before = store(world).get(storage.COMPACT_KEY)
    world.sleep(20)
    rounds = store(world).get(storage.COMPACT_KEY)["version"] - (before["version"] if before else 0)
    assert rounds == 10


def test_a_watcher_who_does_not_read_a_hundred_events_is_sent_away():
    client = Client("slow-watcher")
    client.ask("POST", "configmaps", {"metadata": {"name": "a"}})
    streams = [outside().ask("GET", f"{client.root}/configmaps?watch=1").body for _ in range(2)]
    for number in range(101):
        client.patch("configmaps/a", {"data": {"k": str(number)}})
        while streams[1].read() is not None:
            pass
    slow, quick = streams
    assert slow.ended and not quick.ended
    heard = [json.loads(one) for one in iter(slow.read, None)]
    assert heard[0]["type"] == "ADDED" and len(heard) > 100
    quick.close()


def test_a_page_begins_after_the_last_one_whatever_has_come_between():
    client = Client("pages")
    for name in "abcd":
        client.ask("POST", "configmaps", {"metadata": {"name": name}})
    first = client.ask("GET", "configmaps?limit=2")[1]
    client.ask("POST", "configmaps", {"metadata": {"name": "bb"}})
    rest = client.ask("GET", f"configmaps?limit=9&continue={first['metadata']['continue']}")[1]
    assert [one["metadata"]["name"] for one in rest["items"]] == ["c", "d"]
    assert rest["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


def test_a_revision_of_the_future_is_waited_for_three_seconds():
    client = Client("future")
    begun = outside().inside.clock()
    code, answer = client.ask("GET", "configmaps/x?resourceVersion=99999999")
    assert code == 504 and answer["message"].startswith("Timeout: Too large resource version: 99999999, current: ")
    assert 3 <= outside().inside.clock() - begun < 3.5


def test_a_pod_that_goes_at_once_is_marked_before_it_goes():
    client = Client("marked-first")
    made = client.pod("p", node="")
    version = made["metadata"]["resourceVersion"]
    stream = outside().ask("GET", f"{client.root}/pods?watch=1&resourceVersion={version}").body
    client.ask("DELETE", "pods/p")
    outside().inside.sleep(0.1)
    events = [json.loads(one) for one in iter(stream.read, None)]
    assert [event["type"] for event in events] == ["MODIFIED", "DELETED"]
    assert events[0]["object"]["metadata"]["deletionGracePeriodSeconds"] == 0
    stream.close()
