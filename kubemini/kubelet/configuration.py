"""What one kubelet is configured with beyond the parameters of the cluster: the KubeletConfiguration of its host.

Invariant: it is read when the kubelet starts; who changes it restarts the kubelet.
Models k/k pkg/kubelet/apis/config KubeletConfiguration
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kubemini.kubelet.decide.nodestatus import CAPACITY, HARD, Thresholds
from kubemini.sim.units import MINUTE


@dataclass(frozen=True, slots=True)
class Configuration:
    """One host's; bytes and µs. *capacity*: what the machine has."""

    capacity: Mapping[str, str] = field(default_factory=lambda: dict(CAPACITY))
    max_pods: int | None = None
    crash_loop_backoff: tuple[int, int] | None = None  # None: that of the cluster's parameters
    eviction_hard: Thresholds = field(default_factory=lambda: dict(HARD))  # signal: what must be left
    eviction_soft: Thresholds = field(default_factory=dict)  # the same, but not at once
    eviction_soft_grace: Mapping[str, int] = field(default_factory=dict)  # signal: µs that it may last
    eviction_max_pod_grace: int = 0  # s, evictionMaxPodGracePeriod: what a pod gets at most when a soft one evicts it
    pressure_transition: int = 5 * MINUTE  # evictionPressureTransitionPeriod
    sysctls: tuple[str, ...] = ()  # allowedUnsafeSysctls
    shutdown_grace: int = 0  # µs, shutdownGracePeriod; 0: pods are not ended before the machine
    shutdown_grace_critical: int = 0  # µs of it, shutdownGracePeriodCriticalPods
    shutdown_grace_by_priority: tuple[tuple[int, int], ...] = ()  # (priority, s), shutdownGracePeriodByPodPriority

    @property
    def shown(self) -> Mapping[str, str]:
        """The capacity that the Node shows."""
        pods = {} if self.max_pods is None else {"pods": str(self.max_pods)}
        return {**self.capacity, **pods}
