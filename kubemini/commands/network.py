"""Faults of the wire: cuts, slow links, links that lose packets."""

from kubemini.cluster import Cluster
from kubemini.commands.arguments import DURATION, PLACES, SHARE, choice, hosts
from kubemini.commands.command import Command, FaultError, argument, command

DIRECTION = choice("one-way")


@command("cut")
class Cut(Command):
    """Hosts *a* cannot reach hosts *b* (default: all others); *one_way*: only from a to b."""

    a: tuple[str, ...] = argument(PLACES)
    b: tuple[str, ...] = argument(PLACES, default="")
    one_way: str = argument(DIRECTION, default="")

    def _sides(self, cluster: Cluster) -> tuple[list[str], list[str]]:
        a = hosts(cluster, self.a)
        return a, hosts(cluster, self.b) if self.b else [h for h in cluster.hosts if h not in a]

    def check(self, cluster: Cluster) -> None:
        Command.check(self, cluster)
        a, b = self._sides(cluster)
        both = [host for host in a if host in b]
        if both:
            raise FaultError(f"cut: {', '.join(both)} cannot stand on both sides; name each host once")
        if not (a and b):
            raise FaultError("cut: one side is empty; name a host, component or zone of this cluster")

    def do(self, cluster: Cluster) -> None:
        cluster.net.cut(*self._sides(cluster), one_way=bool(self.one_way))


@command("heal")
class Heal(Command):
    """Every cut is gone."""

    def do(self, cluster: Cluster) -> None:
        cluster.net.heal()


@command("latency")
class Latency(Command):
    """Packets between *a* and *b* take *low* to *high* (µs)."""

    a: tuple[str, ...] = argument(PLACES)
    b: tuple[str, ...] = argument(PLACES)
    low: int = argument(DURATION)
    high: int = argument(DURATION)

    def check(self, cluster: Cluster) -> None:
        Command.check(self, cluster)
        _check_pair("latency", hosts(cluster, self.a), hosts(cluster, self.b))
        if self.low > self.high:
            raise FaultError(f"latency: {self.low} µs is more than {self.high} µs; write the smaller one first")

    def do(self, cluster: Cluster) -> None:
        for a in hosts(cluster, self.a):
            for b in hosts(cluster, self.b):
                cluster.net.set_latency(a, b, self.low, self.high)


@command("loss")
class Loss(Command):
    """A share *p* of the packets between *a* and *b* is lost."""

    a: tuple[str, ...] = argument(PLACES)
    b: tuple[str, ...] = argument(PLACES)
    p: float = argument(SHARE)

    def check(self, cluster: Cluster) -> None:
        Command.check(self, cluster)
        _check_pair("loss", hosts(cluster, self.a), hosts(cluster, self.b))

    def do(self, cluster: Cluster) -> None:
        for a in hosts(cluster, self.a):
            for b in hosts(cluster, self.b):
                cluster.net.set_loss(a, b, self.p)


def _check_pair(action: str, a: list[str], b: list[str]) -> None:
    """Links are between hosts: both ends must be named, and not all be the same host."""
    if not (a and b):
        raise FaultError(f"{action}: one end is empty; name a host, component or zone of this cluster")
    if a == b and len(a) == 1:
        raise FaultError(f"{action}: {a[0]} is both ends; name two hosts")
