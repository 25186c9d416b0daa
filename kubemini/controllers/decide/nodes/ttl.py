"""How long a kubelet may trust a Secret or ConfigMap that it has read: longer where many nodes ask.

Models k/k pkg/controller/ttl Controller.updateNodeIfNeeded
Simplified: the length follows the number of nodes at once; the real one lets it grow and shrink at different sizes.
"""

from kubemini.api.kinds import NODE
from kubemini.api.objects import Obj, freeze, get
from kubemini.controllers.decide.actions import Patch, Plan
from kubemini.controllers.decide.controller import Controller, Facts

ANNOTATION = "node.alpha.kubernetes.io/ttl"
SIZES = ((100, 0), (500, 15), (1000, 30), (2000, 60))  # up to so many nodes: seconds
MOST = 300


def seconds(nodes: int) -> int:
    """For a cluster of so many nodes."""
    return next((ttl for size, ttl in SIZES if nodes <= size), MOST)


def decide(node: Obj, facts: Facts, caught_up: bool, now: int) -> Plan:
    """Say it on the node."""
    wanted = str(seconds(len(facts.every(NODE))))
    if (get(node, "metadata", "annotations") or {}).get(ANNOTATION) == wanted:
        return Plan()
    return Plan((Patch(node, freeze({"metadata": {"annotations": {ANNOTATION: wanted}}})),))


CONTROLLER = Controller(NODE, decide)
