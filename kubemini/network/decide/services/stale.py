"""Which flows that the kernel tracks kube-proxy cuts after a change: UDP only, for TCP notices by itself. Pure.

Invariant: a flow to an endpoint that still serves is left alone, whatever policy, topology or terminating would say of
a new one.
Models k/k pkg/proxy/conntrack CleanStaleEntries
Measured on 1.37.2: with no endpoint left flows to addresses of the Service are cut, those to its node port are not.
"""

from collections.abc import Iterable
from typing import Protocol, TypeVar

from kubemini.api.names import host_port
from kubemini.network.decide.services.ports import Endpoint, ServicePort

Ends = tuple[str, str, int, str, int]  # protocol, source, its port, destination, its port


class Flow(Protocol):
    """A flow as conntrack keeps it; kubemini.host.linux.conntrack.Entry is one."""

    @property
    def original(self) -> Ends:
        """As its first packet came."""

    @property
    def reply(self) -> Ends:
        """As answers to it come."""


F = TypeVar("F", bound=Flow)
Served = tuple[ServicePort, tuple[Endpoint, ...]]  # a Service port and all endpoints its slices name


def stale(flows: Iterable[F], served: Iterable[Served]) -> list[F]:
    """Those of *flows* that lead to an endpoint which no longer serves the Service port they were for."""
    at: dict[tuple[str, int], list[str]] = {}
    at_node_port: dict[int, list[str]] = {}
    for port, endpoints in served:
        if port.protocol != "UDP":
            continue
        serving = [e.address for e in endpoints if e.serving]
        for ip in (port.cluster_ip, *port.external_ips, *port.lb_ips):
            at[ip, port.port] = serving
        if port.node_port and serving:
            at_node_port[port.node_port] = serving
    return [flow for flow in flows if _is_stale(flow, at, at_node_port)]


def _is_stale(flow: Flow, at: dict[tuple[str, int], list[str]], at_node_port: dict[int, list[str]]) -> bool:
    protocol, _, _, destination, port = flow.original
    if protocol != "UDP":
        return False
    serving = at.get((destination, port), at_node_port.get(port))
    return serving is not None and host_port(flow.reply[1], flow.reply[2]) not in serving
