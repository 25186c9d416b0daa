"""The wire: links with latency, loss and cuts, and calls over them."""

from kubemini.wire.network import Network
from kubemini.wire.rpc import Call, Reply, Unreachable

__all__ = ["Call", "Network", "Reply", "Unreachable"]
