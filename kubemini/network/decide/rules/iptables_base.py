"""What kube-proxy writes in iptables mode before there is any Service: its chains and how packets come to them. Pure.

Invariant: a full sync puts every jump at the head of its chain, one after the other; so they stand there in
the reverse order, and kubelet's KUBE-FIREWALL is met first.
Models k/k pkg/proxy/iptables iptablesJumpChains, iptablesKubeletJumpChains, Proxier.syncProxyRules
Simplified: the mark is the default one; INVALID packets are dropped whatever nf_conntrack_tcp_be_liberal says.
"""

from kubemini.network.decide.rules.iptables import Chains
from kubemini.network.decide.rules.network import LOOPBACK, host, on_localhost, serving
from kubemini.network.decide.services.node import Node, ProxyConfig
from kubemini.network.decide.services.ports import IPV4, IPV6

MARK = "0x4000/0x4000"
INVALID = "ct_state_invalid_dropped_pkts"  # the counter of what conntrack calls INVALID
NEW = "-m conntrack --ctstate NEW "
PORTALS, VISIBLE = "kubernetes service portals", "kubernetes externally-visible service portals"
FIREWALL = "kubernetes load balancer firewall"
BUILT_IN = {
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
}
JUMPS = (  # table, chain, from, comment, match: in the order in which they are ensured
    ("filter", "KUBE-EXTERNAL-SERVICES", "INPUT", VISIBLE, NEW),
    ("filter", "KUBE-EXTERNAL-SERVICES", "FORWARD", VISIBLE, NEW),
    ("filter", "KUBE-NODEPORTS", "INPUT", "kubernetes health check service ports", ""),
    ("filter", "KUBE-SERVICES", "FORWARD", PORTALS, NEW),
    ("filter", "KUBE-SERVICES", "OUTPUT", PORTALS, NEW),
    ("filter", "KUBE-FORWARD", "FORWARD", "kubernetes forwarding rules", ""),
    ("filter", "KUBE-PROXY-FIREWALL", "INPUT", FIREWALL, NEW),
    ("filter", "KUBE-PROXY-FIREWALL", "OUTPUT", FIREWALL, NEW),
    ("filter", "KUBE-PROXY-FIREWALL", "FORWARD", FIREWALL, NEW),
    ("nat", "KUBE-SERVICES", "OUTPUT", PORTALS, ""),
    ("nat", "KUBE-SERVICES", "PREROUTING", PORTALS, ""),
    ("nat", "KUBE-POSTROUTING", "POSTROUTING", "kubernetes postrouting rules", ""),
    ("filter", "KUBE-FIREWALL", "INPUT", "", ""),
    ("filter", "KUBE-FIREWALL", "OUTPUT", "", ""),
)
FORWARD = (
    f"-m conntrack --ctstate INVALID -m nfacct --nfacct-name  {INVALID} -j DROP",
    f'-m comment --comment "kubernetes forwarding rules" -m mark --mark {MARK} -j ACCEPT',
    '-m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
)
POSTROUTING = (
    f"-m mark ! --mark {MARK} -j RETURN",
    "-j MARK --set-xmark 0x4000/0x0",
    '-m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully',
)
MARTIANS = (
    "! -s 127.0.0.0/8 -d 127.0.0.0/8 "
    '-m comment --comment "block incoming localnet connections" '
    "-m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP"
)
LAST = "kubernetes service nodeports; NOTE: this must be the last rule in this chain"


def base(config: ProxyConfig, node: Node, of_family: str = IPV4) -> Chains:
    """The chains that are there without any Service, with their rules, in the order of tables.

    The last rules of nat KUBE-SERVICES are `node_ports`: what a Service adds there stands before them.
    """
    chains: Chains = {f"{table} {name}": [] for table, names in BUILT_IN.items() for name in names}
    for table in BUILT_IN:
        chains[f"{table} KUBE-PROXY-CANARY"] = []
    for table, name, source, comment, match in JUMPS:
        chains.setdefault(f"{table} {name}", [])
        said = f'{match}-m comment --comment "{comment}" ' if comment else match
        chains[f"{table} {source}"].insert(0, f"-A {source} {said}-j {name}")
    _put(chains, "filter KUBE-FORWARD", *FORWARD)
    if on_localhost(config, node, of_family):
        _put(chains, "filter KUBE-FIREWALL", MARTIANS)
    _put(chains, "nat KUBE-NODEPORTS")
    _put(chains, "nat KUBE-MARK-MASQ", f"-j MARK --set-xmark {MARK}")
    _put(chains, "nat KUBE-POSTROUTING", *POSTROUTING)
    return chains


def node_ports(config: ProxyConfig, node: Node, of_family: str = IPV4) -> list[str]:
    """What ends nat KUBE-SERVICES: whatever is for the node itself may be for a node port."""
    said, jump = f'-m comment --comment "{LAST}"', "-j KUBE-NODEPORTS"
    addresses = serving(config, node, of_family)
    loopback = {IPV4: "127.0.0.0/8", IPV6: "::1/128"}[of_family]
    localhost = on_localhost(config, node, of_family)
    if addresses is None:
        but = "" if localhost else f"! -d {loopback} "
        return [f"-A KUBE-SERVICES {but}{said} -m addrtype --dst-type LOCAL {jump}"]
    served = [ip for ip in addresses if ip != LOOPBACK[of_family] or localhost]
    return [f"-A KUBE-SERVICES -d {host(ip)} {said} {jump}" for ip in served]


def _put(chains: Chains, key: str, *rules: str) -> None:
    name = key.split()[1]
    chains.setdefault(key, []).extend(f"-A {name} {rule}" for rule in rules)
