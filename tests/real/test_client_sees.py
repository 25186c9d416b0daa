"""What a client sees when etcd is in trouble: the same six things with Debian's etcd and with ours."""

import json

import pytest

from tests.real.sights import SIGHTS, TTL, on_ours, played
from tests.real.trials import TABLE

live = pytest.mark.needs("etcd", "namespaces")
TIMED_OUT = "etcdserver: request timed out"


@pytest.fixture(scope="module")
def stories():
    return played()


@pytest.fixture
def seen(stories, record_property):
    """What came of a story on real members, and on ours twenty times; the seconds of the former are only printed."""

    def look(name):
        sight = SIGHTS[name]
        real, ours = stories[sight.story]
        record_property("twin", f"{sight.what} {sight.tell(real)}, ours: {sight.tell(ours)}")
        return real, ours

    return look


@live
def test_after_a_leaders_crash_a_naive_client_waits_seven_seconds(seen):
    real, ours = seen("naive")
    for story in ours:
        assert 6.95 <= story["seconds"] <= 7.5 and story["told"].startswith(TIMED_OUT)
    for story in real:  # on a busy machine the request may come so late that there is a new leader
        assert story["told"] is None or (story["seconds"] >= 6.95 and story["told"].startswith(TIMED_OUT))


@live
def test_a_write_that_timed_out_may_turn_out_committed(seen):
    real, ours = seen("late commit")
    for story in ours:
        assert 6.95 <= story["seconds"] <= 7.5 and story["told"].startswith(TIMED_OUT) and story["there"] == "committed"
    for story in real:  # on a busy machine the leader may have stepped down before it was asked
        assert story["seconds"] >= 6.95 and story["told"].startswith(TIMED_OUT)
        assert story["there"] in ("committed", None)


@live
def test_two_leaders_at_once_and_yet_no_stale_linearizable_read(seen):
    real, ours = seen("two leaders")
    for story in real + ours:
        assert story["linearizable"] != story["stale"]
    assert all(story["both lead"] for story in ours)


@live
def test_a_serializable_read_of_a_leader_that_was_cut_off_is_stale(seen):
    real, ours = seen("stale read")
    for story in real + ours:
        assert story["stale"] == f"old {story['tries']}"


@live
def test_a_lease_lives_a_full_ttl_and_a_second_longer_after_a_change_of_leader(seen):
    real, ours = seen("lease")
    for story in ours:
        assert TTL + 0.9 <= story["after the new leader"] <= TTL + 1.8
        assert story["after the grant"] > TTL + 1.5
    assert all(story["after the grant"] > TTL + 0.5 for story in real)


@live
def test_a_watch_that_requires_a_leader_dies_without_one(seen):
    real, ours = seen("watch")
    for story in real + ours:
        assert story["told"] == "etcdserver: no leader"
    assert all(2.9 <= story["seconds"] <= 5.3 for story in ours)


def test_the_book_says_what_ours_tell_today():
    """If not: ``python -m tests.real.trials 0``."""
    rows = json.loads(TABLE.read_text())["sights"]
    assert [row["ours"] for row in rows] == [sight.tell(on_ours(sight.story)) for sight in SIGHTS.values()]
