"""A topology without some of its programs: an API server with its etcd and nobody else, say."""

from dataclasses import replace

from kubemini.cluster.topology.spec import Topology


def without(topology: Topology, *programs: str) -> Topology:
    """*topology*, in which nobody has installed any of *programs* (``scheduler``, ``controller-manager``)."""
    prefixes = tuple(f"{program}-" for program in programs)
    return replace(
        topology,
        hosts=tuple(
            replace(host, components=tuple(name for name in host.components if not name.startswith(prefixes)))
            for host in topology.hosts
        ),
    )
