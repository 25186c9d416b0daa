"""Which pods of an old template a DaemonSet gives up, and where it makes a new one beside the old.

Invariant: without surge, no more than maxUnavailable nodes lack a pod that serves because of the update; with surge, no
more than maxSurge nodes have a new pod besides one that serves. Old pods that do not serve anyway cost nothing.
Models k/k pkg/controller/daemon DaemonSetsController.rollingUpdate, findUpdatedPodsOnNode
Models k/k pkg/controller/daemon/util SurgeCount, UnavailableCount
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from kubemini.api import quantity
from kubemini.api.objects import Obj, get
from kubemini.controllers.decide.actions import terminating


class Found(NamedTuple):
    """The pods of one node: of the template of now, and of an older one; *clear*: at most one of each."""

    new: Obj | None
    old: Obj | None
    clear: bool


def limit(daemon: Obj, name: str, desired: int) -> int:
    """``maxSurge`` or ``maxUnavailable`` in nodes; of another strategy than RollingUpdate 0."""
    if get(daemon, "spec", "updateStrategy", "type", default="RollingUpdate") != "RollingUpdate":
        return 0
    value = get(daemon, "spec", "updateStrategy", "rollingUpdate", name)
    return quantity.scaled(value, desired, round_up=True) if value is not None else 0


def allows_surge(daemon: Obj) -> bool:
    """Whether a node may have two pods for a while."""
    return limit(daemon, "maxSurge", 1) > 0


def sorted_out(pods: Sequence[Obj], updated: Callable[[Obj], bool]) -> Found:
    """New and old of one node's *pods*, without those on their way out."""
    staying = [pod for pod in pods if not terminating(pod)]
    new, old = [pod for pod in staying if updated(pod)], [pod for pod in staying if not updated(pod)]
    if len(new) > 1 or len(old) > 1:
        return Found(None, None, False)
    return Found(new[0] if new else None, old[0] if old else None, True)


def replaced(nodes: Mapping[str, Found], available: Callable[[Obj], bool], may_miss: int) -> list[Obj]:
    """The old pods to give up where there is no surge; *nodes*: also those that should have a pod and have none."""
    missing, useless, candidates = 0, [], []
    for new, old, clear in nodes.values():
        if not clear or (new is None) == (old is None):
            missing += 1
        elif new is not None:
            missing += not available(new)
        elif old is not None and not available(old):
            useless.append(old)
            missing += 1
        elif old is not None and missing < may_miss:
            candidates.append(old)
    return [*useless, *candidates[: max(0, may_miss - missing)]]


def surged(
    nodes: Mapping[str, Found],
    available: Callable[[Obj], bool],
    fits: Callable[[str], bool],
    surge: int,
    desired: int,
) -> tuple[list[Obj], list[str]]:
    """(old pods to give up, nodes that get a new one beside the old); *fits*: whether a node should have a pod."""
    doomed: list[Obj] = []
    leaving: list[Obj] = []
    candidates: list[str] = []
    useless: list[str] = []
    surging = serving = 0
    for name, (new, old, clear) in nodes.items():
        if not clear:
            surging += 1
            continue
        serving += any(available(pod) for pod in (old or new,) if pod is not None)
        if old is None:
            continue
        if new is not None:
            surging += not available(new)
            doomed += [old] if available(new) else []
        elif not fits(name):
            (leaving if available(old) else doomed).append(old)
        elif not available(old):
            useless.append(name)
        elif surging < surge:
            candidates.append(name)
    doomed += leaving[: max(0, serving - desired)]
    return doomed, [*useless, *candidates[: max(0, surge - surging)]]
