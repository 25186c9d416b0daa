"""Who reaches whom on the host of the CNI recording, and the source address seen: nat rules of both kinds, walked."""

import re
from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_interface, ip_network

OUTSIDE = "192.168.0.99"


@dataclass(frozen=True)
class Flow:
    """The first packet of a connection."""

    source: str
    destination: str
    port: int
    protocol: str = "tcp"
    mark: int = 0


def parts(host, step):
    """{who: "from ADDRESS"} for the questions of a step."""
    found = {}
    for who in (key for key in step if key not in ("step", "about")):
        found[who] = f"from {_seen(host, who)}"
    return found


def _pods(host):
    """The addresses of the pods, by namespace."""
    held = {path: list(pod.links["eth0"].addresses) for path, pod in host.pods.items() if "eth0" in pod.links}
    return {path[-3:]: str(ip_interface(addresses[0]).ip) for path, addresses in held.items() if addresses}


def _seen(host, who):
    pods = _pods(host)
    own = str(ip_interface(host.own.links["eth0"].addresses[0]).ip)
    bridge = str(ip_interface(host.own.links["cni0"].addresses[0]).ip)
    first = pods.get("cp1", "")
    asked = {
        "pod1 -> pod2": (first, pods.get("cp2"), 80, False),
        "pod1 -> itself": (first, first, 80, False),
        "host -> pod1": (bridge, first, 80, True),
        "pod1 -> outside (masquerade)": (first, OUTSIDE, 80, False),
        "outside": (OUTSIDE, own, 8000, False),
        "host, own address": (own, own, 8000, True),
        "host, 127.0.0.1": ("127.0.0.1", "127.0.0.1", 8000, True),
        "the pod itself": (pods.get("cp3"), own, 8000, False),
    }
    source, destination, port, local = asked[who]
    flow = Flow(source, destination, port)
    if source == destination and not local:
        return source
    flow = _translated(host, flow, "OUTPUT" if local else "PREROUTING")
    same_bridge = source in pods.values() and flow.destination in pods.values() and flow.destination == destination
    if same_bridge or not _masqueraded(host, flow):
        return flow.source
    return bridge if ip_address(flow.destination) in ip_interface(host.own.links["cni0"].addresses[0]).network else own


def _translated(host, flow, hook):
    local = [str(ip_interface(a).ip) for link in host.own.links.values() for a in link.addresses]
    _, flow = _walk(host.tables[4].table("nat"), hook, flow, local)
    for text, _ in host.ruleset.rules("ip cni_hostport", "hostports") if flow.destination in local else ():
        match = re.fullmatch(r"(?:ip daddr (\S+) )?(\w+) dport (\d+) dnat to (\S+):(\d+)", text)
        if match[1] in (None, flow.destination) and (match[2], int(match[3])) == (flow.protocol, flow.port):
            return replace(flow, destination=match[4], port=int(match[5]))
    return flow


def _masqueraded(host, flow):
    verdict, _ = _walk(host.tables[4].table("nat"), "POSTROUTING", flow, ())
    pairs = [f"ip saddr {flow.source} ip daddr {flow.destination} masquerade"]
    return verdict == "MASQUERADE" or any(
        text in pairs for text, _ in host.ruleset.rules("ip cni_hostport", "masquerading")
    )


def _walk(chains, name, flow, local):
    """(verdict or None, the flow as it leaves the chain)."""
    for rule in chains[name]:
        if not _matches(rule, flow, local):
            continue
        jump, *rest = rule.jump.split(" ")
        if jump in chains:
            verdict, flow = _walk(chains, jump, flow, local)
            if verdict:
                return verdict, flow
        elif jump == "MARK":
            flow = replace(flow, mark=flow.mark | int(rest[-1].split("/")[0], 16))
        elif jump == "DNAT":
            address, _, port = rest[-1].rpartition(":")
            return jump, replace(flow, destination=address, port=int(port))
        else:
            return jump, flow
    return None, flow


def _matches(rule, flow, local):
    for network, address in ((rule.source, flow.source), (rule.destination, flow.destination)):
        within = not network or ip_address(address) in ip_network(network.removeprefix("! "))
        if within == network.startswith("! "):
            return False
    if rule.protocol not in ("", flow.protocol):
        return False
    for kind, *rest in (match.split(" ") for match in rule.matches):
        if kind == "addrtype" and flow.destination not in local:
            return False
        if kind == "mark" and not flow.mark & int(rest[-1].split("/")[0], 16):
            return False
        if "dport" in rest[0] and str(flow.port) not in rest[-1].split(","):
            return False
    return True
