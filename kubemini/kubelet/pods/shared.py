"""What the pod workers of one kubelet share: who speaks for them, who starts, pulls and remembers. No decisions.

Invariant: all of it dies with the kubelet, so a kubelet that returns has forgotten every back-off.
"""

from collections.abc import Callable
from typing import Any, Protocol

import simpy

from kubemini.api.objects import Obj
from kubemini.client import ApiClient, Recorder
from kubemini.host import Component
from kubemini.host.linux.podnetwork import own_addresses
from kubemini.kubelet.configuration import Configuration
from kubemini.kubelet.decide.nodestatus import allocatable
from kubemini.kubelet.decide.pods.admission import Place
from kubemini.kubelet.decide.pods.backoff import Backoffs
from kubemini.kubelet.decide.pods.images import Registry
from kubemini.kubelet.decide.pods.relists import RELIST, Relists, as_listed
from kubemini.kubelet.decide.pods.runs import PodView, ephemerals, inits
from kubemini.kubelet.decide.pods.table import PodLife
from kubemini.kubelet.links import ServiceLinks
from kubemini.kubelet.pods.pulling import Puller
from kubemini.kubelet.runtime.containers import Containers
from kubemini.sim import Steps
from kubemini.sim.units import SECOND
from kubemini.wire.rpc import happen

NORMAL, WARNING = "Normal", "Warning"
BACK_OFF = 10 * SECOND  # backOffPeriod of pod workers
RESYNC = 60 * SECOND  # syncFrequency
PULLS = (10 * SECOND, 300 * SECOND)  # MaxContainerBackOff and base of image pulls


class Shared:
    """One for each incarnation of a kubelet."""

    def __init__(
        self,
        component: Component,
        client: ApiClient,
        containers: Containers,
        links: ServiceLinks,
        configuration: Configuration,
        registry: Registry,
        drawn: dict[str, int],
    ):
        self.component, self.client, self.containers, self.links = component, client, containers, links
        self.host, self.params = component.host, component.net.params
        self.recorder = Recorder(client, "kubelet", component.host.name)
        self.restarts = Backoffs(configuration.crash_loop_backoff or self.params.crash_loop_backoff)
        self.puller = Puller(component, registry, Backoffs(PULLS))
        self.allocatable = allocatable(configuration.shown, configuration.eviction_hard)
        self.drawn = drawn
        self.place: Callable[[str], Place | None] = lambda uid: None  # where a pod is, and what else is there
        self.reconcile: Callable[[Any], Steps] = _nothing  # the mirror of a static pod
        self.room: Callable[[], None] = lambda: None  # a pod has ended: others may want what it had
        self.skips = False  # the runtime is missed: no pod takes a turn
        self.began = component.sim.now
        self.relists = Relists(self.draw("relist", (0, RELIST - 1)) if self.params.kubelet_details else 0)
        self.listed: dict[str, int] = {}  # when a pod was listed on its own, µs
        self._exits: dict[str, list[Callable[[Any], None]]] = {}  # who waits for the end of a run
        self._back: list[Callable[[Any], None]] = []  # who waits for the runtime

    @property
    def now(self) -> int:
        """The instant (µs)."""
        return self.component.sim.now

    @property
    def wall(self) -> int:
        """The date (µs)."""
        return self.component.sim.wall

    def own(self, date: int) -> int:
        """The instant of a *date* that the runtime wrote."""
        return date - self.wall + self.now

    def event(self, pod: Obj, type: str, reason: str, message: str, container: str = "") -> None:
        """Tell of *pod*, or of one of its containers."""
        self.recorder.event(pod, type, reason, message, field_path(pod, container) if container else "")

    def host_ips(self) -> tuple[str, ...]:
        """The addresses of its host."""
        return own_addresses(self.host)

    def draw(self, name: str, bounds: tuple[int, int]) -> int:
        """A duration by chance; each pod has luck of its own."""
        number = self.drawn[name] = self.drawn.get(name, 0) + 1
        return self.component.sim.draws(f"pod/{name}").between(number, *bounds)

    def fresh_id(self, name: str) -> str:
        """What the runtime calls something that comes to nothing: 64 digits."""
        parts = (self.draw(f"{name}/id", (0, (1 << 62) - 1)) for _ in range(4))
        return "".join(f"{part:016x}" for part in parts)

    def view(self, uid: str) -> PodView:
        """What there is of a pod, as the runtime was last asked."""
        found = self.containers.view(uid)
        listed = max(self.relists.last(self.now), self.listed.get(uid, 0))
        return as_listed(found, listed - self.now + self.wall) if self.params.kubelet_details else found

    def jitter(self, pod: str, delay: int) -> int:
        """*delay*, or up to half as much more."""
        return self.draw(f"{pod}/again", (delay, delay + delay // 2)) if delay > 0 else 0

    # -- waiting for ends ----------------------------------------------------------------------------------------------
    def when_ended(self, run: str) -> simpy.Event:
        """Happens when the run ends."""
        event = simpy.Event(self.component.sim)
        self._exits.setdefault(run, []).append(lambda value: happen(event, value))
        return event

    def has_ended(self, run: str) -> None:
        """The runtime says so."""
        for come in self._exits.pop(run, ()):
            come(None)

    def when_served(self) -> simpy.Event:
        """Happens when the runtime, which is gone, is back."""
        event = simpy.Event(self.component.sim)
        self._back.append(lambda value: happen(event, value))
        return event

    def serves_again(self) -> None:
        """The runtime is back."""
        waiting, self._back = self._back, []
        for come in waiting:
            come(None)

    def ended_or(self, run: str, delay: int) -> simpy.Event:
        """Happens when the run ends, or after *delay* µs."""
        return self.first_of(delay, lambda come: self._exits.setdefault(run, []).append(come))

    def first_of(self, delay: int, begin: Callable[[Callable[[Any], None]], None]) -> simpy.Event:
        """An event that happens when what *begin* was given is called, with its value, or with None after *delay*."""
        event, over = simpy.Event(self.component.sim), list[bool]()

        def come(value: Any) -> None:
            if not over:
                over.append(True)
                happen(event, value)

        begin(come)
        if not over:
            self.component.after(delay, come, None)
        return event


def _nothing(worker: Any) -> Steps:
    yield from ()


class Attended(Protocol):
    """A pod's worker, as those know it who do its work."""

    shared: Shared
    life: PodLife
    statuses: Any
    probing: Any
    reported: Any
    version: int
    orphaned: bool
    mirror_uid: str

    @property
    def uid(self) -> str:
        """Of its pod."""

    @property
    def pod(self) -> Obj:
        """As the API wants it."""

    @property
    def key(self) -> tuple[str, str]:
        """(namespace, name)."""

    @property
    def is_static(self) -> bool:
        """Whether it comes from a file."""

    @property
    def written_uid(self) -> str:
        """The uid under which the API knows the pod."""

    def known(self) -> Any:
        """The status that the API server is known to have."""

    def made_up(self, terminal: bool = False) -> dict[str, Any]:
        """The status of the pod as it is now."""

    def wake(self) -> None:
        """Something has happened."""

    def wake_later(self) -> None:
        """Something is another in the runtime."""

    def pause(self, delay: int) -> simpy.Event:
        """Happens after *delay* µs with None, or sooner if the pod is to end."""

    def reject(self, reason: str, message: str) -> None:
        """This kubelet does not take the pod."""

    def evict(self, why: tuple[str, str], disruption: str, grace: int | None = None, for_good: bool = True) -> None:
        """The kubelet ends the pod."""


def field_path(pod: Obj, container: str) -> str:
    """Which part of *pod* a container is."""
    kinds = {"initContainers": inits(pod), "ephemeralContainers": ephemerals(pod)}
    kind = next((kind for kind, some in kinds.items() if any(c["name"] == container for c in some)), "containers")
    return f"spec.{kind}{{{container}}}"
