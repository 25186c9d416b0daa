"""Clients against a real API server over a real etcd: lists, watches, caches."""

from itertools import pairwise

import pytest

from kubemini.api.kinds import CONFIG_MAP, LEASE
from kubemini.api.objects import freeze
from kubemini.client import Index, Informer, Informers
from kubemini.client.informer import unusable
from kubemini.sim.units import MS, SECOND
from tests.worlds.kube import World


def a_map(name, **data):
    meta = {"name": name, "namespace": "default", "labels": {"part": name[0]}}
    return freeze({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data})


@pytest.fixture
def world():
    return World()


def watcher(world, **query):
    """A program with an informer of ConfigMaps over all API servers."""
    return watcher_of(world, world.names, **query)


def watcher_of(world, servers, **query):
    """A program with an informer of ConfigMaps, and what its handler heard: (seconds, verb, name, data)."""

    def begin(program):
        program.heard = []

        def heard(old, new):
            verb = "ADDED" if old is None else "DELETED" if new is None else "MODIFIED"
            obj = new or old
            program.heard.append((verb, obj["metadata"]["name"], (obj.get("data") or {}).get("n", "")))

        program.informer = Informer(program.client, CONFIG_MAP, heard, **query)
        program.informer.start()

    return world.program("watcher", servers, begin)


# -- requests --------------------------------------------------------------------------------------------------------


def test_create_get_update_patch_delete(world):
    made = world.ask(lambda c: c.create(a_map("a", n="1"))).value
    assert made["metadata"]["uid"] and made["metadata"]["resourceVersion"]
    assert world.ask(lambda c: c.get(CONFIG_MAP, "a", "default")).value == made
    patched = world.ask(lambda c: c.patch(CONFIG_MAP, "a", "default", freeze({"data": {"n": "2"}}))).value
    assert patched["data"] == {"n": "2"}
    stale = world.ask(lambda c: c.update(made))
    assert stale.error.reason == "Conflict" and stale.error.definite
    assert world.ask(lambda c: c.delete(CONFIG_MAP, "a", "default")).ok
    assert world.ask(lambda c: c.get(CONFIG_MAP, "a", "default")).error.code == 404


def test_a_client_of_several_servers_moves_on_when_one_refuses():
    world = World(servers=2)
    world.servers[0].crash()
    program = world.program("asker")
    assert world.ask(lambda c: c.create(a_map("a"))).ok
    assert program.client.server == "apiserver-2"


# -- informers -------------------------------------------------------------------------------------------------------


def test_an_informer_lists_then_watches(world):
    world.ask(lambda c: c.create(a_map("a", n="1")))
    program = watcher(world)
    world.run(0.1)
    assert program.informer.synced and program.heard == [("ADDED", "a", "1")]
    world.ask(lambda c: c.create(a_map("b")))
    world.ask(lambda c: c.patch(CONFIG_MAP, "a", "default", freeze({"data": {"n": "2"}})))
    world.ask(lambda c: c.delete(CONFIG_MAP, "b", "default"))
    assert program.heard[1:] == [("ADDED", "b", ""), ("MODIFIED", "a", "2"), ("DELETED", "b", "")]
    assert [o["metadata"]["name"] for o in program.informer.values()] == ["a"]
    assert program.informer.get("default", "a")["data"]["n"] == "2"
    with pytest.raises(TypeError):
        program.informer.get("default", "a")["data"]["n"] = "3"


def test_a_watch_lags_a_little(world):
    program = watcher(world)
    world.run(1)
    writer = world.program("writer")
    writer.do(writer.client.create(a_map("a")))
    start = world.sim.now
    while not program.heard:
        world.sim.step()
    assert 0.5 * MS < world.sim.now - start < 20 * MS


def test_a_selector_narrows_the_view(world):
    program = watcher(world, labelSelector="part=a")
    for name in ("a1", "b1"):
        world.ask(lambda c, name=name: c.create(a_map(name)))
    assert [name for _, name, _ in program.heard] == ["a1"]


def test_nothing_is_lost_while_the_server_restarts(world):
    program = watcher(world)
    world.ask(lambda c: c.create(a_map("a", n="1")))
    world.ask(lambda c: c.create(a_map("gone")))
    world.servers[0].crash()
    world.run(5)
    assert program.informer.get("default", "a") is not None  # old news is better than none
    world.servers[0].start()
    world.run(3)
    world.ask(lambda c: c.delete(CONFIG_MAP, "gone", "default"))
    world.ask(lambda c: c.patch(CONFIG_MAP, "a", "default", freeze({"data": {"n": "2"}})))
    world.run(40)
    assert program.informer.get("default", "gone") is None
    assert program.informer.get("default", "a")["data"]["n"] == "2"
    assert program.heard.count(("DELETED", "gone", "")) == 1


def test_a_version_too_old_leads_to_a_list_of_the_latest_state():
    """410: the restarted server's history begins after what the client saw last, so it asks for "", not "0"."""
    world = World(servers=2)
    program = watcher_of(world, ["apiserver-1"])
    for name in ("keep", "gone"):
        world.ask(lambda c, name=name: c.create(a_map(name, n="1")))
    asked, dial = [], program.connection

    def listening(*args):
        made = dial(*args)
        call = made.call
        made.call = lambda method, payload, timeout: asked.append(payload) or call(method, payload, timeout)
        return made

    program.connection = listening
    world.servers[0].crash()
    world.run(0.01)
    world.ask(lambda c: c.delete(CONFIG_MAP, "gone", "default"))
    world.ask(lambda c: c.patch(CONFIG_MAP, "keep", "default", freeze({"data": {"n": "2"}})))
    world.servers[0].start()
    world.run(60)
    assert sorted(program.heard[-2:]) == [("DELETED", "gone", "1"), ("MODIFIED", "keep", "2")]
    assert asked[-1]["query"]["resourceVersion"] == ""


def test_a_namesake_is_another_object():
    """Deleted and created anew while nobody looked: told as both."""
    world = World(servers=2)
    program = watcher_of(world, ["apiserver-1"])
    world.ask(lambda c: c.create(a_map("a", n="1")))
    world.servers[0].crash()
    world.run(0.01)
    world.ask(lambda c: c.delete(CONFIG_MAP, "a", "default"))
    world.ask(lambda c: c.create(a_map("a", n="2")))
    world.servers[0].start()
    world.run(60)
    assert program.heard == [("ADDED", "a", "1"), ("DELETED", "a", "1"), ("ADDED", "a", "2")]


def test_what_changed_behind_a_cut_is_news_afterwards():
    world = World(servers=2)
    program = watcher(world)
    for name in ("keep", "gone"):
        world.ask(lambda c, name=name: c.create(a_map(name, n="1")))
    world.net.cut([program.host.name], ["cp-1", "cp-2"])
    world.ask(lambda c: c.delete(CONFIG_MAP, "gone", "default"))
    world.ask(lambda c: c.patch(CONFIG_MAP, "keep", "default", freeze({"data": {"n": "2"}})))
    world.run(120)
    assert program.informer.get("default", "gone") is not None
    world.net.heal()
    world.run(60)
    assert program.informer.get("default", "gone") is None
    assert sorted(program.heard[-2:]) == [("DELETED", "gone", "1"), ("MODIFIED", "keep", "2")]


def test_a_restarted_program_lists_afresh(world):
    program = watcher(world)
    world.ask(lambda c: c.create(a_map("a")))
    program.crash()
    program.start()
    world.run(1)
    assert program.informer.synced and [name for _, name, _ in program.heard] == ["a"]


@pytest.mark.parametrize("watched", [0.5, 5], ids=["after a very short watch", "after a long one"])
def test_while_nobody_answers_the_attempts_get_rarer(world, watched):
    """0.8 s, doubled up to 30 s, each up to twice as long by chance."""
    program = watcher(world)
    world.run(watched)
    tries = []

    def counted(act):
        def wrapped(*args, **options):
            tries.append(world.sim.now)
            return act(*args, **options)

        return wrapped

    program.connection = counted(program.connection)
    world.servers[0].crash()
    world.run(300)
    gaps = [b - a for a, b in pairwise(tries)]
    assert all(SECOND * 0.8 * 2**n <= gap for n, gap in zip(range(5), gaps))
    assert max(gaps) <= 60 * SECOND + MS and len(tries) < 20


def test_an_index_follows_the_cache(world):
    def begin(program):
        program.informer = Informer(program.client, CONFIG_MAP)
        program.by_part = Index(program.informer, lambda obj: [obj["metadata"]["labels"]["part"]])
        program.informer.start()

    program = world.program("indexer", begin=begin)
    for name in ("a1", "a2", "b1"):
        world.ask(lambda c, name=name: c.create(a_map(name)))
    assert [o["metadata"]["name"] for o in program.by_part.get("a")] == ["a1", "a2"]
    world.ask(lambda c: c.delete(CONFIG_MAP, "a1", "default"))
    assert [o["metadata"]["name"] for o in program.by_part.get("a")] == ["a2"]


def test_shared_informers_ask_once_a_kind_and_say_when_all_are_filled(world):
    def begin(program):
        program.filled = []
        program.informers = Informers(program.client)
        assert program.informers.of(CONFIG_MAP) is program.informers.of(CONFIG_MAP)
        program.informers.of(LEASE)
        program.informers.start(lambda: program.filled.append(world.sim.now))

    program = world.program("sharer", begin=begin)
    world.run(1)
    assert len(program.filled) == 1 and program.informers.synced


def test_a_version_from_the_future_is_as_unusable_as_one_from_the_past():
    from kubemini.api import errors

    assert unusable(errors.too_old(1, 5)) and unusable(errors.too_large(9, 5))
    assert not unusable(errors.timeout()) and not unusable(None)
