"""A Service with endpoints on three nodes, and its rules on the first of them."""

from kubemini.api.objects import freeze
from kubemini.network.decide.rules import iptables, nftables
from kubemini.network.decide.rules.network import local, on_localhost, refused_on_localhost
from kubemini.network.decide.rules.plan import plans
from kubemini.network.decide.services.node import Node, ProxyConfig

HERE = Node("n1", ("192.168.0.11",), "zone-a", "10.244.1.0/24", "10.244.1.1")
THREE = ("10.244.1.9", "10.244.1.10", "10.244.2.2")


def service(name="web", ports=({"port": 80},), ingress=(), **spec):
    spec = {"clusterIP": "10.96.0.7", "ports": list(ports), **spec}
    status = {"loadBalancer": {"ingress": [{"ip": ip} for ip in ingress]}}
    return freeze({"metadata": {"name": name, "namespace": "default"}, "spec": spec, "status": status})


def endpoints(*addresses, port="", number=8080, **conditions):
    """A slice; the third number of an address says the node."""
    there = [{"addresses": [ip], "nodeName": f"n{ip.split('.')[2]}", "conditions": conditions} for ip in addresses]
    return freeze({"metadata": {"name": "s"}, "ports": [{"name": port, "port": number}], "endpoints": there})


def chains(service, *slices, node=HERE, comments=True, **config):
    """Its rules in iptables mode, chain by chain."""
    config, out = ProxyConfig(**config), {}
    for plan in plans(service, slices, node):
        its = local(config, node), on_localhost(config, node), comments
        for key, lines in iptables.rules(plan, node, *its).items():
            out.setdefault(key, []).extend(lines)
    return out


def table(service, *slices, node=HERE, **config):
    """Its rules in nftables mode."""
    config, out = ProxyConfig("nftables", **config), nftables.Written()
    for plan in plans(service, slices, node):
        out.add(nftables.rules(plan, node, local(config, node), refused_on_localhost(config)))
    return out


def chain(chains, prefix):
    """The rules of the only chain whose name begins so, without the chain's name."""
    (lines,) = [lines for key, lines in chains.items() if key.split()[1].startswith(prefix)]
    return [line.split(" ", 2)[2] for line in lines]
