"""A backup: everything one member has applied, saved to a file, and data directories made from it.

Invariant: what is restored is a new logical cluster. Its members have a new cluster id, so that none of the old ones,
which may come back, can talk to them; every member must be restored from the same file. Clients remember revisions
that the restored store has not reached again: raise its revision beyond them and mark the past as compacted, else
their watches wait in silence and their caches stay wrong.
https://etcd.io/docs/v3.7/op-guide/recovery/, etcd etcdutl/snapshot/v3_snapshot.go
Models etcd etcdutl/snapshot v3Manager.Restore.
Simplified: each restore has a cluster token of its own; a file is never damaged.
"""

from kubemini.etcd.raft.log import Snapshot
from kubemini.etcd.raft.messages import HardState
from kubemini.etcd.server.datadir import DataDir, Image
from kubemini.etcd.server.membership import Membership

BEGINNING = Snapshot(1, 1)  # where the log begins: who joins later cannot read it from 0 on, and is sent a snapshot


def restored(image: Image, name: str, members: list[str], cluster: int, bump: int = 0) -> DataDir:
    """The data directory of *name* in the new cluster of *members*: ``etcdutl snapshot restore``.

    *bump* above 0 is ``--bump-revision`` together with ``--mark-compacted``.
    """
    assert name in members, f"{name} is not one of the members {', '.join(members)} that are restored"
    ttl = image.store.lessor.minimum_ttl
    data = DataDir(members.index(name) + 1, Membership(members), ttl, cluster)
    data.store.become(image.store)
    data.start, data.hard_state = BEGINNING, HardState(BEGINNING.term, 0, BEGINNING.index)
    data.applied = data.snapshot_index = BEGINNING.index
    data.alarms.raised = dict(image.alarms)
    if bump:
        data.store.bump(bump)
    return data


def keys(data: DataDir, longest: int) -> dict[str, list]:
    """The text in *data*, for the trace: key → [value, revision]."""
    found = data.store.apply("range", {"key": "\0", "range_end": "\0"})
    kvs = found["kvs"] if isinstance(found, dict) else []
    short = (kv for kv in kvs if isinstance(kv["value"], str) and len(kv["value"]) <= longest)
    return {kv["key"]: [kv["value"], kv["mod_revision"]] for kv in short}
