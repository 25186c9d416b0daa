"""The API server when etcd is slow, gone, or without a majority, and when it dies itself (CURRICULUM M5, M31)."""

import pytest

from kubemini.api.kinds import CONFIG_MAP
from kubemini.api.objects import evolve
from kubemini.client import Informer
from kubemini.sim.units import MS, SECOND
from tests.apiserver.parts import Listener, carry_out, config, done, refusal, version
from tests.worlds.kube import World

SLOW_WRITE = "Timeout: request did not complete within requested timeout - context deadline exceeded"
SLOW_READ = "the server was unable to return a response in the time allotted, but may still be processing the request"


def three_members(servers=1):
    """A world of three members, with one ConfigMap, that is about to lose two of them."""
    world = World(servers=servers, members=3)
    done(world.ask(lambda c: c.create(config())))
    return world


def lose_majority(world):
    """All crash but the leader; who has crashed."""
    gone = [member for member in world.members if member.raft.role != "leader"]
    for member in gone:
        member.crash()
    return gone


# -- requests --------------------------------------------------------------------------------------------------------
def test_a_member_that_is_gone_is_waited_for_and_the_write_served_late():
    """Recorded: killed for 10 s, none failed; a third to a half of the requests slow for 9 to 15 s."""
    world = World()
    done(world.ask(lambda c: c.create(config())))
    asker = world.program("patient asker")
    asker.client.timeout = 100 * SECOND
    world.etcd.crash()
    world.run(0.1)
    asker.do(asker.client.create(config("b")))
    world.run(10)
    assert asker.replies == []
    world.etcd.start()
    world.run(10)
    assert done(asker.replies[0])["metadata"]["name"] == "b"


def test_a_write_whose_client_has_given_up_does_not_happen_when_the_member_returns():
    """Recorded: a manager that gave its Lease up after 10 s; renewed late, it had not been taken over at 16 s."""
    world = World()
    done(world.ask(lambda c: c.create(config())))
    asker = world.program("hasty asker")
    asker.client.timeout = 5 * SECOND
    world.etcd.crash()
    world.run(0.1)
    asker.do(asker.client.create(config("b")))
    world.run(6)
    assert len(asker.replies) == 1
    world.etcd.start()
    world.run(30)
    assert "b" not in {o["metadata"]["name"] for o in done(world.ask(lambda c: c.list(CONFIG_MAP)))["items"]}


def test_a_write_that_found_no_member_until_its_time_was_up_has_certainly_not_happened():
    world = World()
    done(world.ask(lambda c: c.create(config())))
    asker = world.program("patient asker")
    asker.client.timeout = 100 * SECOND
    world.etcd.crash()
    world.run(0.1)
    asker.do(asker.client.create(config("b")))
    world.run(34.1)
    [reply] = asker.replies
    assert (reply.error.code, reply.error.message, reply.error.definite) == (504, SLOW_WRITE, True)


@pytest.mark.parametrize(
    ("gone", "why"),
    [
        (lambda world: world.etcd.crash(), "error reading from server: EOF"),
        (lambda world: world.etcd.pause(), "keepalive ping failed to receive ACK within timeout"),
        (lambda world: world.etcd.host.power_off(), "error reading from server: connection timed out"),
    ],
)
def test_a_write_in_flight_ends_when_its_connection_is_given_up_and_nobody_knows_its_fate(gone, why):
    """500, as recorded; a pause is noticed by pings (40 s at most), silence after 10 s, a death at once."""
    world = World(seed=3)
    done(world.ask(lambda c: c.create(config())))
    world.run(25)
    asker = world.program("patient asker")
    asker.client.timeout = 100 * SECOND
    world.etcd.host.set_slow_disk(50 * MS)
    asker.do(asker.client.create(config("b")))
    world.run(0.005)
    gone(world)
    world.run(33)
    [reply] = asker.replies
    said = f"rpc error: code = Unavailable desc = {why}"
    assert (reply.error.code, reply.error.message, reply.error.definite) == (500, said, False)


@pytest.mark.parametrize(("hang", "stored"), [(60, 0), (30, 12)])
def test_a_hung_member_carries_out_what_still_waits_and_nothing_that_was_given_up(hang, stored):
    """Recorded: of 30 writes given up after 34 s none was in the store after the wake-up; of 122 not yet, all."""
    world = World()
    done(world.ask(lambda c: c.create(config())))
    askers = [world.program(f"asker-{n}") for n in range(12)]
    world.etcd.pause()
    world.run(0.1)
    for n, asker in enumerate(askers):
        asker.client.timeout = 100 * SECOND
        asker.do(asker.client.create(config(f"late-{n}")))
    world.run(hang)
    given_up = [reply for asker in askers for reply in asker.replies]
    assert len(given_up) == 12 - stored and {reply.error.code for reply in given_up} <= {500, 504}
    assert not any(reply.error.definite for reply in given_up)
    world.etcd.resume()
    world.run(40)
    listed = done(world.ask(lambda c: c.list(CONFIG_MAP)))
    assert len(listed["items"]) == 1 + stored


def test_without_a_majority_a_write_ends_after_7_s_in_etcd_s_words_and_nobody_knows_its_fate():
    world = three_members()
    gone = lose_majority(world)
    reply = world.ask(lambda c: c.create(config("b")))
    assert reply.error.code == 500 and reply.error.reason == ""
    assert reply.error.message == "etcdserver: request timed out" and not reply.error.definite
    gone[0].start()  # with one more the survivor wins: its log is the longer one
    world.run(15)
    done(world.ask(lambda c: c.get(CONFIG_MAP, "b", "default")))  # it was stored after all


def test_a_write_that_no_leader_has_taken_is_tried_until_34_s():
    """Recorded: `request timed out` only for those begun in the first second or two, 504 for all later ones."""
    world = three_members()
    lose_majority(world)
    asker = world.program("patient asker")
    asker.client.timeout = 100 * SECOND
    world.run(4)
    asker.do(asker.client.create(config("b")))
    world.run(34.1)
    [reply] = asker.replies
    assert (reply.error.code, reply.error.message, reply.error.definite) == (504, SLOW_WRITE, False)


def test_without_a_majority_a_read_of_the_latest_state_is_repeated_inside_until_60_s():
    world = three_members()
    lose_majority(world)
    asker = world.program("patient asker")
    asker.client.timeout = 100 * SECOND
    world.run(0.1)
    asker.do(asker.client.get(CONFIG_MAP, "a", "default"))
    world.run(59.9)
    assert asker.replies == []
    world.run(0.2)
    [reply] = asker.replies
    assert (reply.error.code, reply.error.definite) == (504, True)
    assert reply.error.message == f"{SLOW_READ} (get configmaps a)"


def test_without_a_majority_the_cache_still_answers_and_watches_stay_open_and_silent():
    world = three_members()
    listener = Listener(world, CONFIG_MAP)
    lose_majority(world)
    world.run(20)
    cached = world.ask(lambda c: c.list(CONFIG_MAP, resourceVersion="0"))
    assert [obj["metadata"]["name"] for obj in done(cached)["items"]] == ["a"]
    assert listener.heard() == [("ADDED", "a")] and listener.ended == []


def test_when_the_majority_returns_in_time_a_watch_goes_on_without_a_gap():
    world = three_members()
    listener = Listener(world, CONFIG_MAP)
    gone = lose_majority(world)
    world.run(20)
    for member in gone:
        member.start()
    world.run(10)
    done(world.ask(lambda c: c.create(config("b"))))
    assert listener.heard() == [("ADDED", "a"), ("ADDED", "b")] and listener.ended == []


def test_after_30_s_without_a_leader_the_watchers_are_sent_away_and_the_cache_answers_no_more():
    world = three_members()
    listener = Listener(world, CONFIG_MAP)
    lost = world.sim.now
    gone = lose_majority(world)
    while not listener.ended:
        world.run(0.1)
    assert 33 < (world.sim.now - lost) / SECOND < 38 and listener.ended == [None]
    world.run(5)
    reply = world.ask(lambda c: c.list(CONFIG_MAP, resourceVersion="0"), by="later")
    assert refusal(reply) == (429, "storage is (re)initializing") and reply.error.retry_after == 1
    for member in gone:
        member.start()
    world.run(15)
    done(world.ask(lambda c: c.list(CONFIG_MAP, resourceVersion="0")))


def test_a_member_that_is_gone_altogether_is_waited_for_however_long_it_takes():
    world = World()
    done(world.ask(lambda c: c.create(config())))
    listener = Listener(world, CONFIG_MAP)
    world.etcd.crash()
    world.run(300)
    done(world.ask(lambda c: c.list(CONFIG_MAP, resourceVersion="0")))
    world.etcd.start()
    world.run(150)  # by now its clients dial every two minutes
    done(world.ask(lambda c: c.create(config("b"))))
    assert listener.heard() == [("ADDED", "a"), ("ADDED", "b")] and listener.ended == []


def test_what_a_client_gave_up_while_etcd_hung_never_happened_though_it_cannot_know():
    world = World()
    done(world.ask(lambda c: c.create(config("b"))))  # the server knows the namespace: the next write leaves at once
    world.etcd.pause()
    asker = world.program("hasty asker")
    asker.client.timeout = 2 * SECOND
    asker.do(asker.client.create(config()))
    world.run(3)
    assert not asker.replies[0].ok and not asker.replies[0].error.definite
    world.etcd.resume()
    world.run(1)
    assert world.ask(lambda c: c.get(CONFIG_MAP, "a", "default")).error.code == 404  # it was given up before it began


ELSEWHERE = evolve(config("b"), ("metadata", "namespace"), "unknown")


@pytest.mark.parametrize(
    ("ask", "limit", "words", "definite"),
    [
        (lambda c: c.create(config("b")), 34, SLOW_WRITE, False),
        (lambda c: c.update(config("a", more="x")), 34, SLOW_WRITE, True),
        (lambda c: c.delete(CONFIG_MAP, "a", "default"), 34, SLOW_WRITE, True),
        (lambda c: c.create(ELSEWHERE), 34, SLOW_WRITE, True),
        (lambda c: c.get(CONFIG_MAP, "a", "default"), 60, f"{SLOW_READ} (get configmaps a)", True),
        (lambda c: c.list(CONFIG_MAP, "default"), 60, f"{SLOW_READ} (get configmaps)", True),
    ],
)
def test_a_member_that_never_answers_is_given_up_after_34_s_by_a_write_and_60_s_by_a_read(ask, limit, words, definite):
    """Recorded in every trial without a quorum: 34 s and 60 s, and these words."""
    world = World()
    asker = world.program("late asker")
    done(world.ask(lambda c: c.create(config("a"))))
    world.etcd.pause()
    asker.client.timeout = 100 * SECOND
    asker.do(ask(asker.client))
    world.run(limit - 0.1)
    assert not asker.replies
    world.run(0.2)
    [reply] = asker.replies
    assert (reply.error.code, reply.error.message, reply.error.definite) == (504, words, definite)


def test_the_34_s_of_a_write_are_for_all_that_it_asks_of_etcd():
    world = World()
    asker = world.program("late asker")
    done(world.ask(lambda c: c.create(config("a"))))
    serve = world.etcd.handle

    def read_and_hang(call):
        serve(call)
        if call.payload.get("key", "").endswith("/a"):
            world.etcd.pause()

    world.etcd.pause()
    asker.client.timeout = 100 * SECOND
    asker.do(asker.client.update(config("a", more="x")))
    world.run(20)
    world.etcd.handle = read_and_hang
    world.etcd.resume()
    world.run(13.9)
    assert not asker.replies
    world.run(0.2)
    [reply] = asker.replies
    assert (reply.error.code, reply.error.message, reply.error.definite) == (504, SLOW_WRITE, False)


def test_two_servers_never_store_the_same_create_twice():
    world = World(servers=2, members=3)
    writers = [world.program(f"w-{n}", [name]) for n, name in enumerate(world.names)]
    for n in range(20):
        for writer in writers:
            writer.do(writer.client.create(config(f"c-{n}")))
        if n == 10:
            next(m for m in world.members if m.raft.role == "leader").crash()
    world.run(20)
    fates = list(zip(*(writer.replies for writer in writers)))
    assert len(fates) == 20 and all(one.ok + two.ok <= 1 for one, two in fates)


# -- the server itself -----------------------------------------------------------------------------------------------
def test_a_watch_ends_with_its_server_and_resumes_at_another_from_where_it_ended():
    world = World(servers=2, members=3)
    done(world.ask(lambda c: c.create(config("a"))))
    heard = []
    program = world.program("controller", ["apiserver-1", "apiserver-2"])
    Listener(world, CONFIG_MAP, server="apiserver-2", name="keeps the cache of apiserver-2 warm")
    Informer(program.client, CONFIG_MAP, lambda old, new: heard.append(new["metadata"]["name"])).start()
    world.run(1)
    world.servers[0].crash()
    other = world.program("other", ["apiserver-2"])
    other.do(other.client.create(config("b")))
    world.run(10)
    other.do(other.client.create(config("c")))
    world.run(1)
    assert heard == ["a", "b", "c"]


def test_a_server_that_starts_again_knows_nothing_older_than_its_first_list():
    world = World()
    old = done(world.ask(lambda c: c.create(config("a"))))
    done(world.ask(lambda c: c.create(config("b"))))
    Listener(world, CONFIG_MAP, old["metadata"]["resourceVersion"], name="first")
    world.servers[0].crash()
    world.servers[0].start()
    world.run(2)
    listener = Listener(world, CONFIG_MAP, old["metadata"]["resourceVersion"])
    [said] = listener.items
    assert (said["type"], said["object"]["code"]) == ("ERROR", 410)
    assert said["object"]["message"] == f"too old resource version: {version(old)} ({version(old) + 1})"


def test_an_informer_gets_over_410_by_listing_again():
    world = World()
    heard = []
    program = world.program("controller")
    Informer(program.client, CONFIG_MAP, lambda old, new: heard.append(new["metadata"]["name"])).start()
    world.run(1)
    world.servers[0].crash()
    world.run(1)
    world.servers[0].start()
    world.run(3)
    for name in "abc":
        done(world.ask(lambda c: c.create(config(name))))  # noqa: B023
    world.run(15)
    assert sorted(heard) == ["a", "b", "c"]


def test_a_history_that_etcd_has_compacted_is_listed_anew():
    world = World(members=1)
    done(world.ask(lambda c: c.create(config("a"))))
    listener = Listener(world, CONFIG_MAP)
    asker = world.program("asker-of-etcd", ["apiserver-1"])
    world.net.cut(["cp-1"], ["host-etcd-1"])
    world.run(0.1)
    asker.call("etcd-1", "put", {"key": "/registry/configmaps/default/b", "value": config("b")})
    asker.call("etcd-1", "put", {"key": "/registry/configmaps/default/b", "value": config("b", x="2")})
    world.run(60)  # the stream is found dead
    asker.call("etcd-1", "compact", {"revision": world.etcd.data.store.revision})
    world.run(1)
    world.net.heal()
    world.run(40)
    assert listener.ended == [None]  # sent away: what it missed cannot be told
    names = [o["metadata"]["name"] for o in done(world.ask(lambda c: c.list(CONFIG_MAP, resourceVersion="0")))["items"]]
    assert names == ["a", "b"]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.some(2)
def test_after_any_faults_every_informer_knows_what_etcd_holds_and_no_change_was_heard_backwards(seed):
    world = World(servers=2, members=3, seed=seed)
    luck = world.sim.rng("faults")
    informers, heard = [], []

    def begin(program):
        revisions = {name: [] for name in "abc"}
        heard.append(revisions)

        def changed(old, new):
            if new is not None:
                revisions[new["metadata"]["name"]].append(version(new))

        informer = Informer(program.client, CONFIG_MAP, changed)
        informer.start()
        informers.append(informer)

    for n, name in enumerate(world.names):
        world.program(f"controller-{n}", [name], begin)
    writers = [world.program(f"writer-{n}", [name]) for n, name in enumerate(world.names)]
    for number in range(200):
        writer = luck.choice(writers)
        carry = carry_out(writer.client, luck.choice(["create", "patch", "delete"]), luck.choice("abc"), number)
        writer.do(carry)
        if luck.random() < 0.05:
            victim = luck.choice([*world.members, *world.servers])
            victim.crash()
            world.sim.command(world.sim.now + luck.randint(1, 4) * SECOND, victim.start)
        world.run(luck.random() * 0.6)
    world.run(60)
    listed = done(world.ask(lambda c: c.list(CONFIG_MAP)))
    stored = {("default", obj["metadata"]["name"]): obj for obj in listed["items"]}
    assert [informer.objects for informer in informers] == [stored, stored]
    for revisions in heard:
        assert sum(map(len, revisions.values())) > 8
        assert all(numbers == sorted(set(numbers)) for numbers in revisions.values())
