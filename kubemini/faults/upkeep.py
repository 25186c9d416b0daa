"""What an operator does to etcd with etcdctl: members, leadership, backups, room. Commands like any fault.

`check` runs before the simulation; whether etcd allows it, the run shows: the request is recorded with its fate.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from kubemini.faults.faults import Fault, FaultError, one_of

if TYPE_CHECKING:
    from kubemini.cluster import Cluster


def _check_member(cluster: "Cluster", name: str) -> None:
    one_of(name, [*cluster.topology.members, *cluster.topology.spares], "an etcd member, or a spare,")


@dataclass(frozen=True, slots=True)
class OnMember(Fault):
    """Something done to a member of etcd by a user with etcdctl."""

    member: str

    def check(self, cluster: "Cluster") -> None:
        _check_member(cluster, self.member)


@dataclass(frozen=True, slots=True)
class MemberAdd(OnMember):
    """``member add`` as a voter or a learner, then etcd is started there with an empty disk.

    *address* is what the peer URL says, if that is not the member's own: a typo to learn from.
    """

    kind: str = "voter"
    address: str = ""
    action: ClassVar[str] = "member_add"

    def check(self, cluster: "Cluster") -> None:
        OnMember.check(self, cluster)
        if self.kind not in ("voter", "learner"):
            raise FaultError(f"member_add: expected voter or learner, got {self.kind!r}")

    def act(self, cluster: "Cluster") -> None:
        cluster.user.add_member(self.member, self.kind == "learner", str(self.address or self.member))


@dataclass(frozen=True, slots=True)
class MemberRemove(OnMember):
    """``member remove``."""

    action: ClassVar[str] = "member_remove"

    def act(self, cluster: "Cluster") -> None:
        cluster.user.change_member(self.action, self.member)


@dataclass(frozen=True, slots=True)
class MemberPromote(OnMember):
    """``member promote``: a learner becomes a voter."""

    action: ClassVar[str] = "member_promote"

    def act(self, cluster: "Cluster") -> None:
        cluster.user.change_member(self.action, self.member)


@dataclass(frozen=True, slots=True)
class MoveLeader(OnMember):
    """``etcdctl move-leader`` to this member."""

    action: ClassVar[str] = "move_leader"

    def act(self, cluster: "Cluster") -> None:
        cluster.user.move_leader(self.member)


@dataclass(frozen=True, slots=True)
class SnapshotSave(OnMember):
    """``etcdctl snapshot save`` from this member, to the user's machine."""

    action: ClassVar[str] = "snapshot_save"

    def act(self, cluster: "Cluster") -> None:
        cluster.user.save(self.member)


@dataclass(frozen=True, slots=True)
class SnapshotRestore(Fault):
    """A new cluster of *members* ("etcd-1,etcd-2", all stopped) begins with the last backup.

    *bump* raises its revision by so much and marks the past as compacted, as it should be.
    """

    members: str
    bump: int = 0
    action: ClassVar[str] = "snapshot_restore"

    def _names(self) -> list[str]:
        return [name.strip() for name in str(self.members).split(",")]

    def check(self, cluster: "Cluster") -> None:
        for name in self._names():
            _check_member(cluster, name)
        if not str(self.bump).isdigit():
            raise FaultError(f"snapshot_restore: expected how far to bump the revision, got {self.bump!r}")

    def act(self, cluster: "Cluster") -> None:
        cluster.user.restore(self._names(), int(self.bump))


@dataclass(frozen=True, slots=True)
class Compact(Fault):
    """``etcdctl compact``: forget what *revision* (default: the newest) overwrote."""

    revision: int = 0
    action: ClassVar[str] = "compact"

    def check(self, cluster: "Cluster") -> None:
        if not str(self.revision).isdigit():
            raise FaultError(f"compact: expected a revision such as 40, got {self.revision!r}")

    def act(self, cluster: "Cluster") -> None:
        cluster.user.compact(int(self.revision))


@dataclass(frozen=True, slots=True)
class Defrag(OnMember):
    """``etcdctl defrag``: one member gives back the room inside its database file."""

    action: ClassVar[str] = "defrag"

    def act(self, cluster: "Cluster") -> None:
        cluster.user.defragment(self.member)


@dataclass(frozen=True, slots=True)
class AlarmDisarm(Fault):
    """``etcdctl alarm disarm``."""

    action: ClassVar[str] = "alarm_disarm"

    def act(self, cluster: "Cluster") -> None:
        cluster.user.disarm()


_MEMBERS = (MemberAdd, MemberRemove, MemberPromote, MoveLeader)
_UPKEEP = (SnapshotSave, SnapshotRestore, Compact, Defrag, AlarmDisarm)
ACTIONS: dict[str, type[Fault]] = {kind.action: kind for kind in (*_MEMBERS, *_UPKEEP)}
