"""NodePorts: a port of one of the host's addresses can be given to one pod only. Pure.

Models k/k pkg/scheduler/framework/plugins/nodeports Fits
"""

from kubemini.api.objects import Obj
from kubemini.scheduler.decide.cache import NodeInfo, is_sidecar
from kubemini.scheduler.decide.plugin import NODE_ADDED, POD_DELETED, Cycle, Event, Plugin

Port = tuple[str, str, int]  # address of the host, "" for all; protocol; number


def refuse(cycle: Cycle, info: NodeInfo) -> list[str]:
    """Why not this node: a port that the pod wants is taken there."""
    wanted = host_ports(cycle.pod)
    taken = [port for pod in info.pods.values() for port in host_ports(pod)] if wanted else []
    clash = any(clashes(one, other) for one in wanted for other in taken)
    return ["node(s) didn't have free ports for the requested pod ports"] if clash else []


def host_ports(pod: Obj) -> list[Port]:
    """The ports of the host that a pod's containers, sidecars too, want."""
    spec = pod["spec"]
    containers = [*(spec.get("containers") or ()), *filter(is_sidecar, spec.get("initContainers") or ())]
    ports = (port for container in containers for port in container.get("ports") or ())
    return [(_address(port), port.get("protocol", "TCP"), port["hostPort"]) for port in ports if port.get("hostPort")]


def _address(port: Obj) -> str:
    found = port.get("hostIP") or ""
    return "" if found == "0.0.0.0" else found


def clashes(one: Port, other: Port) -> bool:
    """Whether two pods cannot both have theirs: the same number, and an address of the host in common."""
    return one[1:] == other[1:] and (one[0] == other[0] or "" in (one[0], other[0]))


def hint(pod: Obj, event: Event) -> bool:
    """Of pods that are gone only the holder of such a port matters; of nodes, any new one."""
    if event.what == NODE_ADDED or event.old is None:
        return True
    return any(clashes(one, other) for one in host_ports(pod) for other in host_ports(event.old))


PLUGIN = Plugin("NodePorts", 50, filter=refuse, helped_by=(NODE_ADDED, POD_DELETED), hint=hint)
