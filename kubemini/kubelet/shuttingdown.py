"""The node shutdown manager of one kubelet: told that the machine goes down, it ends the pods in time.

Invariant: while the machine goes down the node is not ready and no pod is taken; where no shutdownGracePeriod is
configured nobody asks it, and pods end with the power.
Models k/k pkg/kubelet/nodeshutdown managerImpl.start podManager.killPods
Simplified: the machine does not wait for it by itself; whoever announces its end puts the power off.
"""

from collections.abc import Callable, Iterable

from kubemini.kubelet.configuration import Configuration
from kubemini.kubelet.decide import nodestatus, shutdown
from kubemini.kubelet.decide.pods.relists import RELIST
from kubemini.kubelet.decide.pods.table import FINISHED, SYNCING, TERMINATING
from kubemini.kubelet.pods.shared import NORMAL, Attended, Shared
from kubemini.sim import Steps
from kubemini.sim.units import SECOND


class ShuttingDown:
    """Of one incarnation of a kubelet; *workers* gives its pods, *trouble* says why its node is not ready."""

    def __init__(
        self,
        shared: Shared,
        configuration: Configuration,
        workers: Callable[[], Iterable[Attended]],
        trouble: Callable[[str, bool, bool], None],
    ):
        self.shared, self.workers, self.trouble = shared, workers, trouble
        whole, critical = configuration.shutdown_grace, configuration.shutdown_grace_critical
        self.periods = shutdown.periods(whole, critical, configuration.shutdown_grace_by_priority)
        self.going = False
        self._busy, self._unheard = False, list[bool]()  # while it ends pods it does not listen

    def announce(self, going: bool) -> None:
        """logind says that the machine goes down, or that it does not after all."""
        if not self.periods:
            return
        if self._busy:
            self._unheard.append(going)
            return
        self.going = going
        node = nodestatus.reference(self.shared.host.name)
        text = shutdown.DETECTED if going else shutdown.CANCELLED
        self.shared.recorder.event(node, NORMAL, shutdown.EVENT, text)
        self.trouble(shutdown.GOING, going, going)
        if going:
            self._busy = True
            self.shared.component.spawn(self._end_pods())

    def _end_pods(self) -> Steps:
        yield from self._end_groups()
        self._busy = False
        while self._unheard and not self._busy:
            self.announce(self._unheard.pop(0))

    def _end_groups(self) -> Steps:
        living = {one.uid: one for one in self.workers() if one.life.state in (SYNCING, TERMINATING)}
        for seconds, pods in shutdown.groups([one.pod for one in living.values()], self.periods):
            group = [living[pod["metadata"]["uid"]] for pod in pods]
            for one in group:
                why = (shutdown.REASON, shutdown.MESSAGE)
                one.evict(why, shutdown.MESSAGE, shutdown.grace(one.pod, seconds), for_good=False)
            until = self.shared.now + seconds * SECOND
            while self.shared.now < until and any(one.life.state != FINISHED for one in group):
                yield self.shared.component.timeout(RELIST)
