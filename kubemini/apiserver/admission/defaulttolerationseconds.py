"""DefaultTolerationSeconds: every pod may stay some time on a node that is not ready, or unreachable.

A toleration of the pod's own for the same taint stands, also one that tolerates for ever, as DaemonSets' pods have.
Models k/k plugin/pkg/admission/defaulttolerationseconds Plugin.Admit.
"""

from collections.abc import Mapping
from typing import Any

from kubemini.api.kinds import POD
from kubemini.api.objects import Obj, evolve, get
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
    held = list(get(pod, "spec", "tolerations") or ())
    added = [
        {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": seconds}
        for key in TAINTS
        if not any(_tolerates(toleration, key) for toleration in held)
    ]
    return evolve(pod, ("spec", "tolerations"), held + added) if added else pod


def _tolerates(toleration: Mapping[str, Any], key: str) -> bool:
    return toleration.get("key", "") in (key, "") and toleration.get("effect", "") in ("NoExecute", "")
