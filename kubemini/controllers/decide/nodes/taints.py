"""The taints that a node gets from its conditions.

Invariant: of its NoSchedule taints those for conditions and for a cordon are these and no others; what others put
stays. NoSchedule taints follow the conditions at once; of NoExecute taints, which drive pods away, a node has at most
one of two, and who puts it is told by `eviction`.
Models k/k pkg/controller/nodelifecycle Controller.doNoScheduleTaintingPass
Models k/k pkg/controller/nodelifecycle Controller.reconcileNodeLabels
"""

from collections.abc import Sequence

from kubemini.api.objects import Obj, get
from kubemini.api.timestamps import timestamp

NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"
NO_SCHEDULE, NO_EXECUTE = "NoSchedule", "NoExecute"
OF_CONDITION = {  # (type, status) of a condition → the key of the taint it calls for
    ("Ready", "False"): NOT_READY,
    ("Ready", "Unknown"): UNREACHABLE,
    ("MemoryPressure", "True"): "node.kubernetes.io/memory-pressure",
    ("DiskPressure", "True"): "node.kubernetes.io/disk-pressure",
    ("NetworkUnavailable", "True"): "node.kubernetes.io/network-unavailable",
    ("PIDPressure", "True"): "node.kubernetes.io/pid-pressure",
}
OURS = (*OF_CONDITION.values(), UNSCHEDULABLE)
EVICTING = {"False": NOT_READY, "Unknown": UNREACHABLE}  # status of Ready → the key of the NoExecute taint
LABELS = {"kubernetes.io/os": "beta.kubernetes.io/os", "kubernetes.io/arch": "beta.kubernetes.io/arch"}
Names = tuple[tuple[str, str], ...]  # (key, effect) of each


def no_schedule(node: Obj) -> tuple[Names, Names]:
    """(key, effect) of the taints that its conditions, and a cordon, call for and that it lacks; of those to lose."""
    said = [(found["type"], found["status"]) for found in get(node, "status", "conditions") or ()]
    wanted = [OF_CONDITION[one] for one in said if one in OF_CONDITION]
    wanted += [UNSCHEDULABLE] if get(node, "spec", "unschedulable") else []
    held = [key for key, effect in names_of(node) if effect == NO_SCHEDULE and key in OURS]
    return (
        tuple((key, NO_SCHEDULE) for key in wanted if key not in held),
        tuple((key, NO_SCHEDULE) for key in held if key not in wanted),
    )


def names_of(node: Obj) -> Names:
    """The (key, effect) of each of its taints."""
    return tuple((taint["key"], taint["effect"]) for taint in get(node, "spec", "taints") or ())


def with_taints(node: Obj, added: Names, now: int) -> list[Obj] | None:
    """The taints of *node* with those that are *added*, as of *now*; None if it has them all."""
    new = [(key, effect) for key, effect in added if (key, effect) not in names_of(node)]
    made = [{"key": key, "effect": effect, "timeAdded": timestamp(now)} for key, effect in new]
    return [*_held(node), *made] if made else None


def without_taints(node: Obj, gone: Sequence[tuple[str, str]]) -> list[Obj] | None:
    """The taints of *node* but those; None if it has none of them."""
    kept = [taint for taint in _held(node) if (taint["key"], taint["effect"]) not in gone]
    return kept if len(kept) < len(_held(node)) else None


def _held(node: Obj) -> Sequence[Obj]:
    return get(node, "spec", "taints") or ()


def labels(node: Obj) -> dict[str, str]:
    """The old labels of system and processor that *node* lacks, or that say something else than the new ones."""
    said = get(node, "metadata", "labels") or {}
    return {old: said[new] for new, old in LABELS.items() if new in said and said.get(old) != said[new]}
