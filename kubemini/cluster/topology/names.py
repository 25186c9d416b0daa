"""A topology with DNS: CoreDNS may run on every worker, a cache may stand on each, a name server stands outside."""

from dataclasses import replace

from kubemini.cluster.topology.spec import WORKER, HostSpec, Topology, TopologyError
from kubemini.ranges import shown

COREDNS, NODE_CACHE = "coredns", "node-cache"
CHOICES = (COREDNS, NODE_CACHE)


def with_dns(topology: Topology, dns: str) -> Topology:
    """*topology* whose workers can run pods of CoreDNS, behind a cache on each of them if *dns* is ``node-cache``."""
    if dns not in CHOICES:
        raise TopologyError(f"topology.dns: expected {' or '.join(CHOICES)}, got {shown(dns)}")
    return replace(topology, hosts=tuple(_with_programs(host, dns) for host in topology.hosts))


def _with_programs(host: HostSpec, dns: str) -> HostSpec:
    programs = CHOICES[: CHOICES.index(dns) + 1] if host.role == WORKER else ()
    added = [f"{program}@{host.name}" for program in programs] + ["upstream-dns"] * ("kubectl" in host.components)
    return replace(host, components=(*host.components, *added))
