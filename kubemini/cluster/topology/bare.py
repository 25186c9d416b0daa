"""A topology without some of its programs: an API server with its etcd and nobody else, say."""

from dataclasses import replace

from kubemini.cluster.topology.spec import Topology


def without(topology: Topology, *programs: str) -> Topology:
    """*topology*, in which nobody has installed any of *programs* (``scheduler``, ``controller-manager``, …)."""
    return replace(
        topology,
        hosts=tuple(
            replace(host, components=tuple(name for name in host.components if _program(name) not in programs))
            for host in topology.hosts
        ),
    )


def _program(name: str) -> str:
    """What runs as the component *name*: ``scheduler-1`` → ``scheduler``."""
    return name.split("@")[0].rstrip("0123456789").rstrip("-")
