"""Topologies and wiring: which programs there are, and who knows whom. Nothing is decided here."""

from kubemini.cluster.cluster import Cluster
from kubemini.cluster.topology import Topology, TopologyError, build

__all__ = ["Cluster", "Topology", "TopologyError", "build"]
