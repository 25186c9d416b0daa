"""The wire: links with latency, loss and cuts, and calls over them."""

from kubemini.net.network import Network
from kubemini.net.rpc import Call, Reply, Unreachable

__all__ = ["Call", "Network", "Reply", "Unreachable"]
