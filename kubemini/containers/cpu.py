"""A limit of CPU, as the kernel holds a container to it: in each tenth of a second so much, and then it stands still.

    throttle = Throttle(100)                  a tenth of a core: 10 ms in each 100 ms
    throttle.waits(now, 25 * MS)              µs that 25 ms of work stand still in all

Invariant: in no period does a container compute longer than its quota.
Models the kernel's CFS bandwidth control (Documentation/scheduler/sched-bwc.rst, cpu.max with its period of 100 ms).
Simplified: one thread; what is begun is done before what comes later; nothing is saved up from one period to the next.
"""

from kubemini.sim.units import MS

PERIOD = 100 * MS


class Throttle:
    """Of one container; *millis*: its limit in thousandths of a core."""

    def __init__(self, millis: int):
        self.quota = max(1, millis * PERIOD // 1000)
        self._free_at = 0  # when all that has been asked for is done
        self._period, self._used = -1, 0

    def waits(self, now: int, work: int) -> int:
        """How much later than it could be done *work* µs of computing are done that are asked for *now*."""
        at = max(now, self._free_at)
        queued, left, stood = at - now, work, 0
        while left:
            period = at // PERIOD
            if period != self._period:
                self._period, self._used = period, 0
            run = min(left, self.quota - self._used, (period + 1) * PERIOD - at)
            at, left, self._used = at + run, left - run, self._used + run
            if left and at < (period + 1) * PERIOD:
                stood += (period + 1) * PERIOD - at
                at = (period + 1) * PERIOD
        self._free_at = at
        return queued + stood
