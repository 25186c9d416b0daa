"""Routes of the pod network that are lost, on one worker, to the pods of one other."""

from kubemini.cluster import Cluster
from kubemini.commands.arguments import HOST
from kubemini.commands.command import Command, FaultError, argument, command
from kubemini.host.linux import podnetwork


@command("route_del")
class RouteDel(Command):
    """*worker* does not know any more where the pods of *other* are, until `route_add` or a boot."""

    worker: str = argument(HOST)
    other: str = argument(HOST)

    def check(self, cluster: Cluster) -> None:
        Command.check(self, cluster)
        for name in (self.worker, self.other):
            if cluster.hosts[name].cni is None:
                there = ", ".join(host.name for host in cluster.hosts.values() if host.cni) or "none"
                raise FaultError(f"{self.action}: {name} has no pods; workers are: {there}")
        if self.worker == self.other:
            raise FaultError(f"{self.action}: {self.worker} has its own pods on its bridge; name two workers")

    def do(self, cluster: Cluster) -> None:
        podnetwork.forget_way(cluster.hosts[self.worker], cluster.hosts[self.other])


@command("route_add")
class RouteAdd(RouteDel):
    """*worker* knows again where the pods of *other* are."""

    def do(self, cluster: Cluster) -> None:
        podnetwork.learn_way(cluster.hosts[self.worker], cluster.hosts[self.other])
