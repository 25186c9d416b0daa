"""Watches and the watch cache: every change once and in order, selectors, 410, bookmarks, and cached lists."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubemini.api.kinds import CONFIG_MAP, POD
from kubemini.api.objects import evolve
from tests.apiserver.parts import Listener, carry_out, config, done, pod, version
from tests.worlds.kube import World


@pytest.fixture
def world():
    return World()


def test_a_watch_without_a_version_begins_with_what_is_there(world):
    done(world.ask(lambda c: c.create(config("a"))))
    listener = Listener(world, CONFIG_MAP)
    done(world.ask(lambda c: c.create(config("b"))))
    done(world.ask(lambda c: c.delete(CONFIG_MAP, "a", "default")))
    assert listener.heard() == [("ADDED", "a"), ("ADDED", "b"), ("DELETED", "a")]


def test_a_watch_from_a_version_hears_what_came_after_it_and_nothing_else(world):
    first = done(world.ask(lambda c: c.create(config("a"))))
    second = done(world.ask(lambda c: c.patch(CONFIG_MAP, "a", "default", {"data": {"x": "2"}})))
    done(world.ask(lambda c: c.list(CONFIG_MAP, resourceVersion="0")))  # the cache begins here
    third = done(world.ask(lambda c: c.patch(CONFIG_MAP, "a", "default", {"data": {"x": "3"}})))
    listener = Listener(world, CONFIG_MAP, second["metadata"]["resourceVersion"])
    assert [version(item["object"]) for item in listener.items] == [version(third)]
    assert version(first) < version(second) < version(third)


def test_a_watch_from_a_version_the_cache_has_yet_to_hear_of_is_not_told_it_again(world):
    coming = world.etcd.data.store.revision + 1
    listener = Listener(world, CONFIG_MAP, str(coming))
    known = done(world.ask(lambda c: c.create(config("a"))))
    news = done(world.ask(lambda c: c.create(config("b"))))
    assert version(known) == coming
    assert [version(item["object"]) for item in listener.items] == [version(news)]


def test_a_deletion_shows_the_last_state_with_the_revision_of_the_deletion(world):
    made = done(world.ask(lambda c: c.create(config(x="last"))))
    listener = Listener(world, CONFIG_MAP, made["metadata"]["resourceVersion"])
    done(world.ask(lambda c: c.delete(CONFIG_MAP, "a", "default")))
    [gone] = listener.items
    assert gone["type"] == "DELETED" and gone["object"]["data"] == {"x": "last"}
    assert version(gone["object"]) == world.etcd.data.store.revision > version(made)


def test_an_object_that_begins_to_match_is_added_and_one_that_ceases_is_deleted(world):
    listener = Listener(world, POD, fieldSelector="spec.nodeName=worker-1")
    made = done(world.ask(lambda c: c.create(pod())))
    bound = {"metadata": {"name": "web-1"}, "target": {"name": "worker-1"}}
    done(world.ask(lambda c: c.post("/api/v1/namespaces/default/pods/web-1/binding", bound)))
    done(world.ask(lambda c: c.update_status(evolve(made, ("metadata", "resourceVersion"), ""))))
    by_label = Listener(world, POD, name="other", labelSelector="app=web")
    done(world.ask(lambda c: c.patch(POD, "web-1", "default", {"metadata": {"labels": {"app": "shed"}}})))
    assert listener.heard()[0] == ("ADDED", "web-1")
    assert {type for type, _ in listener.heard()[1:]} == {"MODIFIED"}
    assert by_label.heard() == [("ADDED", "web-1"), ("DELETED", "web-1")]
    assert by_label.items[-1]["object"]["metadata"]["labels"] == {"app": "web"}


def test_a_watch_of_one_namespace_hears_only_of_it(world):
    listener = Listener(world, CONFIG_MAP, namespace="kube-system")
    done(world.ask(lambda c: c.create(config("a"))))
    done(world.ask(lambda c: c.create(config("b", "kube-system"))))
    assert listener.heard() == [("ADDED", "b")]


def test_all_watchers_of_a_kind_share_one_watch_of_etcd(world):
    for n in range(5):
        Listener(world, CONFIG_MAP, name=f"listener-{n}")
    watchers = world.etcd.server.watches.watchers
    assert len([w for w in watchers if w.key == CONFIG_MAP.key()]) == 1


def test_a_client_that_is_gone_is_forgotten(world):
    listener = Listener(world, CONFIG_MAP)
    cache = world.servers[0].core.cache(CONFIG_MAP)
    assert len(cache.audience) == 1
    listener.program.crash()
    world.run(0.1)
    assert not cache.audience


def test_a_version_that_the_cache_has_forgotten_is_410(world):
    oldest = done(world.ask(lambda c: c.create(config(n="0"))))
    Listener(world, CONFIG_MAP)
    for n in range(1, 320):
        done(world.ask(lambda c: c.patch(CONFIG_MAP, "a", "default", {"data": {"n": str(n)}})))  # noqa: B023
        world.run(0.4)
    listener = Listener(world, CONFIG_MAP, oldest["metadata"]["resourceVersion"], name="late")
    [said] = listener.items
    cache = world.servers[0].core.cache(CONFIG_MAP)
    assert said["type"] == "ERROR" and said["object"]["code"] == 410 and said["object"]["reason"] == "Expired"
    asked, first = version(oldest), cache.log[0].revision - 1
    assert said["object"]["message"] == f"too old resource version: {asked} ({first})"
    assert listener.ended == [None]
    resumed = Listener(world, CONFIG_MAP, str(first), name="in time")
    assert [version(i["object"]) for i in resumed.items] == [c.revision for c in cache.log]


def test_the_cache_remembers_75_s_however_much_happens(world):
    Listener(world, CONFIG_MAP)
    done(world.ask(lambda c: c.create(config(n="0"))))
    begun = world.sim.now
    for n in range(1, 500):
        done(world.ask(lambda c: c.patch(CONFIG_MAP, "a", "default", {"data": {"n": str(n)}})))  # noqa: B023
    assert world.sim.now - begun < 75_000_000
    assert len(world.servers[0].core.cache(CONFIG_MAP).log) == 500


def test_a_bookmark_tells_a_watcher_that_hears_little_how_far_it_has_come(world):
    quiet = Listener(world, POD, name="quiet", fieldSelector="metadata.name=nobody", allowWatchBookmarks="true")
    deaf = Listener(world, POD, name="deaf", fieldSelector="metadata.name=nobody")
    made = done(world.ask(lambda c: c.create(pod())))
    world.run(120)
    end_of_list, later = quiet.items
    assert end_of_list["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert (later["type"], version(later["object"])) == ("BOOKMARK", version(made))
    assert deaf.items == []


def test_a_watch_can_send_the_list_too_and_says_where_it_ends(world):
    made = done(world.ask(lambda c: c.create(config("a"))))
    listener = Listener(
        world, CONFIG_MAP, sendInitialEvents="true", resourceVersionMatch="NotOlderThan", allowWatchBookmarks="true"
    )
    done(world.ask(lambda c: c.create(config("b"))))
    first, end, second = listener.items
    assert (first["type"], end["type"], second["type"]) == ("ADDED", "BOOKMARK", "ADDED")
    assert end["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert version(end["object"]) >= version(made)


def test_version_0_reads_the_cache_and_no_version_reads_etcd(world):
    done(world.ask(lambda c: c.list(CONFIG_MAP, resourceVersion="0")))
    cache = world.servers[0].core.cache(CONFIG_MAP)
    cache.objects[CONFIG_MAP.key("default", "ghost")] = done(world.ask(lambda c: c.create(config("a"))))
    assert len(done(world.ask(lambda c: c.list(CONFIG_MAP, resourceVersion="0")))["items"]) == 2
    assert len(done(world.ask(lambda c: c.list(CONFIG_MAP)))["items"]) == 1
    assert world.ask(lambda c: c.request("GET", CONFIG_MAP.path("default", "ghost"))).error.code == 404
    found = world.ask(lambda c: c.request("GET", CONFIG_MAP.path("default", "ghost"), query={"resourceVersion": "0"}))
    assert done(found)["metadata"]["name"] == "a"


def test_a_selector_that_cannot_be_read_refuses_the_watch(world):
    listener = Listener(world, POD, labelSelector="app in web")
    assert listener.items == [] and listener.ended[0].code == 400


# -- no event lost, none twice, in order of revision -----------------------------------------------------------------
NAMES = ["a", "b", "c"]
DEEDS = st.lists(
    st.tuples(
        st.sampled_from(["create", "patch", "delete"]),
        st.sampled_from(NAMES),
        st.sampled_from([0, 1]),  # through which server
        st.integers(0, 8000),  # µs until the next
    ),
    max_size=25,
)


def replay(items):
    """The objects that a watcher believes in, and the revisions it heard, in order."""
    known = {}
    for item in items:
        name = item["object"]["metadata"]["name"]
        if item["type"] == "DELETED":
            assert name in known
            del known[name]
        else:
            assert (name in known) == (item["type"] == "MODIFIED")
            known[name] = item["object"]
    return known, [version(item["object"]) for item in items]


@settings(max_examples=20)
@given(DEEDS, st.integers(0, 3))
def test_what_a_watcher_has_heard_is_what_a_list_shows(deeds, seed):
    world = World(servers=2, seed=seed)
    listeners = [
        Listener(world, CONFIG_MAP, server=name, name=f"on {name}", version=str(world.etcd.data.store.revision))
        for name in world.names
    ]
    writers = [world.program(f"writer-{n}", [name]) for n, name in enumerate(world.names)]
    for n, (deed, name, server, pause) in enumerate(deeds):
        writers[server].do(carry_out(writers[server].client, deed, name, n))
        world.run(pause / 1_000_000)
    world.run(1)
    listed = done(world.ask(lambda c: c.list(CONFIG_MAP, "default")))
    stored = {obj["metadata"]["name"]: obj for obj in listed["items"]}
    changes = [change.revision for change in world.etcd.data.store.log if CONFIG_MAP.key() in change.kv["key"]]
    for listener in listeners:
        known, revisions = replay(listener.items)
        assert known == stored
        assert revisions == changes


def test_replay_would_notice_a_lost_event():
    kept = {"type": "ADDED", "object": config("a")}
    kept["object"]["metadata"]["resourceVersion"] = "2"
    with pytest.raises(AssertionError):
        replay([kept, kept])
