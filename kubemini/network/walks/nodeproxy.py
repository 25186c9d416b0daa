"""kube-proxy on one node of a walk, in time: what it writes, when it notices, what it leaves behind.

Invariant: it touches only rules that are its own, and flows of UDP that lead to nobody. A change
rewrites what it is about (iptables) or fails on a table that is gone and then writes all (nftables);
that somebody has flushed its rules it sees, in iptables mode, only by its canary, every 30 s.
Models k/k pkg/proxy/iptables Proxier.syncProxyRules
Models k/k pkg/util/iptables Monitor
Models k/k pkg/proxy/iptables CleanupLeftovers
Simplified: a write takes no time; the other mode's rules are cleaned up at the start, KUBE-FIREWALL stays.
"""

from kubemini.host.linux.netns import Namespace
from kubemini.network.decide.services.node import Node, ProxyConfig
from kubemini.network.decide.services.ports import endpoints_of, service_ports
from kubemini.network.decide.services.stale import stale
from kubemini.network.walks.proxied import IPTABLES, SHARED, TABLE, Posted, program, remove
from kubemini.sim.units import SECOND

CANARY = "KUBE-PROXY-CANARY"
CANARY_PERIOD = 30 * SECOND  # iptables.syncPeriod


class NodeProxy:
    """One kube-proxy: the API says *posted*, the kernel of *here* holds what was written."""

    def __init__(self, here: Namespace, node: Node, config: ProxyConfig, now: int = 0):
        self.here, self.node, self.config = here, node, config
        self.posted: Posted = ()
        self.looked = now  # at the canary
        self.written = False
        self._clean_up_other()

    def change(self, posted: Posted) -> None:
        """The API has other Services or slices now."""
        self.posted = posted
        if self.config.mode == IPTABLES and self.written and self._flushed():
            return  # only what has changed is written, and nothing leads there any more
        self.write()

    def write(self) -> None:
        """Everything, and away with flows that lead to endpoints which serve no longer."""
        program(self.here, self.node, self.config, self.posted)
        self.written = True
        served = [
            (port, endpoints_of(port, slices)) for service, slices in self.posted for port in service_ports(service)
        ]
        for flow in stale(self.here.conntrack.entries(), served):
            self.here.conntrack.forget(flow)

    def look(self, now: int) -> None:
        """Time has passed: is the canary still there? Only iptables mode asks."""
        if self.config.mode == IPTABLES and now - self.looked >= CANARY_PERIOD:
            self.looked = now
            if self._flushed():
                self.write()

    def _flushed(self) -> bool:
        return ("nat", CANARY) not in self.here.rules.chains

    def _clean_up_other(self) -> None:
        if self.config.mode == IPTABLES:
            self.here.rules.flush(TABLE)
        else:
            clean_up(self.here)


def clean_up(here: Namespace) -> None:
    """``kube-proxy --cleanup``: its chains and table go, KUBE-FIREWALL stays (a kubelet may use it)."""
    remove(here, but=SHARED)
