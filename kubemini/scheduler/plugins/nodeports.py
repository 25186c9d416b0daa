"""NodePorts: a port of one of the host's addresses can be given to one pod only. Pure.

Models k/k pkg/scheduler/framework/plugins/nodeports Fits
"""

from kubemini.api.objects import Obj
from kubemini.scheduler.decide.events import NODE_ADDED, POD_DELETED
from kubemini.scheduler.decide.nodeinfo import NodeInfo, Port, host_ports
from kubemini.scheduler.decide.plugin import SKIP, Cycle, Event, Plugin


def prepare(cycle: Cycle) -> str | None:
    """Whether the pod wants ports of the host."""
    wanted = host_ports(cycle.pod)
    cycle.state["NodePorts"] = wanted
    return None if wanted else SKIP


def refuse(cycle: Cycle, info: NodeInfo) -> str | None:
    """Why not this node: a port that the pod wants is taken there."""
    clash = any(clashes(one, other) for one in cycle.state["NodePorts"] for other in info.ports)
    return "node(s) didn't have free ports for the requested pod ports" if clash else None


def clashes(one: Port, other: Port) -> bool:
    """Whether two pods cannot both have theirs: the same number, and an address of the host in common."""
    return one[1:] == other[1:] and (one[0] == other[0] or "" in (one[0], other[0]))


def hint(pod: Obj, event: Event) -> bool:
    """Of pods that are gone only the holder of such a port matters; of nodes, any new one."""
    if event.what == NODE_ADDED or event.old is None:
        return True
    return any(clashes(one, other) for one in host_ports(pod) for other in host_ports(event.old))


def cure(cycle: Cycle, info: NodeInfo) -> str:
    """The pods that have the ports must go."""
    wanted = cycle.state["NodePorts"]
    holders = [
        pod["metadata"]["name"]
        for pod in info.pods.values()
        if any(clashes(one, other) for one in wanted for other in host_ports(pod))
    ]
    return f"these pods must give the port back: {', '.join(holders)}"


PLUGIN = Plugin(
    "NodePorts",
    50,
    refuse,
    prefilter=prepare,
    helped_by=(NODE_ADDED, POD_DELETED),
    hint=hint,
    local=True,
    cure=cure,
)
