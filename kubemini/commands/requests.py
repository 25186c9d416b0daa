"""Single requests to etcd, as a user types them: put and get."""

from kubemini.cluster import Cluster
from kubemini.commands.arguments import MEMBER_OR_ANY, TEXT, choice
from kubemini.commands.command import Command, argument, command

CONSISTENCY = choice("linearizable", "serializable")


@command("put")
class Put(Command):
    """A user writes *key* through *member* (default: the client's choice)."""

    key: str = argument(TEXT)
    value: str = argument(TEXT)
    member: str = argument(MEMBER_OR_ANY, default="")

    def do(self, cluster: Cluster) -> None:
        cluster.user.put(self.key, self.value, self.member)


@command("get")
class Get(Command):
    """A user reads *key* through *member*, linearizable or serializable."""

    key: str = argument(TEXT)
    member: str = argument(MEMBER_OR_ANY, default="")
    consistency: str = argument(CONSISTENCY, default="linearizable")

    def do(self, cluster: Cluster) -> None:
        cluster.user.get(self.key, self.member, self.consistency == "serializable")
