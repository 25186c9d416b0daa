"""DefaultTolerationSeconds: every pod may stay some time on a node that is not ready, or unreachable.

A toleration of the pod's own for the same taint stands, also one that tolerates for ever, as DaemonSets' pods have.
Models k/k plugin/pkg/admission/defaulttolerationseconds Plugin.Admit.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from kubemini.api.kinds import POD
from kubemini.api.objects import FrozenList, Obj, evolve, freeze, get
from kubemini.apiserver.decide.attributes import Attributes

NAME = "DefaultTolerationSeconds"
TAINTS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


def admit(asked: Attributes) -> Obj | None:
    """A pod with leave to stay; other kinds as they are."""
    if asked.kind != POD or asked.obj is None or asked.subresource:
        return asked.obj
    return add_tolerations(asked.obj, asked.toleration_seconds)


def add_tolerations(pod: Obj, seconds: int) -> Obj:
    """*pod* with leave to stay *seconds* on a node that is not ready, and on one that is unreachable."""
    held = get(pod, "spec", "tolerations") or ()
    both = _leave(seconds)
    added = [one for one in both if not any(_tolerates(toleration, one["key"]) for toleration in held)]
    return evolve(pod, ("spec", "tolerations"), [*held, *added] if held else both) if added else pod


@cache
def _leave(seconds: int) -> FrozenList:
    """One list for all pods, which have little else in common that is as long."""
    rest = {"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": seconds}
    shared: FrozenList = freeze([{"key": key, **rest} for key in TAINTS])
    return shared


def _tolerates(toleration: Mapping[str, Any], key: str) -> bool:
    return toleration.get("key", "") in (key, "") and toleration.get("effect", "") in ("NoExecute", "")
