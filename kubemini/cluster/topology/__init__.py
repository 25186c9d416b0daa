"""Topologies: one builder a file. Follows kubernetes.io "Options for Highly Available Topology".

single    one host holds everything, workers apart
stacked   each control-plane host runs an API server with its own etcd member (kubeadm's default)
external  etcd members on hosts of their own; every API server knows all of them
etcd      etcd members alone, for the chapters on Raft
"""

from collections.abc import Callable
from inspect import signature
from typing import Any

from kubemini.cluster.topology.etcd import etcd
from kubemini.cluster.topology.external import external
from kubemini.cluster.topology.names import with_dns
from kubemini.cluster.topology.single import single
from kubemini.cluster.topology.spec import (
    BALANCER,
    CLIENT,
    CONTROL_PLANE,
    ETCD,
    WORKER,
    HostSpec,
    Topology,
    TopologyError,
)
from kubemini.cluster.topology.stacked import stacked
from kubemini.ranges import shown

KINDS: dict[str, Callable[..., Topology]] = {"single": single, "stacked": stacked, "external": external, "etcd": etcd}

__all__ = [
    "BALANCER",
    "CLIENT",
    "CONTROL_PLANE",
    "ETCD",
    "KINDS",
    "WORKER",
    "HostSpec",
    "Topology",
    "TopologyError",
    "build",
    "etcd",
    "external",
    "single",
    "stacked",
]


def build(kind: str, **options: Any) -> Topology:
    """The topology called *kind*; ``dns="coredns"`` makes room for it. Raises TopologyError: what would be right."""
    if not isinstance(kind, str) or kind not in KINDS:
        raise TopologyError(f"topology.kind: {shown(kind)} is not one of {', '.join(KINDS)}")
    allowed = [*signature(KINDS[kind]).parameters, *(["dns"] if kind != "etcd" else [])]
    for name in options:
        if name not in allowed:
            raise TopologyError(
                f"topology.{name}: {'an' if kind[0] == 'e' else 'a'} {kind} topology takes {', '.join(allowed)}"
            )
    dns = options.pop("dns", "")
    return with_dns(KINDS[kind](**options), dns) if dns else KINDS[kind](**options)
