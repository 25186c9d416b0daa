"""TaintToleration: taints that forbid must be tolerated; of those that only ask, the fewer the better. Pure.

Models k/k pkg/scheduler/framework/plugins/tainttoleration TaintToleration.Filter
Models k/k pkg/scheduler/framework/plugins/tainttoleration TaintToleration.Score
The words are those of 1.37; older releases name the taint.
"""

from collections.abc import Sequence

from kubemini.api.objects import Obj
from kubemini.api.tolerations import untolerated
from kubemini.scheduler.decide.cache import NodeInfo
from kubemini.scheduler.decide.plugin import NODE_ADDED, NODE_TAINT, Cycle, Plugin


def refuse(cycle: Cycle, info: NodeInfo) -> list[str]:
    """Why not this node: it has a taint that forbids, and the pod does not tolerate it."""
    return ["node(s) had untolerated taint(s)"] if refusing(cycle.pod, info) else []


def refusing(pod: Obj, info: NodeInfo) -> bool:
    """Whether a taint of the node keeps the pod away: NoSchedule and NoExecute forbid."""
    tolerations = pod["spec"].get("tolerations") or ()
    return untolerated(info.taints, tolerations, ("NoSchedule", "NoExecute")) is not None


def prefer(cycle: Cycle, feasible: Sequence[NodeInfo]) -> list[int] | None:
    """The fewer PreferNoSchedule taints that are not tolerated, the better."""
    tolerations = cycle.pod["spec"].get("tolerations") or ()
    unwelcome = [
        sum(untolerated([taint], tolerations, ("PreferNoSchedule",)) is not None for taint in info.taints)
        for info in feasible
    ]
    most = max(unwelcome)
    return [100 - (100 * count // most if most else 0) for count in unwelcome]


PLUGIN = Plugin("TaintToleration", 30, refuse, prefer, weight=3, helped_by=(NODE_ADDED, NODE_TAINT))
