"""kube-proxy's rules in a node's namespace: the very text that the real tools load, executed.

Invariant: what is loaded is what `decide/rules` writes, word for word; nothing else knows Services
here. With localhost node ports kube-proxy sets route_localnet, too.
Models k/k pkg/proxy/iptables NewProxier
Simplified: nftables' node ports on localhost are served by a process, and are not here.
"""

from collections.abc import Iterable, Mapping, Sequence

from kubemini.api.objects import Obj
from kubemini.host.linux.netfilter import iptables, nft
from kubemini.host.linux.netns import Namespace, Namespaces
from kubemini.network.decide.rules import saved, table
from kubemini.network.decide.rules.network import on_localhost
from kubemini.network.decide.rules.plan import Plan, plans
from kubemini.network.decide.services.node import Node, ProxyConfig
from kubemini.network.decide.services.ports import IPV4, endpoints_of, service_ports

IPTABLES, NFTABLES = "iptables", "nftables"
MODES = (IPTABLES, NFTABLES)
SHARED = "KUBE-FIREWALL"  # a kubelet may use it, too
TABLE, OWN = "kube-proxy", "KUBE-"  # its table of nftables, and how its chains of iptables begin
Posted = Sequence[tuple[Obj, Sequence[Obj]]]  # Services, each with its EndpointSlices


def text(node: Node, config: ProxyConfig, posted: Posted) -> str:
    """What ``iptables-restore`` or ``nft -f`` would load on *node* for these Services."""
    return loadable(node, config, plans_of(node, posted))


def loadable(node: Node, config: ProxyConfig, planned: Sequence[Plan], of_family: str = IPV4) -> str:
    """What ``iptables-restore``, ``ip6tables-restore`` or ``nft -f`` would load on *node*."""
    if config.mode == IPTABLES:
        return saved.loadable(saved.written(planned, config, node, of_family))
    return table.loadable(table.written(planned, config, node, of_family), of_family)


def plans_of(node: Node, posted: Posted) -> list[Plan]:
    """What *node* has to write for these Services."""
    return [plan for service, slices in posted for plan in plans(service, slices, node)]


def program(here: Namespace, node: Node, config: ProxyConfig, posted: Posted) -> None:
    """Replace kube-proxy's rules in the namespace of *node*; the flows it knows stay."""
    load(here, node, config, plans_of(node, posted))


def load(here: Namespace, node: Node, config: ProxyConfig, planned: Sequence[Plan], of_family: str = IPV4) -> None:
    """The same for plans: in the place of kube-proxy's own rules, before those of others in each chain.

    A namespace holds the rules of one family here: that of the packet that is to walk.
    ValueError if there is no such mode.
    """
    if config.mode not in MODES:
        raise ValueError(f"kube-proxy has no mode {config.mode!r}; it has: {', '.join(MODES)}")
    remove(here, but=SHARED if config.mode == NFTABLES else "")
    if config.mode == NFTABLES:
        nft.load(here.rules, table.objects(table.written(planned, config, node, of_family)), TABLE)
        return
    theirs = {key: chain.rules for key, chain in here.rules.chains.items()}
    for chain in here.rules.chains.values():
        chain.rules = []
    iptables.load(here.rules, saved.listed(saved.written(planned, config, node, of_family)))
    for key, rules in theirs.items():
        here.rules.chains[key].rules += rules
    here.route_localnet = here.route_localnet or on_localhost(config, node)


def remove(here: Namespace, but: str = "") -> None:
    """Away with kube-proxy's table of nftables and its chains of iptables, except the chain *but*."""
    here.rules.flush(TABLE)
    chains = here.rules.chains
    for key in [key for key in chains if key[1].startswith(OWN) and key[1] != but]:
        del chains[key]
    for chain in chains.values():
        chain.rules = [rule for rule in chain.rules if not _leads_away(rule.text, but)]


def _leads_away(text: str, but: str) -> bool:
    target = text.rpartition("-j ")[2].split(" ")[0]
    return target.startswith(OWN) and target != but


def listen(net: Namespaces, owners: Mapping[str, str], posted: Posted) -> None:
    """Whoever is an endpoint listens on its port, if its address is in *owners*: ip → namespace."""
    for protocol, ip, port in _endpoints(posted):
        if ip in owners:
            net[owners[ip]].listening[protocol, "", port] = owners[ip]


def _endpoints(posted: Posted) -> Iterable[tuple[str, str, int]]:
    for service, slices in posted:
        for port in service_ports(service, IPV4):
            for endpoint in endpoints_of(port, slices):
                yield port.protocol, endpoint.ip, endpoint.port
