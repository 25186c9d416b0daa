"""What an operator does to the data of an etcd: backups, room."""

from kubemini.cluster import Cluster
from kubemini.commands.arguments import INT64, MEMBER, MEMBERS, count
from kubemini.commands.command import Command, FaultError, argument, command
from kubemini.users.decide import etcdctl

BUMP = count("how far to bump the revision", INT64)
REVISION = count("a revision such as 40", INT64)


@command("snapshot_save")
class SnapshotSave(Command):
    """``etcdctl snapshot save`` from this member, to the user's machine."""

    member: str = argument(MEMBER)

    def do(self, cluster: Cluster) -> None:
        cluster.user.save(self.member)


@command("snapshot_restore")
class SnapshotRestore(Command):
    """A new cluster of *members* ("etcd-1,etcd-2", all stopped) begins with the last backup.

    *bump* raises its revision by so much and marks the past as compacted, as it should be.
    """

    members: tuple[str, ...] = argument(MEMBERS)
    bump: int = argument(BUMP, default=0)

    def check(self, cluster: Cluster) -> None:
        Command.check(self, cluster)
        if not self.members:
            raise FaultError("snapshot_restore: name at least one member, such as etcd-1,etcd-2")

    def do(self, cluster: Cluster) -> None:
        running = [name for name in self.members if cluster.components[name].up]
        backup = None if running else cluster.user.backup()
        if backup is None:
            why = f"stop {', '.join(running)} first" if running else "there is no backup: snapshot_save makes one"
            cluster.user.note(f"nothing is restored: {why}")
            return
        image, number = backup
        for name in self.members:
            if cluster.member(name).host.powered:
                cluster.member(name).restore(image, list(self.members), number, self.bump)


@command("compact")
class Compact(Command):
    """``etcdctl compact``: forget what *revision* (default: the newest) overwrote."""

    revision: int = argument(REVISION, default=0)

    def do(self, cluster: Cluster) -> None:
        cluster.user.type("compact", etcdctl.compact(self.revision))


@command("defrag")
class Defrag(Command):
    """``etcdctl defrag``: one member gives back the room inside its database file."""

    member: str = argument(MEMBER)

    def do(self, cluster: Cluster) -> None:
        cluster.user.type("defrag", etcdctl.defrag([self.member]))


@command("alarm_disarm")
class AlarmDisarm(Command):
    """``etcdctl alarm disarm``."""

    def do(self, cluster: Cluster) -> None:
        cluster.user.type("alarm disarm", etcdctl.disarm())
