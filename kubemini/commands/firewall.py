"""The firewall of a host: a rule beside kube-proxy's that somebody adds, and the day he takes them all away."""

from kubemini.cluster import Cluster
from kubemini.commands.arguments import HOST, read_text
from kubemini.commands.command import Argument, Command, FaultError, argument, command
from kubemini.host.linux import firewall


def read_rule(value: object) -> str:
    """What stands behind ``iptables -A``: ``FORWARD -p tcp --dport 8080 -j DROP``."""
    rule = read_text(value).strip().removeprefix("-A ")
    try:
        firewall.check(rule)
    except ValueError as error:
        raise FaultError(f"{error}; write FORWARD -p tcp --dport 8080 -j DROP, for example") from None
    return rule


RULE = Argument(read_rule)


@command("firewall_add")
class FirewallAdd(Command):
    """``iptables -A`` *rule* on the *host*: asked of every packet from now on, until `firewall_flush` or a boot."""

    host: str = argument(HOST)
    rule: str = argument(RULE)

    def do(self, cluster: Cluster) -> None:
        firewall.add(cluster.hosts[self.host].kernel, self.rule)


@command("firewall_flush")
class FirewallFlush(Command):
    """The *host* forgets the rules that were added; kube-proxy's stay."""

    host: str = argument(HOST)

    def do(self, cluster: Cluster) -> None:
        cluster.hosts[self.host].kernel.firewall.clear()
