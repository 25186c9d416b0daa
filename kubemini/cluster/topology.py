"""Topologies: which hosts there are, in which zones, and which programs run where. Data only.

single    one host holds everything, workers apart
stacked   each control-plane host runs an API server with its own etcd member (kubeadm's default)
external  etcd members on hosts of their own; every API server knows all of them
etcd      etcd members alone, for the chapters on Raft
Follows kubernetes.io "Options for Highly Available Topology".
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any

CONTROL_PLANE, ETCD, WORKER, BALANCER, CLIENT = "control-plane", "etcd", "worker", "lb", "client"


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


def _count(value: int, what: str, low: int, high: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise TopologyError(f"{what}: expected a number from {low} to {high}, got {value!r}")
    return value


def _spread(zones: Iterable[str], n: int) -> list[str]:
    """A zone for each of *n* hosts: as listed if the list is long enough, else in turn."""
    zones = list(zones)
    if not zones:
        raise TopologyError("zones: name at least one, such as ['a', 'b', 'c']")
    return [zones[i % len(zones)] for i in range(n)]


def _control_plane(i: int) -> tuple[str, ...]:
    return (f"apiserver-{i}", f"scheduler-{i}", f"controller-manager-{i}")


def _workers(n: int, zones: Sequence[str]) -> list[HostSpec]:
    return [
        HostSpec(
            f"worker-{i}", zone, WORKER, tuple(f"{p}@worker-{i}" for p in ("pods", "kubelet", "kube-proxy", "visitor"))
        )
        for i, zone in enumerate(_spread(zones, n), start=1)
    ]


def _edge(load_balancer: bool) -> list[HostSpec]:
    balancer = [HostSpec("lb-1", "edge", BALANCER, ("haproxy-1",))] if load_balancer else []
    return [*balancer, HostSpec("client-1", "edge", CLIENT, ("kubectl",))]


def single(workers: int = 2, zones: Iterable[str] = ("a",)) -> Topology:
    """One control-plane host without a load balancer, and *workers* workers."""
    zones = list(zones)
    plane = HostSpec("cp-1", _spread(zones, 1)[0], CONTROL_PLANE, ("etcd-1", *_control_plane(1)))
    return Topology("single", (plane, *_workers(_count(workers, "workers", 0, 20), zones), *_edge(False)))


def stacked(
    members: int = 3, workers: int = 2, zones: Iterable[str] = ("a", "b", "c"), load_balancer: bool = True
) -> Topology:
    """*members* control-plane hosts, each an API server over its own etcd member."""
    zones = list(zones)
    planes = [
        HostSpec(f"cp-{i}", zone, CONTROL_PLANE, (f"etcd-{i}", *_control_plane(i)))
        for i, zone in enumerate(_spread(zones, _count(members, "members", 1, 9)), start=1)
    ]
    return Topology("stacked", (*planes, *_workers(_count(workers, "workers", 0, 20), zones), *_edge(load_balancer)))


def external(
    api_servers: int = 3,
    etcd_members: int = 5,
    workers: int = 2,
    zones: Iterable[str] = ("a", "b", "c"),
    etcd_zones: Iterable[str] | None = None,
    load_balancer: bool = True,
) -> Topology:
    """*etcd_members* on hosts of their own; *etcd_zones* places them one by one (default: *zones* in turn)."""
    zones = list(zones)
    places = _spread(list(etcd_zones) if etcd_zones is not None else zones, _count(etcd_members, "etcd_members", 1, 9))
    members = [HostSpec(f"etcd-host-{i}", zone, ETCD, (f"etcd-{i}",)) for i, zone in enumerate(places, start=1)]
    planes = [
        HostSpec(f"cp-{i}", zone, CONTROL_PLANE, _control_plane(i))
        for i, zone in enumerate(_spread(zones, _count(api_servers, "api_servers", 1, 9)), start=1)
    ]
    workers_ = _workers(_count(workers, "workers", 0, 20), zones)
    return Topology("external", (*planes, *members, *workers_, *_edge(load_balancer)))


def etcd(members: int = 3, zones: Iterable[str] = ("a", "b", "c"), spares: int = 0) -> Topology:
    """etcd members alone, with a client, and *spares* machines on which a member may be added later."""
    places = _spread(zones, _count(members, "members", 1, 9) + _count(spares, "spares", 0, 9))
    hosts = [HostSpec(f"etcd-host-{i}", zone, ETCD, (f"etcd-{i}",)) for i, zone in enumerate(places, start=1)]
    later = tuple(host.components[0] for host in hosts[members:])
    return Topology("etcd", (*hosts, HostSpec("client-1", "edge", CLIENT, ("etcd-client",))), later)


KINDS: dict[str, Callable[..., Topology]] = {"single": single, "stacked": stacked, "external": external, "etcd": etcd}


def build(kind: str, **options: Any) -> Topology:
    """The topology called *kind*. Raises TopologyError naming the kinds, or the option that does not fit."""
    if kind not in KINDS:
        raise TopologyError(f"topology.kind: {kind!r} is not one of {', '.join(KINDS)}")
    allowed = list(signature(KINDS[kind]).parameters)
    for name in options:
        if name not in allowed:
            raise TopologyError(f"topology.{name}: a {kind} topology takes {', '.join(allowed)}")
    return KINDS[kind](**options)
