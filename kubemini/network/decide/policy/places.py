"""Who is at an address: what a policy can know of the two ends of a connection. Pure.

Invariant: a policy sees pods by their own addresses only. A pod on the host's network has none: it looks like its
node, no policy selects it, and no selector of pods or namespaces finds it.
Models kubernetes-sigs/kube-network-policies pkg/api NewPodInfo
"""

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from kubemini.api.objects import Obj, get

NAME_LABEL = "kubernetes.io/metadata.name"  # the API server gives it to every namespace
FINISHED = ("Succeeded", "Failed")
REACHABLE = ("InternalIP", "ExternalIP")
NamedPort = tuple[str, int, str]


@dataclass(frozen=True, slots=True)
class PolicyPod:
    """A pod with an address of its own, as policies see it.

    *ports* are (name, number, protocol) of its containers: a named port of a rule is looked up here.
    """

    namespace: str
    name: str
    labels: Mapping[str, str]
    namespace_labels: Mapping[str, str]
    addresses: tuple[str, ...]
    ports: frozenset[NamedPort] = frozenset()


@dataclass(frozen=True, slots=True)
class PolicyNode:
    """A node, whose addresses an egress rule of a ClusterNetworkPolicy can name by the node's labels."""

    labels: Mapping[str, str]
    addresses: tuple[str, ...]


def pods_of(pods: Iterable[Obj], namespaces: Iterable[Obj]) -> list[PolicyPod]:
    """Those of *pods* that policies can see: with an address, not on the host's network, not over."""
    labels = {get(n, "metadata", "name"): get(n, "metadata", "labels", default={}) for n in namespaces}
    return [_pod(pod, labels.get(_namespace(pod), {})) for pod in pods if _visible(pod)]


def nodes_of(nodes: Iterable[Obj]) -> list[PolicyNode]:
    """The *nodes*, with those of their addresses that others reach them by."""
    return [
        PolicyNode(
            get(node, "metadata", "labels", default=None) or {},
            tuple(
                said["address"]
                for said in get(node, "status", "addresses", default=None) or ()
                if said["type"] in REACHABLE
            ),
        )
        for node in nodes
    ]


@lru_cache(maxsize=65536)
def number(address: str) -> tuple[int, int]:
    """The family (4 or 6) and the number that *address* spells. ValueError if it spells none."""
    found = ipaddress.ip_address(address)
    return found.version, int(found)


def _namespace(pod: Obj) -> str:
    return get(pod, "metadata", "namespace", default="default")


def _visible(pod: Obj) -> bool:
    if get(pod, "spec", "hostNetwork", default=False) or get(pod, "status", "phase", default="") in FINISHED:
        return False
    return bool(_addresses(pod))


def _addresses(pod: Obj) -> tuple[str, ...]:
    several = tuple(said["ip"] for said in get(pod, "status", "podIPs", default=None) or ())
    one = get(pod, "status", "podIP", default="")
    return several or ((one,) if one else ())


def _pod(pod: Obj, namespace_labels: Mapping[str, str]) -> PolicyPod:
    ports = frozenset(
        (port["name"], port["containerPort"], port.get("protocol", "TCP"))
        for container in get(pod, "spec", "containers", default=None) or ()
        for port in container.get("ports") or ()
        if port.get("name")
    )
    name, labels = pod["metadata"]["name"], get(pod, "metadata", "labels", default=None) or {}
    return PolicyPod(_namespace(pod), name, labels, namespace_labels or {}, _addresses(pod), ports)
