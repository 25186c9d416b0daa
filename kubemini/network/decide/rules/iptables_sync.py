"""What kube-proxy hands to ``iptables-restore`` when something changes: shared chains whole, own ones if theirs. Pure.

Theory of operation. ``iptables-restore --noflush`` empties every chain that it is told of, then adds the rules
that follow. The chains that Services share are written whole each time, because the kernel's tool knows no
other way to take one rule out; the chains of a Service only when it, or an endpoint of it, has changed. So a
change in a cluster of n Services costs n lines, not n times its endpoints. A chain that nobody uses any more
is emptied and deleted in the same go; in a large cluster that waits for a sweep, since it takes a look at all.
Invariant: after any changes the kernel holds what a full write would put there, but for two things that a
large cluster (1,000 endpoints) tolerates until its next full write: comments on old rules, and empty chains.
Models k/k pkg/proxy/iptables Proxier.syncProxyRules, isServiceChainName, largeClusterEndpointsThreshold
"""

from collections.abc import Iterable, Mapping, Sequence

from kubemini.network.decide.rules import saved
from kubemini.network.decide.rules.iptables import Chains, rules
from kubemini.network.decide.rules.iptables_base import BUILT_IN, base, node_ports
from kubemini.network.decide.rules.network import local, on_localhost
from kubemini.network.decide.rules.plan import Plan
from kubemini.network.decide.services.node import Node, ProxyConfig
from kubemini.network.decide.services.ports import IPV4

OWN = tuple(f"nat KUBE-{kind}-" for kind in ("SVC", "SVL", "SEP", "FW", "EXT"))
CANARY = "KUBE-PROXY-CANARY"  # made by the monitor, not by a write


class IptablesRules:
    """The rules of one node, Service by Service, as they stand in its kernel after each `sync`."""

    def __init__(self, config: ProxyConfig, node: Node, of_family: str = IPV4):
        self.node, self.its = node, local(config, node, of_family)
        self.localhost = on_localhost(config, node, of_family)
        self.last = node_ports(config, node, of_family)
        self.base = {
            key: lines
            for key, lines in base(config, node, of_family).items()
            if key.split()[1] not in (*BUILT_IN[key.split()[0]], CANARY)
        }
        self.own: dict[str, Chains] = {}  # of each Service, its own chains
        self.parts: dict[str, Chains] = {}  # and what it adds to those that all share
        self.known: dict[str, int] = {}  # endpoints of each Service
        self.stale: dict[str, None] = {}

    @property
    def large(self) -> bool:
        """Whether there are so many endpoints that rules for them get no comments, and chains stay a while."""
        return sum(self.known.values()) > saved.MANY

    def sync(self, changed: Mapping[str, Sequence[Plan]], sweep: bool = False) -> str:
        """The text for ``iptables-restore --noflush`` that makes the plans of *changed* Services true.

        *changed*: ``namespace/name`` → its plans, none for a Service that is gone. *sweep*: stale chains go
        even in a large cluster (kube-proxy does so when 30 s have passed).
        """
        for name, plans in changed.items():
            self.known[name] = sum(plan.known for plan in plans)
        comments = not self.large
        written: Chains = {}
        for name, plans in changed.items():
            now = self._chains(plans, comments)
            own = {key: now.pop(key) for key in list(now) if key.startswith(OWN)}
            self.stale.update(dict.fromkeys(self.own.pop(name, {})))
            self.parts.pop(name, None)
            if plans:
                self.own[name], self.parts[name] = own, now
            else:
                del self.known[name]
            written.update(own)
        for key in written:
            self.stale.pop(key, None)
        gone = list(self.stale) if sweep or not self.large else []
        for key in gone:
            del self.stale[key]
        return _text(self._shared() | written, gone)

    def chains(self) -> Chains:
        """All that stands there now."""
        out = self._shared()
        for own in self.own.values():
            out.update(own)
        return out

    def _chains(self, plans: Iterable[Plan], comments: bool) -> Chains:
        out: Chains = {}
        for plan in plans:
            saved.join(out, rules(plan, self.node, self.its, self.localhost, comments))
        return out

    def _shared(self) -> Chains:
        """The base and what all Services put into the chains that they share."""
        out = {key: list(lines) for key, lines in self.base.items()}
        for part in self.parts.values():
            saved.join(out, part)
        out[saved.LAST] += self.last
        return out


def _text(chains: Chains, gone: Iterable[str]) -> str:
    """What the tool reads: each chain is emptied, then filled; those that are gone are deleted."""
    gone = [key.split()[1] for key in gone]
    parts = []
    for table in ("filter", "nat"):
        mine = {key.split()[1]: lines for key, lines in chains.items() if key.startswith(f"{table} ")}
        left = gone if table == "nat" else []
        heads = [f":{name} - [0:0]" for name in (*mine, *left)]
        rest = [line for lines in mine.values() for line in lines]
        parts += [f"*{table}", *heads, *rest, *(f"-X {name}" for name in left), "COMMIT"]
    return "\n".join((*parts, ""))
