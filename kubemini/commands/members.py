"""What an operator does to the members of an etcd: add, remove, promote, move the leader.

Whether etcd allows it, the run shows: the request is recorded with its fate.
"""

from typing import Any

from kubemini.cluster import Cluster
from kubemini.commands.arguments import MEMBER, TEXT, choice
from kubemini.commands.command import Command, argument, command
from kubemini.users.decide import members

VOTER_OR_LEARNER = choice("voter", "learner")
NEW_OR_EXISTING = choice("new", "existing")
NOW_OR_LATER = choice("now", "later")


@command("member_add")
class MemberAdd(Command):
    """``member add`` as a voter or a learner, then etcd is started there with an empty disk.

    *address* is what the peer URL says, if that is not the member's own: a typo to learn from.
    *start*: ``later`` leaves that to `member_start`.
    """

    member: str = argument(MEMBER)
    kind: str = argument(VOTER_OR_LEARNER, default="voter")
    address: str = argument(TEXT, default="")
    start: str = argument(NOW_OR_LATER, default="now")

    def do(self, cluster: Cluster) -> None:
        member, address = cluster.member(self.member), self.address or self.member
        url = address if "://" in address else f"http://{address}:2380"

        def launch(listed: list[dict[str, Any]]) -> None:
            """etcd starts on that machine, told who the others are."""
            if self.start == "now" and not member.up:
                member.join([m["peerURLs"][0].partition("://")[2].rpartition(":")[0] for m in listed])

        learner = self.kind == "learner"
        verb = "member add --learner" if learner else "member add"
        cluster.user.type(verb, members.add(self.member, url, learner, launch))


@command("member_start")
class MemberStart(Command):
    """etcd is started there on the disk as it is, with this ``--initial-cluster-state`` and the first members' URLs."""

    member: str = argument(MEMBER)
    state: str = argument(NEW_OR_EXISTING)

    def do(self, cluster: Cluster) -> None:
        member, first = cluster.member(self.member), list(cluster.topology.members)
        if member.up or not member.host.powered:
            cluster.user.note(f"{self.member} is not started: its host is off, or it runs already")
        else:
            member.begin(first, exists=self.state == "existing")


@command("member_remove")
class MemberRemove(Command):
    """``member remove``."""

    member: str = argument(MEMBER)

    def do(self, cluster: Cluster) -> None:
        cluster.user.type("member remove", members.by_name(members.remove, self.member))


@command("member_promote")
class MemberPromote(Command):
    """``member promote``: a learner becomes a voter."""

    member: str = argument(MEMBER)

    def do(self, cluster: Cluster) -> None:
        cluster.user.type("member promote", members.by_name(members.promote, self.member))


@command("move_leader")
class MoveLeader(Command):
    """``etcdctl move-leader`` to this member."""

    member: str = argument(MEMBER)

    def do(self, cluster: Cluster) -> None:
        cluster.user.type("move-leader", members.move_leader(self.member))
