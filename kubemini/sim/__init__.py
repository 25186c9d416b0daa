"""The kernel: one clock, named randomness, one trace."""

from kubemini.sim.kernel import Sim, Steps
from kubemini.sim.trace import Record, Trace

__all__ = ["Record", "Sim", "Steps", "Trace"]
