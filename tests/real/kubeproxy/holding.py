"""What one real kube-proxy has in its kernel must become ours; one that learnt something too late is started anew."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kubemini.network.decide.services.node import Node
from kubemini.network.decide.services.ports import IPV4
from tests.oracles.ha.real.asking import until
from tests.real.kubeproxy import twin

PATIENCE = 60  # s until a change must be in the rules
ZONELESS = "node is missing label"  # says a proxy that ignores hints for want of a zone


@dataclass(frozen=True)
class Proxy:
    """A kube-proxy of a *node* in the network of *host*: its options as ours reads them, and as it does itself."""

    name: str
    mode: str
    host: str
    node: Node
    options: Mapping[str, Any] = field(default_factory=dict)
    said: Mapping[str, Any] = field(default_factory=dict)


def held(lab, proxy, family=IPV4):
    """What differs in the rules of one family when they have had their time."""
    mine = twin.ours(proxy.mode, proxy.options, proxy.node, *lab.objects(), family)

    def differing():
        return twin.differences(proxy.mode, lab.rules(proxy.mode, proxy.host, family), mine)

    if until(lambda: not differing(), PATIENCE):
        return []
    if late(lab, proxy, differing()):
        lab.stop(proxy.name)
        lab.start_proxy(proxy.name, proxy.mode, proxy.host, proxy.node, proxy.said)
        if until(lambda: not differing(), PATIENCE):
            return []
    return [f"{path}: the real one has {real}, ours {ours}" for path, real, ours in differing()]


def late(lab, proxy, found):
    """Whether a real proxy learnt something too late, which only a new start mends: two defects of 1.37.2.

    Its node's zone: the handler of the labels may come after the node. The Service network (nftables): it
    is written by full syncs alone, and its arrival asks for none (OnServiceCIDRsChanged).
    """
    zoneless = proxy.node.zone and lab.says(proxy.name, ZONELESS)
    return zoneless or all(path.startswith("chain cluster-ips-check") and real is None for path, real, _ in found)
