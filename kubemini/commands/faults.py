"""Faults of programs, machines and whole zones."""

from kubemini.cluster import Cluster
from kubemini.commands.arguments import COMPONENT, DURATION, HOST, ZONE
from kubemini.commands.command import Command, argument, command


@command("crash")
class Crash(Command):
    """The program dies; its host stays."""

    component: str = argument(COMPONENT)

    def do(self, cluster: Cluster) -> None:
        cluster.components[self.component].crash()


@command("restart")
class Restart(Command):
    """The program starts again (a running one is killed first)."""

    component: str = argument(COMPONENT)

    def do(self, cluster: Cluster) -> None:
        cluster.components[self.component].crash()
        cluster.components[self.component].start()


@command("pause")
class Pause(Command):
    """The program stands still, as after SIGSTOP or a long garbage collection."""

    component: str = argument(COMPONENT)

    def do(self, cluster: Cluster) -> None:
        cluster.components[self.component].pause()


@command("resume")
class Resume(Command):
    """It goes on, as after SIGCONT."""

    component: str = argument(COMPONENT)

    def do(self, cluster: Cluster) -> None:
        cluster.components[self.component].resume()


@command("stop")
class Stop(Command):
    """The program is told to end, as by SIGTERM: a member of etcd waits for open watches, and hands over."""

    component: str = argument(COMPONENT)

    def do(self, cluster: Cluster) -> None:
        cluster.components[self.component].terminate()


@command("power_off")
class PowerOff(Command):
    """The host loses power: memory gone, disk kept."""

    host: str = argument(HOST)

    def do(self, cluster: Cluster) -> None:
        cluster.hosts[self.host].power_off()


@command("power_on")
class PowerOn(Command):
    """The host boots."""

    host: str = argument(HOST)

    def do(self, cluster: Cluster) -> None:
        cluster.hosts[self.host].power_on()


@command("slow_disk")
class SlowDisk(Command):
    """Every fsync of the host takes *extra* (µs) longer; 0: as before."""

    host: str = argument(HOST)
    extra: int = argument(DURATION)

    def do(self, cluster: Cluster) -> None:
        cluster.hosts[self.host].set_slow_disk(self.extra)


@command("lose_disk")
class LoseDisk(Command):
    """The host's disk is destroyed: its programs die, and what starts there next finds a new, empty disk."""

    host: str = argument(HOST)

    def do(self, cluster: Cluster) -> None:
        for component in cluster.hosts[self.host].components:
            component.crash()
        cluster.hosts[self.host].disk.files.clear()


@command("zone_outage")
class ZoneOutage(Command):
    """Every host of the zone loses power."""

    zone: str = argument(ZONE)

    def do(self, cluster: Cluster) -> None:
        for host in cluster.hosts_in(self.zone):
            host.power_off()


@command("zone_restore")
class ZoneRestore(Command):
    """Every host of the zone boots."""

    zone: str = argument(ZONE)

    def do(self, cluster: Cluster) -> None:
        for host in cluster.hosts_in(self.zone):
            host.power_on()
