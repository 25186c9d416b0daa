"""What kube-proxy writes in nftables mode before there is any Service: the table's sets, maps and chains. Pure.

Invariant: what is shared by all Services is a look-up in a set or map; a Service adds elements, never rules,
to it.
Models k/k pkg/proxy/nftables nftablesBaseChains, nftablesJumpChains, Proxier.setupNFTables
"""

from kubemini.network.decide.rules.network import LOOPBACK, local, merged, refused_on_localhost, serving
from kubemini.network.decide.rules.nftables import (
    CLUSTER_IPS,
    FIREWALL_IPS,
    HAIRPINS,
    MARK,
    NO_NODE_PORTS,
    NO_SERVICES,
    NODE_PORTS,
    ON_LOCALHOST,
    REFUSED_ON_LOCALHOST,
    SERVICE_IPS,
    Written,
)
from kubemini.network.decide.services.node import Node, ProxyConfig
from kubemini.network.decide.services.ports import IPV4, family

NODE_IPS = "nodeport-ips"
HOOKS = (  # base chain: what it is, and its jumps
    (
        "filter-prerouting-pre-dnat",
        "filter hook prerouting priority dstnat - 10",
        ("firewall-check",),
    ),
    ("filter-output-pre-dnat", "filter hook output priority -110", ("firewall-check",)),
    (
        "filter-input",
        "filter hook input priority filter",
        ("nodeport-endpoints-check", "service-endpoints-check"),
    ),
    (
        "filter-forward",
        "filter hook forward priority filter",
        ("service-endpoints-check", "cluster-ips-check"),
    ),
    (
        "filter-output",
        "filter hook output priority filter",
        ("service-endpoints-check", "cluster-ips-check"),
    ),
    ("nat-prerouting", "nat hook prerouting priority dstnat", ("services",)),
    ("nat-output", "nat hook output priority -100", ("services",)),
    ("nat-postrouting", "nat hook postrouting priority srcnat", ("masquerading",)),
)
COUNTER = "localhost-nodeport-rejected-"
PORT = "meta l4proto . th dport"
MASQUERADE = (
    f"meta mark & 0x00004000 != 0x00000000 {MARK.replace('|', '^')} masquerade fully-random",
    f"ct status dnat {{ip}} saddr . {{ip}} daddr . {PORT} @{HAIRPINS} masquerade fully-random",
)
TO_SERVICE = "type {addr} . inet_proto . inet_service : verdict"
TO_NODE_PORT = "type inet_proto . inet_service : verdict"
SETS = {
    HAIRPINS: ("type {addr} . {addr} . inet_proto . inet_service", "service hairpin connections"),
    CLUSTER_IPS: ("type {addr}", "Active ClusterIPs"),
    NODE_IPS: ("type {addr}", "IPs that accept NodePort traffic"),
}
MAPS = {
    NO_SERVICES: (TO_SERVICE, "vmap to drop or reject packets to services with no endpoints"),
    NO_NODE_PORTS: (
        TO_NODE_PORT,
        "vmap to drop or reject packets to service nodeports with no endpoints",
    ),
    FIREWALL_IPS: (TO_SERVICE, "destinations that are subject to LoadBalancerSourceRanges"),
    SERVICE_IPS: (TO_SERVICE, "ClusterIP, ExternalIP and LoadBalancer IP traffic"),
    NODE_PORTS: (TO_NODE_PORT, "NodePort traffic"),
    ON_LOCALHOST: (TO_NODE_PORT, "localhost NodePorts rejected by kube-proxy"),
}


def base(config: ProxyConfig, node: Node, of_family: str = IPV4) -> Written:
    """The sets and chains of the table without any Service; maps stand among the sets."""
    ip, addr = ("ip", "ipv4_addr") if of_family == IPV4 else ("ip6", "ipv6_addr")
    out, addresses = Written(), serving(config, node, of_family)
    refused = refused_on_localhost(config)
    left_out = {NODE_IPS} if addresses is None else set()
    left_out |= set() if refused else {ON_LOCALHOST}
    for name, (kind, comment) in {**SETS, **MAPS}.items():
        if name not in left_out:
            out.sets[name] = [kind.format(addr=addr), f'comment "{comment}"']
    for served in addresses or ():
        if served != LOOPBACK[of_family]:
            out.element(NODE_IPS, served)
    for name, hook, jumps in HOOKS:
        new = "" if hook.startswith("nat") else "ct state new "
        out.chains[name] = [f"type {hook}; policy accept;", *(f"{new}jump {to}" for to in jumps)]
    loopback = "127.0.0.0/8" if of_family == IPV4 else "::1"
    here, anywhere = (f"{ip} daddr @{NODE_IPS} ",) * 2
    if addresses is None:
        anywhere = f"{ip} daddr != {loopback} "
        here = f"fib daddr type local {anywhere}"
    to_service = f"{ip} daddr . {PORT} vmap"
    local_only = [f"{ip} daddr {loopback} {PORT} vmap @{ON_LOCALHOST}"] if refused else []
    out.chains.update(
        {
            "nodeport-endpoints-check": [f"{anywhere}{PORT} vmap @{NO_NODE_PORTS}", *local_only],
            "service-endpoints-check": [f"{to_service} @{NO_SERVICES}"],
            "firewall-check": [f"{to_service} @{FIREWALL_IPS}"],
            "services": [
                *_masquerade_cluster_ips(config, node, ip, of_family),
                f"{to_service} @{SERVICE_IPS}",
                f"{here}{PORT} vmap @{NODE_PORTS}",
            ],
            "masquerading": [rule.format(ip=ip) for rule in MASQUERADE],
            "cluster-ips-check": _cluster_ips_check(config, ip, of_family),
            "reject-chain": [f'comment "helper for @{NO_SERVICES} / @{NO_NODE_PORTS}"', "reject"],
        }
    )
    for protocol in refused:
        out.counters.append(f"{COUNTER}{protocol}")
        out.chains[f"{REFUSED_ON_LOCALHOST}{protocol}"] = [f'counter name "{COUNTER}{protocol}" reject']
    return out


def _masquerade_cluster_ips(config: ProxyConfig, node: Node, ip: str, of_family: str) -> list[str]:
    its, to = local(config, node, of_family), f"{ip} daddr @{CLUSTER_IPS}"
    if its.everything:
        return [f'{to} {MARK} comment "masquerade all clusterIP traffic"']
    if its.known:
        return [f'{to} {its.nftables(True)} {MARK} comment "masquerade clusterIP traffic from outside cluster"']
    return []


def _cluster_ips_check(config: ProxyConfig, ip: str, of_family: str) -> list[str]:
    """A known cluster IP refuses what it has no port for; the rest of the Service network is silent."""
    rules = [f'{ip} daddr @{CLUSTER_IPS} reject comment "Reject traffic to invalid ports of ClusterIPs"']
    ranges = [range for range in config.service_cidrs if family(range) == of_family]
    if ranges:
        shown = merged(ranges)
        networks = shown[0] if len(ranges) == 1 else f"{{ {', '.join(shown)} }}"
        rules.append(f'{ip} daddr {networks} drop comment "Drop traffic to unallocated ClusterIPs"')
    return rules
