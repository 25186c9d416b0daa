"""The engine: one clock, named randomness, one trace."""

from kubemini.sim.engine import Sim, Steps
from kubemini.sim.trace import Record, Trace

__all__ = ["Record", "Sim", "Steps", "Trace"]
