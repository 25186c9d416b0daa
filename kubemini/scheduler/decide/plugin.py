"""What a scheduler plugin is: an opinion about a pod and a node, as data. Pure.

A *filter* says why a node cannot take the pod, a *score* how well each node that can would do, and *helped_by* which
events may change its mind. A plugin is one file in ``scheduler/plugins/`` that says ``PLUGIN = Plugin(…)``.
Models k/k pkg/scheduler/framework Plugin
Models k/k pkg/scheduler/framework EventsToRegister
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kubemini.api.objects import Obj
from kubemini.scheduler.decide.cache import NodeInfo

Picks = Callable[[Obj], bool]

# what may happen in a cluster that makes it worth while to try again
POD_DELETED, NODE_ADDED, NODE_TAINT, NODE_LABEL, NODE_ALLOCATABLE, NODE_SPEC = (
    "AssignedPodDelete",
    "NodeAdd",
    "NodeTaintUpdate",
    "NodeLabelUpdate",
    "NodeAllocatableUpdate",
    "NodeSpecUnschedulableUpdate",
)


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be decided: for this *pod*, over these *nodes*; *application* picks the pods it is one of."""

    pod: Obj
    nodes: Sequence[NodeInfo]
    application: Picks | None = None


Filter = Callable[[Question, NodeInfo], list[str]]  # the reasons why not; none means that it fits
Score = Callable[[Question, Sequence[NodeInfo]], list[int] | None]  # 0 to 100 each; None: nothing to say


@dataclass(frozen=True, slots=True)
class Plugin:
    """One opinion; *place* is its rank in the default profile: filters are asked in that order."""

    name: str
    place: int
    filter: Filter | None = None
    score: Score | None = None
    weight: int = 0
    helped_by: tuple[str, ...] = ()
