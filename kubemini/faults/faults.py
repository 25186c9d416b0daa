"""What can be done to a cluster, each as a frozen dataclass: what it needs, how it is checked, what it does.

`check` runs before the simulation and raises FaultError naming the right targets; `act` is the only way in.
The deeds of a user (put, get, apply, scale, delete) are of the same kind: commands are one list.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from kubemini.sim.units import duration

if TYPE_CHECKING:
    from kubemini.cluster import Cluster


class FaultError(ValueError):
    """A fault that cannot happen in this cluster; the message lists what can."""


def one_of(name: str, known: list[str], what: str) -> str:
    """*name*, if it is one of the *known*; else FaultError lists them."""
    if name not in known:
        raise FaultError(f"{name!r} is not {what} of this cluster; there are: {', '.join(known) or 'none'}")
    return name


def _hosts(cluster: "Cluster", names: str) -> list[str]:
    """The hosts behind a comma-separated list of hosts, components or zones."""
    found: list[str] = []
    for name in str(names).split(","):
        name = name.strip()
        host = cluster.topology.host_of(name)
        zone = [h.name for h in cluster.topology.hosts if h.zone == name]
        if host is None and not zone:
            known = [h.name for h in cluster.topology.hosts] + cluster.zones
            raise FaultError(f"{name!r} is no host, component or zone; there are: {', '.join(known)}")
        found += [h for h in ([host] if host else zone) if h not in found]
    return found


def _duration(value: str, field: str) -> int:
    try:
        return duration(value)
    except ValueError as error:
        raise FaultError(f"{field}: {error}") from None


@dataclass(frozen=True, slots=True)
class Fault:
    """Base class: `check` raises FaultError, `act` does it."""

    action: ClassVar[str] = ""

    def check(self, cluster: "Cluster") -> None:
        """Raise FaultError if this cannot be done to *cluster*."""

    def act(self, cluster: "Cluster") -> None:
        """Do it now."""


@dataclass(frozen=True, slots=True)
class OnComponent(Fault):
    """A fault of one program."""

    component: str

    def check(self, cluster: "Cluster") -> None:
        one_of(self.component, list(cluster.components), "a component")


@dataclass(frozen=True, slots=True)
class Crash(OnComponent):
    """The program dies; its host stays."""

    action: ClassVar[str] = "crash"

    def act(self, cluster: "Cluster") -> None:
        cluster.components[self.component].crash()


@dataclass(frozen=True, slots=True)
class Restart(OnComponent):
    """The program starts again (a running one is killed first)."""

    action: ClassVar[str] = "restart"

    def act(self, cluster: "Cluster") -> None:
        cluster.components[self.component].crash()
        cluster.components[self.component].start()


@dataclass(frozen=True, slots=True)
class Stop(OnComponent):
    """The program is told to end, as by SIGTERM: a leader of etcd hands over first."""

    action: ClassVar[str] = "stop"

    def act(self, cluster: "Cluster") -> None:
        cluster.components[self.component].terminate()


@dataclass(frozen=True, slots=True)
class Pause(OnComponent):
    """The program stands still, as after SIGSTOP or a long garbage collection."""

    action: ClassVar[str] = "pause"

    def act(self, cluster: "Cluster") -> None:
        cluster.components[self.component].pause()


@dataclass(frozen=True, slots=True)
class Resume(OnComponent):
    """It goes on, as after SIGCONT."""

    action: ClassVar[str] = "resume"

    def act(self, cluster: "Cluster") -> None:
        cluster.components[self.component].resume()


@dataclass(frozen=True, slots=True)
class OnHost(Fault):
    """A fault of one machine."""

    host: str

    def check(self, cluster: "Cluster") -> None:
        one_of(self.host, list(cluster.hosts), "a host")


@dataclass(frozen=True, slots=True)
class PowerOff(OnHost):
    """The host loses power: memory gone, disk kept."""

    action: ClassVar[str] = "power_off"

    def act(self, cluster: "Cluster") -> None:
        cluster.hosts[self.host].power_off()


@dataclass(frozen=True, slots=True)
class PowerOn(OnHost):
    """The host boots."""

    action: ClassVar[str] = "power_on"

    def act(self, cluster: "Cluster") -> None:
        cluster.hosts[self.host].power_on()


@dataclass(frozen=True, slots=True)
class SlowDisk(OnHost):
    """Every fsync of the host takes *extra* longer (0: as before)."""

    extra: str
    action: ClassVar[str] = "slow_disk"

    def check(self, cluster: "Cluster") -> None:
        OnHost.check(self, cluster)
        _duration(self.extra, "slow_disk")

    def act(self, cluster: "Cluster") -> None:
        cluster.hosts[self.host].set_slow_disk(duration(self.extra))


@dataclass(frozen=True, slots=True)
class LoseDisk(OnHost):
    """The host's disk is destroyed: its programs die, and what starts there next finds a new, empty disk."""

    action: ClassVar[str] = "lose_disk"

    def act(self, cluster: "Cluster") -> None:
        for component in cluster.hosts[self.host].components:
            component.crash()
        cluster.hosts[self.host].disk.files.clear()


@dataclass(frozen=True, slots=True)
class Cut(Fault):
    """Hosts *a* cannot reach hosts *b* (default: all others); *one_way*: only from a to b."""

    a: str
    b: str = ""
    one_way: str = ""
    action: ClassVar[str] = "cut"

    def _sides(self, cluster: "Cluster") -> tuple[list[str], list[str]]:
        a = _hosts(cluster, self.a)
        b = _hosts(cluster, self.b) if self.b else [h for h in cluster.hosts if h not in a]
        return a, b

    def check(self, cluster: "Cluster") -> None:
        self._sides(cluster)
        if self.one_way not in ("", "one-way"):
            raise FaultError(f"cut: the third word may only be one-way, got {self.one_way!r}")

    def act(self, cluster: "Cluster") -> None:
        cluster.net.cut(*self._sides(cluster), one_way=bool(self.one_way))


@dataclass(frozen=True, slots=True)
class Heal(Fault):
    """Every cut is gone."""

    action: ClassVar[str] = "heal"

    def act(self, cluster: "Cluster") -> None:
        cluster.net.heal()


@dataclass(frozen=True, slots=True)
class Latency(Fault):
    """Packets between *a* and *b* take *low* to *high*."""

    a: str
    b: str
    low: str
    high: str
    action: ClassVar[str] = "latency"

    def check(self, cluster: "Cluster") -> None:
        _hosts(cluster, self.a), _hosts(cluster, self.b)
        if _duration(self.low, "latency") > _duration(self.high, "latency"):
            raise FaultError(f"latency: {self.low} is more than {self.high}; write the smaller one first")

    def act(self, cluster: "Cluster") -> None:
        for a in _hosts(cluster, self.a):
            for b in _hosts(cluster, self.b):
                cluster.net.set_latency(a, b, duration(self.low), duration(self.high))


@dataclass(frozen=True, slots=True)
class Loss(Fault):
    """A share *p* of the packets between *a* and *b* is lost."""

    a: str
    b: str
    p: float
    action: ClassVar[str] = "loss"

    def check(self, cluster: "Cluster") -> None:
        _hosts(cluster, self.a), _hosts(cluster, self.b)
        try:
            fits = 0 <= float(self.p) <= 1
        except (TypeError, ValueError):
            fits = False
        if not fits:
            raise FaultError(f"loss: expected a share from 0 to 1, got {self.p!r}")

    def act(self, cluster: "Cluster") -> None:
        for a in _hosts(cluster, self.a):
            for b in _hosts(cluster, self.b):
                cluster.net.set_loss(a, b, float(self.p))


@dataclass(frozen=True, slots=True)
class OnZone(Fault):
    """A fault of all hosts of a zone."""

    zone: str

    def check(self, cluster: "Cluster") -> None:
        one_of(self.zone, cluster.zones, "a zone")


@dataclass(frozen=True, slots=True)
class ZoneOutage(OnZone):
    """Every host of the zone loses power."""

    action: ClassVar[str] = "zone_outage"

    def act(self, cluster: "Cluster") -> None:
        for host in cluster.hosts_in(self.zone):
            host.power_off()


@dataclass(frozen=True, slots=True)
class ZoneRestore(OnZone):
    """Every host of the zone boots."""

    action: ClassVar[str] = "zone_restore"

    def act(self, cluster: "Cluster") -> None:
        for host in cluster.hosts_in(self.zone):
            host.power_on()


@dataclass(frozen=True, slots=True)
class Put(Fault):
    """A user writes *key* through *member* (default: the client's choice)."""

    key: str
    value: str
    member: str = ""
    action: ClassVar[str] = "put"

    def check(self, cluster: "Cluster") -> None:
        if self.member:
            one_of(self.member, cluster.topology.members, "an etcd member")

    def act(self, cluster: "Cluster") -> None:
        cluster.user.put(str(self.key), str(self.value), self.member)


@dataclass(frozen=True, slots=True)
class Get(Fault):
    """A user reads *key* through *member*, linearizable or serializable."""

    key: str
    member: str = ""
    consistency: str = "linearizable"
    action: ClassVar[str] = "get"

    def check(self, cluster: "Cluster") -> None:
        if self.member:
            one_of(self.member, cluster.topology.members, "an etcd member")
        if self.consistency not in ("linearizable", "serializable"):
            raise FaultError(f"get: expected linearizable or serializable, got {self.consistency!r}")

    def act(self, cluster: "Cluster") -> None:
        cluster.user.get(str(self.key), self.member, self.consistency == "serializable")


@dataclass(frozen=True, slots=True)
class OnApi(Fault):
    """A deed of a user of the Kubernetes API."""

    def check(self, cluster: "Cluster") -> None:
        if not cluster.topology.of("apiserver-"):
            raise FaultError(f"{self.action}: this cluster has no API server; use put and get")


@dataclass(frozen=True, slots=True)
class Apply(OnApi):
    """``kubectl apply`` of the manifests in *text*."""

    text: str
    action: ClassVar[str] = "apply"

    def check(self, cluster: "Cluster") -> None:
        from kubemini.api.manifests import ManifestError, load

        OnApi.check(self, cluster)
        try:
            load(self.text, "the command")
        except ManifestError as error:
            raise FaultError(f"apply: {error}") from None

    def act(self, cluster: "Cluster") -> None:
        cluster.apply(self.text)


@dataclass(frozen=True, slots=True)
class Scale(OnApi):
    """``kubectl scale deployment NAME --replicas N``."""

    deployment: str
    replicas: int
    action: ClassVar[str] = "scale"

    def check(self, cluster: "Cluster") -> None:
        OnApi.check(self, cluster)
        if not str(self.replicas).isdigit():
            raise FaultError(f"scale: expected a number of replicas, got {self.replicas!r}")

    def act(self, cluster: "Cluster") -> None:
        cluster.user.scale(self.deployment, int(self.replicas))


@dataclass(frozen=True, slots=True)
class Delete(OnApi):
    """``kubectl delete KIND NAME``."""

    kind: str
    name: str
    action: ClassVar[str] = "delete"

    def check(self, cluster: "Cluster") -> None:
        OnApi.check(self, cluster)
        cluster.user.resource(self.kind)

    def act(self, cluster: "Cluster") -> None:
        cluster.user.delete(self.kind, self.name)


_MACHINES = (Crash, Restart, Pause, Resume, Stop, PowerOff, PowerOn, SlowDisk, LoseDisk, ZoneOutage, ZoneRestore)
_WIRES, _DEEDS = (Cut, Heal, Latency, Loss), (Put, Get, Apply, Scale, Delete)
ACTIONS: dict[str, type[Fault]] = {kind.action: kind for kind in (*_MACHINES, *_WIRES, *_DEEDS)}
