"""ReplicationController: a ReplicaSet of the first days, whose selector is a plain map.

Models k/k pkg/controller/replication ReplicationManager
"""

from dataclasses import replace

from kubemini.api.kinds import KNOWN, POD
from kubemini.api.objects import Obj, evolve, freeze, get
from kubemini.controllers.decide import replicaset
from kubemini.controllers.decide.actions import Plan, UpdateStatus, controller_of
from kubemini.controllers.decide.claims import selects
from kubemini.controllers.decide.controller import Controller, Facts, Key, Watch, key_of, owner_key

KIND = KNOWN["v1", "ReplicationController"]


def as_set(controller: Obj) -> Obj:
    """The same with the selector of a ReplicaSet."""
    return evolve(controller, ("spec", "selector"), freeze({"matchLabels": get(controller, "spec", "selector") or {}}))


def decide(controller: Obj, facts: Facts, caught_up: bool, now: int) -> Plan:
    """What makes it true."""
    meta = controller["metadata"]
    pods = [*facts.owned_by(POD, meta["uid"]), *facts.orphans(POD, meta["namespace"])]
    found = replicaset.plan(as_set(controller), pods, (), caught_up, now)
    actions = tuple(
        UpdateStatus(evolve(controller, ("status",), action.obj["status"]))
        if isinstance(action, UpdateStatus)
        else action
        for action in found.actions
    )
    return replace(found, actions=actions)


def of_pod(pod: Obj, facts: Facts) -> list[Key]:
    """The ReplicationController that manages a pod, or those that might adopt it."""
    if controller_of(pod) is not None:
        return owner_key(pod, KIND)
    here = facts.of_namespace(KIND, pod["metadata"]["namespace"])
    return [key_of(one) for one in here if selects(as_set(one), pod)]


CONTROLLER = Controller(KIND, decide, (Watch(POD, of_pod, made_here=True),), remembers=(POD, KIND))
