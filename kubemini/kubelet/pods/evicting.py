"""The eviction manager of one kubelet: it looks every ten seconds, and ends a pod when something runs out.

Invariant: where there is no pod, or nobody looks closely (`kubelet_details`), it sets no clock.
Models k/k pkg/kubelet/eviction managerImpl.synchronize
Simplified: nothing but pods is reclaimed; images lie on the same disk as all else. Inodes and processes are counted
only where a configuration has thresholds of its own: nothing here makes the millions that the defaults are about.
"""

from collections.abc import Callable, Iterable

from kubemini.api.objects import get
from kubemini.api.quantity import in_bytes
from kubemini.kubelet.configuration import Configuration
from kubemini.kubelet.decide import nodestatus
from kubemini.kubelet.decide.nodestatus import HARD
from kubemini.kubelet.decide.pods import eviction
from kubemini.kubelet.decide.pods.admission import is_critical
from kubemini.kubelet.decide.pods.eviction import PRESSURES, SIGNALS, Using
from kubemini.kubelet.decide.pods.runs import mains
from kubemini.kubelet.decide.pods.table import SYNCING
from kubemini.kubelet.pods.shared import WARNING, Attended, Shared
from kubemini.sim.units import SECOND

PERIOD = 10 * SECOND  # monitoringInterval
LOG = 4096  # bytes that a container's log takes at least


class Evicting:
    """Of one incarnation of a kubelet; *workers* gives its pods, *press* tells of pressures on the node."""

    def __init__(
        self,
        shared: Shared,
        configuration: Configuration,
        workers: Callable[[], Iterable[Attended]],
        press: Callable[[tuple[str, ...]], None],
    ):
        self.shared, self.configuration, self.workers, self.press = shared, configuration, workers, press
        self._seen_at: dict[str, int] = {}  # signal: when a threshold of it was last crossed
        self._since: dict[str, int] = {}  # signal: since when its soft threshold is crossed
        self._armed = False

    def start(self) -> None:
        """Look from now on, if there is anything to look at."""
        hard, soft = self.configuration.eviction_hard, self.configuration.eviction_soft
        own = soft or (hard and hard != HARD)
        if own or any(hard or _is_limited(worker) for worker in self.workers()):
            self._arm()

    def _arm(self) -> None:
        if not self._armed:
            self._armed = True
            self.shared.component.after(PERIOD, self._look)

    def _look(self) -> None:
        self._armed = False
        living = [one for one in self.workers() if one.life.state == SYNCING and not is_critical(one.pod)]
        if not self._evict_over_limit(living):
            self._evict_under_pressure(living)
        self.start()

    def _evict_over_limit(self, living: list[Attended]) -> bool:
        """Whether somebody holds more than he may."""
        found = False
        for worker in living:
            why = eviction.over_limit(self._using(worker, "ephemeral-storage")) if _is_limited(worker) else ""
            if why:
                found = True
                self._evict(worker, why, disrupts=False)
        return found

    def _evict_under_pressure(self, living: list[Attended]) -> None:
        now = self.shared.now
        crossed = self._crossed(self.configuration.eviction_hard)
        soft = self._crossed(self.configuration.eviction_soft)
        self._since = {one: self._since.get(one, now) for one in soft}
        self._seen_at |= dict.fromkeys((*crossed, *soft), now)
        crossed += [one for one in soft if now - self._since[one] >= self.configuration.eviction_soft_grace.get(one, 0)]
        crossed.sort(key=list(PRESSURES).index)
        recent = self.configuration.pressure_transition
        held = [one for one in PRESSURES if one in self._seen_at and now - self._seen_at[one] < recent]
        if crossed:
            node = nodestatus.reference(self.shared.host.name)
            text = f"Attempting to reclaim {SIGNALS[crossed[0]]}"
            self.shared.recorder.event(node, WARNING, "EvictionThresholdMet", text)
        self.press(tuple(dict.fromkeys(PRESSURES[one] for one in held)))
        if crossed:
            self._evict_one(living, crossed[0])

    def _crossed(self, thresholds: nodestatus.Thresholds) -> list[str]:
        """The signals of which less is left than should be."""
        usual = thresholds == HARD
        counted = [one for one in thresholds if not usual or SIGNALS[one] in eviction.BY_CONTAINER]
        return [one for one in counted if self.free(one) < self._least(thresholds, one)]

    def _least(self, thresholds: nodestatus.Thresholds, signal: str) -> int:
        return nodestatus.least(thresholds[signal], self._whole(SIGNALS[signal]))

    def _whole(self, resource: str) -> int:
        """How much of something the node has."""
        capacity = self.configuration.capacity
        if resource == eviction.PROCESSES:
            return nodestatus.PIDS
        if resource == eviction.INODES:
            return in_bytes(capacity[eviction.STORAGE]) // nodestatus.INODE
        return in_bytes(capacity[resource])

    def _evict_one(self, living: list[Attended], signal: str) -> None:
        hard = signal in self._crossed(self.configuration.eviction_hard)
        least = self._least(self.configuration.eviction_hard if hard else self.configuration.eviction_soft, signal)
        using = {worker.uid: self._using(worker, SIGNALS[signal]) for worker in living}
        for one in eviction.ranked(list(using.values()), SIGNALS[signal])[:1]:
            worker = next(worker for worker in living if worker.uid == one.pod["metadata"]["uid"])
            why = eviction.message(one, signal, least, self.free(signal))
            self._evict(worker, why, grace=eviction.grace(worker.pod, hard, self.configuration.eviction_max_pod_grace))

    def _evict(self, worker: Attended, why: str, disrupts: bool = True, grace: int = eviction.AT_ONCE) -> None:
        self.shared.event(worker.pod, WARNING, eviction.REASON, why)
        worker.evict((eviction.REASON, why), why if disrupts else "", grace)

    # -- what is used --------------------------------------------------------------------------------------------------
    def free(self, signal: str) -> int:
        """How much is left of something."""
        whole = self._whole(SIGNALS[signal])
        return whole - sum(self._using(worker, SIGNALS[signal]).total for worker in self.workers())

    def _using(self, worker: Attended, resource: str) -> Using:
        sandbox = self.shared.containers.of_pod.get(worker.uid)
        if sandbox is None:
            return Using(worker.pod, {})
        lives = {run.name: sandbox.lives[run.id] for run in sandbox.view.runs if run.id in sandbox.lives}
        local = eviction.on_disk(worker.pod)
        folders = {name: node for name, node in sandbox.volumes.items() if name in local}
        if resource == "memory":
            return Using(worker.pod, {name: life.memory for name, life in lives.items()})
        if resource == eviction.PROCESSES:
            return Using(worker.pod, {name: life.processes for name, life in lives.items()})
        if resource == eviction.INODES:
            volumes = {name: folder.count() for name, folder in folders.items()}
            return Using(worker.pod, {name: life.made + 1 for name, life in lives.items()}, volumes)
        lives_use = {name: life.written + LOG for name, life in lives.items()}
        volumes = {name: folder.size() for name, folder in folders.items()}
        return Using(worker.pod, lives_use, volumes)


def _is_limited(worker: Attended) -> bool:
    limits = (get(one, "resources", "limits", "ephemeral-storage") for one in mains(worker.pod))
    volumes = get(worker.pod, "spec", "volumes") or ()
    return any(limits) or any(get(one, "emptyDir", "sizeLimit") for one in volumes)
