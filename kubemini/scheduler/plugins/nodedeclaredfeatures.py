"""NodeDeclaredFeatures: a pod that needs a new feature of the kubelet goes where it is declared. Pure.

Models k/k pkg/scheduler/framework/plugins/nodedeclaredfeatures NodeDeclaredFeatures.Filter
Models k/component-helpers nodedeclaredfeatures Framework.InferForPodScheduling
"""

from collections.abc import Callable

from kubemini.api.objects import Obj, get
from kubemini.scheduler.decide.events import NODE_ADDED, NODE_FEATURE, OWN_UPDATE
from kubemini.scheduler.decide.nodeinfo import NodeInfo
from kubemini.scheduler.decide.plugin import SKIP, Cycle, Event, Plugin, Refusal, hopeless

NAME = "NodeDeclaredFeatures"


def _containers(pod: Obj, *more: str) -> list[Obj]:
    return [one for part in ("containers", "initContainers", *more) for one in pod["spec"].get(part) or ()]


def _restarts_all(pod: Obj) -> bool:
    rules = (rule for one in _containers(pod) for rule in one.get("restartPolicyRules") or ())
    return any(rule.get("action") == "RestartAllContainers" for rule in rules)


def _mount_options(pod: Obj) -> bool:
    mounts = (mount for one in _containers(pod, "ephemeralContainers") for mount in one.get("volumeMounts") or ())
    return any(mount.get("bindMountOptions") for mount in mounts)


def _users_on_host(pod: Obj) -> bool:
    return bool(pod["spec"].get("hostNetwork")) and pod["spec"].get("hostUsers") is False


NEEDS: dict[str, Callable[[Obj], bool]] = {
    "RestartAllContainersOnContainerExits": _restarts_all,
    "UserNamespacesHostNetworkSupport": _users_on_host,
    "VolumeBindMountOptions": _mount_options,
}


def prepare(cycle: Cycle) -> str | None:
    """What the pod needs of a kubelet."""
    cycle.state[NAME] = [name for name, needs in NEEDS.items() if needs(cycle.pod)]
    return None if cycle.state[NAME] else SKIP


def refuse(cycle: Cycle, info: NodeInfo) -> Refusal | None:
    """Why not this node: its kubelet does not declare it."""
    declared = get(info.node, "status", "declaredFeatures") or ()
    fits = all(name in declared for name in cycle.state[NAME])
    return None if fits else hopeless("node(s) didn't match Pod's required features")


def hint(pod: Obj, event: Event) -> bool:
    """A new node, or one that declares something else; the pod itself, if it needs something else."""
    if not event.what.startswith(OWN_UPDATE):
        return True
    before, after = ([needs(one or {"spec": {}}) for needs in NEEDS.values()] for one in (event.old, event.new))
    return before != after


OWN = ("", "PodLabel", "PodScaleDown", "PodScaleUp", "PodToleration", "PodSchedulingGatesEliminated")
HELPED_BY = (NODE_ADDED, NODE_FEATURE, *(f"{OWN_UPDATE}{how}" for how in OWN))
PLUGIN = Plugin(NAME, 160, refuse, prefilter=prepare, helped_by=HELPED_BY, hint=hint, local=True)
