"""Topologies and wiring: which programs there are, and who knows whom. Nothing is decided here."""

from kubemini.cluster.cluster import Cluster
from kubemini.cluster.topology import Topology, TopologyError, build
from kubemini.cluster.workload import WorkloadError, read_workload, refuse_without_api_server

__all__ = [
    "Cluster",
    "Topology",
    "TopologyError",
    "WorkloadError",
    "build",
    "read_workload",
    "refuse_without_api_server",
]
