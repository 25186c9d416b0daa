"""A whole ruleset of iptables: by chain, as ``iptables-save`` shows it and as ``iptables-restore`` loads it. Pure.

Invariant: what is shown can be loaded, and is then shown the same.
Models k/k pkg/proxy/iptables Proxier.syncProxyRules, largeClusterEndpointsThreshold
"""

from collections.abc import Iterable, Sequence

from kubemini.network.decide.rules.iptables import Chains, rules
from kubemini.network.decide.rules.iptables_base import BUILT_IN, base, node_ports
from kubemini.network.decide.rules.network import local, on_localhost
from kubemini.network.decide.rules.plan import Plan
from kubemini.network.decide.services.node import Node, ProxyConfig
from kubemini.network.decide.services.ports import IPV4

MANY = 1_000  # endpoints beyond which rules for endpoints have no comments
LAST = "nat KUBE-SERVICES"  # ends with the way to the node ports


def many(plans: Iterable[Plan]) -> bool:
    """Whether a cluster has so many endpoints that rules for them get no comments."""
    return sum(plan.known for plan in plans) > MANY


def written(plans: Sequence[Plan], config: ProxyConfig, node: Node, of_family: str = IPV4) -> Chains:
    """Everything on *node* in one family: the base and what *plans* add to it, chain by chain."""
    chains, comments = base(config, node, of_family), not many(plans)
    its, localhost = local(config, node, of_family), on_localhost(config, node, of_family)
    for plan in plans:
        join(chains, rules(plan, node, its, localhost, comments))
    chains[LAST].extend(node_ports(config, node, of_family))
    return chains


def join(chains: Chains, more: Chains) -> None:
    """Add the rules of *more* at the ends of *chains*."""
    for key, lines in more.items():
        chains.setdefault(key, []).extend(lines)


def listed(chains: Chains) -> list[str]:
    """Line by line with the table before each: declarations of chains, then rules, table by table."""
    return [f"{table} {line}" for table in BUILT_IN for line in _table(chains, table)]


def loadable(chains: Chains) -> str:
    """The text that ``iptables-restore`` loads: every table, counters zero."""
    tables = []
    for table in BUILT_IN:
        lines = (f"{line} [0:0]" if line.startswith(":") else line for line in _table(chains, table))
        tables.append("\n".join((f"*{table}", *lines, "COMMIT\n")))
    return "".join(tables)


def _table(chains: Chains, table: str) -> list[str]:
    mine = {key.split()[1]: lines for key, lines in chains.items() if key.startswith(f"{table} ")}
    ordered: Sequence[str] = (*BUILT_IN[table], *sorted(set(mine) - set(BUILT_IN[table])))
    declared = [f":{name} {'ACCEPT' if name in BUILT_IN[table] else '-'}" for name in ordered]
    return declared + [line for name in ordered for line in mine.get(name, ())]
