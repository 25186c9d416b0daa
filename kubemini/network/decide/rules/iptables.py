"""The rules of a Service port in iptables mode, as ``iptables-save`` shows them. Pure.

Invariant: rule i of n endpoints carries probability 1/(n-i), the last one none; so each endpoint gets one
n-th of all new connections.
A packet meets KUBE-SERVICES (nat), from there a chain of its Service, from there one of an endpoint, which
translates the destination. What has nowhere to go is met by name in the filter table: KUBE-SERVICES for
cluster IPs, KUBE-EXTERNAL-SERVICES for the rest.
Models k/k pkg/proxy/iptables Proxier.syncProxyRules, Proxier.writeServiceToEndpointRules,
    computeProbability
"""

from kubemini.network.decide.rules.names import EXT, FW, SEP, SVC, SVL, chain
from kubemini.network.decide.rules.network import Local, covers, host, networks, primary
from kubemini.network.decide.rules.plan import DROP, REJECT, Plan
from kubemini.network.decide.services.node import Node
from kubemini.network.decide.services.ports import IPV4, Endpoint

Chains = dict[str, list[str]]  # "table CHAIN" → its rules; a chain of the Service is there even when empty
WHOLE = 1 << 31  # the kernel's chances
ACCEPTED = "localhost_nps_accepted_pkts"  # the counter of node ports on 127.0.0.1
MASQUERADE = "-j KUBE-MARK-MASQ"


def probability(n: int) -> str:
    """1/n as kube-proxy prints it."""
    return f"{1 / n:.10f}"


def kept(n: int) -> str:
    """The same as the kernel keeps it, in 1/2**31: 1/3 is 0.33333333349."""
    return f"{round(float(probability(n)) * WHOLE) / WHOLE:.11f}"


def rules(plan: Plan, node: Node, local: Local, localhost: bool, comments: bool = True) -> Chains:
    """What *node* has for a Service port, chain by chain.

    *local* tells a pod's packet, *localhost* whether node ports answer on 127.0.0.1, *comments* is false
    in a cluster of more than 1,000 endpoints.
    """
    writer = _Writer(plan, node, local, localhost, comments)
    writer.write()
    return writer.chains


class _Writer:
    """One Service port, rule by rule into *chains*."""

    def __init__(self, plan: Plan, node: Node, local: Local, localhost: bool, comments: bool):
        self.plan, self.port, self.node, self.local = plan, plan.port, node, local
        self.localhost, self.comments = localhost, comments
        self.chains: Chains = {}
        self.svc, self.svl, self.ext, self.fw = (
            chain(prefix, self.port.id, plan.protocol) for prefix in (SVC, SVL, EXT, FW)
        )
        self.inside = self.svl if self.port.internal_local else self.svc

    def add(self, table: str, name: str, rule: str) -> None:
        self.chains.setdefault(f"{table} {name}", []).append(f"-A {name} {rule}")

    def own(self, name: str) -> None:
        """A chain of the Service's own, which stands there even without a rule."""
        self.chains.setdefault(f"nat {name}", [])

    def write(self) -> None:
        self._cluster_ip()
        for ip in self.port.external_ips:
            self._outside(ip, "external IP", self.ext)
        fenced = self.plan.fenced and self.plan.any
        for ip in self.port.lb_ips:
            self._outside(ip, "loadbalancer IP", self.fw if fenced else self.ext)
            if fenced:
                fate = f"{self.port.id} traffic not accepted by {self.fw}"
                self.add("filter", "KUBE-PROXY-FIREWALL", f"{self._to(ip, fate)} -j {DROP}")
        if self.port.node_port:
            self._node_port(self.port.node_port)
        if number := self.port.health_check_node_port:
            comment = _comment(f"{self.port.id} health check node port")
            self.add("filter", "KUBE-NODEPORTS", f"-p tcp {comment} -m tcp --dport {number} -j ACCEPT")
        if self.plan.entered:
            self._entrance()
        if fenced:
            self._fence()
        for name, endpoints in ((self.svc, self.plan.cluster), (self.svl, self.plan.local)):
            if endpoints:
                self._deal(name, endpoints)
        for endpoint in self.plan.reachable:
            self._endpoint(endpoint)

    # -- where packets for the Service are met ---------------------------------------------------------
    def _to(self, ip: str, comment: str, before: str = "") -> str:
        """What matches packets for a port of the Service at one address."""
        protocol = self.plan.protocol
        match = f"-p {protocol} {_comment(comment)} -m {protocol} --dport {self.port.port}"
        return f"{before}-d {host(ip)} {match}"

    def _cluster_ip(self) -> None:
        ip = self.port.cluster_ip
        if not self.plan.internal:
            self.add("filter", "KUBE-SERVICES", f"{self._to(ip, self.plan.why)} {self._refusal()}")
            return
        said = f"{self.port.id} cluster IP"
        self.add("nat", "KUBE-SERVICES", f"{self._to(ip, said)} -j {self.inside}")
        if self.local.everything:
            self.add("nat", self.inside, f"{self._to(ip, said)} {MASQUERADE}")
        elif self.local.source:
            self.add(
                "nat",
                self.inside,
                f"{self._to(ip, said, f'! -s {self.local.source} ')} {MASQUERADE}",
            )
        elif self.local.interface:
            there = self._to(ip, said).replace(" -p ", f" ! -i {self.local.interface} -p ", 1)
            self.add("nat", self.inside, f"{there} {MASQUERADE}")

    def _outside(self, ip: str, kind: str, target: str) -> None:
        """An address that the outside knows."""
        if self.plan.any:
            self.add("nat", "KUBE-SERVICES", f"{self._to(ip, f'{self.port.id} {kind}')} -j {target}")
        if not self.plan.external:
            refused = f"{self._to(ip, self.plan.why)} {self._refusal()}"
            self.add("filter", "KUBE-EXTERNAL-SERVICES", refused)

    def _node_port(self, number: int) -> None:
        protocol = self.plan.protocol
        to = f"-p {protocol} {_comment(self.port.id)} -m {protocol} --dport {number}"
        if self.plan.any:
            if self.localhost and self.port.family == IPV4:
                counted = f"-d 127.0.0.0/8 {to} -m nfacct --nfacct-name  {ACCEPTED} -j {self.ext}"
                self.add("nat", "KUBE-NODEPORTS", counted)
            self.add("nat", "KUBE-NODEPORTS", f"{to} -j {self.ext}")
        if not self.plan.external:
            why = f"-p {protocol} {_comment(self.plan.why)} -m addrtype --dst-type LOCAL"
            refused = f"{why} -m {protocol} --dport {number} {self._refusal()}"
            self.add("filter", "KUBE-EXTERNAL-SERVICES", refused)

    def _refusal(self) -> str:
        if self.plan.verdict == DROP:
            return f"-j {DROP}"
        how = "icmp" if self.port.family == IPV4 else "icmp6"
        return f"-j {REJECT} --reject-with {how}-port-unreachable"

    # -- the chains of the Service ---------------------------------------------------------------------
    def _entrance(self) -> None:
        """Traffic from outside: masqueraded by policy Cluster; by policy Local pods and the node take a short cut."""
        self.own(self.ext)
        to = f"for {self.port.id} external destinations"
        if not self.port.external_local:
            self.add("nat", self.ext, f"{_comment(f'masquerade traffic {to}')} {MASQUERADE}")
        else:
            if self.local.known:
                pods = f"{self.local.iptables()} {_comment(f'pod traffic {to}')}"
                self.add("nat", self.ext, f"{pods} -j {self.svc}")
            node = "-m addrtype --src-type LOCAL"
            self.add("nat", self.ext, f"{_comment(f'masquerade LOCAL traffic {to}')} {node} {MASQUERADE}")
            self.add("nat", self.ext, f"{_comment(f'route LOCAL traffic {to}')} {node} -j {self.svc}")
        if self.plan.external:
            self.add("nat", self.ext, f"-j {self.svl if self.port.external_local else self.svc}")

    def _fence(self) -> None:
        """Source ranges: who may come goes on; the rest is not translated, and dropped in the filter table."""
        self.own(self.fw)
        said = _comment(f"{self.port.id} loadbalancer IP")
        allowed = [str(network) for network in networks(self.port.source_ranges)]
        if covers(self.port.source_ranges, primary(self.node, self.port.family)):
            allowed += [host(ip) for ip in self.port.lb_ips]
        for source in allowed:
            self.add("nat", self.fw, f"-s {source} {said} -j {self.ext}")
        rest = f"other traffic to {self.port.id} will be dropped by KUBE-PROXY-FIREWALL"
        self.add("nat", self.fw, _comment(rest))

    def _deal(self, name: str, endpoints: tuple[Endpoint, ...]) -> None:
        """Affinity comes first: a client seen lately goes where it went. Then chance."""
        self.own(name)
        seps = [self._sep(endpoint) for endpoint in endpoints]
        if self.port.affinity_s:
            for endpoint, sep in zip(endpoints, seps):
                seen = f"-m recent --rcheck --seconds {self.port.affinity_s} --reap {self._list(sep)}"
                self.add("nat", name, f"{self._said(endpoint)}{seen} -j {sep}")
        for left, endpoint, sep in zip(range(len(seps), 0, -1), endpoints, seps):
            chance = f"-m statistic --mode random --probability {kept(left)} " if left > 1 else ""
            self.add("nat", name, f"{self._said(endpoint)}{chance}-j {sep}")

    def _endpoint(self, endpoint: Endpoint) -> None:
        """Its own packets are marked (hairpin), then the destination is translated."""
        name, protocol = self._sep(endpoint), self.plan.protocol
        said = f"{_comment(self.port.id)} " if self.comments else ""
        self.add("nat", name, f"-s {host(endpoint.ip)} {said}{MASQUERADE}")
        note = f"-m recent --set {self._list(name)} " if self.port.affinity_s else ""
        to = f"-m {protocol} -j DNAT --to-destination {endpoint.address}"
        self.add("nat", name, f"-p {protocol} {said}{note}{to}")

    def _sep(self, endpoint: Endpoint) -> str:
        return chain(SEP, self.port.id, self.plan.protocol, endpoint.address)

    def _said(self, endpoint: Endpoint) -> str:
        return f"{_comment(f'{self.port.id} -> {endpoint.address}')} " if self.comments else ""

    def _list(self, name: str) -> str:
        """The list of clients that the kernel keeps under *name* (xt_recent)."""
        mask = "255.255.255.255" if self.port.family == IPV4 else ":".join(["ffff"] * 8)
        return f"--name {name} --mask {mask} --rsource"


def _comment(text: str) -> str:
    return f'-m comment --comment "{text}"'
