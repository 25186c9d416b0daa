"""TaintToleration: taints that forbid must be tolerated; of those that only ask, the fewer the better. Pure.

Models k/k pkg/scheduler/framework/plugins/tainttoleration TaintToleration.Filter
Models k/k pkg/scheduler/framework/plugins/tainttoleration TaintToleration.Score
The words are those of 1.37; older releases name the taint.
"""

from collections.abc import Iterable, Sequence

from kubemini.api.objects import Obj, get
from kubemini.api.placement.tolerations import untolerated
from kubemini.scheduler.decide.events import NODE_ADDED, NODE_TAINT, OWN_TOLERATION
from kubemini.scheduler.decide.nodeinfo import NodeInfo
from kubemini.scheduler.decide.plugin import Cycle, Event, Plugin, Refusal, default_normalize, hopeless

FORBIDS, ASKS = ("NoSchedule", "NoExecute"), ("PreferNoSchedule",)


def refuse(cycle: Cycle, info: NodeInfo) -> Refusal | None:
    """Why not this node: it has a taint that forbids, and the pod does not tolerate it."""
    if info.taints and refusing(cycle.pod, info.taints):
        return hopeless("node(s) had untolerated taint(s)")
    return None


def refusing(pod: Obj, taints: Iterable[Obj]) -> bool:
    """Whether one of *taints* keeps the pod away: NoSchedule and NoExecute forbid."""
    return untolerated(taints, pod["spec"].get("tolerations") or (), FORBIDS) is not None


def prefer(cycle: Cycle, info: NodeInfo) -> int:
    """How many PreferNoSchedule taints are not tolerated; only tolerations of that effect, or of none, are read."""
    if not info.taints:
        return 0
    listed = cycle.pod["spec"].get("tolerations") or ()
    tolerations = [t for t in listed if t.get("effect") in (None, "", *ASKS)]
    return sum(untolerated([taint], tolerations, ASKS) is not None for taint in info.taints)


def normalize(cycle: Cycle, feasible: Sequence[NodeInfo], raw: list[int]) -> list[int]:
    """The fewer the better."""
    return default_normalize(raw, reverse=True)


def hint(pod: Obj, event: Event) -> bool:
    """Any new toleration; a node whose taints are all tolerated now."""
    if event.what == OWN_TOLERATION:
        return True
    before = event.old is None or refusing(pod, get(event.old, "spec", "taints") or ())
    return before and not refusing(pod, get(event.new, "spec", "taints") or ())


def cure(cycle: Cycle, info: NodeInfo) -> str:
    """Put up with the taints, or take them away."""
    tolerations = cycle.pod["spec"].get("tolerations") or ()
    bad = [taint for taint in info.taints if untolerated([taint], tolerations, FORBIDS) is not None]
    return f"tolerate {', '.join(map(_written, bad))}, or take that taint away"


def _written(taint: Obj) -> str:
    value = f"={taint['value']}" if taint.get("value") else ""
    return f"{taint['key']}{value}:{taint['effect']}"


PLUGIN = Plugin(
    "TaintToleration",
    30,
    refuse,
    prefer,
    weight=3,
    normalize=normalize,
    helped_by=(NODE_ADDED, NODE_TAINT, OWN_TOLERATION),
    hint=hint,
    local=True,
    cure=cure,
)
