"""portmap's nftables back end: one table, and the container's name in the comment of each of its rules.

Models containernetworking/plugins plugins/meta/portmap portMapperNFTables.forwardPorts
"""

from typing import Any

from kubemini.network.decide.cni.calls import Call
from kubemini.network.decide.cni.host.errors import PluginError
from kubemini.network.decide.cni.host.nftables import Ruleset
from kubemini.network.decide.cni.interfaces import POSTROUTING

Bound = list[tuple[dict[str, Any], str]]  # a mapping, and the address of the host that it is for

CALLED = {  # chains that the kernel calls
    "prerouting": "type nat hook prerouting priority dstnat; policy accept;",
    "output": "type nat hook output priority -100; policy accept;",
}
CHAINS = ("hostports", "hostip_hostports", "masquerading")  # where a container's rules may be


def _table(version: int) -> str:
    return "ip cni_hostport" if version == 4 else "ip6 cni_hostport"


def forward(ruleset: Ruleset, call: Call, address: Any, mappings: Bound) -> None:
    """Add the rules of one container, and the frame they live in."""
    table = ruleset.table(_table(address.version), "CNI portmap plugin")
    for name in ("hostports", "hostip_hostports", "hostports_all"):
        table.chain(name)
    jumps = ("jump hostip_hostports", "jump hostports")
    table.chain("hostports_all").rules = [(jump, "") for jump in jumps]
    for name, hook in CALLED.items():
        table.chain(name, hook).rules = [("fib daddr type local jump hostports_all", "")]
    ip = "ip" if address.version == 4 else "ip6"
    target = str(address.ip) if address.version == 4 else f"[{address.ip}]"
    for mapping, bound in mappings:
        to = f"{ip} daddr {bound} " if bound else ""
        port = f"{mapping['protocol']} dport {mapping['hostPort']}"
        rule = f"{to}{port} dnat to {target}:{mapping['containerPort']}"
        table.chain("hostports").rules.append((rule, call.container))
    if call.config.get("snat", True):
        rules = table.chain("masquerading", POSTROUTING).rules
        rules += [(f"{source}{ip} daddr {address.ip} masquerade", call.container) for source in _sources(call, address)]


def _sources(call: Call, address: Any) -> list[str]:
    """What is masqueraded: the pod's own connections to itself, and those of 127.0.0.1; or all."""
    if call.config.get("masqAll"):
        return ["ip saddr 0.0.0.0/0 " if address.version == 4 else "ip6 saddr ::/0 "]
    itself = f"{'ip' if address.version == 4 else 'ip6'} saddr {address.ip} "
    return [itself, "ip saddr 127.0.0.1 "] if address.version == 4 else [itself]


def remove(ruleset: Ruleset, call: Call) -> None:
    """Delete the rules of the container in both families."""
    for version in (4, 6):
        for chain in CHAINS:
            ruleset.remove(_table(version), chain, {call.container})


def verify(ruleset: Ruleset, call: Call, address: Any, mappings: Bound) -> None:
    """Whether as many rules of the container are there as must be. PluginError: some are missing."""
    masquerading = len(_sources(call, address)) if call.config.get("snat", True) else 0
    for chain, wanted in (("hostports", len(mappings)), ("masquerading", masquerading)):
        found = [rule for rule in ruleset.rules(_table(address.version), chain) if rule[1] == call.container]
        if len(found) < wanted:
            raise PluginError(f'missing hostport rules in "{chain}" chain')
