"""A host: power, one disk, the components that run on it.

Power loss ends every component at once and forgets all memory, the kernel's too; what was fsynced stays.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any, Protocol

from kubemini.host.linux import Kernel
from kubemini.host.linux.podnetwork import Cni
from kubemini.sim.clocks import skewed
from kubemini.sim.engine import TIMER, Sim
from kubemini.wire.station import Station


class Program(Protocol):
    """What can happen to a program because it is on this machine."""

    def start(self) -> None:
        """Start, if it is down."""

    def crash(self) -> None:
        """Die, if it is up."""

    def stop(self, how: str) -> None:
        """End."""

    def set_clock(self, offset: int, rate: Fraction) -> None:
        """Go by such a clock."""

    def disturbed(self) -> None:
        """The machine has become another."""


class Hosted(Program, Protocol):
    """A program that lives in containers: the runtime begins and ends it."""

    @property
    def linger(self) -> int:
        """How long it goes on after SIGTERM, µs."""

    @property
    def well(self) -> bool:
        """What it says to a readiness probe."""

    def exit(self, why: str) -> None:
        """End in peace, if it is up."""


class InPods(Protocol):
    """A program that stands for what runs in the pods of this machine: the runtime tells it of each address."""

    def began(self, ip: str) -> None:
        """Somebody listens there."""

    def told_to_end(self, ip: str) -> None:
        """SIGTERM: nobody listens there any more, what was open may go on."""

    def gone(self, ip: str) -> None:
        """The processes have ended: the kernel resets what was open."""


class Disk:
    """A disk whose fsync takes time. `files` survives crashes and power loss."""

    def __init__(self, sim: Sim, name: str, fsync: tuple[int, int]):
        self.sim, self.fsync_latency = sim, fsync
        self.files: dict[str, Any] = {}
        self.slow = 0  # extra microseconds a fsync, set by a fault
        self._draws = sim.draws(f"disk/{name}")
        self._count = 0

    def fsync(self, owner: Station, then: Callable[..., Any], *args: Any) -> int:
        """Call ``then(*args)`` when the data is stable; dropped if *owner* dies first. Returns µs it takes."""
        self._count += 1
        took = self._draws.between(self._count, *self.fsync_latency) + self.slow
        owner.after(took, then, *args)
        return took


class Host:
    """One machine."""

    def __init__(self, sim: Sim, name: str, zone: str = "a", fsync: tuple[int, int] = (400, 800)):
        self.sim, self.name, self.zone = sim, name, zone
        self.powered = True
        self.disk = Disk(sim, name, fsync)
        self.components: list[Program] = []
        self.images: dict[str, Hosted] = {}  # what a container of that image runs, beside waiting to be asked
        self.programs: dict[str, Callable[..., Any]] = {}  # a reader's, by the bare name of the image they stand for
        self.in_pods: list[InPods] = []
        self.kernel = Kernel()
        self.cni: Cni | None = None  # who gives pods their addresses; None: no pod can run here
        self.dns_complaints: Callable[[Any], list[str]] = lambda pod: []  # what of a pod's dnsConfig is too much
        self.resolv_conf: Callable[[Any], str] = lambda pod: ""  # what the kubelet writes for it

    def power_off(self) -> None:
        """Pull the plug: nothing is said to anybody."""
        if not self.powered:
            return
        self.sim.end_rests()
        self.powered = False
        self.sim.record(self.name, "power_off")
        for component in self.components:
            component.stop("power_off")
        self.kernel = Kernel()

    def power_on(self) -> None:
        """Boot: every component starts again, from what the disk holds."""
        if self.powered:
            return
        self.sim.end_rests()
        self.powered = True
        self.sim.record(self.name, "power_on")
        for number, component in enumerate(self.components):
            self.sim.occur(0, TIMER + number, component.start)

    def skew_clock(self, offset: int, rate: Fraction) -> None:
        """For all that runs here the date is *offset* µs ahead from now on, and the clock runs at *rate*."""
        self.sim.end_rests()
        self.sim.record(self.name, "clock", offset=offset, rate=float(rate))
        self.sim = skewed(self.sim, offset, rate)
        for component in self.components:
            component.set_clock(offset, rate)
        for component in self.components[:1]:
            component.disturbed()

    def set_slow_disk(self, extra: int) -> None:
        """Every fsync takes *extra* microseconds longer from now on (0: as before)."""
        self.disk.slow = extra
        self.sim.record(self.name, "slow_disk", extra=extra)
        for component in self.components[:1]:  # whom one tells is told for all
            component.disturbed()
