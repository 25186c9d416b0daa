"""Two of three disks are gone: the one real member that is left still hands over a snapshot, and it holds everything.

What *Changing the members* teaches, told by Debian's etcd and etcdctl.
"""

import shutil
import subprocess

import pytest

from tests.real.realetcd import RealCluster

pytestmark = pytest.mark.needs("etcd", "etcdctl")


def etcdctl(*words):
    """What etcdctl does; it must succeed."""
    done = subprocess.run(["etcdctl", *map(str, words)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def get(cluster, key):
    ok, answer = cluster.members[0].ask("range", {"key": key})
    return ok and [kv["value"] for kv in answer.get("kvs", [])]


def restored(folder, file):
    """A new cluster of one, begun with *file*."""
    cluster = RealCluster(folder, size=1)
    name, (own,) = cluster.cluster.split("=", 1)[0], cluster.members
    places = ("--initial-cluster", cluster.cluster, "--initial-advertise-peer-urls", cluster.cluster.split("=", 1)[1])
    etcdctl("snapshot", "restore", file, "--name", name, "--data-dir", folder / own.name, *places)
    return cluster


def test_the_survivor_s_snapshot_keeps_what_yesterday_s_lacks(tmp_path):
    folder = tmp_path / "old"
    folder.mkdir()
    with RealCluster(folder) as cluster:
        survivor, *others = cluster.members
        assert survivor.ask("put", {"key": "early", "value": "1"})[0]
        etcdctl("--endpoints", survivor.client, "snapshot", "save", tmp_path / "yesterday.db")
        assert survivor.ask("put", {"key": "late", "value": "1"})[0]
        assert survivor.ask("range", {"key": "late"})[1]["kvs"], "a linearizable read: the survivor has applied it"
        for member in others:
            member.stop()
            shutil.rmtree(folder / member.name)
        assert not survivor.ask("put", {"key": "no", "value": "1"})[0]
        etcdctl("--endpoints", survivor.client, "snapshot", "save", tmp_path / "survivor.db")
    for file, late in ("yesterday.db", []), ("survivor.db", ["1"]):
        folder = tmp_path / f"from-{file}"
        folder.mkdir()
        with restored(folder, tmp_path / file) as cluster:
            assert (get(cluster, "early"), get(cluster, "late")) == (["1"], late), file
