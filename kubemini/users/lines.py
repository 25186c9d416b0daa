"""A connection from one pod to another, as a program in the pod dials it: the Service's address, one endpoint, a flow.

Invariant: who is picked is decided once, by the rules of the host on which the connection begins; the policies see both
pods' addresses.
"""

from dataclasses import dataclass

from kubemini.host import Host
from kubemini.network import dataplane
from kubemini.network.decide.services.verdict import Asked
from kubemini.network.policing import Flow

NO_ENDPOINT = "no endpoint: the kernel rejects the connection"


@dataclass(slots=True)
class Line:
    """A connection to a pod, and what it is to the policies."""

    pod: str
    node: str
    flow: Flow


def dialled(host: Host, service: str, ip: str, draw: int) -> Line | None:
    """A connection from *ip* on *host* to an endpoint of *service*, not yet judged; None: there is no endpoint."""
    entry = dataplane.entry(host, service)
    if entry is None:
        return None
    packet = Asked(entry.port.protocol, ip, entry.port.cluster_ip, entry.port.port)
    chosen = dataplane.send(host, packet, draw).endpoint
    if chosen is None:
        return None
    return Line(chosen.row()["pod"], chosen.node, Flow(ip, chosen.ip, chosen.port, entry.port.protocol))
