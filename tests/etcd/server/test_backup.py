"""Disaster: a majority is destroyed, and a new cluster begins with a backup (M9, M10; etcd's recovery guide)."""

import pytest

from kubemini.sim.units import SECOND
from kubemini.simulate import run
from tests.worlds.etcd import Growing, World

BUMP = 1_000_000_000


class Ruined(Growing):
    """A world with a backup of revision 4, three writes that it does not have, and no member left."""

    def __init__(self, seed=1):
        super().__init__(3, seed)
        for value in "abc":
            self.put(self.leader.name, value)
        self.image = self.ask("snapshot", self.leader.name)[0]["image"]
        for value in "def":
            self.put(self.leader.name, value)
        self.run(0.5)
        for member in self.members:
            member.crash()

    def restore(self, names=("etcd-1", "etcd-2", "etcd-3"), bump=0):
        for member in self.members:
            if member.name in names:
                member.restore(self.image, list(names), 2, bump)
        self.run(4)


def test_what_is_restored_is_the_state_of_the_backup_on_every_member_and_writes_go_on():
    world = Ruined()
    world.restore()
    assert {m.data.store.revision for m in world.members} == {4}
    assert world.get("etcd-1") == "c"
    assert world.put("etcd-2", "new").value["header"]["revision"] == 5
    assert world.ask("range", key="k", revision=2)[0]["kvs"][0]["value"] == "a"


def test_a_watch_that_goes_on_from_a_revision_to_come_again_is_silent_unless_the_past_is_marked_compacted():
    for bump in (0, BUMP):
        world = Ruined()
        world.restore(bump=bump)
        items = []
        world.client.open_stream("etcd-1", "watch", {"key": "k", "start_revision": 8}, items.append, print)
        world.put("etcd-1", "after")
        world.run(0.1)
        assert items[0]["created"]
        if bump:
            assert items[1]["canceled"] and items[1]["compact_revision"] == 4 + BUMP
        else:
            assert len(items) == 1


def test_the_revision_after_a_bump_is_beyond_all_that_anybody_has_seen():
    world = Ruined()
    world.restore(bump=BUMP)
    assert world.put("etcd-1", "v").value["header"]["revision"] == 5 + BUMP
    assert world.ask("range", key="k", revision=7)[1] == "etcdserver: mvcc: required revision has been compacted"


def test_an_old_member_that_comes_back_is_a_stranger_to_the_new_cluster():
    """M9, M10: one member restored, two with their old disks: two clusters, and neither disturbs the other."""
    world = Ruined()
    world.restore(names=("etcd-1",))
    for member in world.members[1:]:
        member.start()
    world.run(5)
    assert world.get("etcd-1") == "c" and world.get("etcd-2") == world.get("etcd-3") == "f"
    assert {m.name: m.data.cluster for m in world.members} == {"etcd-1": 2, "etcd-2": 1, "etcd-3": 1}
    term = world.members[0].raft.term
    assert world.put("etcd-1", "mine").ok and world.put("etcd-3", "ours").ok
    world.run(10)
    assert world.members[0].raft.term == term
    assert world.get("etcd-1") == "mine" and world.get("etcd-2") == "ours"


def test_a_member_that_was_forgotten_in_the_restore_does_not_take_part():
    """Two of three are restored for a cluster of three; the third comes back with its old disk, at a known address."""
    world = Ruined()
    names = ["etcd-1", "etcd-2", "etcd-3"]
    for member in world.members[:2]:
        member.restore(world.image, names, 2)
    forgotten = world.members[2]
    forgotten.start()
    world.run(8)
    assert world.put("etcd-1", "new").ok
    world.run(1)
    assert forgotten.data.store.get("k")["value"] == "f" and forgotten.leader is None
    assert world.members[0].links.since("etcd-3") is None
    assert not [r for r in world.sim.trace.of("message", "etcd-3") if r.at > world.sim.now - 7 * SECOND]


def test_a_restored_single_member_grows_again():
    world = Ruined()
    world.restore(names=("etcd-1",))
    world.members = [world.members[0]]
    world.join("etcd-4")
    world.run(6)
    world.join("etcd-5")
    assert sorted(world.listed()) == [1, 2, 3] and world.get("etcd-5") == "c"


def test_a_running_member_is_not_restored():
    world = World(3)
    image = world.members[0].data.image()
    with pytest.raises(AssertionError, match="stop it before"):
        world.members[0].restore(image, ["etcd-1"], 2)


def test_a_backup_is_a_moment_not_a_window():
    world = World(1)
    world.put("etcd-1", "before")
    image = world.members[0].data.image()
    world.put("etcd-1", "after")
    assert image.store.get("k")["value"] == "before"


def test_a_reader_saves_loses_everything_and_restores():
    ruin = [(20, "lose_disk", f"etcd-host-{n}") for n in (1, 2, 3)]
    trace = run(
        "etcd-3",
        commands=[
            (3, "put", "kept", "yes"),
            (4, "snapshot_save", "etcd-2"),
            (5, "put", "late", "lost"),
            (6, "snapshot_restore", "etcd-1,etcd-2,etcd-3"),
            *ruin,
            (25, "snapshot_restore", "etcd-1,etcd-2,etcd-3", BUMP),
            (29, "get", "kept"),
            (30, "get", "late"),
        ],
        until=33,
    )
    assert "stop etcd-1, etcd-2, etcd-3 first" in trace.of("note")[0].detail["text"]
    answers = {r.detail["path"]: r.detail.get("answer") for r in trace.of("request") if r.at > 29 * SECOND}
    assert (answers["kept"], answers["late"]) == ("yes", "(nothing)")
    assert {r.detail["revision"] > BUMP for r in trace.of("restore")} == {True}
    assert {r.detail["cluster"] for r in trace.of("restore")} == {2}, "whose members do not talk to those of 1"


@pytest.mark.parametrize("bump", [0, BUMP])
def test_after_a_restore_controllers_hear_again_only_if_the_revision_was_bumped(bump):
    """M9: the caches of API servers and controllers wait for revisions that the restored etcd has not reached."""
    trace = run(
        "quorum",
        commands=[
            (15, "snapshot_save", "etcd-1"),
            (17, "scale", "web", 5),
            (40, "crash", "etcd-1"),
            (41, "crash", "etcd-2"),
            (45, "snapshot_restore", "etcd-1,etcd-2,etcd-3", bump),
            (60, "scale", "web", 4),
        ],
    )
    late = [r.detail for r in trace.of("object") if r.at > 60 * SECOND and r.detail["kind"] != "ConfigMap"]
    assert late[0]["kind"] == "Deployment"
    assert [d["kind"] for d in late if d["verb"] == "ADDED"] == (["Pod"] if bump else [])
    gone = [r for r in trace.of("pod") if r.at > 45 * SECOND and r.detail["state"] == "gone"]
    assert len(gone) == (2 if bump else 0)  # the pods created after the backup: no object stands for them any more
