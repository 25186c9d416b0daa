"""What a scheduler plugin is: an opinion about a pod and a node, as data. Pure.

A *filter* says why a node cannot take the pod, a *score* how well each node that can would do, and *helped_by* which
events may change its mind. A plugin is one file in ``scheduler/plugins/`` that says ``PLUGIN = Plugin(…)``.
Models k/kube-scheduler framework Plugin
Models k/kube-scheduler framework QueueingHintFn
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from kubemini.api.objects import Obj
from kubemini.scheduler.decide.cache import NodeInfo

Picks = Callable[[Obj], bool]

Namespaces = Mapping[str, Mapping[str, str]]  # the labels of each

# what may happen in a cluster that makes it worth while to try again
POD_ADDED, POD_LABEL, POD_DELETED, NODE_ADDED, NODE_TAINT, NODE_LABEL, NODE_ALLOCATABLE, NODE_SPEC = (
    "AssignedPodAdd",
    "PodLabelUpdate",
    "AssignedPodDelete",
    "NodeAdd",
    "NodeTaintUpdate",
    "NodeLabelUpdate",
    "NodeAllocatableUpdate",
    "NodeSpecUnschedulableUpdate",
)


@dataclass(frozen=True, slots=True)
class Cycle:
    """One scheduling cycle: which of these *nodes* for this *pod*; *application* picks the pods that it is one of."""

    pod: Obj
    nodes: Sequence[NodeInfo]
    application: Picks | None = None
    namespaces: Namespaces = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Event:
    """*what* happened to a node, or to a pod that has one: how it was, and how it is; None before it came, or after."""

    what: str
    old: Obj | None = None
    new: Obj | None = None
    namespaces: Namespaces = field(default_factory=dict)


Filter = Callable[[Cycle, NodeInfo], list[str]]  # the reasons why not; none means that it fits
Score = Callable[[Cycle, Sequence[NodeInfo]], list[int] | None]  # 0 to 100 each; None: nothing to say


@dataclass(frozen=True, slots=True)
class Plugin:
    """One opinion; *place* is its rank in the default profile: filters are asked in that order.

    *holds* keeps a pod out of the queue; of the events in *helped_by* only those matter that *hint* lets pass.
    """

    name: str
    place: int
    filter: Filter | None = None
    score: Score | None = None
    weight: int = 0
    helped_by: tuple[str, ...] = ()
    hint: Callable[[Obj, Event], bool] | None = None
    holds: Callable[[Obj], bool] | None = None

    def may_change_its_mind(self, pod: Obj, event: Event) -> bool:
        """Whether *event* is worth another try, if this plugin has refused *pod*."""
        return event.what in self.helped_by and (self.hint is None or self.hint(pod, event))
