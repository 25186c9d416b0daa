"""Where policies and firewalls meet packets: a new connection leaves one host and enters another, and each is asked.

Invariant: a host judges by what the policy agent on it knew when it last synced; without an agent, or while it is
down, every connection passes (its rules hand packets to nobody, and let them through then). Nothing is answered to a
packet that is dropped: the caller waits until he is tired.
A connection that both have let through is not asked again, unless the agent is strict and has looked at the table of
connections since (`PolicyTable.checks`).
A rule that somebody has put into the firewall of a host is asked of every packet, whatever came before.
Models kubernetes-sigs/kube-network-policies pkg/dataplane evaluatePacket syncNFTablesRules
Simplified: egress is judged where the connection begins, ingress where it ends; all programs of a node are root's.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from kubemini.api.names import host_ip
from kubemini.host import Host
from kubemini.host.linux import firewall
from kubemini.host.linux.packet import Packet
from kubemini.network.decide.policy.judge import Policies, PolicyVerdict, survives
from kubemini.network.decide.policy.matching import Half

ESTABLISHED = "established: nobody judges it again"


@dataclass(slots=True)
class Flow:
    """A connection from address to address.

    *by*: the host whose own program began it; "" for a pod's, and for whoever comes from elsewhere.
    *rule* and *dropped*: what decided of its last packet, for the trace; no program reads them.
    """

    source: str
    destination: str
    port: int
    protocol: str = "TCP"
    by: str = ""
    rule: str = ""
    dropped: bool = False
    asked: dict[str, int] = field(default_factory=dict)  # host → how often its agent had looked again by then


@dataclass(slots=True)
class PolicyTable:
    """What the policy agent of a host has put there: *listens* is whether the agent still answers for it."""

    policies: Policies
    listens: Callable[[], bool]
    strict: bool = False
    checks: int = 0


def leaves(host: Host, flow: Flow) -> bool:
    """Whether *flow* may leave the pod on *host* that it comes from."""
    return _open(host, flow) and may_leave(host, flow)


def enters(host: Host, flow: Flow) -> bool:
    """Whether *flow* may enter the pod on *host* that it goes to."""
    return _open(host, flow) and may_enter(host, flow)


def may_leave(host: Host, flow: Flow) -> bool:
    """Whether the policies that *host* knows let *flow* leave."""
    return _passes(host, flow, "egress", lambda verdict: verdict.egress)


def may_enter(host: Host, flow: Flow) -> bool:
    """Whether the policies that *host* knows let *flow* enter."""
    return _passes(host, flow, "ingress", lambda verdict: verdict.ingress)


def _open(host: Host, flow: Flow) -> bool:
    """Whether the firewall of *host* lets *flow* pass."""
    if not host.kernel.firewall:
        return True
    packet = Packet(flow.protocol, flow.source, flow.destination, 0, flow.port)
    own = host.name == flow.by or flow.source == host_ip(host.name)
    rule = firewall.stopped(host.kernel, packet, firewall.OUTPUT if own else firewall.FORWARD)
    if rule:
        flow.rule, flow.dropped = f"{host.name} {rule}", True
    return not rule


def _passes(host: Host, flow: Flow, side: str, of: Callable[[PolicyVerdict], Half]) -> bool:
    table: PolicyTable | None = host.kernel.policies
    key, checks = f"{side} on {host.name}", table.checks if table is not None else 0
    before, flow.asked[key] = flow.asked.get(key), checks
    if table is None or not table.listens() or not table.policies:
        return True
    if before == checks:
        flow.rule = ESTABLISHED
        return True
    roots = flow.by == host.name
    half = of(table.policies.verdict(flow.source, flow.destination, flow.port, flow.protocol, roots))
    if before is not None and survives(half, table.strict):
        flow.rule = ESTABLISHED
        return True
    said = f"{side}: {half.rule}"
    flow.rule, flow.dropped = f"{flow.rule}; {said}" if flow.rule and half.allowed else said, not half.allowed
    return half.allowed
