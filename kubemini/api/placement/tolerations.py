"""Taints and tolerations: which pods a node puts up with. Pure; the scheduler, a controller and the kubelet ask.

An empty key with operator Exists tolerates everything; an empty effect, every effect. Lt and Gt compare the taint's
value with the toleration's as integers.
Source: component-helpers scheduling/corev1/helpers.go, k/k staging api/core/v1/toleration.go.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kubemini.api.objects import Obj


def tolerates(toleration: Mapping[str, Any], taint: Mapping[str, Any]) -> bool:
    """Whether *toleration* puts up with *taint*."""
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    operator, mine, theirs = toleration.get("operator") or "Equal", toleration.get("value", ""), taint.get("value", "")
    if operator in ("Lt", "Gt"):
        return compares(operator, mine, theirs)
    return operator == "Exists" or (operator == "Equal" and mine == theirs)


def compares(operator: str, mine: str, theirs: str) -> bool:
    """Whether the taint's value is less (Lt) or greater (Gt) than the toleration's; False unless both are integers."""
    if not (_INTEGER.fullmatch(mine) and _INTEGER.fullmatch(theirs)):
        return False
    if not all(-(2**63) <= int(text) < 2**63 for text in (mine, theirs)):
        return False
    return int(theirs) < int(mine) if operator == "Lt" else int(theirs) > int(mine)


_INTEGER = re.compile("0|-?[1-9][0-9]*")


def untolerated(
    taints: Iterable[Obj],
    tolerations: Sequence[Obj],
    effects: Sequence[str] = ("NoSchedule", "NoExecute", "PreferNoSchedule"),
) -> Obj | None:
    """The first taint of these *effects* that no toleration puts up with; None if there is none."""
    concerned = (taint for taint in taints if taint["effect"] in effects)
    return next((taint for taint in concerned if not any(tolerates(t, taint) for t in tolerations)), None)
