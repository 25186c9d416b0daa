"""TaintToleration: taints that forbid must be tolerated; of those that only ask, the fewer the better. Pure.

Models k/k pkg/scheduler/framework/plugins/tainttoleration TaintToleration.Filter
Models k/k pkg/scheduler/framework/plugins/tainttoleration TaintToleration.Score
The words are those of 1.37; older releases name the taint.
"""

from collections.abc import Sequence

from kubemini.api.tolerations import untolerated
from kubemini.scheduler.decide.cache import NodeInfo
from kubemini.scheduler.decide.plugin import NODE_ADDED, NODE_TAINT, Plugin, Question


def refuse(question: Question, info: NodeInfo) -> list[str]:
    """Why not this node: NoSchedule and NoExecute forbid."""
    tolerations = question.pod["spec"].get("tolerations") or ()
    found = untolerated(info.taints, tolerations, ("NoSchedule", "NoExecute"))
    return ["node(s) had untolerated taint(s)"] if found is not None else []


def prefer(question: Question, feasible: Sequence[NodeInfo]) -> list[int] | None:
    """The fewer PreferNoSchedule taints that are not tolerated, the better."""
    tolerations = question.pod["spec"].get("tolerations") or ()
    unwelcome = [
        sum(untolerated([taint], tolerations, ("PreferNoSchedule",)) is not None for taint in info.taints)
        for info in feasible
    ]
    most = max(unwelcome)
    return [100 - (100 * count // most if most else 0) for count in unwelcome]


PLUGIN = Plugin("TaintToleration", 30, refuse, prefer, weight=3, helped_by=(NODE_ADDED, NODE_TAINT))
