"""firewall: let the pod's packets through the host's FORWARD chain, and shut bridges off from each other if asked to.

Invariant: answers to a pod's connections and whatever it sends pass; what others send to it is left to the rules after.
Rules of a bridge stay when its pods go: others may be on it.
Models containernetworking/plugins plugins/meta/firewall iptablesBackend
Models containernetworking/plugins plugins/meta/firewall setupIngressPolicy
Simplified: the iptables back end; no firewalld.
"""

from kubemini.network.decide.cni.calls import VERSIONS, Call, Plugin, Result, chained, previous
from kubemini.network.decide.cni.host.addresses import ip_interface
from kubemini.network.decide.cni.host.errors import PluginError
from kubemini.network.decide.cni.host.iptables import Rule, Tables, comment, network
from kubemini.network.decide.cni.host.namespaces import Host

FORWARD, STAGE_1, STAGE_2 = "CNI-FORWARD", "CNI-ISOLATION-STAGE-1", "CNI-ISOLATION-STAGE-2"
ENTRY = Rule(FORWARD, matches=(comment("CNI firewall plugin rules"),))
NO_RESULT = "missing prevResult from earlier plugin"
EITHER = (comment("CNI firewall plugin rules (ingressPolicy: same-bridge|isolated)"),)


def _admin(call: Call) -> tuple[str, Rule]:
    """The chain where an administrator may overrule, and the rule that leads there."""
    chain = str(call.config.get("iptablesAdminChainName") or "CNI-ADMIN")
    return chain, Rule(chain, matches=(comment("CNI firewall plugin admin overrides"),))


def _rules(result: Result, version: int) -> list[Rule]:
    """Two an address."""
    rules = []
    for address in (ip_interface(ip["address"]) for ip in result.get("ips", ())):
        if address.version == version:
            own = network(str(address.ip))
            answers = ("conntrack --ctstate RELATED,ESTABLISHED",)
            rules += [Rule("ACCEPT", destination=own, matches=answers), Rule("ACCEPT", source=own)]
    return rules


def add(host: Host, call: Call) -> Result:
    """Let the pod's packets through. PluginError: it is not chained, or the policy is unknown."""
    result = chained(call, NO_RESULT)
    chain, overrides = _admin(call)
    for version, tables in host.tables.items():
        rules = _rules(result, version)
        if rules:
            tables.ensure("filter", FORWARD)
            tables.ensure("filter", chain)
            tables.add("filter", "FORWARD", ENTRY, first=True)
            tables.add("filter", FORWARD, overrides, first=True)
        for rule in rules:
            tables.add("filter", FORWARD, rule)
    _ingress_policy(host, call, result)
    return result


def _policy(call: Call) -> str:
    policy = call.config.get("ingressPolicy") or "open"
    if policy not in ("open", "same-bridge", "isolated"):
        raise PluginError(f'unknown ingress policy: "{policy}"')
    return str(policy)


def _ingress_policy(host: Host, call: Call, result: Result) -> None:
    policy = _policy(call)
    if policy == "open":
        return
    if not result.get("interfaces"):
        raise PluginError(
            f'interface needs to be set for ingress policy "{policy}", '
            'make sure to chain "firewall" plugin with "bridge"'
        )
    bridge = result["interfaces"][0]["name"]
    for version in sorted({ip_interface(ip["address"]).version for ip in result.get("ips", ())}):
        _isolate(host.tables[version], bridge, policy)


def _isolate(tables: Tables, bridge: str, policy: str) -> None:
    """What leaves one such bridge may not enter another; with ``isolated`` not even its own."""
    tables.ensure("filter", STAGE_1)
    tables.ensure("filter", STAGE_2)
    tables.add("filter", "FORWARD", Rule(STAGE_1, matches=EITHER), first=True)
    said = (comment(f"CNI firewall plugin rules (ingressPolicy: {policy})"),)
    leaving = Rule(STAGE_2, inside=bridge, outside=f"! {bridge}", matches=said)
    tables.add("filter", STAGE_1, leaving, first=True)
    if policy == "isolated":
        tables.add("filter", STAGE_1, Rule("DROP", inside=bridge, outside=bridge, matches=said), first=True)
    tables.add("filter", STAGE_1, Rule("RETURN", matches=EITHER))
    tables.add("filter", STAGE_2, Rule("DROP", outside=bridge, matches=EITHER), first=True)
    tables.add("filter", STAGE_2, Rule("RETURN", matches=EITHER))


def delete(host: Host, call: Call) -> None:
    """Remove the rules of the pod's addresses, as far as the previous result names them."""
    for version, tables in host.tables.items():
        for rule in _rules(previous(call) or {}, version):
            tables.remove("filter", FORWARD, rule)
    _policy(call)


def check(host: Host, call: Call) -> None:
    """Whether the rules are there. PluginError: one is not."""
    result = chained(call, NO_RESULT)
    chain, overrides = _admin(call)
    for version, tables in host.tables.items():
        rules = _rules(result, version)
        if not rules:
            continue
        tables.ensure("filter", FORWARD)
        tables.ensure("filter", chain)
        for where, rule in (("FORWARD", ENTRY), (FORWARD, overrides)):
            if not tables.has("filter", where, rule):
                raise PluginError(f"expected {where} rule {_spec(rule)} not found")
        for rule in rules:
            if not tables.has("filter", FORWARD, rule):
                raise PluginError(f"expected rule {_spec(rule)} not found")


def _spec(rule: Rule) -> str:
    """A rule as the plugin holds it: its options in a list, quotes gone."""
    return f"[{rule.saved().replace(chr(34), '')}]"


PLUGIN = Plugin(add, delete, check, versions=VERSIONS[4:])
