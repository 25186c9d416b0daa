"""People at a terminal, and clients of a Service: they meet the cluster on the wire alone."""

from kubemini.users.caller import Caller, Errand
from kubemini.users.client import Clients
from kubemini.users.etcdctl import NOTHING, EtcdUser
from kubemini.users.kubectl import User
from kubemini.users.outsider import Outsider
from kubemini.users.server import Servers
from kubemini.users.visitor import PodNetwork, Visitor

__all__ = [
    "NOTHING",
    "Caller",
    "Clients",
    "Errand",
    "EtcdUser",
    "Outsider",
    "PodNetwork",
    "Servers",
    "User",
    "Visitor",
]
