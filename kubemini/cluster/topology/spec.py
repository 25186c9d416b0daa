"""What a topology is: which hosts there are, in which zones, and which programs run where. Data only.

Invariant: whatever is asked for, a topology that exists can be built; the rest is one sentence (TopologyError).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from kubemini.ranges import is_whole, shown

CONTROL_PLANE, ETCD, WORKER, BALANCER, CLIENT = "control-plane", "etcd", "worker", "lb", "client"
ADDRESS = "api-vip"  # what two balancers share, APISERVER_VIP in kubeadm's sample
MOST_MEMBERS, MOST_WORKERS, MOST_ZONES, MOST_BALANCERS, MOST_OUTSIDE = 9, 20, 40, 2, 3
_ZONE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")  # it becomes a node's label topology.kubernetes.io/zone


class TopologyError(ValueError):
    """A topology that cannot be built; the message says what would be right."""


@dataclass(frozen=True, slots=True)
class HostSpec:
    """One machine: its name, zone, role, and the programs it runs, in starting order."""

    name: str
    zone: str
    role: str
    components: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Topology:
    """Everything `Cluster` needs to wire itself. *spares* are etcd members to be: installed, not started."""

    kind: str
    hosts: tuple[HostSpec, ...]
    spares: tuple[str, ...] = ()

    def of(self, prefix: str) -> list[str]:
        """The components whose name starts with *prefix*, in order."""
        return [c for h in self.hosts for c in h.components if c.startswith(prefix)]

    @property
    def members(self) -> list[str]:
        """The etcd members that the cluster begins with."""
        return [c for c in self.of("etcd-") if c != "etcd-client" and c not in self.spares]

    @property
    def api_servers(self) -> list[str]:
        """The API servers; none in an etcd topology."""
        return self.of("apiserver-")

    @property
    def front_door(self) -> list[str]:
        """Where kubelets and users send their requests."""
        return [ADDRESS] if self.of("keepalived-") else self.of("haproxy-") or self.api_servers

    @property
    def quorum(self) -> int:
        """How many members a write needs."""
        return len(self.members) // 2 + 1

    def host_of(self, name: str) -> str | None:
        """The host that *name* runs on; *name* may be the host itself."""
        return next((h.name for h in self.hosts if h.name == name or name in h.components), None)

    def header(self) -> dict[str, Any]:
        """The topology as it stands in a trace's header."""
        return {
            "kind": self.kind,
            "hosts": [
                {"name": h.name, "zone": h.zone, "role": h.role, "components": list(h.components)} for h in self.hosts
            ],
            "etcd": self.members,
            "quorum": self.quorum,
            **({"spares": list(self.spares)} if self.spares else {}),
        }


# -- the parts that builders share -----------------------------------------------------------------
def count(value: int, what: str, low: int, high: int) -> int:
    """*value*, if it is a whole number from *low* to *high*."""
    if not is_whole(value) or not low <= value <= high:
        raise TopologyError(f"{what}: expected a number from {low} to {high}, got {shown(value)}")
    return value


def switch(value: bool, what: str) -> bool:
    """*value*, if it is True or False."""
    if not isinstance(value, bool):
        raise TopologyError(f"{what}: expected true or false, got {shown(value)}")
    return value


def zone_list(value: Iterable[str], what: str = "zones") -> list[str]:
    """The names of zones in *value*: a list, or a text of one letter a zone."""
    zones: list[Any] = list(value) if isinstance(value, str | list | tuple) else [value]
    for zone in zones[:MOST_ZONES]:
        if not isinstance(zone, str) or not _ZONE.fullmatch(zone):
            wanted = "small letters, digits and '-'"
            raise TopologyError(
                f"{what}: expected names of zones such as ['a', 'b', 'c'] ({wanted}), got {shown(zone)}"
            )
    if not 0 < len(zones) <= MOST_ZONES:
        raise TopologyError(f"{what}: name at least one and at most {MOST_ZONES}, such as ['a', 'b', 'c']")
    return zones


def spread(zones: Sequence[str], n: int) -> list[str]:
    """A zone for each of *n* hosts: as listed if the list is long enough, else in turn."""
    return [zones[i % len(zones)] for i in range(n)]


def control_plane(i: int) -> tuple[str, ...]:
    """The programs of a control-plane host but etcd."""
    return (f"apiserver-{i}", f"scheduler-{i}", f"controller-manager-{i}")


def worker_hosts(
    n: int,
    zones: Sequence[str],
    policies: bool = False,
    callers: bool = False,
    ingress: bool = False,
    clients: bool = False,
) -> list[HostSpec]:
    """*n* machines for pods; *policies*: with an agent that enforces them; *callers*: with pods that call others;
    *ingress*: where pods of an ingress controller may run; *clients*: with pods that are servers, and
    pods that keep connections to them."""
    agent = ("kube-network-policies",) if switch(policies, "policies") else ()
    calling = ("callers",) if switch(callers, "callers") else ()
    routing = ("ingress",) if switch(ingress, "ingress") else ()
    asking = ("servers", "clients") if switch(clients, "clients") else ()
    programs = ("pods", "kubelet", "kube-proxy", *agent, "visitor", *calling, *routing, *asking)
    return [
        HostSpec(f"worker-{i}", zone, WORKER, tuple(f"{program}@worker-{i}" for program in programs))
        for i, zone in enumerate(spread(zones, count(n, "workers", 0, MOST_WORKERS)), start=1)
    ]


def edge(load_balancers: int, outside: int = 0) -> list[HostSpec]:
    """What stands before the cluster; two balancers share an address (keepalived). *outside*: machines of visitors."""
    size = count(load_balancers, "load_balancers", 0, MOST_BALANCERS)
    programs = ("haproxy", "keepalived") if size > 1 else ("haproxy",)
    hosts = [
        HostSpec(f"lb-{i}", "edge", BALANCER, tuple(f"{program}-{i}" for program in programs))
        for i in range(1, size + 1)
    ]
    visitors = [
        HostSpec(f"outside-{i}", "edge", CLIENT, (f"visitor@outside-{i}",))
        for i in range(1, count(outside, "outside", 0, MOST_OUTSIDE) + 1)
    ]
    return [*hosts, HostSpec("client-1", "edge", CLIENT, ("kubectl",)), *visitors]


def internet(ingress: bool) -> list[HostSpec]:
    """Somebody on the Internet, if there is a way in."""
    return [HostSpec("internet-1", "edge", CLIENT, ("visitor@internet",))] if ingress else []


def router(speaker: bool, cloud: bool) -> list[HostSpec]:
    """The machine beside the router before the cluster, where load balancers' addresses are given out.

    By a *speaker*, for which one node answers, or by a *cloud*, whose balancer asks all nodes how they are.
    """
    if switch(cloud, "cloud") and switch(speaker, "speaker"):
        raise TopologyError("topology.cloud: a speaker gives addresses already; ask for one of speaker and cloud")
    programs = ("speaker-1",) * speaker + ("cloud-1",) * cloud
    return [HostSpec("router-1", "edge", CLIENT, programs)] if programs else []


def balancers(load_balancer: bool, load_balancers: int) -> int:
    """How many balancers are wanted by the two ways of saying so."""
    return load_balancers if switch(load_balancer, "load_balancer") else 0
