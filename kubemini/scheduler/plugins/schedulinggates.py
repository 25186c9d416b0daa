"""SchedulingGates: a pod with a gate is not even tried, until whoever set the gate has taken it away. Pure.

That it is gated stands in its status from the first moment on: the API server writes it.
Models k/k pkg/scheduler/framework/plugins/schedulinggates SchedulingGates.PreEnqueue
"""

from kubemini.api.objects import Obj
from kubemini.scheduler.decide.events import OWN_GATES
from kubemini.scheduler.decide.plugin import Plugin


def holds(pod: Obj) -> bool:
    """Whether the pod must not enter the queue yet."""
    return bool(pod["spec"].get("schedulingGates"))


PLUGIN = Plugin("SchedulingGates", 0, holds=holds, helped_by=(OWN_GATES,))
