"""iptables text for a rule, as kube-proxy hands it to ``iptables-restore``. Pure.

Invariant: rule i of n endpoints carries probability 1/(n-i) with ten decimals, the last one none; so each endpoint gets
one n-th of all new connections.
Models k/k pkg/proxy/iptables Proxier.syncProxyRules
The Linux kernel loads this text; ``iptables-save`` shows a chance as the kernel keeps it, in 1/2**31: 0.33333333349.
Simplified: ClusterIP only; the filter table's REJECT for a Service without endpoints is printed as one rule.
"""

import base64
import hashlib

from kubemini.network.decide.services.rule import Port, Rule
from kubemini.sim.units import SECOND

CLUSTER_CIDR = "10.244.0.0/16"


def chain(prefix: str, port_name: str, protocol: str, endpoint: str = "") -> str:
    """A chain's name: ``KUBE-SVC-`` and sixteen letters of a hash, which fit into iptables' 28 characters."""
    digest = hashlib.sha256((port_name + protocol.lower() + endpoint).encode()).digest()
    return prefix + base64.b32encode(digest).decode()[:16]


def probability(n: int) -> str:
    """1/n as kube-proxy prints it."""
    return f"{1 / n:.10f}"


def text(rule: Rule) -> list[str]:
    """The lines for one Service, in the order in which a packet meets them."""
    return [line for port in rule.ports for line in _lines(rule, port)]


def _lines(rule: Rule, port: Port) -> list[str]:
    name = f"{rule.service}:{port.name}" if port.name else rule.service
    protocol = port.protocol.lower()
    to_service = f"-d {rule.ip}/32 -p {protocol} -m {protocol} --dport {port.port}"
    if not rule.endpoints or not port.target:
        why = "has no endpoints" if rule.otherwise == "REJECT" else "has no local endpoints"
        return [f'-A KUBE-SERVICES {to_service} -m comment --comment "{name} {why}" -j {rule.otherwise}']
    service = chain("KUBE-SVC-", name, protocol)
    endpoints = [f"{e.ip}:{port.target}" for e in rule.endpoints]
    seps = [chain("KUBE-SEP-", name, protocol, e) for e in endpoints]
    return [
        f'-A KUBE-SERVICES {to_service} -m comment --comment "{name} cluster IP" -j {service}',
        f'-A {service} ! -s {CLUSTER_CIDR} {to_service} -m comment --comment "{name} cluster IP" -j KUBE-MARK-MASQ',
        *_remembered(rule, name, service, endpoints, seps),
        *_chances(name, service, endpoints, seps),
        *(line for e, sep in zip(endpoints, seps) for line in _destination(rule, name, protocol, e, sep)),
    ]


def _remembered(rule: Rule, name: str, service: str, endpoints: list[str], seps: list[str]) -> list[str]:
    """Session affinity comes first: a client seen lately goes where it went."""
    seconds = rule.affinity // SECOND
    return [
        f'-A {service} -m comment --comment "{name} -> {e}" '
        f"-m recent --rcheck --seconds {seconds} --reap --name {sep} --rsource -j {sep}"
        for e, sep in zip(endpoints, seps)
        if seconds
    ]


def _chances(name: str, service: str, endpoints: list[str], seps: list[str]) -> list[str]:
    lines = []
    for left, (endpoint, sep) in zip(range(len(endpoints), 0, -1), zip(endpoints, seps)):
        chance = f" -m statistic --mode random --probability {probability(left)}" if left > 1 else ""
        lines.append(f'-A {service} -m comment --comment "{name} -> {endpoint}"{chance} -j {sep}')
    return lines


def _destination(rule: Rule, name: str, protocol: str, endpoint: str, sep: str) -> list[str]:
    ip = endpoint.rsplit(":", 1)[0]
    remember = f" -m recent --set --name {sep} --rsource" if rule.affinity else ""
    return [
        f'-A {sep} -s {ip}/32 -m comment --comment "{name}" -j KUBE-MARK-MASQ',
        f'-A {sep} -p {protocol} -m comment --comment "{name}"{remember} -m {protocol} '
        f"-j DNAT --to-destination {endpoint}",
    ]
