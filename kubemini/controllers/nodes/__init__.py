"""The drivers of the controllers that watch over nodes; what they decide stands in `controllers.decide.nodes`."""

from kubemini.controllers.nodes.collecting import PodGarbageCollector
from kubemini.controllers.nodes.evicting import TaintEviction
from kubemini.controllers.nodes.lifecycle import NodeLifecycle

__all__ = ["NodeLifecycle", "PodGarbageCollector", "TaintEviction"]
