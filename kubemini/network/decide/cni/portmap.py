"""portmap: a port of the host that leads to a port of the pod (hostPort); chained after the plugin that made the pod.

Invariant: clients from outside keep their source; only what comes from the pod's own subnet or from 127.0.0.1 is
masqueraded, because the answer would not come back otherwise. Each container has a chain of its own, so that DEL takes
away its rules and nobody else's.
Models containernetworking/plugins plugins/meta/portmap portMapperIPTables.forwardPorts
Simplified: no conditions on mappings.
"""

from typing import Any

from kubemini.network.decide.cni import interfaces, portmapnft
from kubemini.network.decide.cni.calls import Call, Plugin, Result, chained, previous
from kubemini.network.decide.cni.host.addresses import ip_address, ip_interface, ip_network
from kubemini.network.decide.cni.host.errors import PluginError
from kubemini.network.decide.cni.host.iptables import Rule, Tables, comment, network
from kubemini.network.decide.cni.host.namespaces import Host

DNAT, SETMARK, MASQ = "CNI-HOSTPORT-DNAT", "CNI-HOSTPORT-SETMARK", "CNI-HOSTPORT-MASQ"
LOCAL = Rule(DNAT, matches=("addrtype --dst-type LOCAL",))
PORTS_A_RULE = 15  # what the multiport match takes


def _mappings(call: Call) -> list[dict[str, Any]]:
    """The mappings that the runtime asks for. PluginError: a setting or a port makes no sense."""
    if call.config.get("markMasqBit") is not None and call.config.get("externalSetMarkChain") is not None:
        raise PluginError("Cannot specify externalSetMarkChain and markMasqBit")
    if not 0 <= call.config.get("markMasqBit", 13) <= 31:
        raise PluginError("MasqMarkBit must be between 0 and 31")
    if _backend(call) == "nftables" and call.config.get("externalSetMarkChain") is not None:
        raise PluginError(
            "nftables backend was requested but configuration contains iptables-specific options [externalSetMarkChain]"
        )
    if _backend(call) not in ("iptables", "nftables"):
        raise PluginError(f'unrecognized backend "{_backend(call)}"')
    mappings = list((call.config.get("runtimeConfig") or {}).get("portMappings") or ())
    for mapping in mappings:
        for key, said in (("containerPort", "container"), ("hostPort", "host")):
            if mapping.get(key, 0) <= 0:
                raise PluginError(f"Invalid {said} port number: {mapping.get(key, 0)}")
    return mappings


def _backend(call: Call) -> str:
    return str(call.config.get("backend") or "iptables")


def _addresses(call: Call, result: Result) -> list[Any]:
    """The first address of the pod in each family."""
    found: dict[int, Any] = {}
    parts = result.get("interfaces", ())
    for ip in result.get("ips", ()):
        part = parts[ip["interface"]] if ip.get("interface", -1) in range(len(parts)) else None
        if part is None or (part["name"] == call.ifname and part.get("sandbox")):
            address = ip_interface(ip["address"])
            found.setdefault(address.version, address)
    return [found[version] for version in sorted(found)]


def for_family(mappings: list[dict[str, Any]], version: int) -> list[tuple[dict[str, Any], str]]:
    """The mappings of a family, each with the address of the host that it is bound to, "" for any."""
    chosen = []
    for mapping in mappings:
        bound = mapping.get("hostIP")
        if not bound or ip_address(bound).version == version:
            anywhere = not bound or ip_address(bound).is_unspecified
            chosen.append((mapping, "" if anywhere else str(bound)))
    return chosen


def add(host: Host, call: Call) -> Result:
    """Forward the ports. PluginError: it is not chained."""
    try:
        mappings, result = _mappings(call), previous(call)
    except PluginError as error:
        raise PluginError(f"failed to parse config: {error.message}") from None
    if result is None:
        raise PluginError("must be called as chained plugin")
    for address in _addresses(call, result) if mappings else ():
        if _backend(call) == "nftables":
            portmapnft.forward(host.ruleset, call, address, for_family(mappings, address.version))
        else:
            _forward(host.tables[address.version], call, address, mappings)
        if address.version == 4 and call.config.get("snat", True):
            _allow_localhost(host, address)
    return result


def _allow_localhost(host: Host, address: Any) -> None:
    """127.0.0.1 may leave the host towards the pod."""
    way = max(
        (r for r in host.own.routes if address.ip in ip_network(r.to)),
        key=lambda r: ip_network(r.to).prefixlen,
        default=None,
    )
    if way:
        host.own.sysctls[f"net/ipv4/conf/{way.dev}/route_localnet"] = "1"


def _forward(tables: Tables, call: Call, address: Any, mappings: list[dict[str, Any]]) -> None:
    if call.config.get("snat", True) and call.config.get("externalSetMarkChain") is None:
        _marking(tables, 1 << call.config.get("markMasqBit", 13))
    tables.ensure("nat", DNAT)
    for chain in ("PREROUTING", "OUTPUT"):
        tables.add("nat", chain, LOCAL)
    own = interfaces.chain_of(call, "DN-")
    tables.ensure("nat", own)
    for rule in _rules(call, address, mappings):
        tables.add("nat", own, rule)
    for rule in _entries(call, own, mappings):
        tables.add("nat", DNAT, rule)


def _marking(tables: Tables, mark: int) -> None:
    """The chain that marks, and the one that masquerades what is marked."""
    text = f"{mark:#x}/{mark:#x}"
    tables.ensure("nat", SETMARK)
    set_mark = Rule(f"MARK --set-xmark {text}", matches=(comment("CNI portfwd masquerade mark"),))
    tables.add("nat", SETMARK, set_mark)
    tables.ensure("nat", MASQ)
    tables.add("nat", MASQ, Rule("MASQUERADE", matches=(f"mark --mark {text}",)))
    jump = Rule(MASQ, matches=(comment("CNI portfwd requiring masquerade"),))
    tables.add("nat", "POSTROUTING", jump, first=True)


def _rules(call: Call, address: Any, mappings: list[dict[str, Any]]) -> list[Rule]:
    """Three a mapping: mark what comes from the pod's subnet, mark what comes from localhost, translate."""
    rules = []
    version, everyone = address.version, call.config.get("masqAll")
    subnet = ("0.0.0.0/0" if version == 4 else "::/0") if everyone else str(address.network)
    mark = call.config.get("externalSetMarkChain") or SETMARK
    sources = ["" if everyone else subnet, *(["127.0.0.1/32"] if version == 4 and not everyone else [])]
    for mapping, bound in for_family(mappings, version):
        protocol = mapping["protocol"]
        matches = (f"{protocol} --dport {mapping['hostPort']}",)
        to = network(bound) if bound else ""
        if call.config.get("snat", True):
            rules += [Rule(mark, source, to, protocol, matches=matches) for source in sources]
        target = f"{address.ip}" if version == 4 else f"[{address.ip}]"
        jump = f"DNAT --to-destination {target}:{mapping['containerPort']}"
        rules.append(Rule(jump, "", to, protocol, matches=matches))
    return rules


def _entries(call: Call, own: str, mappings: list[dict[str, Any]]) -> list[Rule]:
    """The rules that lead into the chain: one a protocol, for at most 15 ports each."""
    said = f'dnat name: "{call.network}" id: "{call.container}"'
    said = comment(said if len(said) <= 255 else said[:253] + "...")
    rules = []
    for protocol in sorted({mapping["protocol"] for mapping in mappings}):
        ports = [str(m["hostPort"]) for m in mappings if m["protocol"] == protocol]
        for start in range(0, len(ports), PORTS_A_RULE):
            listed = ",".join(ports[start : start + PORTS_A_RULE])
            rules.append(Rule(own, protocol=protocol, matches=(said, f"multiport --dports {listed}")))
    return rules


def delete(host: Host, call: Call) -> None:
    """Take the container's chain away with everything that leads to it; nothing is no error."""
    if not _mappings(call):
        return
    if _backend(call) == "nftables":
        portmapnft.remove(host.ruleset, call)
        return
    own = interfaces.chain_of(call, "DN-")
    for tables in host.tables.values():
        for rule in [r for r in tables.chains.get("nat", {}).get(DNAT, ()) if r.jump == own]:
            tables.remove("nat", DNAT, rule)
        if own in tables.chains.get("nat", {}):
            tables.drop("nat", own)


def check(host: Host, call: Call) -> None:
    """Whether every rule is there. PluginError: one is not."""
    mappings, result = _mappings(call), chained(call, "Required prevResult missing")
    for address in _addresses(call, result) if mappings else ():
        if _backend(call) == "nftables":
            portmapnft.verify(host.ruleset, call, address, for_family(mappings, address.version))
        else:
            _verify(host.tables[address.version], call, address, mappings)


def _verify(tables: Tables, call: Call, address: Any, mappings: list[dict[str, Any]]) -> None:
    own, where = interfaces.chain_of(call, "DN-"), f"could not check ipv{address.version} dnat: "
    if own not in tables.chains.get("nat", {}):
        raise PluginError(f"{where}chain {own} not found in iptables table nat")
    rules, entries = _rules(call, address, mappings), _entries(call, own, mappings)
    for chain, wanted in ((own, rules), (DNAT, entries)):
        if not all(tables.has("nat", chain, rule) for rule in wanted):
            listed = " ".join(f"[{rule.saved()}]" for rule in wanted)
            raise PluginError(f"{where}rule [{listed}] in chain {chain} not found in table nat")


PLUGIN = Plugin(add, delete, check)
