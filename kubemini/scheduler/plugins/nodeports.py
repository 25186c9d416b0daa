"""NodePorts: a port of the host can be given to one pod only. Pure.

Models k/k pkg/scheduler/framework/plugins/nodeports Fits
"""

from kubemini.api.objects import Obj
from kubemini.scheduler.decide.cache import NodeInfo
from kubemini.scheduler.decide.plugin import NODE_ADDED, POD_DELETED, Plugin, Question


def refuse(question: Question, info: NodeInfo) -> list[str]:
    """Why not this node: a port that the pod wants is taken there."""
    taken = [port for pod in info.pods.values() for port in host_ports(pod)]
    clash = any(port in taken for port in host_ports(question.pod))
    return ["node(s) didn't have free ports for the requested pod ports"] if clash else []


def host_ports(pod: Obj) -> list[tuple[str, int]]:
    """Protocol and number of each host port that a pod wants."""
    ports = (port for container in pod["spec"].get("containers") or () for port in container.get("ports") or ())
    return [(port.get("protocol", "TCP"), port["hostPort"]) for port in ports if port.get("hostPort")]


PLUGIN = Plugin("NodePorts", 50, filter=refuse, helped_by=(NODE_ADDED, POD_DELETED))
